//! `resize/bicubic`: any size to any size with four taps per axis.
//!
//! | | |
//! |---|---|
//! | input | the luma plane of any format (10 bit: 8 most significant bits), or packed RGBA; sizes may differ within a batch |
//! | output | 8-bit grey, or packed RGBA with all channels alike; any sizes, picture by picture |
//! | border | replicate |
//! | exactness | exact; within 1 code of `cv2.resize` with `INTER_CUBIC`, which scales in f32 |
//! | determinism | the same bits on every adapter |
//! | errors | `Parameter` for other formats than planned, sides above 32,768, other layouts than planned, and a result in the buffer of the input |
//! | source | Keys 1981 with a = -0.75; weights in 2048ths |
//!
//! There is no low-pass: below half the size pixels are skipped, use `resize/area` or `resize/lanczos3` there.

use super::resample::{Method, Resample, Taps, result_layout};
use crate::core::{Exactness, FrameLayout, PixelFormat, Size, Work};
use crate::error::Result;
use crate::gpu::GpuContext;
use crate::ops::{BatchShape, FrameBatch, FramesBound, GpuFrames, OpInfo, run_frames};

const NAME: &str = "resize/bicubic";

/// What `frameloom ops` says about this operation.
pub const INFO: OpInfo = OpInfo {
    name: NAME,
    summary: "any size to any size with four taps per axis",
    input: "luma plane (10 bit: 8 most significant bits), or rgba8",
    output: "gray8, or rgba8, of any size",
    params: &[],
    border: "replicate",
    exactness: Exactness::Exact,
    reason: "integer weights and sums below 2^31",
    source: "Keys 1981, a = -0.75",
    entries: &["rows", "columns"],
    fields: &[],
    work,
};

/// For half the size.
fn work(layout: &FrameLayout) -> Work {
    let n = layout.size.area() * if layout.format == PixelFormat::Rgba8 { 4 } else { 1 };
    Work { bytes_read: n * u64::from(layout.format.sample_bytes()), bytes_written: n / 4, ops: n * 12 }
}

const METHOD: Method = Method { op: NAME, shifts: [0, 22], taps };

/// Cubic weights in 2048ths of the four samples around destination `x`; those outside count for the first or the last sample.
fn taps(x: u32, from: u32, to: u32) -> Taps {
    let (source, twice) = (i64::from(from), 2 * i64::from(to));
    let place = (2 * i64::from(x) + 1) * source - i64::from(to);
    let before = place.div_euclid(twice) - 1;
    let weights = cubic(place.rem_euclid(twice), twice);
    let first = before.clamp(0, (source - 4).max(0));
    let mut folded = vec![0; source.min(4) as usize];
    for (i, weight) in (before..).zip(weights) {
        if let Some(to) = folded.get_mut((i.clamp(0, source - 1) - first) as usize) {
            *to += weight;
        }
    }
    Taps { first: first as u32, weights: folded }
}

/// Weights at distance `rest / parts` behind the second of four samples: `a = -3/4` in Keys' polynomials, rounded to 2048ths in
/// integers (halves up); the nearer middle one takes what is left to 2048.
fn cubic(rest: i64, parts: i64) -> [i32; 4] {
    let (r, q) = (i128::from(rest), i128::from(parts));
    let round = |numerator: i128| (numerator * 2048 * 2 + 4 * q.pow(3)).div_euclid(8 * q.pow(3)) as i32;
    // Four times the polynomials, times q^3: outer ones a (t^3 - 2 t^2 + t), inner ones (a + 2) t^3 - (a + 3) t^2 + 1.
    let outer = |t: i128| -3 * (t.pow(3) - 2 * t.pow(2) * q + t * q.pow(2));
    let inner = |t: i128| 5 * t.pow(3) - 9 * t.pow(2) * q + 4 * q.pow(3);
    let (a, b, c, d) = (round(outer(r)), round(inner(r)), round(inner(q - r)), round(outer(q - r)));
    let rest = 2048 - a - b - c - d;
    if 2 * r < q { [a, b + rest, c, d] } else { [a, b, c + rest, d] }
}

/// A planned `resize/bicubic`.
#[derive(Debug, Clone)]
pub struct BicubicPlan(Resample);

impl BicubicPlan {
    /// Plans from pictures like `input` to pictures like `output`; either shape may be mixed.
    pub fn new(ctx: &GpuContext, input: impl Into<BatchShape>, output: impl Into<BatchShape>) -> Result<Self> {
        Ok(Self(Resample::new(ctx, METHOD, input.into(), output.into())?))
    }

    /// Layout of the results; of the largest one for mixed sizes.
    pub fn output(&self) -> &FrameLayout {
        self.0.output()
    }

    /// Binds the pictures of `src` from slot `first` on to those of `dst` from slot `dst_first` on: each is made as large as its
    /// result.
    pub fn bind(
        &self,
        ctx: &GpuContext,
        src: &dyn FrameBatch,
        first: u32,
        dst: &dyn FrameBatch,
        dst_first: u32,
    ) -> Result<FramesBound> {
        self.0.bind(ctx, (src, first), (dst, dst_first))
    }
}

/// All frames of `src` in size `to`, at once: waits for the result. For scripts and tests; streams keep a bound plan.
pub fn bicubic(ctx: &GpuContext, src: &GpuFrames, to: Size) -> Result<GpuFrames> {
    let layout = result_layout(NAME, src.layout().format, to)?;
    let plan = BicubicPlan::new(ctx, src.layout(), &layout)?;
    run_frames(ctx, NAME, plan.output(), src.slots(), |dst| plan.bind(ctx, src, 0, dst, 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_by_hand() {
        assert_eq!(cubic(0, 8), [0, 2048, 0, 0]);
        // Halfway: -3/32, 19/32, 19/32, -3/32.
        assert_eq!(cubic(1, 2), [-192, 1216, 1216, -192]);
        // A quarter: -0.10546875, 0.87890625, 0.26171875, -0.03515625.
        assert_eq!(cubic(1, 4), [-216, 1800, 536, -72]);
    }

    #[test]
    fn weights_sum_to_one_and_lie_inside() {
        for (from, to) in [(1, 7), (2, 5), (3, 32_768), (32_768, 3), (32_768, 32_767), (100, 100)] {
            for x in [0, 1, to / 2, to - 1] {
                let t = taps(x.min(to - 1), from, to);
                assert_eq!(t.weights.iter().sum::<i32>(), 2048);
                assert!(t.first + t.weights.len() as u32 <= from);
            }
        }
    }
}
