//! `color/hsv_from_rgb`: packed RGB to 8-bit HSV.
//!
//! | | |
//! |---|---|
//! | input | packed RGBA, 8 bits; alpha is ignored |
//! | output | packed words H, S, V, 0 of the same size: H in half degrees 0..=179, S and V 0..=255 |
//! | border | none |
//! | exactness | exact |
//! | determinism | the same bits on every adapter |
//! | errors | `Parameter` for other formats, other layouts than planned, and a result in the buffer of the input |
//! | source | the integer formula of OpenCV for 8 bits |

use crate::core::{Exactness, FrameLayout, PixelFormat, Work};
use crate::error::Result;
use crate::gpu::{AdapterClass, GpuContext, Kernel};
use crate::ops::{FramesBound, GpuFrames, OpInfo, check_pair, gpu_params, grid, plan_error, run_frames};

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
    reason: "integers; quotients estimated in f32 are corrected by their integer remainder",
    source: "OpenCV, 8-bit HSV",
    entries: &["main"],
    fields: Uniform::FIELDS,
    work,
};

fn work(layout: &FrameLayout) -> Work {
    let n = layout.size.area();
    Work { bytes_read: n * 4, bytes_written: n * 4, ops: n * 40 }
}

gpu_params! {
    struct Uniform {
        base: u32,
        slot: u32,
        height: u32,
        columns: u32,
        blocks: u32,
        dst_base: u32,
        dst_slot: u32,
    }
}

/// A planned `color/hsv_from_rgb` for frames of one size.
#[derive(Debug, Clone)]
pub struct HsvFromRgbPlan {
    kernel: Kernel,
    uniform: Uniform,
    layout: FrameLayout,
    groups: [u32; 2],
}

impl HsvFromRgbPlan {
    /// Plans for frames like `input`.
    pub fn new(ctx: &GpuContext, input: &FrameLayout) -> Result<Self> {
        if input.format != PixelFormat::Rgba8 {
            return Err(plan_error(NAME, "input", "packed RGB (use color/rgb_from_yuv first)", input.format));
        }
        let (workgroup, rows) = match ctx.caps().class {
            AdapterClass::Cpu => (8u32, 16u32),
            AdapterClass::Gpu => (64, 1),
        };
        let kernel = Kernel::new(ctx, NAME, "main", &[("WG", f64::from(workgroup)), ("ROWS", f64::from(rows))])?;
        let (columns, blocks) = (input.size.width.div_ceil(4), input.size.height.div_ceil(rows));
        let uniform = Uniform {
            base: input.first().offset / 16,
            slot: input.slot_bytes() / 16,
            height: input.size.height,
            columns,
            blocks,
            dst_base: input.first().offset / 16,
            dst_slot: input.slot_bytes() / 16,
        };
        let groups = grid(ctx, NAME, u64::from(columns) * u64::from(blocks), workgroup)?;
        Ok(Self { kernel, uniform, layout: *input, groups })
    }

    /// Binds the frames of `src` from slot `first` on to results in `dst` from slot `dst_first` on.
    pub fn bind(
        &self,
        ctx: &GpuContext,
        src: &GpuFrames,
        first: u32,
        dst: &GpuFrames,
        dst_first: u32,
    ) -> Result<FramesBound> {
        let capacity = check_pair(NAME, (src, &self.layout, first), (dst, &self.layout, dst_first))?;
        let mut uniform = self.uniform;
        uniform.base += first * uniform.slot;
        uniform.dst_base += dst_first * uniform.dst_slot;
        let params = uniform.upload(ctx, NAME)?;
        let bind = self.kernel.bind(ctx, &[("params", &params), ("src", src.buffer()), ("dst", dst.buffer())])?;
        Ok(FramesBound::new(&self.kernel, bind, self.groups, capacity))
    }
}

/// HSV of all frames of `src`, at once: waits for the result. For scripts and tests; streams keep a bound plan.
pub fn hsv_from_rgb(ctx: &GpuContext, src: &GpuFrames) -> Result<GpuFrames> {
    let plan = HsvFromRgbPlan::new(ctx, src.layout())?;
    run_frames(ctx, NAME, &plan.layout, src.slots(), |dst| plan.bind(ctx, src, 0, dst, 0))
}
