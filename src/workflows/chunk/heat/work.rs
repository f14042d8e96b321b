//! The GPU's part: frames to grey of the map's size, added to a map that stays on the device.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};

use super::front::{HeatFn, front_bytes};
use super::shape::{FLOW, Shape};
use super::steps::{StepClock, Steps};
use super::sums::HeatSums;
use super::{HeatConfig, HeatKind};
use crate::core::{FrameDesc, FrameInfo, FrameLayout, PixelFormat, Size};
use crate::error::{Error, Result};
use crate::gpu::{GpuBuffer, GpuContext, Recorder};
use crate::pipeline::{BatchView, BatchWork};

/// Bytes the work allocates for frames of `layout` in batches of `batch`, beside the upload ring.
pub fn heat_bytes(layout: &FrameLayout, batch: u32, config: &HeatConfig) -> u64 {
    if !config.source.is_measured() {
        return 1 << 20;
    }
    let of = |size: Size| FrameLayout::of(PixelFormat::Gray8, size).map_or(0, |l| u64::from(l.slot_bytes()));
    let (reduced, count) = (layout.size.fit_within(config.side), u64::from(batch));
    let map = u64::from(reduced.width.next_multiple_of(16)) * u64::from(reduced.height) * 4;
    let cells = u64::from(reduced.width.div_ceil(16).next_multiple_of(16)) * u64::from(reduced.height.div_ceil(16)) * 8;
    // Three maps a frame, vectors of all levels, patches twice, and the pyramid.
    let flow = if config.source == HeatKind::Flow { FLOW.size(reduced).area() * 32 + reduced.area() * 2 } else { 0 };
    // Sums are on the device, and in each of three readback slots.
    // Of frames that are added as they lie, two are copied; which of the two it is shows when the first frame is there.
    let grey = (of(reduced) * (count + 2)).max(u64::from(layout.slot_bytes()) * 2);
    let total = front_bytes(layout, batch, config) + grey + map * 2 + (cells * 4 + flow) * count;
    total + total / 8 + (64 << 10)
}

/// The work of one source.
pub struct HeatWork<'f> {
    config: HeatConfig,
    path: PathBuf,
    make: Option<Box<HeatFn<'f>>>,
    frame: Option<Size>,
    map: Option<Size>,
    shape: Option<Shape>,
    /// Of a shape that came before, with the same size but another format or colour.
    before: Option<(Vec<u32>, u64)>,
    clock: StepClock,
    steps: Option<Steps>,
    /// The step of the frame that was recorded last.
    now: Option<i64>,
    /// Which steps ended within batches that are under way.
    pending: VecDeque<Vec<i64>>,
}

impl std::fmt::Debug for HeatWork<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HeatWork").field("config", &self.config).finish_non_exhaustive()
    }
}

impl<'f> HeatWork<'f> {
    /// Work by `config`; `path` is for messages, `make` for [`HeatKind::Custom`].
    pub fn new(config: &HeatConfig, path: &Path, make: Option<Box<HeatFn<'f>>>) -> Self {
        Self {
            config: config.clone(),
            path: path.to_path_buf(),
            make,
            frame: None,
            map: None,
            shape: None,
            before: None,
            clock: StepClock::new(config.step),
            steps: None,
            now: None,
            pending: VecDeque::new(),
        }
    }

    /// Counters and frames so far.
    fn so_far(&mut self, ctx: &GpuContext) -> Result<Option<(Vec<u32>, u64)>> {
        let Some(mut shape) = self.shape.take() else { return Ok(self.before.take()) };
        if let (Some(step), Some(steps)) = (self.now, &mut self.steps) {
            let mut rec = Recorder::new(ctx, "heat");
            let sums = shape.sums(ctx, &mut rec, 0)?.clone();
            rec.run()?;
            let bytes = sums.buffer().read(ctx, shape.sum_bytes())?;
            steps.add(step, shape.since(&bytes));
        }
        let mut counts = shape.heat.read(ctx)?;
        let mut frames = u64::from(shape.heat.frames());
        if let Some((earlier, more)) = self.before.take() {
            counts.iter_mut().zip(&earlier).for_each(|(a, b)| *a = a.saturating_add(*b));
            frames += more;
        }
        Ok(Some((counts, frames)))
    }

    /// The sums of all that was added; `None` without a frame.
    pub(super) fn sums(&mut self, ctx: &GpuContext) -> Result<Option<HeatSums>> {
        let (Some(frame), Some((counts, frames))) = (self.frame, self.so_far(ctx)?) else { return Ok(None) };
        let (Some(map), Some(steps)) = (self.map, self.steps.take()) else { return Ok(None) };
        // Of n pictures n - 1 are compared with one before.
        let added = if self.config.source.looks_back() { frames.saturating_sub(1) } else { frames };
        let (counts, sides) = (counts.into_iter().map(u64::from).collect(), Default::default());
        Ok(Some(HeatSums { frame, map, counts, frames, added, steps, sides, bells: None }))
    }
}

impl BatchWork for HeatWork<'_> {
    type Output = Option<HeatSums>;

    fn begin(
        &mut self,
        ctx: &GpuContext,
        desc: &FrameDesc,
        layout: &FrameLayout,
        batch: u32,
        _ring_slots: usize,
    ) -> Result<()> {
        let size = *self.frame.get_or_insert(desc.size);
        if size != desc.size {
            return Err(size_changes(&self.path, size, desc.size));
        }
        self.before = self.so_far(ctx)?;
        let shape = Shape::new(ctx, &self.config, desc, layout, batch)?;
        let map = shape.heat.map().layout().size;
        if self.steps.is_none() {
            self.steps = Some(Steps::new(size, map, self.config.full(), &self.clock));
        }
        (self.map, self.shape) = (Some(map), Some(shape));
        Ok(())
    }

    fn result_bytes(&self, batch: u32) -> u64 {
        // Every frame may end a step.
        self.shape.as_ref().map_or(0, |s| s.sum_bytes() * u64::from(batch))
    }

    fn record(
        &mut self,
        ctx: &GpuContext,
        batch: &BatchView<'_>,
        rec: &mut Recorder<'_>,
    ) -> Result<Vec<(GpuBuffer, u64, u64)>> {
        let bug = || Error::Bug("a batch before its shape".into());
        let shape = self.shape.as_mut().ok_or_else(bug)?;
        shape.make(ctx, batch, rec, self.make.as_deref_mut())?;
        let (mut from, mut ended) = (0u32, Vec::new());
        for (i, info) in (0u32..).zip(batch.infos) {
            let step = self.clock.step_of(info);
            if let Some(last) = self.now.replace(step).filter(|last| *last != step) {
                shape.add(ctx, batch, rec, from, i - from)?;
                shape.sums(ctx, rec, ended.len())?;
                ended.push(last);
                from = i;
            }
        }
        shape.add(ctx, batch, rec, from, batch.infos.len() as u32 - from)?;
        shape.keep(batch, rec);
        let bytes = shape.sum_bytes();
        let ranges = shape.places(ended.len()).map(|maps| (maps.buffer().clone(), 0, bytes)).collect();
        self.pending.push_back(ended);
        Ok(ranges)
    }

    fn decode(&mut self, infos: &[FrameInfo], bytes: &[u8]) -> Result<Self::Output> {
        let bug = || Error::Bug("results before their shape".into());
        let (shape, steps) = (self.shape.as_mut().ok_or_else(bug)?, self.steps.as_mut().ok_or_else(bug)?);
        let ended = self.pending.pop_front().unwrap_or_default();
        for (step, sums) in ended.into_iter().zip(bytes.chunks_exact(shape.sum_bytes() as usize)) {
            steps.add(step, shape.since(sums));
        }
        infos.iter().for_each(|info| steps.count(self.clock.step_of(info)));
        Ok(None)
    }

    fn finish(&mut self, ctx: &GpuContext) -> Result<Option<Self::Output>> {
        Ok(Some(self.sums(ctx)?))
    }
}

/// Maps are of frames of one size.
pub(super) fn size_changes(path: &Path, from: Size, to: Size) -> Error {
    Error::InputUnsupported {
        path: path.to_path_buf(),
        what: format!("a size that changes from {from} to {to}"),
        hint: Some("cut the input where the size changes, or give pictures of one size".into()),
    }
}
