//! The GPU's part: frames to grey of the map's size, added to a map that stays on the device.

use std::path::{Path, PathBuf};

use super::{HeatConfig, shares};
use crate::core::{FrameDesc, FrameInfo, FrameLayout, HeatMode, PixelFormat, Size};
use crate::error::{Error, Result};
use crate::gpu::{GpuBuffer, GpuContext, Recorder};
use crate::ops::color::gray_from_rgb::GrayFromRgbPlan;
use crate::ops::heatmap::accumulate::{HeatAccumulator, HeatBound, HeatPlan};
use crate::ops::resize::PlaneSelect;
use crate::ops::resize::area::AreaPlan;
use crate::ops::{FramesBound, GpuFrames};
use crate::pipeline::{BatchView, BatchWork};
use crate::workflows::chunk::plan::HeatMap;

/// A heat map and what it was made of.
#[derive(Debug)]
pub struct HeatFound {
    /// The map.
    pub map: HeatMap,
    /// Size of the frames.
    pub frame: Size,
    /// Number of frames.
    pub frames: u64,
}

/// Bytes the work allocates for frames of `layout` in batches of `batch`, beside the upload ring.
pub fn heat_bytes(layout: &FrameLayout, batch: u32, config: &HeatConfig) -> u64 {
    let of = |size: Size| FrameLayout::of(PixelFormat::Gray8, size).map_or(0, |l| u64::from(l.slot_bytes()));
    let reduced = layout.size.fit_within(config.side);
    let gray = if layout.format.has_luma() { 0 } else { of(layout.size) * u64::from(batch) };
    let map = u64::from(reduced.width.next_multiple_of(16)) * u64::from(reduced.height) * 4;
    let total = gray + of(reduced) * u64::from(batch + 2) + map * 2;
    total + total / 8 + (64 << 10)
}

/// Plans and buffers for frames of one shape.
struct Shape {
    gray: Option<(GrayFromRgbPlan, GpuFrames)>,
    area: AreaPlan,
    /// Grey pictures of the map's size; slot 0 holds the last one of the batch before.
    small: GpuFrames,
    last: GpuFrames,
    heat: HeatAccumulator,
    heat_bound: HeatBound,
    bound: Vec<Option<(Option<FramesBound>, FramesBound)>>,
}

/// The work of one source.
pub struct HeatWork {
    mode: HeatMode,
    side: u32,
    path: PathBuf,
    frame: Option<Size>,
    shape: Option<Shape>,
    /// Of a shape that came before, with the same size but another format or colour.
    before: Option<(Vec<u32>, u64)>,
}

impl std::fmt::Debug for HeatWork {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HeatWork").field("mode", &self.mode).field("side", &self.side).finish_non_exhaustive()
    }
}

impl HeatWork {
    /// Work by `config`; `path` is for messages.
    pub fn new(config: &HeatConfig, path: &Path) -> Self {
        let path = path.to_path_buf();
        Self { mode: config.mode(), side: config.side, path, frame: None, shape: None, before: None }
    }

    /// Counters and frames so far.
    fn so_far(&mut self, ctx: &GpuContext) -> Result<Option<(Vec<u32>, u64)>> {
        let Some(shape) = self.shape.take() else { return Ok(self.before.take()) };
        let mut counts = shape.heat.read(ctx)?;
        let mut frames = u64::from(shape.heat.frames());
        if let Some((earlier, more)) = self.before.take() {
            counts.iter_mut().zip(&earlier).for_each(|(a, b)| *a = a.saturating_add(*b));
            frames += more;
        }
        Ok(Some((counts, frames)))
    }
}

impl BatchWork for HeatWork {
    type Output = Option<HeatFound>;

    fn begin(
        &mut self,
        ctx: &GpuContext,
        desc: &FrameDesc,
        layout: &FrameLayout,
        batch: u32,
        ring_slots: usize,
    ) -> Result<()> {
        let size = *self.frame.get_or_insert(desc.size);
        if size != desc.size {
            return Err(Error::InputUnsupported {
                path: self.path.clone(),
                what: format!("a size that changes from {size} to {}", desc.size),
                hint: Some("cut the input where the size changes, or give pictures of one size".into()),
            });
        }
        self.before = self.so_far(ctx)?;
        let gray = if desc.format.has_luma() {
            None
        } else {
            let frames = GpuFrames::new(ctx, "gray", PixelFormat::Gray8, desc.size, batch)?;
            Some((GrayFromRgbPlan::new(ctx, layout)?, frames))
        };
        let plane = gray.as_ref().map_or(layout, |(_, frames)| frames.layout());
        let reduced = desc.size.fit_within(self.side);
        let small = GpuFrames::new(ctx, "small", PixelFormat::Gray8, reduced, batch + 1)?;
        let last = GpuFrames::new(ctx, "last", PixelFormat::Gray8, reduced, 1)?;
        let area = AreaPlan::new(ctx, (plane, PlaneSelect::FIRST), (small.layout(), PlaneSelect::FIRST))?;
        let heat = HeatAccumulator::new(ctx, &HeatPlan::new(ctx, small.layout(), self.mode)?)?;
        let heat_bound = heat.bind(ctx, &small, 1, batch)?;
        let bound = (0..ring_slots).map(|_| None).collect();
        self.shape = Some(Shape { gray, area, small, last, heat, heat_bound, bound });
        Ok(())
    }

    fn result_bytes(&self, _: u32) -> u64 {
        0
    }

    fn record(
        &mut self,
        ctx: &GpuContext,
        batch: &BatchView<'_>,
        rec: &mut Recorder<'_>,
    ) -> Result<Vec<(GpuBuffer, u64, u64)>> {
        let bug = || Error::Bug("a batch before its shape".into());
        let Shape { gray, area, small, last, heat, heat_bound, bound } = self.shape.as_mut().ok_or_else(bug)?;
        let slot = bound.get_mut(batch.ring_slot).ok_or_else(bug)?;
        if slot.is_none() {
            *slot = Some(match gray {
                Some((plan, frames)) => {
                    (Some(plan.bind(ctx, batch.frames, 0, frames, 0)?), area.bind(ctx, frames, 0, small, 1)?)
                }
                None => (None, area.bind(ctx, batch.frames, 0, small, 1)?),
            });
        }
        let (gray, area) = slot.as_ref().ok_or_else(bug)?;
        let (count, bytes) = (batch.infos.len() as u32, u64::from(small.layout().slot_bytes()));
        if let Some(gray) = gray {
            gray.record(rec, count);
        }
        area.record(rec, count);
        if self.mode.uses_differences() {
            if heat.frames() == 0 {
                // The first picture is compared with itself and adds nothing.
                rec.copy(small.buffer(), bytes, last.buffer(), 0, bytes);
            }
            rec.copy(last.buffer(), 0, small.buffer(), 0, bytes);
        }
        heat.record(rec, heat_bound, count)?;
        if self.mode.uses_differences() {
            rec.copy(small.buffer(), bytes * u64::from(count), last.buffer(), 0, bytes);
        }
        Ok(Vec::new())
    }

    fn decode(&mut self, _: &[FrameInfo], _: &[u8]) -> Result<Self::Output> {
        Ok(None)
    }

    fn finish(&mut self, ctx: &GpuContext) -> Result<Option<Self::Output>> {
        let Some(frame) = self.frame else { return Ok(None) };
        let Some((counts, frames)) = self.so_far(ctx)? else { return Ok(None) };
        // Of n pictures n - 1 are compared with one before.
        let added = if self.mode.uses_differences() { frames.saturating_sub(1) } else { frames };
        let map = shares(&counts, frame.fit_within(self.side), added * u64::from(self.mode.full()))?;
        Ok(Some(Some(HeatFound { map, frame, frames })))
    }
}
