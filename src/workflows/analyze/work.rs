//! What the GPU does for `analyze`: statistics at full size; reduction; histogram, motion, heat map and thumbnails on what is reduced.

use std::collections::VecDeque;

use super::config::AnalyzeConfig;
use super::kept::Clock;
use super::metrics::{FrameMetrics, percentiles};
use super::thumbs::{self, Thumbs, ThumbsBound};
use crate::core::{FrameDesc, FrameInfo, FrameLayout, HeatMode, PixelFormat, Size};
use crate::error::{Error, Result};
use crate::gpu::{GpuBuffer, GpuContext, Recorder};
use crate::ops::color::gray_from_rgb::GrayFromRgbPlan;
use crate::ops::heatmap::accumulate::{HeatAccumulator, HeatBound, HeatPlan};
use crate::ops::histogram::luma::{HistogramParams, LumaHistogramBound, LumaHistogramPlan};
use crate::ops::motion::frame_difference::{FrameDifferenceBound, FrameDifferencePlan};
use crate::ops::resize::PlaneSelect;
use crate::ops::resize::area::AreaPlan;
use crate::ops::stats::luma::{LumaParams, LumaStatsBound, LumaStatsPlan};
use crate::ops::{FramesBound, GpuFrames};
use crate::pipeline::{BatchView, BatchWork};

const BINS: u32 = 256;

/// Motion counts of all frames of one size.
#[derive(Debug, Clone)]
pub struct HeatMap {
    /// Size of the reduced picture.
    pub size: Size,
    /// Frame pairs that were compared.
    pub differences: u32,
    /// Per pixel, row by row: in how many pairs it moved.
    pub counts: Vec<u32>,
}

/// What [`AnalyzeWork`] gives out.
#[non_exhaustive]
#[derive(Debug)]
pub enum AnalyzeOutput {
    /// A batch of frames.
    Frames(FrameBatch),
    /// At the end: the heat maps, one per picture size of the stream, in order.
    Heat(Vec<HeatMap>),
}

/// Figures and thumbnails of a batch.
#[non_exhaustive]
#[derive(Debug)]
pub struct FrameBatch {
    /// Per frame: figures, and RGBA rows of the thumbnail (empty when none are wanted).
    pub frames: Vec<(FrameMetrics, Vec<u8>)>,
    /// Size of the thumbnails.
    pub thumbnail_size: Size,
    /// Heat of all frames up to the last of the batch, where it is time to save it.
    pub(super) heat: Option<Vec<HeatMap>>,
}

/// Size of the reduced picture: both sides divided by the least whole factor that brings the longer one to `longest`.
fn reduced_size(size: Size, longest: u32) -> Size {
    let factor = size.width.max(size.height).div_ceil(longest.max(1)).max(1);
    Size::new((size.width / factor).max(1), (size.height / factor).max(1))
}

/// Bytes the work allocates for frames of `layout` in batches of `batch`, beside the upload ring.
pub fn work_bytes(layout: &FrameLayout, batch: u32, config: &AnalyzeConfig, in_flight: usize) -> u64 {
    let of = |f: PixelFormat, size: Size| FrameLayout::of(f, size).map_or(0, |l| u64::from(l.slot_bytes()));
    let reduced = reduced_size(layout.size, config.motion_side);
    let gray = if layout.format.has_luma() { 0 } else { of(PixelFormat::Gray8, layout.size) * u64::from(batch) };
    let small = of(PixelFormat::Gray8, reduced) * u64::from(batch + 1) * 2;
    let heat = u64::from(reduced.width.next_multiple_of(16)) * u64::from(reduced.height) * 4;
    let thumb = thumbs::size_for(reduced, config.thumbnail_side);
    let thumbs = if config.thumbnails > 0 { thumbs::bytes(thumb, batch) } else { 0 };
    let thumb_slot = if config.thumbnails > 0 { of(PixelFormat::Rgba8, thumb) } else { 0 };
    let results = (LumaStatsPlan::RESULT_BYTES + u64::from(BINS) * 4 + 64 + thumb_slot) * u64::from(batch) + heat;
    // Results exist once on the device and once per readback slot, with the heat where it is saved; it is read back at the end, too; pools round up.
    let total = gray + small + heat * 2 + thumbs + results * (in_flight as u64 + 3);
    total + total / 8 + (64 << 10)
}

/// Plans and buffers for frames of one shape.
struct Shape {
    size: Size,
    gray: Option<(GrayFromRgbPlan, GpuFrames)>,
    luma: LumaStatsPlan,
    area: AreaPlan,
    histogram: LumaHistogramPlan,
    difference: FrameDifferencePlan,
    /// Reduced pictures of two batches in turn; slot 0 holds the last picture of the batch before.
    reduced: [GpuFrames; 2],
    heat: HeatAccumulator,
    thumbs: Option<Thumbs>,
    /// By ring slot and turn.
    bound: Vec<[Option<Bound>; 2]>,
    turn: usize,
    /// Whether slot 0 of this turn's pictures is filled.
    has_previous: bool,
}

/// Everything bound for one ring slot and turn.
struct Bound {
    gray: Option<FramesBound>,
    luma: LumaStatsBound,
    area: FramesBound,
    histogram: LumaHistogramBound,
    /// Differences with and without a picture before the batch.
    difference: [FrameDifferenceBound; 2],
    heat: [HeatBound; 2],
    thumbs: Option<ThumbsBound>,
}

/// What a batch in flight will deliver.
#[derive(Clone, Copy)]
struct Expected {
    frames: usize,
    has_previous: bool,
    /// Where the heat comes with it: pairs that are in it.
    heat: Option<u32>,
}

/// The work of `analyze` for one source.
pub struct AnalyzeWork {
    config: AnalyzeConfig,
    shape: Option<Shape>,
    expected: VecDeque<Expected>,
    maps: Vec<HeatMap>,
    /// Heat that an earlier run counted in frames of the first size.
    before: Option<HeatMap>,
    saving: Option<Clock>,
}

impl std::fmt::Debug for AnalyzeWork {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AnalyzeWork").field("config", &self.config).finish_non_exhaustive()
    }
}

impl AnalyzeWork {
    /// Work with checked settings.
    pub fn new(config: AnalyzeConfig) -> Self {
        Self { config, shape: None, expected: VecDeque::new(), maps: Vec::new(), before: None, saving: None }
    }

    /// Gives out the heat so far whenever the clock strikes.
    pub(super) fn saving(self, clock: Clock) -> Self {
        Self { saving: Some(clock), ..self }
    }

    /// Goes on where an earlier run had counted `maps`, with the last of its frames: that one is compared with the next, and was counted itself.
    pub(super) fn behind(self, mut maps: Vec<HeatMap>) -> Self {
        let before = maps.pop();
        Self { maps, before, ..self }
    }

    /// Heat of frames of one size, with what an earlier run counted of them.
    fn with_before(&self, size: Size, differences: u32, mut counts: Vec<u32>) -> HeatMap {
        let before = self.before.as_ref().filter(|b| b.size == size);
        if let Some(before) = before {
            counts.iter_mut().zip(&before.counts).for_each(|(c, b)| *c += b);
        }
        HeatMap { size, differences: differences + before.map_or(0, |b| b.differences), counts }
    }

    fn shape(&mut self) -> Result<&mut Shape> {
        self.shape.as_mut().ok_or_else(|| Error::Bug("a batch before its shape".into()))
    }

    fn keep_heat(&mut self, ctx: &GpuContext) -> Result<()> {
        let Some(shape) = self.shape.take() else { return Ok(()) };
        let size = shape.area_size();
        let map = self.with_before(size, shape.heat.frames(), shape.heat.read(ctx)?);
        self.maps.push(map);
        self.before = None;
        Ok(())
    }
}

impl Shape {
    fn area_size(&self) -> Size {
        let [first, _] = &self.reduced;
        first.layout().size
    }

    fn bind(&self, ctx: &GpuContext, frames: &GpuFrames, turn: usize, batch: u32) -> Result<Bound> {
        let reduced = self.reduced.get(turn).ok_or_else(|| Error::Bug(format!("turn {turn}")))?;
        let (gray, plane) = match &self.gray {
            Some((plan, gray)) => (Some(plan.bind(ctx, frames, 0, gray, 0)?), gray),
            None => (None, frames),
        };
        let follow = |first: u32| self.difference.bind(ctx, reduced, first);
        let warm = |first: u32| self.heat.bind(ctx, reduced, first, (batch + 1).saturating_sub(first));
        Ok(Bound {
            gray,
            luma: self.luma.bind(ctx, plane, 0)?,
            area: self.area.bind(ctx, plane, 0, reduced, 1)?,
            histogram: self.histogram.bind(ctx, reduced, 1)?,
            difference: [follow(1)?, follow(2.min(batch))?],
            heat: [warm(1)?, warm(2.min(batch))?],
            thumbs: self.thumbs.as_ref().map(|t| t.bind(ctx, frames, reduced, 1)).transpose()?,
        })
    }
}

impl BatchWork for AnalyzeWork {
    type Output = AnalyzeOutput;

    fn begin(
        &mut self,
        ctx: &GpuContext,
        desc: &FrameDesc,
        layout: &FrameLayout,
        batch: u32,
        ring_slots: usize,
    ) -> Result<()> {
        self.keep_heat(ctx)?;
        let config = &self.config;
        let gray = if desc.format.has_luma() {
            None
        } else {
            let plan = GrayFromRgbPlan::new(ctx, layout)?;
            let frames = GpuFrames::new(ctx, "gray", PixelFormat::Gray8, desc.size, batch)?;
            Some((plan, frames))
        };
        let plane = gray.as_ref().map_or(layout, |(_, frames)| frames.layout());
        // Grey made from RGB has full range whatever the stream says.
        let range = if gray.is_some() { crate::core::ColorRange::Full } else { desc.color.range };
        let reduced_size = reduced_size(desc.size, config.motion_side);
        let reduced = || GpuFrames::new(ctx, "reduced", PixelFormat::Gray8, reduced_size, batch + 1);
        let reduced = [reduced()?, reduced()?];
        let [first, _] = &reduced;
        let small = *first.layout();
        let heat = HeatPlan::new(ctx, &small, HeatMode::CountOver { threshold: config.motion_threshold })?;
        let thumbs = match config.thumbnails {
            0 => None,
            _ => Some(Thumbs::new(ctx, desc, layout, &small, config.thumbnail_side, batch)?),
        };
        self.shape = Some(Shape {
            size: desc.size,
            luma: LumaStatsPlan::new(ctx, plane, LumaParams::from_shares(range, config.dark, config.bright))?,
            area: AreaPlan::new(ctx, (plane, PlaneSelect::FIRST), (&small, PlaneSelect::FIRST))?,
            histogram: LumaHistogramPlan::new(ctx, &small, HistogramParams { bins: BINS, row_step: 1 })?,
            difference: FrameDifferencePlan::new(ctx, &small, config.motion_threshold)?,
            heat: HeatAccumulator::new(ctx, &heat)?,
            gray,
            reduced,
            thumbs,
            bound: (0..ring_slots).map(|_| [None, None]).collect(),
            turn: 0,
            has_previous: false,
        });
        Ok(())
    }

    fn result_bytes(&self, batch: u32) -> u64 {
        let thumb = self.shape.as_ref().and_then(|s| s.thumbs.as_ref()).map_or(0, |t| t.results().1);
        let each = LumaStatsPlan::RESULT_BYTES + u64::from(BINS) * 4 + FrameDifferencePlan::RESULT_BYTES + thumb;
        let heat = self.shape.as_ref().filter(|_| self.saving.is_some());
        each * u64::from(batch) + heat.map_or(0, |s| u64::from(s.heat.map().layout().slot_bytes()))
    }

    fn record(
        &mut self,
        ctx: &GpuContext,
        batch: &BatchView<'_>,
        rec: &mut Recorder<'_>,
    ) -> Result<Vec<(GpuBuffer, u64, u64)>> {
        let save = self.saving.as_mut().is_some_and(Clock::strikes);
        let shape = self.shape()?;
        let count = batch.infos.len() as u32;
        let (turn, has_previous) = (shape.turn, shape.has_previous);
        let held =
            |shape: &Shape| shape.bound.get(batch.ring_slot).and_then(|b| b.get(turn)).is_some_and(Option::is_some);
        if !held(shape) {
            let fresh = shape.bind(ctx, batch.frames, turn, batch.frames.slots())?;
            if let Some(place) = shape.bound.get_mut(batch.ring_slot).and_then(|b| b.get_mut(turn)) {
                *place = Some(fresh);
            }
        }
        let bound = shape
            .bound
            .get(batch.ring_slot)
            .and_then(|b| b.get(turn)?.as_ref())
            .ok_or_else(|| Error::Bug(format!("there is no ring slot {}", batch.ring_slot)))?;
        if let Some(gray) = &bound.gray {
            gray.record(rec, count);
        }
        bound.luma.record(rec, count);
        bound.area.record(rec, count);
        bound.histogram.record(rec, count);
        let [with_before, without] = &bound.difference;
        let [heat_with, heat_without] = &bound.heat;
        let (difference, heat, pairs) =
            if has_previous { (with_before, heat_with, count) } else { (without, heat_without, count - 1) };
        if pairs > 0 {
            difference.record(rec, pairs);
            shape.heat.record(rec, heat, pairs)?;
        }
        if let (Some(thumbs), Some(b)) = (&shape.thumbs, &bound.thumbs) {
            thumbs.record(rec, b, count);
        }
        // The last picture of this batch is the one before the next.
        let [a, b] = &shape.reduced;
        let (from, to) = if turn == 0 { (a, b) } else { (b, a) };
        let slot = u64::from(from.layout().slot_bytes());
        rec.copy(from.buffer(), slot * u64::from(count), to.buffer(), 0, slot);
        let n = u64::from(count);
        let mut ranges = vec![
            (bound.luma.results().clone(), 0, LumaStatsPlan::RESULT_BYTES * n),
            (bound.histogram.results().clone(), 0, shape.histogram.result_bytes() * n),
            (difference.results().clone(), 0, FrameDifferencePlan::RESULT_BYTES * u64::from(pairs)),
        ];
        if let Some(thumbs) = &shape.thumbs {
            let (buffer, each) = thumbs.results();
            ranges.push((buffer.clone(), 0, each * n));
        }
        let heat = save.then(|| {
            let map = shape.heat.map();
            ranges.push((map.buffer().clone(), 0, u64::from(map.layout().slot_bytes())));
            shape.heat.frames()
        });
        shape.turn = 1 - turn;
        shape.has_previous = true;
        self.expected.push_back(Expected { frames: count as usize, has_previous, heat });
        Ok(ranges)
    }

    fn decode(&mut self, infos: &[FrameInfo], bytes: &[u8]) -> Result<AnalyzeOutput> {
        let short = || Error::Bug("fewer bytes of results than recorded".into());
        let expected = self.expected.pop_front().ok_or_else(|| Error::Bug("results that nobody waits for".into()))?;
        if expected.frames != infos.len() {
            return Err(Error::Bug(format!("results of {} frames for {}", expected.frames, infos.len())));
        }
        let shape = self.shape()?;
        let bound =
            shape.bound.iter().flatten().flatten().next().ok_or_else(|| Error::Bug("nothing is bound".into()))?;
        let pairs = infos.len() - usize::from(!expected.has_previous);
        let mut rest = bytes;
        let mut cut = |len: u64| -> Result<&[u8]> {
            let (head, tail) = rest.split_at_checked(len as usize).ok_or_else(short)?;
            rest = tail;
            Ok(head)
        };
        let n = infos.len() as u64;
        let luma = bound.luma.decode(cut(LumaStatsPlan::RESULT_BYTES * n)?);
        let histograms = bound.histogram.decode(cut(shape.histogram.result_bytes() * n)?);
        let [difference, _] = &bound.difference;
        let motion = difference.decode(cut(FrameDifferencePlan::RESULT_BYTES * pairs as u64)?);
        let mut motion = std::iter::repeat_n(None, infos.len() - pairs).chain(motion.into_iter().map(Some));
        let thumbs: Vec<Vec<u8>> = match &shape.thumbs {
            Some(t) => {
                let each = t.results().1;
                cut(each * n)?.chunks_exact(each.max(1) as usize).map(|slot| t.unpack(slot)).collect()
            }
            None => vec![Vec::new(); infos.len()],
        };
        let thumbnail_size = shape.thumbs.as_ref().map_or(Size::new(0, 0), |t| t.size);
        let heat = match expected.heat {
            None => None,
            Some(pairs) => {
                let layout = *shape.heat.map().layout();
                Some((layout.size, pairs, layout.u32_rows(cut(u64::from(layout.slot_bytes()))?)))
            }
        };
        let size = infos.len();
        let frames: Vec<_> = infos
            .iter()
            .zip(luma)
            .zip(histograms)
            .zip(thumbs)
            .map(|(((info, sums), histogram), thumb)| {
                let metrics = FrameMetrics {
                    info: *info,
                    luma: sums.stats(shape.size),
                    percentiles: percentiles(&histogram, [0.05, 0.5, 0.95]),
                    motion: motion.next().flatten(),
                };
                (metrics, thumb)
            })
            .collect();
        if frames.len() != size {
            return Err(short());
        }
        let heat = heat.map(|(size, pairs, counts)| {
            let now = self.with_before(size, pairs, counts);
            self.maps.iter().cloned().chain([now]).collect()
        });
        Ok(AnalyzeOutput::Frames(FrameBatch { frames, thumbnail_size, heat }))
    }

    fn finish(&mut self, ctx: &GpuContext) -> Result<Option<AnalyzeOutput>> {
        self.keep_heat(ctx)?;
        Ok(Some(AnalyzeOutput::Heat(std::mem::take(&mut self.maps))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reduction_divides_by_a_whole_number() {
        assert_eq!(reduced_size(Size::new(1920, 1080), 480), Size::new(480, 270));
        assert_eq!(reduced_size(Size::new(481, 10), 480), Size::new(240, 5));
        assert_eq!(reduced_size(Size::new(5000, 1), 480), Size::new(454, 1));
        assert_eq!(reduced_size(Size::new(64, 48), 480), Size::new(64, 48));
    }
}
