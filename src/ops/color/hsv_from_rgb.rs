//! `color/hsv_from_rgb`: packed RGB to 8-bit HSV.
//!
//! | | |
//! |---|---|
//! | input | packed RGBA, 8 bits; alpha is ignored; sizes may differ within a batch |
//! | output | packed words H, S, V, 0 of the same size: H in half degrees 0..=179, S and V 0..=255 |
//! | border | none |
//! | exactness | exact |
//! | determinism | the same bits on every adapter |
//! | errors | `Parameter` for other formats, other layouts than planned, and a result in the buffer of the input |
//! | source | the integer formula of OpenCV for 8 bits |

use crate::core::{Exactness, FrameLayout, PixelFormat, Work};
use crate::error::Result;
use crate::gpu::{AdapterClass, GpuContext, Kernel};
use crate::ops::{
    BatchShape, FrameBatch, FramesBound, GpuFrames, OpInfo, PicturePair, grid, makes_pictures, plan_error, run_frames,
};

const NAME: &str = "color/hsv_from_rgb";

/// What `frameloom ops` says about this operation.
pub const INFO: OpInfo = OpInfo {
    name: NAME,
    summary: "packed RGB to 8-bit HSV",
    input: "rgba8",
    output: "rgba8 layout holding H (half degrees, 0..=179), S, V (0..=255), 0",
    params: &[],
    border: "none",
    exactness: Exactness::Exact,
    reason: "integers, in f32 below 2^24; estimated quotients are corrected by their remainder",
    source: "OpenCV, 8-bit HSV",
    entries: &["main"],
    fields: &[],
    work,
};

fn work(layout: &FrameLayout) -> Work {
    let n = layout.size.area();
    Work { bytes_read: n * 4, bytes_written: n * 4, ops: n * 40 }
}

/// A planned `color/hsv_from_rgb`.
#[derive(Debug, Clone)]
pub struct HsvFromRgbPlan {
    kernel: Kernel,
    shape: BatchShape,
    groups: [u32; 2],
}

impl HsvFromRgbPlan {
    /// Plans for pictures of one layout or, with a mixed shape, of different sizes.
    pub fn new(ctx: &GpuContext, input: impl Into<BatchShape>) -> Result<Self> {
        let shape = input.into();
        let largest = shape.largest();
        if largest.format != PixelFormat::Rgba8 {
            return Err(plan_error(NAME, "input", "packed RGB (use color/rgb_from_yuv first)", largest.format));
        }
        let (workgroup, rows) = match ctx.caps().class {
            AdapterClass::Cpu => (8u32, 16u32),
            AdapterClass::Gpu => (64, 1),
        };
        let kernel = Kernel::new(ctx, NAME, "main", &[("WG", f64::from(workgroup)), ("ROWS", f64::from(rows))])?;
        let items = u64::from(largest.size.width.div_ceil(4)) * u64::from(largest.size.height.div_ceil(rows));
        let groups = grid(ctx, NAME, items, workgroup)?;
        Ok(Self { kernel, shape, groups })
    }

    /// Layout of the results; of the largest one for mixed sizes.
    pub fn output(&self) -> &FrameLayout {
        self.shape.largest()
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
        let pair = PicturePair::new(ctx, NAME, (src, first, &self.shape), (dst, dst_first, &self.shape), |size| size)?;
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

/// HSV of all frames of `src`, at once: waits for the result. For scripts and tests; streams keep a bound plan.
pub fn hsv_from_rgb(ctx: &GpuContext, src: &GpuFrames) -> Result<GpuFrames> {
    let plan = HsvFromRgbPlan::new(ctx, src.layout())?;
    run_frames(ctx, NAME, plan.output(), src.slots(), |dst| plan.bind(ctx, src, 0, dst, 0))
}

makes_pictures!(HsvFromRgbPlan, |plan| (plan.shape, plan.shape));
