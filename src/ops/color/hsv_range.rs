//! `color/hsv_range`: a mask of the pixels whose colour lies in a range.
//!
//! | | |
//! |---|---|
//! | input | packed RGBA, 8 bits; alpha is ignored; sizes may differ within a batch |
//! | output | 8-bit mask of the same size: 255 where the 8-bit HSV (as `color/hsv_from_rgb`) lies in the range, else 0 |
//! | parameters | [`HsvRange`]: both ends belong to it; a hue whose low end lies above the high one goes through 0 |
//! | border | none |
//! | exactness | exact |
//! | determinism | the same bits on every adapter |
//! | errors | `Parameter` for other formats, other layouts than planned, a hue above 179, and a saturation or value whose low end lies above the high one |
//! | source | OpenCV, 8-bit HSV and `inRange` |

use crate::core::{Exactness, FrameLayout, HsvRange, PixelFormat, Work};
use crate::error::Result;
use crate::gpu::{AdapterClass, GpuContext, Kernel};
use crate::ops::{
    BatchShape, FrameBatch, FramesBound, GpuFrames, OpInfo, ParamDoc, PicturePair, gpu_params, grid, makes_pictures,
    plan_error, run_frames,
};

const NAME: &str = "color/hsv_range";

/// What `frameloom ops` says about this operation.
pub const INFO: OpInfo = OpInfo {
    name: NAME,
    summary: "mask of the pixels whose HSV lies in a range",
    input: "rgba8",
    output: "gray8, 255 inside the range, else 0",
    params: &[
        ParamDoc { name: "low", range: "H 0..=179, S and V 0..=255", meaning: "least H, S, V" },
        ParamDoc {
            name: "high",
            range: "the same",
            meaning: "largest H, S, V; a lower hue than in `low` goes through 0",
        },
    ],
    border: "none",
    exactness: Exactness::Exact,
    reason: "HSV as color/hsv_from_rgb, then comparisons",
    source: "OpenCV, 8-bit HSV and inRange",
    entries: &["main"],
    fields: Uniform::FIELDS,
    work,
};

fn work(layout: &FrameLayout) -> Work {
    let n = layout.size.area();
    Work { bytes_read: n * 4, bytes_written: n, ops: n * 50 }
}

gpu_params! {
    struct Uniform {
        low: u32,
        high: u32,
    }
}

/// A planned `color/hsv_range`.
#[derive(Debug, Clone)]
pub struct HsvRangePlan {
    kernel: Kernel,
    uniform: Uniform,
    input: BatchShape,
    output: BatchShape,
    groups: [u32; 2],
}

impl HsvRangePlan {
    /// Plans for pictures of one layout or, with a mixed shape, of different sizes.
    pub fn new(ctx: &GpuContext, input: impl Into<BatchShape>, range: HsvRange) -> Result<Self> {
        let input = input.into();
        let largest = input.largest();
        if largest.format != PixelFormat::Rgba8 {
            return Err(plan_error(NAME, "input", "packed RGB (use color/rgb_from_yuv first)", largest.format));
        }
        range.check()?;
        let (workgroup, rows) = match ctx.caps().class {
            AdapterClass::Cpu => (8u32, 8u32),
            AdapterClass::Gpu => (64, 1),
        };
        let kernel = Kernel::new(ctx, NAME, "main", &[("WG", f64::from(workgroup)), ("ROWS", f64::from(rows))])?;
        let items = u64::from(largest.size.width.div_ceil(16)) * u64::from(largest.size.height.div_ceil(rows));
        let groups = grid(ctx, NAME, items, workgroup)?;
        let word = |[h, s, v]: [u8; 3]| u32::from_le_bytes([h, s, v, 0]);
        let uniform = Uniform { low: word(range.low), high: word(range.high) };
        Ok(Self { kernel, uniform, input, output: input.with_format(PixelFormat::Gray8)?, groups })
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
                ("src_pictures", pair.src.buffer()),
                ("dst", dst.buffer()),
                ("out_pictures", pair.dst.buffer()),
            ],
        )?;
        Ok(FramesBound::new(&self.kernel, bind, self.groups, pair.len()))
    }
}

makes_pictures!(HsvRangePlan, |plan| (plan.input, plan.output));

/// Masks of all frames of `src`, at once: waits for the result. For scripts and tests; streams keep a bound plan.
pub fn hsv_range(ctx: &GpuContext, src: &GpuFrames, range: HsvRange) -> Result<GpuFrames> {
    let plan = HsvRangePlan::new(ctx, src.layout(), range)?;
    run_frames(ctx, NAME, plan.output(), src.slots(), |dst| plan.bind(ctx, src, 0, dst, 0))
}
