//! Plans and buffers of a heat map for frames of one shape.

use std::collections::HashMap;

use super::front::{Front, HeatFn};
use super::grey::Grey;
use super::{HeatConfig, HeatKind};
use crate::core::{CellGrid, FlowScale, FrameDesc, FrameLayout};
use crate::error::{Error, Result};
use crate::gpu::{GpuContext, Recorder};
use crate::ops::heatmap::accumulate::{HeatAccumulator, HeatBound, HeatPlan};
use crate::ops::motion::optical_flow::{OpticalFlowBound, OpticalFlowPlan};
use crate::ops::placement::cell_sums::{CellSumsParams, CellSumsPlan};
use crate::ops::{FramesBound, GpuFrames, GpuMaps, Passes, Record};
use crate::pipeline::BatchView;
use crate::workflows::chunk::activity::ActivityGrid;

/// How fine flow is searched: vectors of 2x2 pixels of the reduced picture.
pub(super) const FLOW: FlowScale = FlowScale::Half;

pub(super) struct Shape {
    front: Front,
    grey: Grey,
    flow: Option<OpticalFlowBound>,
    pub(super) heat: HeatAccumulator,
    /// Parts of batches: ring slot, first picture and number.
    runs: HashMap<(Option<usize>, u32, u32), HeatBound>,
    cells: CellSumsPlan,
    /// Sums of the cells of the map at the ends of steps.
    sums: Vec<(GpuMaps, Passes)>,
    /// The sums at the end of the step before.
    before: Vec<u64>,
    /// What makes pictures, per ring slot.
    bound: HashMap<usize, Vec<FramesBound>>,
}

impl Shape {
    pub(super) fn new(
        ctx: &GpuContext,
        config: &HeatConfig,
        desc: &FrameDesc,
        layout: &FrameLayout,
        batch: u32,
    ) -> Result<Self> {
        let front = Front::new(ctx, config, desc, layout, batch)?;
        let plane = front.made().map_or(layout, GpuFrames::layout);
        let reduced = desc.size.fit_within(config.side);
        let grey = Grey::new(ctx, config, plane, batch)?;
        let flow = match &grey {
            Grey::Reduced(reduced) if config.source == HeatKind::Flow => {
                let small = &reduced.small;
                Some(OpticalFlowPlan::new(ctx, small.layout(), FLOW)?.bind(ctx, small, 1)?)
            }
            _ => None,
        };
        let plan = match &flow {
            Some(flow) => {
                // Vectors are measured in pixels of the reduced picture.
                let scale = f64::from(reduced.width) / f64::from(desc.size.width);
                HeatPlan::of_numbers(ctx, flow.magnitude().layout(), (config.flow_full * scale) as f32)?
            }
            None => HeatPlan::new(ctx, grey.layout(), config.mode())?,
        };
        let heat = HeatAccumulator::new(ctx, &plan)?;
        let grid = CellGrid::uniform(heat.map().layout().size, ActivityGrid::CELL)?;
        let params = CellSumsParams { cells: grid, fraction_bits: 0, active: None };
        let cells = CellSumsPlan::new(ctx, heat.map().layout(), &params)?;
        let (runs, bound) = (HashMap::new(), HashMap::new());
        let (sums, before) = (Vec::new(), Vec::new());
        Ok(Self { front, grey, flow, heat, runs, cells, sums, before, bound })
    }

    /// Bytes of the sums at the end of a step.
    pub(super) fn sum_bytes(&self) -> u64 {
        u64::from(self.cells.output().slot_bytes())
    }

    /// Records what makes the pictures of a batch.
    pub(super) fn make(
        &mut self,
        ctx: &GpuContext,
        batch: &BatchView<'_>,
        rec: &mut Recorder<'_>,
        make: Option<&mut HeatFn<'_>>,
    ) -> Result<()> {
        self.front.call(ctx, batch, rec, make)?;
        if !self.bound.contains_key(&batch.ring_slot) {
            self.bound.insert(batch.ring_slot, self.front.bind(ctx, batch.frames)?);
        }
        let front = self.bound.get(&batch.ring_slot).ok_or_else(|| Error::Bug("a batch that is not bound".into()))?;
        let count = batch.infos.len() as u32;
        front.iter().for_each(|f| f.record(rec, count));
        // The first picture is compared with itself and adds nothing.
        self.grey.record(ctx, self.front.source(batch), count, rec, self.heat.frames() == 0)?;
        if let Some(flow) = &self.flow {
            flow.record(rec, count);
        }
        Ok(())
    }

    /// Records what the next batch needs of this one, of which all was added.
    pub(super) fn keep(&self, batch: &BatchView<'_>, rec: &mut Recorder<'_>) {
        self.grey.keep(self.front.source(batch).0, batch.infos.len() as u32, rec);
    }

    /// Records the sums of cells as they are now into place `at`.
    pub(super) fn sums(&mut self, ctx: &GpuContext, rec: &mut Recorder<'_>, at: usize) -> Result<&GpuMaps> {
        while self.sums.len() <= at {
            let maps = GpuMaps::new(ctx, "cells", *self.cells.output(), 1)?;
            let passes = self.cells.bind(ctx, self.heat.map(), 0, &maps)?;
            self.sums.push((maps, passes));
        }
        let (maps, passes) = self.sums.get(at).ok_or_else(|| Error::Bug("sums without a place".into()))?;
        passes.record(rec, 1);
        Ok(maps)
    }

    /// The first `count` places of sums.
    pub(super) fn places(&self, count: usize) -> impl Iterator<Item = &GpuMaps> {
        self.sums.iter().take(count).map(|(maps, _)| maps)
    }

    /// Records the addition of `count` pictures of the batch from `first` on.
    pub(super) fn add(
        &mut self,
        ctx: &GpuContext,
        batch: &BatchView<'_>,
        rec: &mut Recorder<'_>,
        first: u32,
        count: u32,
    ) -> Result<()> {
        for ((frames, slot), first, count) in self.grey.runs(self.front.source(batch), first, count) {
            if count == 0 {
                continue;
            }
            let key = (slot, first, count);
            if !self.runs.contains_key(&key) {
                let bound = match &self.flow {
                    // Lengths of vectors have no picture before them.
                    Some(flow) => self.heat.bind_numbers(ctx, flow.magnitude(), first - 1, count)?,
                    None => self.heat.bind_run(ctx, frames, first, count)?,
                };
                self.runs.insert(key, bound);
            }
            let bound = self.runs.get(&key).ok_or_else(|| Error::Bug("a run that is not bound".into()))?;
            self.heat.record(rec, bound, count)?;
        }
        Ok(())
    }

    /// What cells collected since the sums before, row by row, from the bytes of a map of sums.
    pub(super) fn since(&mut self, bytes: &[u8]) -> Vec<u64> {
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
