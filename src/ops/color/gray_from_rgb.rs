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
use crate::ops::{FramesBound, GpuFrames, OpInfo, check_pair, gpu_params, grid, plan_error, run_frames};

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
    fields: Uniform::FIELDS,
    work,
};

fn work(layout: &FrameLayout) -> Work {
    let n = layout.size.area();
    Work { bytes_read: n * 4, bytes_written: n, ops: n * 8 }
}

gpu_params! {
    struct Uniform {
        base: u32,
        stride: u32,
        slot: u32,
        height: u32,
        columns: u32,
        blocks: u32,
        dst_base: u32,
        dst_slot: u32,
    }
}

/// A planned `color/gray_from_rgb` for frames of one size.
#[derive(Debug, Clone)]
pub struct GrayFromRgbPlan {
    kernel: Kernel,
    uniform: Uniform,
    input: FrameLayout,
    output: FrameLayout,
    groups: [u32; 2],
}

impl GrayFromRgbPlan {
    /// Plans for frames like `input`.
    pub fn new(ctx: &GpuContext, input: &FrameLayout) -> Result<Self> {
        let output = match input.format {
            PixelFormat::Rgba8 => FrameLayout::of(PixelFormat::Gray8, input.size),
            _ => None,
        }
        .ok_or_else(|| plan_error(NAME, "input", "packed RGB (use the luma plane of other formats)", input.format))?;
        let (workgroup, rows) = match ctx.caps().class {
            AdapterClass::Cpu => (8u32, 8u32),
            AdapterClass::Gpu => (64, 1),
        };
        let kernel = Kernel::new(ctx, NAME, "main", &[("WG", f64::from(workgroup)), ("ROWS", f64::from(rows))])?;
        let (columns, blocks) = (input.size.width.div_ceil(16), input.size.height.div_ceil(rows));
        let uniform = Uniform {
            base: input.first().offset / 16,
            stride: input.first().stride / 16,
            slot: input.slot_bytes() / 16,
            height: input.size.height,
            columns,
            blocks,
            dst_base: output.first().offset / 16,
            dst_slot: output.slot_bytes() / 16,
        };
        let groups = grid(ctx, NAME, u64::from(columns) * u64::from(blocks), workgroup)?;
        Ok(Self { kernel, uniform, input: *input, output, groups })
    }

    /// Layout of the results.
    pub fn output(&self) -> &FrameLayout {
        &self.output
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
        let capacity = check_pair(NAME, (src, &self.input, first), (dst, &self.output, dst_first))?;
        let mut uniform = self.uniform;
        uniform.base += first * uniform.slot;
        uniform.dst_base += dst_first * uniform.dst_slot;
        let params = uniform.upload(ctx, NAME)?;
        let bind = self.kernel.bind(ctx, &[("params", &params), ("src", src.buffer()), ("dst", dst.buffer())])?;
        Ok(FramesBound::new(&self.kernel, bind, self.groups, capacity))
    }
}

/// Grey of all frames of `src`, at once: waits for the result. For scripts and tests; streams keep a bound plan.
pub fn gray_from_rgb(ctx: &GpuContext, src: &GpuFrames) -> Result<GpuFrames> {
    let plan = GrayFromRgbPlan::new(ctx, src.layout())?;
    run_frames(ctx, NAME, &plan.output, src.slots(), |dst| plan.bind(ctx, src, 0, dst, 0))
}
