//! `sharpness/laplacian_variance`: variance of the Laplacian: the usual measure of sharpness.
//!
//! | | |
//! |---|---|
//! | input | the luma plane of any YUV or grey format, 8 or 10 bits, at least 1x1; sizes may differ within a batch |
//! | output | [`LaplacianSums`] per picture: exact integers, figures in f64 on the host |
//! | filter | `[0 1 0; 1 -4 1; 0 1 0]` |
//! | border | reflect-101 (replicate where a side is 1) |
//! | exactness | exact |
//! | determinism | the same bits on every adapter |
//! | errors | `Parameter` for formats without luma and sides above 32,768 |
//! | source | Pech-Pacheco 2000; as OpenCV |

use super::sums::SumsPlan;
use crate::core::{Exactness, FrameLayout, LaplacianSums, Size, Work};
use crate::error::Result;
use crate::gpu::GpuContext;
use crate::ops::{BatchShape, FrameBatch, OpInfo, words64};

const NAME: &str = "sharpness/laplacian_variance";
/// Words of results per picture.
const WORDS: u64 = 4;

/// What `frameloom ops` says about this operation.
pub const INFO: OpInfo = OpInfo {
    name: NAME,
    summary: "variance of the Laplacian: the usual measure of sharpness",
    input: "luma plane, u8 or 10 bit (8 most significant bits used)",
    output: "LaplacianSums per picture (u64/i64 sums in luma codes)",
    params: &[],
    border: "reflect-101",
    exactness: Exactness::Exact,
    reason: "integer sums",
    source: "Pech-Pacheco 2000; as OpenCV",
    entries: &["main"],
    fields: &[],
    work,
};

fn work(layout: &FrameLayout) -> Work {
    let n = layout.size.area();
    Work { bytes_read: n * u64::from(layout.format.sample_bytes()), bytes_written: WORDS * 4, ops: n * 10 }
}

/// A planned `sharpness/laplacian_variance`.
pub type LaplacianVariancePlan = SumsPlan<LaplacianSums>;

impl LaplacianVariancePlan {
    /// Plans for pictures of one layout or, with a mixed shape, of different sizes.
    pub fn new(ctx: &GpuContext, shape: impl Into<BatchShape>) -> Result<Self> {
        Self::of(ctx, NAME, shape.into(), WORDS, decode)
    }
}

fn decode(picture: &[u8], size: Size) -> LaplacianSums {
    let mut sums = words64(picture);
    let mut sum = || sums.next().unwrap_or(0);
    LaplacianSums { n: size.area(), sum: sum() as i64, sum_sq: sum() }
}

/// Sums of all pictures of `src`, at once: waits for the result. For scripts and tests; streams keep a bound plan.
pub fn laplacian_variance(ctx: &GpuContext, src: &dyn FrameBatch) -> Result<Vec<LaplacianSums>> {
    LaplacianVariancePlan::new(ctx, BatchShape::of(src)?)?.bind(ctx, src, 0)?.run(ctx)
}
