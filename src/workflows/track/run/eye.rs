//! What looks at frames in GPU memory: the detector without a model, or a network.

use std::collections::VecDeque;
use std::sync::Arc;

use super::super::detections::Detections;
use super::super::motion::{MotionParams, MotionWork, motion_bytes};
use super::looks::Look;
#[cfg(feature = "onnx")]
use super::model::{ModelEye, TrackModel};
use crate::core::{Detection, FrameInfo, FrameLayout, Size};
use crate::error::{Error, Result};
use crate::gpu::{GpuContext, Readback, ReadbackRing, Recorder};
use crate::pipeline::{BatchView, BatchWork as _, HeldBatch};

/// Batches whose results are waited for while the next one is recorded.
const IN_FLIGHT: usize = 2;

/// The class of what a detector without classes sees.
pub(super) const UNNAMED: &str = "object";

/// Where detections come from.
#[non_exhaustive]
#[derive(Debug, Clone)]
pub enum TrackDetector {
    /// What differs from the background; needs no model.
    Motion,
    /// A network.
    #[cfg(feature = "onnx")]
    Model(Box<TrackModel>),
    /// A file that was read before.
    File(Arc<DetectionsFile>),
}

/// Detections of a file, by the numbers of frames.
#[derive(Debug, Clone, PartialEq)]
pub struct DetectionsFile {
    /// Its name.
    pub name: String,
    /// Its content id.
    pub fingerprint: String,
    /// What it holds.
    pub detections: Detections,
}

impl TrackDetector {
    /// Names of the classes; empty where they have none.
    pub fn classes(&self) -> Vec<String> {
        match self {
            Self::Motion => vec![UNNAMED.into()],
            #[cfg(feature = "onnx")]
            Self::Model(m) => m.classes(),
            Self::File(f) => f.detections.classes.clone(),
        }
    }

    /// Whether a network of it only stands in for a real one: what it sees means nothing.
    pub fn stands_in(&self) -> bool {
        match self {
            #[cfg(feature = "onnx")]
            Self::Model(m) => m.stands_in(),
            Self::Motion | Self::File(_) => false,
        }
    }

    /// Whether it is a network: slow enough that what it found is kept while it works, and without memory of the frames before.
    pub(super) fn is_network(&self) -> bool {
        match self {
            #[cfg(feature = "onnx")]
            Self::Model(_) => true,
            Self::Motion | Self::File(_) => false,
        }
    }

    /// Whether it can look at frames of this size.
    pub(super) fn check(&self, size: Size) -> Result<()> {
        match self {
            #[cfg(feature = "onnx")]
            Self::Model(m) => m.slices().map_or(Ok(()), |s| s.check(size)),
            Self::Motion | Self::File(_) => {
                let _ = size;
                Ok(())
            }
        }
    }

    /// What it is, for the run key and the report.
    pub fn content(&self) -> String {
        match self {
            Self::Motion => "motion".into(),
            #[cfg(feature = "onnx")]
            Self::Model(m) => m.content(),
            Self::File(f) => format!("{} {}", f.name, f.fingerprint),
        }
    }
}

/// What was found in a frame.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct FoundFrame {
    /// Its number.
    pub(super) index: u64,
    /// In pixels.
    pub(super) detections: Vec<Detection>,
    /// What they look like, one for each; empty where nobody asked.
    pub(super) looks: Vec<Option<Look>>,
}

impl FoundFrame {
    fn bare((index, detections): (u64, Vec<Detection>)) -> Self {
        Self { index, detections, looks: Vec::new() }
    }
}

pub(super) type Found = Vec<FoundFrame>;

/// Looks at batches.
pub(super) enum Eye {
    Motion(Box<MotionEye>),
    #[cfg(feature = "onnx")]
    Model(Box<ModelEye>),
    /// Detections are known already.
    Blind,
}

impl Eye {
    pub(super) fn new(ctx: &GpuContext, detector: &TrackDetector, motion: &MotionParams, floor: f64) -> Result<Self> {
        let _ = (ctx, floor);
        Ok(match detector {
            TrackDetector::Motion => Self::Motion(Box::new(MotionEye::new(motion)?)),
            #[cfg(feature = "onnx")]
            TrackDetector::Model(m) => Self::Model(Box::new(m.eye(ctx, floor)?)),
            TrackDetector::File(_) => Self::Blind,
        })
    }

    /// Bytes that it allocates for batches of `batch` frames of `layout`.
    pub(super) fn bytes(&self) -> impl Fn(&FrameLayout, u32) -> u64 + Sync + 'static {
        let motion = match self {
            Self::Motion(m) => Some(m.params.clone()),
            _ => None,
        };
        #[cfg(feature = "onnx")]
        let tensors = match self {
            Self::Model(m) => Some(m.bytes()),
            _ => None,
        };
        #[cfg(not(feature = "onnx"))]
        let tensors: Option<fn(&FrameLayout, u32) -> u64> = None;
        move |layout, batch| {
            let motion = motion.as_ref().map_or(0, |p| motion_bytes(layout, batch, p, IN_FLIGHT));
            motion + tensors.as_ref().map_or(0, |bytes| bytes(layout, batch))
        }
    }

    /// Looks at a batch; what it finds may come with a later call.
    pub(super) fn look(&mut self, ctx: &GpuContext, batch: &HeldBatch) -> Result<Found> {
        match self {
            Self::Motion(eye) => eye.look(ctx, batch),
            #[cfg(feature = "onnx")]
            Self::Model(eye) => eye.look(batch),
            Self::Blind => Ok(batch.infos().iter().map(|i| FoundFrame::bare((i.index, Vec::new()))).collect()),
        }
    }

    /// Hands out what is still under way.
    pub(super) fn finish(&mut self, ctx: &GpuContext) -> Result<Found> {
        match self {
            Self::Motion(eye) => eye.collect(ctx, 0),
            _ => Ok(Vec::new()),
        }
    }
}

/// The motion detector on held batches.
pub(super) struct MotionEye {
    params: MotionParams,
    work: MotionWork,
    ring: Option<(u32, ReadbackRing)>,
    waiting: VecDeque<(Readback, Vec<FrameInfo>)>,
}

impl MotionEye {
    fn new(params: &MotionParams) -> Result<Self> {
        let work = MotionWork::new(params.clone())?;
        Ok(Self { params: params.clone(), work, ring: None, waiting: VecDeque::new() })
    }

    fn look(&mut self, ctx: &GpuContext, batch: &HeldBatch) -> Result<Found> {
        let mut found = Vec::new();
        if self.ring.as_ref().is_none_or(|(number, _)| *number != batch.shape_number()) {
            // Results of the old shape must be out before the work plans anew.
            found = self.collect(ctx, 0)?;
            let layout = *batch.frames().layout();
            self.work.begin(ctx, batch.desc(), &layout, batch.capacity(), batch.ring_slots())?;
            let bytes = self.work.result_bytes(batch.capacity()).max(4);
            self.ring = Some((batch.shape_number(), ReadbackRing::new(ctx, "motion", bytes, IN_FLIGHT + 1)?));
        }
        let infos = batch.infos();
        let view = BatchView { frames: batch.frames(), desc: batch.desc(), infos, ring_slot: batch.ring_slot() };
        let mut rec = Recorder::new(ctx, "motion");
        let ranges = self.work.record(ctx, &view, &mut rec)?;
        let refs: Vec<_> = ranges.iter().map(|(b, o, l)| (b, *o, *l)).collect();
        let (_, ring) = self.ring.as_mut().ok_or_else(|| Error::Bug("a batch before its ring".into()))?;
        let ticket = ring.record(&mut rec, &refs)?;
        let submission = rec.submit()?;
        self.waiting.push_back((ring.submitted(ticket, submission), infos.to_vec()));
        found.extend(self.collect(ctx, IN_FLIGHT - 1)?);
        Ok(found)
    }

    /// Waits until no more than `leave` batches are under way.
    fn collect(&mut self, ctx: &GpuContext, leave: usize) -> Result<Found> {
        let mut found = Vec::new();
        while self.waiting.len() > leave {
            let Some((readback, infos)) = self.waiting.pop_front() else { break };
            let (_, ring) = self.ring.as_mut().ok_or_else(|| Error::Bug("results without a ring".into()))?;
            let bytes = ring.collect(ctx, readback)?;
            let output = self.work.decode(&infos, &bytes)?;
            found.extend(infos.iter().map(|i| i.index).zip(output.frames).map(FoundFrame::bare));
        }
        Ok(found)
    }
}
