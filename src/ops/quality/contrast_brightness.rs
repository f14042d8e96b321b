//! `quality/contrast_brightness`: mean and spread of grey.
//!
//! | | |
//! |---|---|
//! | input | pictures of any format, 8 or 10 bits; sizes may differ within a batch |
//! | output | [`GraySums`] per picture: sum and sum of squares of 8-bit grey; its `contrast` (deviation / 128) and `brightness` (mean / 255) are in f64 |
//! | parameters | none: grey is luma as it is (10 bits: the 8 most significant), of packed RGB as `color/gray_from_rgb` |
//! | border | none; padding is never counted |
//! | exactness | exact |
//! | determinism | the same bits on every adapter |
//! | errors | `Parameter` for sides above 32,768 |
//! | source | BT.601 weights in 15 bits, as OpenCV |

use crate::core::{Exactness, FrameLayout, GraySums, PixelFormat, Size, Work};
use crate::error::Result;
use crate::gpu::{AdapterClass, BufferUse, GpuBuffer, GpuContext, Kernel};
use crate::ops::{
    BatchShape, FrameBatch, Measure, OpInfo, Passes, PictureTable, check_sides, grid, reads_pictures, words64,
};

const NAME: &str = "quality/contrast_brightness";
/// Words of results per picture.
const WORDS: u32 = 4;

/// What `frameloom ops` says about this operation.
pub const INFO: OpInfo = OpInfo {
    name: NAME,
    summary: "mean and standard deviation of grey: brightness and contrast",
    input: "luma of any YUV or grey format (10 bits: the 8 most significant), or rgba8 as color/gray_from_rgb",
    output: "GraySums per picture (u64 sums of 8-bit grey)",
    params: &[],
    border: "none",
    exactness: Exactness::Exact,
    reason: "integer sums; figures in f64 on the host",
    source: "ITU-R BT.601 weights; rounding as OpenCV",
    entries: &["main"],
    fields: &[],
    work,
};

fn work(layout: &FrameLayout) -> Work {
    let n = layout.size.area();
    let bytes = if layout.format == PixelFormat::Rgba8 { 4 } else { layout.format.sample_bytes() };
    Work { bytes_read: n * u64::from(bytes), bytes_written: u64::from(WORDS) * 4, ops: n * 5 }
}

/// A planned `quality/contrast_brightness`.
#[derive(Debug, Clone)]
pub struct ContrastBrightnessPlan {
    kernel: Kernel,
    shape: BatchShape,
    groups: [u32; 2],
}

/// A plan bound to pictures.
pub type ContrastBrightnessBound = Measure<GraySums>;

impl ContrastBrightnessPlan {
    /// Bytes of results per picture.
    pub const RESULT_BYTES: u64 = WORDS as u64 * 4;

    /// Plans for pictures of one layout or, with a mixed shape, of different sizes.
    pub fn new(ctx: &GpuContext, shape: impl Into<BatchShape>) -> Result<Self> {
        let shape = shape.into();
        let FrameLayout { format, size, .. } = *shape.largest();
        check_sides(NAME, "input", shape.largest())?;
        let (wg, rows) = match ctx.caps().class {
            AdapterClass::Cpu => (8u32, 20u32),
            AdapterClass::Gpu => (64, 8),
        };
        let flag = |b: bool| f64::from(u8::from(b));
        let constants = [
            ("WIDE", flag(format.sample_bytes() == 2)),
            ("SHIFT", f64::from(format.shift_to_value())),
            ("RGBA", flag(format == PixelFormat::Rgba8)),
            ("TAIL", flag(shape.is_mixed() || !size.width.is_multiple_of(16))),
            ("WG", f64::from(wg)),
            ("ROWS", f64::from(rows)),
        ];
        let kernel = Kernel::new(ctx, NAME, "main", &constants)?;
        let items = u64::from(size.width.div_ceil(16)) * u64::from(size.height.div_ceil(rows));
        let groups = grid(ctx, NAME, items, wg)?;
        Ok(Self { kernel, shape, groups })
    }

    /// Binds the pictures of `src` from slot `first` on.
    pub fn bind(&self, ctx: &GpuContext, src: &dyn FrameBatch, first: u32) -> Result<ContrastBrightnessBound> {
        let pictures = PictureTable::each(ctx, NAME, "input", &self.shape, (src, first))?;
        let sums = GpuBuffer::new(ctx, NAME, Self::RESULT_BYTES * u64::from(pictures.len()), BufferUse::Storage)?;
        let bind = self
            .kernel
            .bind(ctx, &[("src", src.buffer()), ("src_pictures", pictures.buffer()), ("dst_sums", &sums)])?;
        let passes = Passes::new(pictures.len()).clear(&sums, Self::RESULT_BYTES).run(&self.kernel, bind, self.groups);
        Ok(Measure::new(passes, (&sums, Self::RESULT_BYTES), pictures.sizes(), decode))
    }
}

fn decode(bytes: &[u8], size: Size) -> GraySums {
    let mut sums = words64(bytes);
    let mut sum = || sums.next().unwrap_or(0);
    GraySums { n: size.area(), sum: sum(), sum_sq: sum() }
}

/// Sums of all pictures of `src`, at once: uploads nothing, waits for the result. For scripts and tests; streams keep a bound plan.
pub fn contrast_brightness(ctx: &GpuContext, src: &dyn FrameBatch) -> Result<Vec<GraySums>> {
    ContrastBrightnessPlan::new(ctx, BatchShape::of(src)?)?.bind(ctx, src, 0)?.run(ctx)
}

reads_pictures!(ContrastBrightnessPlan, ContrastBrightnessBound, |plan| plan.shape);
