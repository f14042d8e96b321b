//! `histogram/gradient_texture`: how strong edges are, as shares of the strongest.
//!
//! | | |
//! |---|---|
//! | input | the luma plane of any YUV or grey format, 8 or 10 bits, at least 1x1; sizes may differ within a batch |
//! | output | [`GradientTexture`] per picture: `peak`, the largest `m = gx^2 + gy^2` (Sobel 3x3), and `bins` counts of `u32`; [`GradientTexture::shares`] divides by their sum on the host |
//! | parameters | `bins`: 32 or 64 |
//! | bin | `floor(255 * sqrt(m / peak) * bins / 256)`, the magnitude scaled by its maximum to 255; bin 0 where `peak` is 0 |
//! | border | reflect-101 (replicate where a side is 1) |
//! | exactness | exact: bins are decided in integers; the counts of a picture add up to its pixels |
//! | determinism | the same bits on every adapter |
//! | errors | `Parameter` for formats without luma, sides above 32,768, other `bins` |
//! | source | texture part of a descriptor for picture matching; two passes on the device, first the peak, then the counts |

use crate::core::{Exactness, FrameLayout, GradientTexture, Size, Work};
use crate::error::Result;
use crate::gpu::{AdapterClass, BufferUse, GpuBuffer, GpuContext, Kernel};
use crate::ops::luma_plane::LumaPlane;
use crate::ops::{
    BatchShape, FrameBatch, Measure, OpInfo, ParamDoc, Passes, PictureTable, grid, plan_error, reads_pictures, words,
};

const NAME: &str = "histogram/gradient_texture";

/// What `frameloom ops` says about this operation.
pub const INFO: OpInfo = OpInfo {
    name: NAME,
    summary: "histogram of the Sobel magnitude, scaled by its maximum",
    input: "luma plane, u8 or 10 bit (8 most significant bits used)",
    output: "GradientTexture per picture (u32 peak and counts)",
    params: &[ParamDoc {
        name: "bins",
        range: "32 or 64",
        meaning: "number of equal parts of the scaled magnitude, 0..256",
    }],
    border: "reflect-101",
    exactness: Exactness::Exact,
    reason: "bins are decided in integers",
    source: "texture descriptor: Sobel magnitude, scaled by its maximum to 255, histogram",
    entries: &["peak", "bins_lanes", "bins_atomic"],
    fields: &[],
    work,
};

/// The second pass finds the pictures in no cache: they are read twice.
fn work(layout: &FrameLayout) -> Work {
    let n = layout.size.area();
    Work { bytes_read: 2 * n * u64::from(layout.format.sample_bytes()), bytes_written: 33 * 4, ops: n * 40 }
}

/// A planned `histogram/gradient_texture`.
#[derive(Debug, Clone)]
pub struct GradientTexturePlan {
    peak: Kernel,
    count: Kernel,
    shape: BatchShape,
    bins: u32,
    groups: [u32; 2],
}

impl GradientTexturePlan {
    /// Plans for pictures of one layout or, with a mixed shape, of different sizes.
    pub fn new(ctx: &GpuContext, shape: impl Into<BatchShape>, bins: u32) -> Result<Self> {
        Self::for_class(ctx, shape, bins, ctx.caps().class)
    }

    /// Plans with the kernel variant meant for adapters of `class`. Both variants run, and are exact, on every adapter: this
    /// exists so that tests and benchmarks can compare them.
    pub fn for_class(ctx: &GpuContext, shape: impl Into<BatchShape>, bins: u32, class: AdapterClass) -> Result<Self> {
        let shape = shape.into();
        let plane = LumaPlane::of_shape(NAME, &shape)?;
        if !matches!(bins, 32 | 64) {
            return Err(plan_error(NAME, "bins", "32 or 64", bins));
        }
        let (entry, wg, rows) = match class {
            AdapterClass::Cpu => ("bins_lanes", 8u32, 40u32),
            AdapterClass::Gpu => ("bins_atomic", 128, 8),
        };
        let constants = plane.constants([("TAIL", plane.tail()), ("WG", wg), ("ROWS", rows), ("BINS", bins)]);
        let peak = Kernel::new(ctx, NAME, "peak", &constants)?;
        let count = Kernel::new(ctx, NAME, entry, &constants)?;
        let items = u64::from(plane.columns) * u64::from(shape.largest().size.height.div_ceil(rows));
        Ok(Self { peak, count, shape, bins, groups: grid(ctx, NAME, items, wg)? })
    }

    /// Bytes of results per picture.
    pub fn result_bytes(&self) -> u64 {
        u64::from(self.bins + 1) * 4
    }

    /// Binds the pictures of `src` from slot `first` on.
    ///
    /// # Errors
    /// `Parameter` for other pictures than planned and a slot that does not exist.
    pub fn bind(&self, ctx: &GpuContext, src: &dyn FrameBatch, first: u32) -> Result<Measure<GradientTexture>> {
        let pictures = PictureTable::each(ctx, NAME, "input", &self.shape, (src, first))?;
        let bytes = self.result_bytes();
        let bins = GpuBuffer::new(ctx, NAME, bytes * u64::from(pictures.len()), BufferUse::Storage)?;
        let buffers = [
            ("src", src.buffer()),
            ("src_words", src.buffer()),
            ("src_pictures", pictures.buffer()),
            ("dst_bins", &bins),
        ];
        let passes = Passes::new(pictures.len())
            .clear(&bins, bytes)
            .run(&self.peak, self.peak.bind(ctx, &buffers)?, self.groups)
            .run(&self.count, self.count.bind(ctx, &buffers)?, self.groups);
        Ok(Measure::new(passes, (&bins, bytes), pictures.sizes(), decode))
    }
}

fn decode(picture: &[u8], _: Size) -> GradientTexture {
    let mut all = words(picture);
    GradientTexture { peak: all.next().unwrap_or(0), counts: all.collect() }
}

/// Histograms of all pictures of `src`, at once: waits for the result. For scripts and tests; streams keep a bound plan.
pub fn gradient_texture(ctx: &GpuContext, src: &dyn FrameBatch, bins: u32) -> Result<Vec<GradientTexture>> {
    GradientTexturePlan::new(ctx, BatchShape::of(src)?, bins)?.bind(ctx, src, 0)?.run(ctx)
}

reads_pictures!(GradientTexturePlan, Measure<GradientTexture>, |plan| plan.shape);
