//! `stats/luma`: mean, variance, Laplacian variance, Tenengrad, noise, shares of dark and bright pixels in one pass.
//!
//! | | |
//! |---|---|
//! | input | the luma plane of any YUV or grey format, 8 or 10 bits, at least 1x1; sizes may differ within a batch |
//! | output | [`LumaSums`] per frame: exact integers |
//! | border | reflect-101 (replicate where a side is 1); the noise mask covers interior pixels |
//! | exactness | exact |
//! | determinism | the same bits on every adapter |
//! | errors | `Parameter` for formats without luma and sides above 32,768 |
//! | source | Pech-Pacheco 2000, Krotkov 1987, Immerkaer 1996; border as OpenCV |

use crate::core::{ColorRange, Exactness, FrameLayout, LumaSums, Size, Work};
use crate::error::Result;
use crate::gpu::{AdapterClass, BufferUse, GpuBuffer, GpuContext, Kernel};
use crate::ops::luma_plane::LumaPlane;
use crate::ops::{
    BatchShape, FrameBatch, Measure, OpInfo, ParamDoc, Passes, PictureTable, gpu_params, grid, reads_pictures, words,
    words64,
};

const NAME: &str = "stats/luma";
/// Words of results per frame.
const WORDS: u32 = 14;

/// What `frameloom ops` says about this operation.
pub const INFO: OpInfo = OpInfo {
    name: NAME,
    summary: "mean, variance, Laplacian variance, Tenengrad, noise, dark and bright share in one pass",
    input: "luma plane, u8 or 10 bit (8 most significant bits used)",
    output: "LumaSums per frame (u64/i64 sums in luma codes)",
    params: &[
        ParamDoc { name: "dark", range: "0..=255 luma code", meaning: "a pixel is dark at or below it" },
        ParamDoc { name: "bright", range: "0..=255 luma code", meaning: "a pixel is bright at or above it" },
    ],
    border: "reflect-101; noise mask: interior only",
    exactness: Exactness::Exact,
    reason: "integer sums; f32 holds only integers below 2^24",
    source: "Pech-Pacheco 2000; Krotkov 1987; Immerkaer 1996",
    entries: &["main"],
    fields: Uniform::FIELDS,
    work,
};

fn work(layout: &FrameLayout) -> Work {
    let n = layout.size.area();
    Work { bytes_read: n * u64::from(layout.format.sample_bytes()), bytes_written: u64::from(WORDS) * 4, ops: n * 40 }
}

gpu_params! {
    struct Uniform {
        dark: u32,
        bright: u32,
        dst: u32,
    }
}

/// Thresholds of dark and bright pixels, in 8-bit luma codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LumaParams {
    /// A pixel is dark at or below this code.
    pub dark: u8,
    /// A pixel is bright at or above this code.
    pub bright: u8,
}

impl LumaParams {
    /// Codes for shares of the way from black to white, in a given range of code values: `0.1, 0.9` for "lowest and highest tenth".
    pub fn from_shares(range: ColorRange, dark: f64, bright: f64) -> Self {
        let (black, white) = range.luma_codes();
        let code = |share: f64| {
            let span = f64::from(white) - f64::from(black);
            (f64::from(black) + share.clamp(0.0, 1.0) * span).round() as u8
        };
        Self { dark: code(dark), bright: code(bright) }
    }
}

/// A planned `stats/luma`.
#[derive(Debug, Clone)]
pub struct LumaStatsPlan {
    kernel: Kernel,
    uniform: Uniform,
    shape: BatchShape,
    groups: [u32; 2],
}

/// A plan bound to pictures.
pub type LumaStatsBound = Measure<LumaSums>;

impl LumaStatsPlan {
    /// Bytes of results per frame.
    pub const RESULT_BYTES: u64 = WORDS as u64 * 4;

    /// Plans for pictures of one layout or, with a mixed shape, of different sizes.
    pub fn new(ctx: &GpuContext, shape: impl Into<BatchShape>, params: LumaParams) -> Result<Self> {
        let shape = shape.into();
        let plane = LumaPlane::of_shape(NAME, &shape)?;
        // Per row an f32 component holds at most 8 squared gradients, per invocation a u32 at most ROWS times that.
        let (wg, rows) = match ctx.caps().class {
            AdapterClass::Cpu => (8u32, 32u32),
            AdapterClass::Gpu => (64, 8),
        };
        let constants = plane.constants([("TAIL", plane.tail()), ("WG", wg), ("ROWS", rows)]);
        let kernel = Kernel::new(ctx, NAME, "main", &constants)?;
        let blocks = shape.largest().size.height.div_ceil(rows);
        let uniform = Uniform { dark: u32::from(params.dark), bright: u32::from(params.bright), dst: WORDS };
        let groups = grid(ctx, NAME, u64::from(plane.columns) * u64::from(blocks), wg)?;
        Ok(Self { kernel, uniform, shape, groups })
    }

    /// Binds the pictures of `src` from slot `first` on.
    pub fn bind(&self, ctx: &GpuContext, src: &dyn FrameBatch, first: u32) -> Result<LumaStatsBound> {
        let pictures = PictureTable::each(ctx, NAME, "input", &self.shape, (src, first))?;
        let params = self.uniform.upload(ctx, NAME)?;
        let sums = GpuBuffer::new(ctx, NAME, Self::RESULT_BYTES * u64::from(pictures.len()), BufferUse::Storage)?;
        let bind = self.kernel.bind(
            ctx,
            &[
                ("params", &params),
                ("src", src.buffer()),
                ("src_words", src.buffer()),
                ("src_pictures", pictures.buffer()),
                ("dst_sums", &sums),
            ],
        )?;
        let passes = Passes::new(pictures.len()).clear(&sums, Self::RESULT_BYTES).run(&self.kernel, bind, self.groups);
        Ok(Measure::new(passes, (&sums, Self::RESULT_BYTES), pictures.sizes(), decode))
    }
}

reads_pictures!(LumaStatsPlan, LumaStatsBound, |plan| plan.shape);

fn decode(frame: &[u8], size: Size) -> LumaSums {
    let (sums, counts) = frame.split_at(frame.len().min(48));
    let mut sums = words64(sums);
    let mut sum = || sums.next().unwrap_or(0);
    let mut counts = words(counts).map(u64::from);
    LumaSums {
        n: size.area(),
        sum: sum(),
        sum_sq: sum(),
        lap_sum: sum() as i64,
        lap_sum_sq: sum(),
        tenengrad_sum: sum(),
        noise_sum: sum(),
        dark: counts.next().unwrap_or(0),
        bright: counts.next().unwrap_or(0),
    }
}

/// Statistics of all pictures of `src`, at once: uploads nothing, waits for the result. For scripts and tests; streams keep a
/// bound plan.
pub fn luma(ctx: &GpuContext, src: &dyn FrameBatch, params: LumaParams) -> Result<Vec<LumaSums>> {
    LumaStatsPlan::new(ctx, BatchShape::of(src)?, params)?.bind(ctx, src, 0)?.run(ctx)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_follow_the_range() {
        let full = LumaParams::from_shares(ColorRange::Full, 0.1, 0.9);
        let limited = LumaParams::from_shares(ColorRange::Limited, 0.1, 0.9);
        assert_eq!((full.dark, full.bright), (26, 230));
        assert_eq!((limited.dark, limited.bright), (38, 213));
    }
}
