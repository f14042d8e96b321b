//! Where shots begin: how much the colours of each frame differ from those of the one before.

use crate::core::{ChromaUpsampling, CutWeights, HsvDifferenceSums, HueDistance};
use crate::error::{Error, Result};
use crate::gpu::{GpuContext, Readback, ReadbackRing, Recorder};
use crate::ops::GpuFrames;
use crate::ops::color::rgb_from_yuv::RgbParams;
use crate::ops::motion::hsv_cut_score::{HsvCutScoreBound, HsvCutScorePlan};
use crate::pipeline::HeldBatch;

/// Plans and buffers for frames of one shape.
struct Shape {
    number: u32,
    plan: HsvCutScorePlan,
    /// The last frame of the batch before, and the first of this one.
    pair: GpuFrames,
    between: HsvCutScoreBound,
    /// Frames of a batch to those before them, per position of the ring.
    inside: Vec<Option<HsvCutScoreBound>>,
    ring: ReadbackRing,
    begun: bool,
}

/// Measures batch after batch; the frame that a batch is compared with stays on the device.
#[derive(Default)]
pub(super) struct CutMeter {
    shape: Option<Shape>,
}

/// Differences of a batch on their way to the host.
pub(super) struct CutPending {
    readback: Option<Readback>,
    /// Whether the first frame has one before it.
    first: bool,
    count: usize,
}

impl CutMeter {
    /// Bytes it allocates beside the upload ring, for frames of so many bytes.
    pub(super) fn bytes(slot_bytes: u64) -> u64 {
        2 * slot_bytes + (64 << 10)
    }

    /// Records and submits the comparison of the frames of `batch` with those before them.
    pub(super) fn submit(&mut self, ctx: &GpuContext, batch: &HeldBatch) -> Result<CutPending> {
        if self.shape.as_ref().is_none_or(|s| s.number != batch.shape_number()) {
            // The frames before have another shape: nothing to compare with, and a new shot anyway.
            self.shape = None;
            self.shape = Some(Shape::new(ctx, batch)?);
        }
        let shape = self.shape.as_mut().ok_or_else(|| Error::Bug("a cut meter without a shape".into()))?;
        let count = u32::try_from(batch.infos().len()).unwrap_or(u32::MAX);
        let at = batch.ring_slot();
        if shape.inside.len() <= at {
            shape.inside.resize_with(at + 1, || None);
        }
        let frames = batch.frames();
        if let Some(place @ None) = shape.inside.get_mut(at)
            && batch.capacity() > 1
        {
            *place = Some(shape.plan.bind(ctx, frames, 1)?);
        }
        let slot = u64::from(frames.layout().slot_bytes());
        let mut rec = Recorder::new(ctx, "cuts");
        let mut ranges = Vec::new();
        let first = shape.begun;
        if first {
            rec.copy(frames.buffer(), 0, shape.pair.buffer(), slot, slot);
            shape.between.record(&mut rec, 1);
            ranges.push((shape.between.results(), 0, HsvCutScorePlan::RESULT_BYTES));
        }
        if let (Some(Some(inside)), true) = (shape.inside.get(at), count > 1) {
            inside.record(&mut rec, count - 1);
            ranges.push((inside.results(), 0, HsvCutScorePlan::RESULT_BYTES * u64::from(count - 1)));
        }
        rec.copy(frames.buffer(), slot * u64::from(count.saturating_sub(1)), shape.pair.buffer(), 0, slot);
        shape.begun = true;
        if ranges.is_empty() {
            rec.submit()?;
            return Ok(CutPending { readback: None, first, count: count as usize });
        }
        let ticket = shape.ring.record(&mut rec, &ranges)?;
        let submission = rec.submit()?;
        Ok(CutPending { readback: Some(shape.ring.submitted(ticket, submission)), first, count: count as usize })
    }

    /// Content score of each frame of a batch, in thousandths; `None` for one without a frame before it.
    pub(super) fn finish(
        &mut self,
        ctx: &GpuContext,
        pending: CutPending,
        hue: HueDistance,
    ) -> Result<Vec<Option<u32>>> {
        let mut scores = vec![None; usize::from(!pending.first)];
        if let Some(readback) = pending.readback {
            let shape = self.shape.as_mut().ok_or_else(|| Error::Bug("cuts without a shape".into()))?;
            let bytes = shape.ring.collect(ctx, readback)?;
            let size = shape.pair.layout().size;
            for frame in bytes.chunks_exact(HsvCutScorePlan::RESULT_BYTES as usize) {
                let mut sums = frame.as_chunks::<8>().0.iter().map(|b| u64::from_le_bytes(*b));
                let mut sum = || sums.next().unwrap_or(0);
                let (hue_sum, hue_circular, saturation, value) = (sum(), sum(), sum(), sum());
                let sums = HsvDifferenceSums { hue: hue_sum, hue_circular, saturation, value, n: size.area() };
                let score = sums.content_score(CutWeights::default(), hue);
                scores.push(Some((score * 1000.0).round() as u32));
            }
        }
        scores.resize(pending.count, None);
        Ok(scores)
    }
}

impl Shape {
    fn new(ctx: &GpuContext, batch: &HeldBatch) -> Result<Self> {
        let (layout, color) = (*batch.frames().layout(), batch.desc().color);
        let params = RgbParams { color, upsampling: ChromaUpsampling::Nearest };
        let plan = HsvCutScorePlan::new(ctx, &layout, params)?;
        let pair = GpuFrames::new(ctx, "cuts", layout.format, layout.size, 2)?;
        let between = plan.bind(ctx, &pair, 1)?;
        let bytes = HsvCutScorePlan::RESULT_BYTES * u64::from(batch.capacity().max(1));
        // As many as there can be batches that wait for their networks.
        let ring = ReadbackRing::new(ctx, "cuts", bytes, 4)?;
        Ok(Self { number: batch.shape_number(), plan, pair, between, inside: Vec::new(), ring, begun: false })
    }
}

/// Shots of a video from the scores of its frames: `(first frame, frame after the last)`, without holes.
///
/// A frame whose score in thousandths reaches `threshold` begins a shot when the one before began at least `min_shot` frames earlier. One
/// without a score (another size) begins one always. Source: the content detector that the scripts around SyncNet use.
pub(super) fn shots(scores: &[Option<u32>], threshold: f64, min_shot: usize) -> Vec<(usize, usize)> {
    let mut starts: Vec<usize> = Vec::new();
    for (frame, score) in scores.iter().enumerate() {
        let long = starts.last().is_none_or(|last| frame - last >= min_shot);
        let cut = match score {
            None => true,
            Some(s) => long && f64::from(*s) / 1000.0 >= threshold,
        };
        if cut {
            starts.push(frame);
        }
    }
    let ends = starts.iter().skip(1).copied().chain([scores.len()]);
    starts.iter().copied().zip(ends).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_keep_their_distance() {
        let mut scores = vec![Some(1000); 60];
        scores[0] = None;
        for at in [10, 20, 30, 34, 35, 50] {
            scores[at] = Some(30_000);
        }
        scores[45] = Some(29_999);
        // 10 is too near to the beginning, 34 and 45 to 20 and 35; as the script counts, the distance is from the last cut.
        assert_eq!(shots(&scores, 30.0, 15), [(0, 20), (20, 35), (35, 50), (50, 60)]);
        assert_eq!(shots(&[], 30.0, 15), []);
        // A change of size is a cut, whatever the distance.
        scores[22] = None;
        assert_eq!(shots(&scores, 30.0, 15)[1..3], [(20, 22), (22, 50)]);
    }
}
