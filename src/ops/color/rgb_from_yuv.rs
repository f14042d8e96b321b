//! `color/rgb_from_yuv`: frames as decoded to packed 8-bit RGB.
//!
//! | | |
//! |---|---|
//! | input | YUV of any subsampling and plane layout, 8 or 10 bits, or 8-bit grey; sizes may differ within a batch |
//! | output | packed RGBA, 8 bits, alpha 255 |
//! | border | chroma taps are clamped to their plane |
//! | exactness | exact |
//! | determinism | the same bits on every adapter |
//! | errors | `Parameter` for RGB input, other layouts than planned, and a result in the buffer of the input |
//! | source | ITU-R BT.601-7, BT.709-6, BT.2020-2; chroma siting as H.273 |

use crate::core::{ChromaUpsampling, ColorSpec, Exactness, FrameLayout, PixelFormat, Work};
use crate::error::Result;
use crate::gpu::{AdapterClass, GpuContext, Kernel};
use crate::ops::{
    BatchShape, FrameBatch, FramesBound, GpuFrames, OpInfo, ParamDoc, PicturePair, RgbSource, gpu_params, grid,
    makes_pictures, plan_error, run_frames,
};

const NAME: &str = "color/rgb_from_yuv";

/// What `frameloom ops` says about this operation.
pub const INFO: OpInfo = OpInfo {
    name: NAME,
    summary: "frames as decoded to packed 8-bit RGB",
    input: "any YUV format, 8 or 10 bits (all bits used), or gray8",
    output: "rgba8, alpha 255",
    params: &[
        ParamDoc {
            name: "color",
            range: "matrix, range, siting",
            meaning: "what the code values mean; ignored for grey",
        },
        ParamDoc { name: "upsampling", range: "nearest | bilinear", meaning: "how chroma is brought to the luma grid" },
    ],
    border: "chroma taps clamp to their plane",
    exactness: Exactness::Exact,
    reason: "32-bit integers, all partial sums below 1200 * 2^20",
    source: "ITU-R BT.601-7, BT.709-6, BT.2020-2",
    entries: &["main"],
    fields: Uniform::FIELDS,
    work,
};

fn work(layout: &FrameLayout) -> Work {
    let n = layout.size.area();
    Work { bytes_read: layout.format.frame_bytes(layout.size), bytes_written: n * 4, ops: n * 20 }
}

gpu_params! {
    struct Uniform {
        offset: [i32; 4],
        chroma: [i32; 4],
    }
}

/// How code values become RGB.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RgbParams {
    /// Matrix, range and siting of the stream.
    pub color: ColorSpec,
    /// How chroma is brought to the luma grid.
    pub upsampling: ChromaUpsampling,
}

/// A planned `color/rgb_from_yuv`.
#[derive(Debug, Clone)]
pub struct RgbFromYuvPlan {
    kernel: Kernel,
    uniform: Uniform,
    input: BatchShape,
    output: BatchShape,
    groups: [u32; 2],
}

impl RgbFromYuvPlan {
    /// Plans for pictures of one layout or, with a mixed shape, of different sizes.
    pub fn new(ctx: &GpuContext, input: impl Into<BatchShape>, params: RgbParams) -> Result<Self> {
        let input = input.into();
        let largest = *input.largest();
        let output = match input.with_format(PixelFormat::Rgba8) {
            Ok(output) if largest.format.has_luma() => output,
            _ => {
                let given = format!("{} {}", largest.format, largest.size);
                return Err(plan_error(NAME, "input", "YUV or grey whose RGB frame is below 2 GiB", given));
            }
        };
        let (workgroup, rows) = match ctx.caps().class {
            AdapterClass::Cpu => (8u32, 8u32),
            AdapterClass::Gpu => (64, 1),
        };
        let source = RgbSource::of_any_side(NAME, &input, params)?;
        let kernel = Kernel::new(ctx, NAME, "main", &source.constants([("WG", workgroup), ("ROWS", rows)]))?;
        let uniform = Uniform { offset: source.offset, chroma: source.chroma };
        let items = u64::from(source.columns) * u64::from(largest.size.height.div_ceil(rows));
        let groups = grid(ctx, NAME, items, workgroup)?;
        Ok(Self { kernel, uniform, input, output, groups })
    }

    /// Layout of the results; of the largest one for mixed sizes.
    pub fn output(&self) -> &FrameLayout {
        self.output.largest()
    }

    /// Binds the pictures of `src` from slot `first` on to results of their sizes in `dst` from slot `dst_first` on.
    pub fn bind(
        &self,
        ctx: &GpuContext,
        src: &dyn FrameBatch,
        first: u32,
        dst: &dyn FrameBatch,
        dst_first: u32,
    ) -> Result<FramesBound> {
        let pair = PicturePair::new(ctx, NAME, (src, first, &self.input), (dst, dst_first, &self.output), |size| size)?;
        let params = self.uniform.upload(ctx, NAME)?;
        let bind = self.kernel.bind(
            ctx,
            &[
                ("params", &params),
                ("src", src.buffer()),
                ("src_words", src.buffer()),
                ("src_pictures", pair.src.buffer()),
                ("dst", dst.buffer()),
                ("out_pictures", pair.dst.buffer()),
            ],
        )?;
        Ok(FramesBound::new(&self.kernel, bind, self.groups, pair.len()))
    }
}

/// RGB of all frames of `src`, at once: waits for the result. For scripts and tests; streams keep a bound plan.
pub fn rgb_from_yuv(ctx: &GpuContext, src: &GpuFrames, params: RgbParams) -> Result<GpuFrames> {
    let plan = RgbFromYuvPlan::new(ctx, src.layout(), params)?;
    run_frames(ctx, NAME, plan.output(), src.slots(), |dst| plan.bind(ctx, src, 0, dst, 0))
}

makes_pictures!(RgbFromYuvPlan, |plan| (plan.input, plan.output));
