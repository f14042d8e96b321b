//! `quality/lighting`: how dark, bright, evenly and well exposed a picture is.
//!
//! | | |
//! |---|---|
//! | input | pictures of any format, 8 or 10 bits; YUV turns to RGB as in `color/rgb_from_yuv`; sizes may differ within a batch |
//! | output | [`LightingSums`] per picture: sum and sum of squares of the HSV value V, pixels with V < 64 and V >= 192, for each patch of 32x32 pixels; its `lighting` makes the figures in f64 |
//! | parameters | `rgb`: what YUV codes mean; the grid of patches belongs to the figures |
//! | border | patches are cut at the right and the bottom |
//! | exactness | exact |
//! | determinism | the same bits on every adapter |
//! | errors | `Parameter` for sides above 32,768 |
//! | source | V of 8-bit HSV, `max(R, G, B)` |

use crate::core::{Exactness, FrameLayout, LightingSums, PatchSums, Size, Work};
use crate::error::Result;
use crate::gpu::{AdapterClass, BufferUse, GpuBuffer, GpuContext, Kernel};
use crate::ops::color::rgb_from_yuv::RgbParams;
use crate::ops::{
    BatchShape, FrameBatch, Measure, OpInfo, ParamDoc, Passes, PictureTable, RgbSource, gpu_params, grid,
    reads_pictures, words,
};

const NAME: &str = "quality/lighting";
/// Words of results per patch.
const WORDS: u32 = 3;

/// What `frameloom ops` says about this operation.
pub const INFO: OpInfo = OpInfo {
    name: NAME,
    summary: "dark and bright shares, evenness and exposure from the HSV value in patches of 32x32",
    input: "any format (YUV as color/rgb_from_yuv, in registers)",
    output: "LightingSums per picture (integer sums of each patch)",
    params: &[ParamDoc { name: "rgb", range: "matrix, range, siting, upsampling", meaning: "how YUV turns to RGB" }],
    border: "patches are cut at the right and the bottom",
    exactness: Exactness::Exact,
    reason: "integer sums; figures in f64 on the host",
    source: "V of 8-bit HSV; mean standard deviation of patches",
    entries: &["main"],
    fields: Uniform::FIELDS,
    work,
};

fn words_of(size: Size) -> u32 {
    let (across, down) = LightingSums::patches_of(size);
    across * down * WORDS
}

fn work(layout: &FrameLayout) -> Work {
    let bytes_written = u64::from(words_of(layout.size)) * 4;
    Work { bytes_read: layout.format.frame_bytes(layout.size), bytes_written, ops: layout.size.area() * 30 }
}

gpu_params! {
    struct Uniform {
        offset: [i32; 4],
        chroma: [i32; 4],
        dst: u32,
    }
}

/// A planned `quality/lighting`.
#[derive(Debug, Clone)]
pub struct LightingPlan {
    kernel: Kernel,
    uniform: Uniform,
    shape: BatchShape,
    groups: [u32; 2],
}

/// A plan bound to pictures.
pub type LightingBound = Measure<LightingSums>;

impl LightingPlan {
    /// Plans for pictures of one layout or, with a mixed shape, of different sizes.
    pub fn new(ctx: &GpuContext, shape: impl Into<BatchShape>, rgb: RgbParams) -> Result<Self> {
        let shape = shape.into();
        let source = RgbSource::of(NAME, &shape, rgb)?;
        let wg = match ctx.caps().class {
            AdapterClass::Cpu => 8u32,
            AdapterClass::Gpu => 32,
        };
        let kernel = Kernel::new(ctx, NAME, "main", &source.constants([("TAIL", source.tail), ("WG", wg)]))?;
        let dst = words_of(shape.largest().size);
        let groups = grid(ctx, NAME, u64::from(dst / WORDS), wg)?;
        let uniform = Uniform { offset: source.offset, chroma: source.chroma, dst };
        Ok(Self { kernel, uniform, shape, groups })
    }

    /// Bytes of results per picture: those of the largest one for mixed sizes.
    pub fn result_bytes(&self) -> u64 {
        u64::from(self.uniform.dst) * 4
    }

    /// Binds the pictures of `src` from slot `first` on.
    pub fn bind(&self, ctx: &GpuContext, src: &dyn FrameBatch, first: u32) -> Result<LightingBound> {
        let pictures = PictureTable::each(ctx, NAME, "input", &self.shape, (src, first))?;
        let params = self.uniform.upload(ctx, NAME)?;
        let frame_bytes = self.result_bytes();
        let patches = GpuBuffer::new(ctx, NAME, frame_bytes * u64::from(pictures.len()), BufferUse::Storage)?;
        let bind = self.kernel.bind(
            ctx,
            &[
                ("params", &params),
                ("src", src.buffer()),
                ("src_words", src.buffer()),
                ("src_pictures", pictures.buffer()),
                ("dst_patches", &patches),
            ],
        )?;
        // Every patch of every picture is written: nothing to clear.
        let passes = Passes::new(pictures.len()).run(&self.kernel, bind, self.groups);
        Ok(Measure::new(passes, (&patches, frame_bytes), pictures.sizes(), decode))
    }
}

fn decode(bytes: &[u8], size: Size) -> LightingSums {
    let mut words = words(bytes).take(words_of(size) as usize);
    let patches = std::iter::from_fn(|| {
        let (sum, sum_sq, counts) = (words.next()?, words.next()?, words.next()?);
        Some(PatchSums { sum, sum_sq, dark: counts & 0xFFFF, bright: counts >> 16 })
    });
    LightingSums { size, patches: patches.collect() }
}

/// Sums of all pictures of `src`, at once: uploads nothing, waits for the result. For scripts and tests; streams keep a bound plan.
pub fn lighting(ctx: &GpuContext, src: &dyn FrameBatch, rgb: RgbParams) -> Result<Vec<LightingSums>> {
    LightingPlan::new(ctx, BatchShape::of(src)?, rgb)?.bind(ctx, src, 0)?.run(ctx)
}

reads_pictures!(LightingPlan, LightingBound, |plan| plan.shape);
