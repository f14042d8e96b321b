//! A network as a detector, and one that says what its boxes look like: loaded once, looked through by all streams.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use super::eye::{Found, FoundFrame};
use super::looks::{LONGEST, Look, MOST, look};
use super::slices::TrackSlices;
use crate::core::{BoxRect, Detection, FrameInfo, FrameLayout, MergeRule, Rect, merge_detections};
use crate::error::{Error, Result};
use crate::gpu::GpuContext;
use crate::infer::tasks::detect::{DetectOptions, Detector};
use crate::infer::{
    IoInfo, ModelEntry, NamedTensor, OnnxSession, Outputs, SessionOptions, Task, TensorModel, VerifiedModel,
    load_runtime,
};
use crate::ops::resize::crop_resize::CropBox;
use crate::pipeline::HeldBatch;
use crate::pipeline::vision::{DescriptorModel, DescriptorOptions, PictureModel, Prepared, TensorStageOptions};

/// Frames that go through the network at once. One: sums of a larger batch may be rounded in another order, and results must not depend on
/// how many frames are in flight. On the processor nothing is lost by it.
const AT_ONCE: usize = 1;

/// A loaded network of task `detect`, and if wanted one for appearance. Clones share their sessions.
#[derive(Debug, Clone)]
pub struct TrackModel {
    net: Network,
    reader: Detector,
    runtime: String,
    appearance: Option<Appearance>,
    slices: Option<TrackSlices>,
}

/// A network and what it is.
#[derive(Debug, Clone)]
struct Network {
    session: Lent,
    entry: ModelEntry,
    sha256: String,
}

/// A network that says what a box looks like, for those of at least this score.
#[derive(Debug, Clone)]
struct Appearance {
    net: Network,
    least: f64,
}

/// A session that several streams use, one at a time.
#[derive(Debug, Clone)]
struct Lent {
    session: Arc<Mutex<OnnxSession>>,
    inputs: Vec<IoInfo>,
    outputs: Vec<IoInfo>,
}

impl TensorModel for Lent {
    fn inputs(&self) -> &[IoInfo] {
        &self.inputs
    }

    fn outputs(&self) -> &[IoInfo] {
        &self.outputs
    }

    fn run(&mut self, inputs: &[NamedTensor<'_>]) -> Result<Outputs> {
        self.session.lock().unwrap_or_else(PoisonError::into_inner).run(inputs)
    }
}

impl Network {
    fn open(model: &VerifiedModel, options: &SessionOptions) -> Result<Self> {
        let session = OnnxSession::open(model, options)?;
        let (inputs, outputs) = (session.inputs().to_vec(), session.outputs().to_vec());
        let session = Lent { session: Arc::new(Mutex::new(session)), inputs, outputs };
        Ok(Self { session, entry: model.entry.clone(), sha256: model.sha256.clone() })
    }
}

impl TrackModel {
    /// Loads a network.
    ///
    /// # Errors
    /// [`Error::Usage`] for models of other tasks; [`Error::Model`].
    pub fn open(model: &VerifiedModel, options: &SessionOptions) -> Result<Self> {
        let entry = &model.entry;
        if entry.task != Task::Detect {
            return Err(Error::usage(format!("`{}` is a model for {}, not for detection", entry.name, entry.task)));
        }
        let net = Network::open(model, options)?;
        let reader = Detector::new(entry, &net.session.inputs, &net.session.outputs)?;
        Ok(Self { net, reader, runtime: load_runtime()?.version.to_string(), appearance: None, slices: None })
    }

    /// With a network of task `reid` or `embed` that says what boxes look like, so that trackers can tell them apart. It looks at boxes of a
    /// score of at least `least`, at most 128 of a frame.
    ///
    /// # Errors
    /// [`Error::Usage`] for models of other tasks; [`Error::Model`].
    pub fn with_appearance(self, model: &VerifiedModel, least: f64, options: &SessionOptions) -> Result<Self> {
        let entry = &model.entry;
        if !matches!(entry.task, Task::Reid | Task::Embed) {
            return Err(Error::usage(format!("`{}` is a model for {}, not for appearance", entry.name, entry.task)));
        }
        Ok(Self { appearance: Some(Appearance { net: Network::open(model, options)?, least }), ..self })
    }

    /// Looks at parts of the frame as well, and merges what it finds there with what it finds in the whole: small objects in large frames.
    #[must_use]
    pub fn with_slices(self, slices: TrackSlices) -> Self {
        Self { slices: Some(slices), ..self }
    }

    /// Where it looks besides at the whole frame.
    pub(super) fn slices(&self) -> Option<&TrackSlices> {
        self.slices.as_ref()
    }

    /// Its name in the manifest.
    pub fn name(&self) -> &str {
        &self.net.entry.name
    }

    /// Whether a network only stands in for a real one: its results mean nothing.
    pub fn stands_in(&self) -> bool {
        self.net.entry.stand_in || self.appearance.as_ref().is_some_and(|a| a.net.entry.stand_in)
    }

    /// Names of the classes, where the manifest gives them.
    pub fn classes(&self) -> Vec<String> {
        let names = self.reader.classes();
        let name = |i: u32| Some(names?.name(i)?.to_owned());
        (0..names.map_or(0, |n| n.len() as u32)).filter_map(name).collect()
    }

    pub(super) fn content(&self) -> String {
        let of = |n: &Network| format!("{} {}", n.entry.name, n.sha256);
        let appearance = self.appearance.as_ref().map(|a| format!(" {}", of(&a.net)));
        let slices = self.slices.as_ref().map(|s| format!(" {}", s.content()));
        format!("{} {}{}{}", of(&self.net), self.runtime, appearance.unwrap_or_default(), slices.unwrap_or_default())
    }

    /// For one stream: tensors of its own, the session shared.
    pub(super) fn eye(&self, ctx: &GpuContext, floor: f64) -> Result<ModelEye> {
        let Network { session, entry, .. } = &self.net;
        let picture = entry.picture.clone().unwrap_or_default();
        let options = TensorStageOptions { in_flight: 2, ..TensorStageOptions::default() };
        let model = PictureModel::new(ctx, session.clone(), &picture, AT_ONCE, options)?;
        let options = DetectOptions { score: floor as f32, ..self.reader.options().clone() };
        let appearance = self.appearance.as_ref().map(|a| LookEye::new(ctx, a)).transpose()?;
        // Tensors of a frame that one binding holds.
        let element = model.stage().element_bytes().max(1);
        let most = usize::try_from(ctx.caps().max_binding_bytes / element).unwrap_or(usize::MAX).max(1);
        Ok(ModelEye { model, reader: self.reader.clone(), options, appearance, slices: self.slices.clone(), most })
    }
}

/// A network that looks at the frames of one stream.
pub(super) struct ModelEye {
    model: PictureModel<Lent>,
    reader: Detector,
    options: DetectOptions,
    appearance: Option<LookEye>,
    slices: Option<TrackSlices>,
    /// Tensors that are made at a time, at most.
    most: usize,
}

impl ModelEye {
    /// Bytes of tensors for a batch of `batch` frames: there may be as many in flight, both ways.
    pub(super) fn bytes(&self) -> impl Fn(&FrameLayout, u32) -> u64 + Sync + 'static {
        let tensor = self.model.stage().element_bytes();
        let looks = self.appearance.as_ref().map_or(0, |a| a.net.net().stage().element_bytes() * MOST as u64);
        let (slices, most) = (self.slices.clone(), self.most as u64);
        move |layout, batch| {
            // Parts are those of two frames at most, whatever the batch.
            let tensors = match &slices {
                Some(s) => (2 * s.most(layout.size) as u64).min(2 * most),
                None => 4 * u64::from(batch),
            };
            tensors * tensor * if slices.is_some() { 2 } else { 1 } + 4 * looks
        }
    }

    pub(super) fn look(&mut self, batch: &HeldBatch) -> Result<Found> {
        let mut found = if self.slices.is_some() { self.sliced(batch)? } else { self.whole(batch)? };
        if let Some(eye) = &mut self.appearance {
            for (slot, frame) in (0u32..).zip(&mut found) {
                frame.looks = eye.look(batch, slot, &frame.detections)?;
            }
        }
        Ok(found)
    }

    fn whole(&mut self, batch: &HeldBatch) -> Result<Found> {
        let Self { model, reader, options, .. } = self;
        let infos = batch.infos();
        let prepared = model.submit_whole(batch.frames(), batch.desc().color, infos.len() as u32)?;
        let mut found: Found = Vec::with_capacity(infos.len());
        let mut next = infos.iter();
        model.finish(prepared, &[], |run| {
            let pictures = reader.decode(&run.outputs, run.places, options)?;
            let indices = next.by_ref().map(|i| i.index).take(pictures.len());
            let frame = |(index, detections)| FoundFrame { index, detections, looks: Vec::new() };
            found.extend(indices.zip(pictures).map(frame));
            Ok(())
        })?;
        if found.len() != infos.len() {
            return Err(Error::Bug(format!("detections of {} frames for {}", found.len(), infos.len())));
        }
        Ok(found)
    }

    /// Looks at the whole of each frame and at its parts; tensors of the next parts are made while the network works.
    fn sliced(&mut self, batch: &HeldBatch) -> Result<Found> {
        let Self { model, reader, options, slices, most, .. } = self;
        let (infos, size, color) = (batch.infos(), batch.desc().size, batch.desc().color);
        let parts: Vec<(u32, Rect)> = (0u32..)
            .zip(infos)
            .flat_map(|(slot, info)| {
                let rects = slices.as_ref().map_or_else(Vec::new, |s| s.rects(size, info.seconds().unwrap_or(0.0)));
                rects.into_iter().map(move |r| (slot, r))
            })
            .collect();
        let mut seen: Vec<Vec<(Detection, Rect)>> = vec![Vec::new(); infos.len()];
        let mut ahead: VecDeque<(Prepared, &[(u32, Rect)])> = VecDeque::new();
        // A frame at a time, or less: memory does not depend on the batch.
        let frames = parts.chunk_by(|a, b| a.0 == b.0).flat_map(|frame| frame.chunks(*most));
        for group in frames.map(Some).chain([None]) {
            if let Some(own) = group {
                let crops: Vec<CropBox> = own.iter().map(|(slot, r)| crop(*slot, r)).collect();
                ahead.push_back((model.submit(batch.frames(), color, &crops)?, own));
            }
            while ahead.len() > usize::from(group.is_some()) {
                let Some((prepared, own)) = ahead.pop_front() else { break };
                let mut own = own.iter();
                model.finish(prepared, &[], |run| {
                    let pictures = reader.decode(&run.outputs, run.places, options)?;
                    for (detections, (slot, rect)) in pictures.into_iter().zip(own.by_ref()) {
                        if let Some(into) = seen.get_mut(*slot as usize) {
                            into.extend(detections.into_iter().map(|d| (d, *rect)));
                        }
                    }
                    Ok(())
                })?;
            }
        }
        let rule = MergeRule { agnostic: options.class_agnostic, ..MergeRule::default() };
        let merged = |(info, seen): (&FrameInfo, Vec<(Detection, Rect)>)| FoundFrame {
            index: info.index,
            detections: merge_detections(&seen, size, &rule),
            looks: Vec::new(),
        };
        Ok(infos.iter().zip(seen).map(merged).collect())
    }
}

fn crop(slot: u32, r: &Rect) -> CropBox {
    // Sides are at most 32,768.
    CropBox { slot, rect: BoxRect { x: r.x as i32, y: r.y as i32, width: r.width, height: r.height } }
}

/// A network that looks at boxes of one stream.
struct LookEye {
    net: DescriptorModel<Lent>,
    least: f32,
}

impl LookEye {
    fn new(ctx: &GpuContext, of: &Appearance) -> Result<Self> {
        let options = DescriptorOptions { largest: AT_ONCE, ..DescriptorOptions::default() };
        let net = DescriptorModel::new(ctx, of.net.session.clone(), &of.net.entry, options)?;
        Ok(Self { net, least: of.least as f32 })
    }

    /// What the boxes of a frame look like, one for each.
    fn look(&mut self, batch: &HeldBatch, slot: u32, boxes: &[Detection]) -> Result<Vec<Option<Look>>> {
        let mut wanted: Vec<usize> = (0..boxes.len()).collect();
        wanted.retain(|i| boxes.get(*i).is_some_and(|d| d.score >= self.least));
        let score = |i: &usize| boxes.get(*i).map_or(0.0, |d| d.score);
        wanted.sort_by(|a, b| score(b).total_cmp(&score(a)).then(a.cmp(b)));
        wanted.truncate(MOST);
        let crops: Vec<CropBox> =
            wanted.iter().filter_map(|i| boxes.get(*i)).map(|d| CropBox { slot, rect: d.rect.to_pixels() }).collect();
        let mut looks = vec![None; boxes.len()];
        if crops.is_empty() {
            return Ok(looks);
        }
        let found = self.net.describe(batch.frames(), batch.desc().color, &crops)?;
        if found.dim > LONGEST {
            let text = format!(
                "a vector for appearance of at most {LONGEST} numbers is wanted, the model gives {}",
                found.dim
            );
            return Err(Error::model("shape", text));
        }
        for (i, row) in wanted.into_iter().zip(found.rows()) {
            if let Some(place) = looks.get_mut(i) {
                *place = look(row);
            }
        }
        Ok(looks)
    }
}
