//! `sharpness/noise_residual`: mean absolute difference to a small blur.
//!
//! | | |
//! |---|---|
//! | input | the luma plane of any YUV or grey format, 8 or 10 bits, at least 1x1; sizes may differ within a batch |
//! | output | [`ResidualSums`] per picture: exact integers, figures in f64 on the host |
//! | filter | `\|p - ((B + 128) >> 8)\|` with `B` the binomial 5x5 `[1 4 6 4 1]` across and down |
//! | border | reflect-101 (replicate where a side is 1) |
//! | exactness | exact |
//! | determinism | the same bits on every adapter |
//! | errors | `Parameter` for formats without luma and sides above 32,768 |
//! | source | blur as OpenCV's 5x5 Gaussian on 8 bits |

use super::sums::SumsPlan;
use crate::core::{Exactness, FrameLayout, ResidualSums, Size, Work};
use crate::error::Result;
use crate::gpu::GpuContext;
use crate::ops::{BatchShape, FrameBatch, OpInfo, words64};

const NAME: &str = "sharpness/noise_residual";
/// Words of results per picture.
const WORDS: u64 = 2;

/// What `frameloom ops` says about this operation.
pub const INFO: OpInfo = OpInfo {
    name: NAME,
    summary: "mean absolute difference to a small blur",
    input: "luma plane, u8 or 10 bit (8 most significant bits used)",
    output: "ResidualSums per picture (u64/i64 sums in luma codes)",
    params: &[],
    border: "reflect-101",
    exactness: Exactness::Exact,
    reason: "integer sums",
    source: "blur as OpenCV's 5x5 Gaussian on 8 bits",
    entries: &["main"],
    fields: &[],
    work,
};

fn work(layout: &FrameLayout) -> Work {
    let n = layout.size.area();
    Work { bytes_read: n * u64::from(layout.format.sample_bytes()), bytes_written: WORDS * 4, ops: n * 26 }
}

/// A planned `sharpness/noise_residual`.
pub type NoiseResidualPlan = SumsPlan<ResidualSums>;

impl NoiseResidualPlan {
    /// Plans for pictures of one layout or, with a mixed shape, of different sizes.
    pub fn new(ctx: &GpuContext, shape: impl Into<BatchShape>) -> Result<Self> {
        Self::of(ctx, NAME, shape.into(), WORDS, decode)
    }
}

fn decode(picture: &[u8], size: Size) -> ResidualSums {
    let mut sums = words64(picture);
    let mut sum = || sums.next().unwrap_or(0);
    ResidualSums { n: size.area(), sum: sum() }
}

/// Sums of all pictures of `src`, at once: waits for the result. For scripts and tests; streams keep a bound plan.
pub fn noise_residual(ctx: &GpuContext, src: &dyn FrameBatch) -> Result<Vec<ResidualSums>> {
    NoiseResidualPlan::new(ctx, BatchShape::of(src)?)?.bind(ctx, src, 0)?.run(ctx)
}
