//! Reduction on the GPU; the small pictures go to the detector.

use super::{MotionDetector, MotionParams};
use crate::core::{Detection, FrameDesc, FrameInfo, FrameLayout, PixelFormat, Size};
use crate::error::{Error, Result};
use crate::gpu::{GpuBuffer, GpuContext, Recorder};
use crate::ops::color::gray_from_rgb::GrayFromRgbPlan;
use crate::ops::resize::PlaneSelect;
use crate::ops::resize::area::AreaPlan;
use crate::ops::{FramesBound, GpuFrames};
use crate::pipeline::{BatchView, BatchWork, Event, FrameSource, PipelineOptions, SourceReport, run};
use crate::workflows::track::detections::{DetectionFrame, Detections};

/// Detections of a batch.
#[non_exhaustive]
#[derive(Debug)]
pub struct MotionOutput {
    /// Per frame, boxes in pixels.
    pub frames: Vec<Vec<Detection>>,
}

/// Sides divided by the least whole number that brings the longer one to `longest`.
fn reduced_size(size: Size, longest: u32) -> Size {
    let factor = size.width.max(size.height).div_ceil(longest.max(1)).max(1);
    Size::new((size.width / factor).max(1), (size.height / factor).max(1))
}

/// Bytes the work allocates for frames of `layout` in batches of `batch`, beside the upload ring.
pub fn motion_bytes(layout: &FrameLayout, batch: u32, params: &MotionParams, in_flight: usize) -> u64 {
    let of = |size: Size| FrameLayout::of(PixelFormat::Gray8, size).map_or(0, |l| u64::from(l.slot_bytes()));
    let batch = u64::from(batch);
    let gray = if layout.format.has_luma() { 0 } else { of(layout.size) * batch };
    let reduced = reduced_size(layout.size, params.side);
    // On the device, in each readback slot and in the picture being looked at; a pixel of the model takes 9 bytes.
    let total = gray + of(reduced) * batch * (in_flight as u64 + 3) + reduced.area() * 9;
    total + total / 8 + (64 << 10)
}

fn seconds_of(info: &FrameInfo) -> f64 {
    info.seconds().unwrap_or(info.index as f64 / 25.0)
}

/// What moves in all frames of `source`, in frame order. How the source ended is in the report: what was found before stays.
///
/// # Errors
/// [`Error::Config`] for a setting out of its range; those of the device; [`Error::Cancelled`].
pub fn motion_detections(
    ctx: &GpuContext,
    options: &PipelineOptions,
    source: Box<dyn FrameSource + '_>,
    params: &MotionParams,
) -> Result<(Detections, SourceReport)> {
    let work = MotionWork::new(params.clone())?;
    let mut out = Detections::default();
    let mut end = None;
    let bytes = |layout: &FrameLayout, batch: u32| motion_bytes(layout, batch, params, options.in_flight);
    run(ctx, options, vec![(source, work)], &bytes, |event| {
        match event {
            Event::Batch { infos, output, .. } => {
                let frames = infos.iter().zip(output.frames);
                out.frames.extend(frames.map(|(info, detections)| DetectionFrame {
                    index: info.index,
                    seconds: seconds_of(info),
                    detections,
                }));
            }
            Event::Last { .. } => {}
            Event::End { report, .. } => end = Some(report),
        }
        Ok(())
    })?;
    let report = end.ok_or_else(|| Error::Bug("a source without an end".into()))?;
    Ok((out, report))
}

/// Plans and buffers for frames of one shape.
struct Shape {
    size: Size,
    gray: Option<(GrayFromRgbPlan, GpuFrames)>,
    area: AreaPlan,
    reduced: GpuFrames,
    /// By ring slot.
    bound: Vec<Option<(Option<FramesBound>, FramesBound)>>,
    detector: MotionDetector,
}

/// Finds what moves in one source. Frames without a time are taken to follow each other at 25 frames per second.
pub struct MotionWork {
    params: MotionParams,
    shape: Option<Shape>,
}

impl std::fmt::Debug for MotionWork {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MotionWork").field("params", &self.params).finish_non_exhaustive()
    }
}

impl MotionWork {
    /// Work without frames.
    ///
    /// # Errors
    /// [`Error::Config`] for a setting out of its range.
    pub fn new(params: MotionParams) -> Result<Self> {
        params.check("motion.")?;
        Ok(Self { params, shape: None })
    }

    fn shape(&mut self) -> Result<&mut Shape> {
        self.shape.as_mut().ok_or_else(|| Error::Bug("a batch before its shape".into()))
    }
}

impl BatchWork for MotionWork {
    type Output = MotionOutput;

    /// A new shape begins a new background.
    fn begin(
        &mut self,
        ctx: &GpuContext,
        desc: &FrameDesc,
        layout: &FrameLayout,
        batch: u32,
        ring_slots: usize,
    ) -> Result<()> {
        let gray = if desc.format.has_luma() {
            None
        } else {
            let frames = GpuFrames::new(ctx, "gray", PixelFormat::Gray8, desc.size, batch)?;
            Some((GrayFromRgbPlan::new(ctx, layout)?, frames))
        };
        let plane = gray.as_ref().map_or(layout, |(_, frames)| frames.layout());
        let size = reduced_size(desc.size, self.params.side);
        let reduced = GpuFrames::new(ctx, "reduced", PixelFormat::Gray8, size, batch)?;
        let area = AreaPlan::new(ctx, (plane, PlaneSelect::FIRST), (reduced.layout(), PlaneSelect::FIRST))?;
        let detector = MotionDetector::new(self.params.clone(), size)?;
        let bound = (0..ring_slots).map(|_| None).collect();
        self.shape = Some(Shape { size: desc.size, gray, area, reduced, bound, detector });
        Ok(())
    }

    fn result_bytes(&self, batch: u32) -> u64 {
        self.shape.as_ref().map_or(0, |s| u64::from(s.reduced.layout().slot_bytes())) * u64::from(batch)
    }

    fn record(
        &mut self,
        ctx: &GpuContext,
        batch: &BatchView<'_>,
        rec: &mut Recorder<'_>,
    ) -> Result<Vec<(GpuBuffer, u64, u64)>> {
        let shape = self.shape()?;
        let count = batch.infos.len() as u32;
        let place = shape.bound.get_mut(batch.ring_slot);
        let place = place.ok_or_else(|| Error::Bug(format!("there is no ring slot {}", batch.ring_slot)))?;
        if place.is_none() {
            let (gray, plane) = match &shape.gray {
                Some((plan, gray)) => (Some(plan.bind(ctx, batch.frames, 0, gray, 0)?), gray),
                None => (None, batch.frames),
            };
            *place = Some((gray, shape.area.bind(ctx, plane, 0, &shape.reduced, 0)?));
        }
        if let Some((gray, area)) = place {
            if let Some(gray) = gray {
                gray.record(rec, count);
            }
            area.record(rec, count);
        }
        let bytes = u64::from(shape.reduced.layout().slot_bytes()) * u64::from(count);
        Ok(vec![(shape.reduced.buffer().clone(), 0, bytes)])
    }

    fn decode(&mut self, infos: &[FrameInfo], bytes: &[u8]) -> Result<MotionOutput> {
        let shape = self.shape()?;
        let layout = *shape.reduced.layout();
        let (slot, stride) = (layout.slot_bytes() as usize, layout.first().stride as usize);
        let (w, h) = (layout.size.width as usize, layout.size.height as usize);
        let scale =
            [shape.size.width as f32 / layout.size.width as f32, shape.size.height as f32 / layout.size.height as f32];
        let mut frames = Vec::with_capacity(infos.len());
        for (info, slot) in infos.iter().zip(bytes.chunks_exact(slot.max(1))) {
            let rows = slot.chunks(stride.max(1)).take(h).flat_map(|row| row.iter().take(w));
            let picture: Vec<u8> = rows.copied().collect();
            let seconds = seconds_of(info);
            let mut found = shape.detector.detect(&picture, seconds)?;
            for d in &mut found {
                let [sx, sy] = scale;
                (d.rect.x, d.rect.width) = (d.rect.x * sx, d.rect.width * sx);
                (d.rect.y, d.rect.height) = (d.rect.y * sy, d.rect.height * sy);
            }
            frames.push(found);
        }
        if frames.len() != infos.len() {
            return Err(Error::Bug(format!("pictures of {} frames for {}", frames.len(), infos.len())));
        }
        Ok(MotionOutput { frames })
    }

    fn finish(&mut self, _: &GpuContext) -> Result<Option<MotionOutput>> {
        Ok(None)
    }
}
