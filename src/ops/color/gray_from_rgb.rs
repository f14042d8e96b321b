//! `color/gray_from_rgb`: packed RGB to 8-bit grey.
//!
//! | | |
//! |---|---|
//! | input | packed RGBA, 8 bits; alpha is ignored |
//! | output | 8-bit grey of the same size |
//! | border | none |
//! | exactness | exact |
//! | determinism | the same bits on every adapter |
//! | errors | `Parameter` for other formats, other layouts than planned, and a result in the buffer of the input |
//! | source | BT.601 weights in 15 bits, as OpenCV |

use crate::core::{Exactness, FrameLayout, PixelFormat, Work};
use crate::error::Result;
use crate::gpu::{AdapterClass, GpuContext, Kernel};
use crate::ops::{
    BatchShape, FrameBatch, FramesBound, GpuFrames, OpInfo, PicturePair, grid, makes_pictures, plan_error, run_frames,
};

const NAME: &str = "color/gray_from_rgb";

/// What `frameloom ops` says about this operation.
pub const INFO: OpInfo = OpInfo {
    name: NAME,
    summary: "packed RGB to 8-bit grey",
    input: "rgba8",
    output: "gray8, (9798 R + 19235 G + 3735 B + 16384) >> 15",
    params: &[],
    border: "none",
    exactness: Exactness::Exact,
    reason: "integers below 2^24",
    source: "ITU-R BT.601 weights; rounding as OpenCV",
    entries: &["main"],
    fields: &[],
    work,
};

fn work(layout: &FrameLayout) -> Work {
    let n = layout.size.area();
    Work { bytes_read: n * 4, bytes_written: n, ops: n * 8 }
}

/// A planned `color/gray_from_rgb`.
#[derive(Debug, Clone)]
pub struct GrayFromRgbPlan {
    kernel: Kernel,
    input: BatchShape,
    output: BatchShape,
    groups: [u32; 2],
}

impl GrayFromRgbPlan {
    /// Plans for pictures of one layout or, with a mixed shape, of different sizes.
    pub fn new(ctx: &GpuContext, input: impl Into<BatchShape>) -> Result<Self> {
        let input = input.into();
        let largest = input.largest();
        if largest.format != PixelFormat::Rgba8 {
            let wanted = "packed RGB (use the luma plane of other formats)";
            return Err(plan_error(NAME, "input", wanted, largest.format));
        }
        let (workgroup, rows) = match ctx.caps().class {
            AdapterClass::Cpu => (8u32, 8u32),
            AdapterClass::Gpu => (64, 1),
        };
        let kernel = Kernel::new(ctx, NAME, "main", &[("WG", f64::from(workgroup)), ("ROWS", f64::from(rows))])?;
        let items = u64::from(largest.size.width.div_ceil(16)) * u64::from(largest.size.height.div_ceil(rows));
        let groups = grid(ctx, NAME, items, workgroup)?;
        Ok(Self { kernel, input, output: input.with_format(PixelFormat::Gray8)?, groups })
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
        let bind = self.kernel.bind(
            ctx,
            &[
                ("src", src.buffer()),
                ("src_pictures", pair.src.buffer()),
                ("dst", dst.buffer()),
                ("out_pictures", pair.dst.buffer()),
            ],
        )?;
        Ok(FramesBound::new(&self.kernel, bind, self.groups, pair.len()))
    }
}

makes_pictures!(GrayFromRgbPlan, |plan| (plan.input, plan.output));

/// Grey of all frames of `src`, at once: waits for the result. For scripts and tests; streams keep a bound plan.
pub fn gray_from_rgb(ctx: &GpuContext, src: &GpuFrames) -> Result<GpuFrames> {
    let plan = GrayFromRgbPlan::new(ctx, src.layout())?;
    run_frames(ctx, NAME, plan.output(), src.slots(), |dst| plan.bind(ctx, src, 0, dst, 0))
}
