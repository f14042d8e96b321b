//! The grey pictures that are added up: the frames, or what was made of them, as they lie where they have the size of the map; else reduced ones.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::{HeatConfig, HeatKind};
use crate::core::{FrameLayout, PixelFormat};
use crate::error::Result;
use crate::gpu::{GpuContext, Recorder};
use crate::ops::resize::PlaneSelect;
use crate::ops::resize::area::AreaPlan;
use crate::ops::{FramesBound, GpuFrames};

/// Where the pictures lie.
pub(super) enum Grey {
    /// As they lie. To look back from the first picture of a batch, that one and the last of the batch before are copied to each other's side.
    AsIs(FrameLayout, Option<GpuFrames>),
    /// Reduced by area.
    Reduced(Box<Reduced>),
}

pub(super) struct Reduced {
    area: AreaPlan,
    /// Slot 0 holds the last one of the batch before.
    pub(super) small: GpuFrames,
    last: GpuFrames,
    /// Per ring slot.
    bound: HashMap<Option<usize>, FramesBound>,
}

/// What the pictures of a batch are made of, and its ring slot unless it is always the same.
pub(super) type Source<'a> = (&'a GpuFrames, Option<usize>);

/// Pictures that follow each other: where they lie, the first one, how many.
pub(super) type Run<'a> = (Source<'a>, u32, u32);

impl Grey {
    /// For pictures of `layout`, in batches of `batch`.
    pub(super) fn new(ctx: &GpuContext, config: &HeatConfig, layout: &FrameLayout, batch: u32) -> Result<Self> {
        if as_is(config, layout) {
            let back = config.source.looks_back();
            let pair = back.then(|| GpuFrames::new(ctx, "pair", layout.format, layout.size, 2)).transpose()?;
            return Ok(Self::AsIs(*layout, pair));
        }
        let size = layout.size.fit_within(config.side);
        let small = GpuFrames::new(ctx, "small", PixelFormat::Gray8, size, batch + 1)?;
        let last = GpuFrames::new(ctx, "last", PixelFormat::Gray8, size, 1)?;
        let area = AreaPlan::new(ctx, (layout, PlaneSelect::FIRST), (small.layout(), PlaneSelect::FIRST))?;
        Ok(Self::Reduced(Box::new(Reduced { area, small, last, bound: HashMap::new() })))
    }

    /// Layout of the pictures.
    pub(super) fn layout(&self) -> &FrameLayout {
        match self {
            Self::AsIs(layout, _) => layout,
            Self::Reduced(reduced) => reduced.small.layout(),
        }
    }

    /// Records what makes the pictures of a batch. The `first` picture of all is compared with itself.
    pub(super) fn record(
        &mut self,
        ctx: &GpuContext,
        (source, slot): Source<'_>,
        count: u32,
        rec: &mut Recorder<'_>,
        first: bool,
    ) -> Result<()> {
        match self {
            Self::AsIs(layout, pair) => {
                if let Some(pair) = pair {
                    copy_luma(rec, layout, (source, 0), (pair, u64::from(layout.slot_bytes())));
                    if first {
                        copy_luma(rec, layout, (source, 0), (pair, 0));
                    }
                }
            }
            Self::Reduced(reduced) => {
                let Reduced { area, small, last, bound } = reduced.as_mut();
                let area = match bound.entry(slot) {
                    Entry::Occupied(known) => known.into_mut(),
                    Entry::Vacant(new) => new.insert(area.bind(ctx, source, 0, small, 1)?),
                };
                area.record(rec, count);
                let bytes = u64::from(small.layout().slot_bytes());
                if first {
                    rec.copy(small.buffer(), bytes, last.buffer(), 0, bytes);
                }
                rec.copy(last.buffer(), 0, small.buffer(), 0, bytes);
            }
        }
        Ok(())
    }

    /// Where `count` pictures of the batch from `first` on lie, with their predecessors before them where those are looked at.
    pub(super) fn runs<'a>(&'a self, source: Source<'a>, first: u32, count: u32) -> [Run<'a>; 2] {
        match self {
            Self::AsIs(_, Some(pair)) if first == 0 => {
                [((pair, None), 1, count.min(1)), (source, 1, count.saturating_sub(1))]
            }
            Self::AsIs(..) => [(source, first, count), (source, 0, 0)],
            Self::Reduced(reduced) => [((&reduced.small, None), first + 1, count), (source, 0, 0)],
        }
    }

    /// Records that the last picture is kept for the next batch, once all were added.
    pub(super) fn keep(&self, source: &GpuFrames, count: u32, rec: &mut Recorder<'_>) {
        let count = u64::from(count);
        match self {
            Self::AsIs(layout, Some(pair)) => {
                let last = count.saturating_sub(1) * u64::from(layout.slot_bytes());
                copy_luma(rec, layout, (source, last), (pair, 0));
            }
            Self::AsIs(_, None) => {}
            Self::Reduced(reduced) => {
                let bytes = u64::from(reduced.small.layout().slot_bytes());
                rec.copy(reduced.small.buffer(), bytes * count, reduced.last.buffer(), 0, bytes);
            }
        }
    }
}

/// Whether pictures of `layout` are added as they lie: 8 bits, no reduction, and nobody else who needs them one after the other.
pub(super) fn as_is(config: &HeatConfig, layout: &FrameLayout) -> bool {
    config.source != HeatKind::Flow
        && layout.format.has_luma()
        && layout.format.sample_bytes() == 1
        && layout.size.fit_within(config.side) == layout.size
}

/// Copies the luma of one slot, given by its first byte, to another.
fn copy_luma(rec: &mut Recorder<'_>, layout: &FrameLayout, from: (&GpuFrames, u64), to: (&GpuFrames, u64)) {
    let plane = layout.first();
    let (at, bytes) = (u64::from(plane.offset), u64::from(plane.stride) * u64::from(plane.shape.rows));
    rec.copy(from.0.buffer(), from.1 + at, to.0.buffer(), to.1 + at, bytes);
}
