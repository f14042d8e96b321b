//! `resize/lanczos3`: any size to any size with a windowed sinc, with a low-pass where pictures shrink.
//!
//! | | |
//! |---|---|
//! | input | the luma plane of any format (10 bit: 8 most significant bits), or packed RGBA; sizes may differ within a batch |
//! | output | 8-bit grey, or packed RGBA with all channels alike; any sizes, picture by picture |
//! | border | weights outside are left out, the others sum to 1 |
//! | exactness | exact, and equal to Pillow's `LANCZOS` channel by channel |
//! | determinism | the same bits on every adapter |
//! | errors | `Parameter` for other formats than planned, sides above 32,768, other layouts than planned, and a result in the buffer of the input |
//! | source | Duchon 1979; fixed point as Pillow |
//!
//! Alpha is resampled like a colour: colours of transparent pixels take part.

use super::resample::{Method, Resample, Taps, result_layout};
use crate::core::{Exactness, FrameLayout, PixelFormat, Size, Work};
use crate::error::Result;
use crate::gpu::GpuContext;
use crate::ops::{BatchShape, FrameBatch, FramesBound, GpuFrames, OpInfo, run_frames};

const NAME: &str = "resize/lanczos3";

/// What `frameloom ops` says about this operation.
pub const INFO: OpInfo = OpInfo {
    name: NAME,
    summary: "any size to any size with a windowed sinc, with a low-pass where pictures shrink",
    input: "luma plane (10 bit: 8 most significant bits), or rgba8",
    output: "gray8, or rgba8, of any size",
    params: &[],
    border: "left out",
    exactness: Exactness::Exact,
    reason: "integer weights and sums below 2^31",
    source: "Duchon 1979; fixed point as Pillow",
    entries: &["rows", "columns"],
    fields: &[],
    work,
};

/// For half the size.
fn work(layout: &FrameLayout) -> Work {
    let n = layout.size.area() * if layout.format == PixelFormat::Rgba8 { 4 } else { 1 };
    Work { bytes_read: n * u64::from(layout.format.sample_bytes()), bytes_written: n / 4, ops: n * 30 }
}

/// Bits of the weights behind the point.
const BITS: u32 = 22;
const METHOD: Method = Method { op: NAME, shifts: [BITS, BITS], taps };

/// `sinc(x) sinc(x / 3)` between -3 and 3.
fn lanczos(x: f64) -> f64 {
    let sinc = |x: f64| {
        let a = x * std::f64::consts::PI;
        if a == 0.0 { 1.0 } else { a.sin() / a }
    };
    if (-3.0..3.0).contains(&x) { sinc(x) * sinc(x / 3.0) } else { 0.0 }
}

/// Weights of the samples under the window around destination `x`.
fn taps(x: u32, from: u32, to: u32) -> Taps {
    let scale = f64::from(from) / f64::from(to);
    let wide = scale.max(1.0);
    let (support, center) = (3.0 * wide, (f64::from(x) + 0.5) * scale);
    // Conversions to integers cut, and stop at 0.
    let first = (center - support + 0.5) as u32;
    let end = ((center + support + 0.5) as u32).min(from);
    let values: Vec<f64> = (first..end).map(|i| lanczos((f64::from(i) - center + 0.5) * (1.0 / wide))).collect();
    let sum: f64 = values.iter().sum();
    let one = f64::from(1u32 << BITS);
    // Halves away from zero.
    Taps { first, weights: values.into_iter().map(|v| (v / sum * one).round() as i32).collect() }
}

/// A planned `resize/lanczos3`.
#[derive(Debug, Clone)]
pub struct Lanczos3Plan(Resample);

impl Lanczos3Plan {
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
pub fn lanczos3(ctx: &GpuContext, src: &GpuFrames, to: Size) -> Result<GpuFrames> {
    let layout = result_layout(NAME, src.layout().format, to)?;
    let plan = Lanczos3Plan::new(ctx, src.layout(), &layout)?;
    run_frames(ctx, NAME, plan.output(), src.slots(), |dst| plan.bind(ctx, src, 0, dst, 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_size_copies() {
        for x in 0..9 {
            let t = taps(x, 9, 9);
            let at = |i: u32| t.weights.get((i.wrapping_sub(t.first)) as usize).copied().unwrap_or(0);
            assert!((0..9).all(|i| at(i) == if i == x { 1 << BITS } else { 0 }), "{x}");
        }
    }

    #[test]
    fn weights_sum_to_about_one_and_stay_small() {
        for (from, to) in [(1, 7), (2, 5), (3, 32_768), (32_768, 3), (32_768, 1), (1920, 224), (100, 99)] {
            for x in [0, 1, to / 2, to - 1] {
                let t = taps(x.min(to - 1), from, to);
                let (sum, most) =
                    t.weights.iter().fold((0i64, 0i64), |s, w| (s.0 + i64::from(*w), s.1 + i64::from(w.abs())));
                // Each weight is off by half a step at most.
                assert!((sum - (1 << BITS)).unsigned_abs() * 2 <= t.weights.len() as u64, "{from} {to} {sum}");
                assert!(most * 255 + (1 << 21) < i64::from(i32::MAX));
                assert!(t.first + t.weights.len() as u32 <= from && t.weights.len() <= 32_768);
            }
        }
    }
}
