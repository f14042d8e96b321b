//! The GPU's part: frames to grey of the map's size, added to a map that stays on the device.

use std::collections::{HashMap, VecDeque};
use std::path::{Path, PathBuf};

use super::steps::{StepClock, Steps};
use super::{HeatConfig, shares};
use crate::core::{CellGrid, FrameDesc, FrameInfo, FrameLayout, HeatMode, PixelFormat, Size};
use crate::error::{Error, Result};
use crate::gpu::{GpuBuffer, GpuContext, Recorder};
use crate::ops::color::gray_from_rgb::GrayFromRgbPlan;
use crate::ops::heatmap::accumulate::{HeatAccumulator, HeatBound, HeatPlan};
use crate::ops::placement::cell_sums::{CellSumsParams, CellSumsPlan};
use crate::ops::resize::PlaneSelect;
use crate::ops::resize::area::AreaPlan;
use crate::ops::{FramesBound, GpuFrames, GpuMaps, Passes, Record};
use crate::pipeline::{BatchView, BatchWork};
use crate::workflows::chunk::activity::ActivityGrid;
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
    /// When it was hot where.
    pub activity: ActivityGrid,
}

/// Bytes the work allocates for frames of `layout` in batches of `batch`, beside the upload ring.
pub fn heat_bytes(layout: &FrameLayout, batch: u32, config: &HeatConfig) -> u64 {
    let of = |size: Size| FrameLayout::of(PixelFormat::Gray8, size).map_or(0, |l| u64::from(l.slot_bytes()));
    let reduced = layout.size.fit_within(config.side);
    let gray = if layout.format.has_luma() { 0 } else { of(layout.size) * u64::from(batch) };
    let map = u64::from(reduced.width.next_multiple_of(16)) * u64::from(reduced.height) * 4;
    let cells = u64::from(reduced.width.div_ceil(16).next_multiple_of(16)) * u64::from(reduced.height.div_ceil(16)) * 8;
    // On the device, and in each of three readback slots.
    let total = gray + of(reduced) * u64::from(batch + 2) + map * 2 + cells * u64::from(batch) * 4;
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
    /// Parts of batches, where a step ends within one: first frame and number.
    runs: HashMap<(u32, u32), HeatBound>,
    cells: CellSumsPlan,
    /// Sums of the cells of the map at the ends of steps.
    sums: Vec<(GpuMaps, Passes)>,
    /// The sums at the end of the step before.
    before: Vec<u64>,
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
    clock: StepClock,
    steps: Option<Steps>,
    /// The step of the frame that was recorded last.
    now: Option<i64>,
    /// Which steps ended within batches that are under way.
    pending: VecDeque<Vec<i64>>,
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
        Self {
            mode: config.mode(),
            side: config.side,
            path,
            frame: None,
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
            let bytes = sums.buffer().read(ctx, u64::from(sums.layout().slot_bytes()))?;
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
}

impl Shape {
    /// Records the reduction of a batch, the last picture of the batch before it in front.
    fn reduce(&mut self, ctx: &GpuContext, batch: &BatchView<'_>, rec: &mut Recorder<'_>) -> Result<()> {
        let bug = || Error::Bug("a batch before its shape".into());
        let slot = self.bound.get_mut(batch.ring_slot).ok_or_else(bug)?;
        if slot.is_none() {
            *slot = Some(match &self.gray {
                Some((plan, frames)) => {
                    let gray = plan.bind(ctx, batch.frames, 0, frames, 0)?;
                    (Some(gray), self.area.bind(ctx, frames, 0, &self.small, 1)?)
                }
                None => (None, self.area.bind(ctx, batch.frames, 0, &self.small, 1)?),
            });
        }
        let (gray, area) = slot.as_ref().ok_or_else(bug)?;
        let (count, bytes) = (batch.infos.len() as u32, u64::from(self.small.layout().slot_bytes()));
        if let Some(gray) = gray {
            gray.record(rec, count);
        }
        area.record(rec, count);
        if self.heat.frames() == 0 {
            // The first picture is compared with itself and adds nothing.
            rec.copy(self.small.buffer(), bytes, self.last.buffer(), 0, bytes);
        }
        rec.copy(self.last.buffer(), 0, self.small.buffer(), 0, bytes);
        Ok(())
    }

    /// Records that the last of `count` pictures is kept for the next batch.
    fn keep_last(&self, rec: &mut Recorder<'_>, mode: HeatMode, count: u32) {
        if mode.uses_differences() {
            let bytes = u64::from(self.small.layout().slot_bytes());
            rec.copy(self.small.buffer(), bytes * u64::from(count), self.last.buffer(), 0, bytes);
        }
    }

    /// Records the sums of cells as they are now into place `at`.
    fn sums(&mut self, ctx: &GpuContext, rec: &mut Recorder<'_>, at: usize) -> Result<&GpuMaps> {
        while self.sums.len() <= at {
            let maps = GpuMaps::new(ctx, "cells", *self.cells.output(), 1)?;
            let passes = self.cells.bind(ctx, self.heat.map(), 0, &maps)?;
            self.sums.push((maps, passes));
        }
        let (maps, passes) = self.sums.get(at).ok_or_else(|| Error::Bug("sums without a place".into()))?;
        passes.record(rec, 1);
        Ok(maps)
    }

    /// Records the addition of `count` pictures of the batch from `first` on.
    fn add(&mut self, ctx: &GpuContext, rec: &mut Recorder<'_>, first: u32, count: u32) -> Result<()> {
        if first == 0 {
            return self.heat.record(rec, &self.heat_bound, count);
        }
        if !self.runs.contains_key(&(first, count)) {
            let bound = self.heat.bind_run(ctx, &self.small, first + 1, count)?;
            self.runs.insert((first, count), bound);
        }
        let bound = self.runs.get(&(first, count)).ok_or_else(|| Error::Bug("a run that is not bound".into()))?;
        self.heat.record(rec, bound, count)
    }

    /// What cells collected since the sums before, row by row, from the bytes of a map of sums.
    fn since(&mut self, bytes: &[u8]) -> Vec<u64> {
        let layout = self.cells.output();
        let (stride, rows) = (layout.stride_bytes() as usize, layout.size.height as usize);
        let row = layout.size.width as usize * 4;
        let rows = bytes.chunks_exact(stride.max(1)).take(rows).filter_map(|r| r.get(..row));
        let sums: Vec<u64> = rows.flat_map(bytemuck::pod_collect_to_vec::<u8, u64>).collect();
        self.before.resize(sums.len(), 0);
        let more = sums.iter().zip(&self.before).map(|(now, before)| now.saturating_sub(*before)).collect();
        self.before = sums;
        more
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
        let grid = CellGrid::uniform(reduced, ActivityGrid::CELL)?;
        let params = CellSumsParams { cells: grid, fraction_bits: 0, active: None };
        let cells = CellSumsPlan::new(ctx, heat.map().layout(), &params)?;
        if self.steps.is_none() {
            self.steps = Some(Steps::new(size, reduced, self.mode.full(), &self.clock));
        }
        let (runs, sums, before) = (HashMap::new(), Vec::new(), Vec::new());
        self.shape = Some(Shape { gray, area, small, last, heat, heat_bound, runs, cells, sums, before, bound });
        Ok(())
    }

    fn result_bytes(&self, batch: u32) -> u64 {
        // Every frame may end a step.
        self.shape.as_ref().map_or(0, |s| u64::from(s.cells.output().slot_bytes()) * u64::from(batch))
    }

    fn record(
        &mut self,
        ctx: &GpuContext,
        batch: &BatchView<'_>,
        rec: &mut Recorder<'_>,
    ) -> Result<Vec<(GpuBuffer, u64, u64)>> {
        let bug = || Error::Bug("a batch before its shape".into());
        let shape = self.shape.as_mut().ok_or_else(bug)?;
        shape.reduce(ctx, batch, rec)?;
        let (mut from, mut ended) = (0u32, Vec::new());
        for (i, info) in (0u32..).zip(batch.infos) {
            let step = self.clock.step_of(info);
            if let Some(last) = self.now.replace(step).filter(|last| *last != step) {
                shape.add(ctx, rec, from, i - from)?;
                shape.sums(ctx, rec, ended.len())?;
                ended.push(last);
                from = i;
            }
        }
        shape.add(ctx, rec, from, batch.infos.len() as u32 - from)?;
        shape.keep_last(rec, self.mode, batch.infos.len() as u32);
        let bytes = u64::from(shape.cells.output().slot_bytes());
        let ranges = shape.sums.iter().take(ended.len()).map(|(maps, _)| (maps.buffer().clone(), 0, bytes)).collect();
        self.pending.push_back(ended);
        Ok(ranges)
    }

    fn decode(&mut self, infos: &[FrameInfo], bytes: &[u8]) -> Result<Self::Output> {
        let bug = || Error::Bug("results before their shape".into());
        let (shape, steps) = (self.shape.as_mut().ok_or_else(bug)?, self.steps.as_mut().ok_or_else(bug)?);
        let ended = self.pending.pop_front().unwrap_or_default();
        let slot = shape.cells.output().slot_bytes() as usize;
        for (step, sums) in ended.into_iter().zip(bytes.chunks_exact(slot)) {
            steps.add(step, shape.since(sums));
        }
        infos.iter().for_each(|info| steps.count(self.clock.step_of(info)));
        Ok(None)
    }

    fn finish(&mut self, ctx: &GpuContext) -> Result<Option<Self::Output>> {
        let Some(frame) = self.frame else { return Ok(None) };
        let Some((counts, frames)) = self.so_far(ctx)? else { return Ok(None) };
        // Of n pictures n - 1 are compared with one before.
        let added = if self.mode.uses_differences() { frames.saturating_sub(1) } else { frames };
        let map = shares(&counts, frame.fit_within(self.side), added * u64::from(self.mode.full()))?;
        let Some(steps) = self.steps.take() else { return Ok(None) };
        Ok(Some(Some(HeatFound { map, frame, frames, activity: steps.finish()? })))
    }
}
