//! `edges/scharr`: Scharr derivatives, or their magnitude.
//!
//! | | |
//! |---|---|
//! | input | the luma plane of any YUV or grey format, 8 or 10 bits, at least 1x1 |
//! | output | [`plan_derivatives`]: two maps of `i16`, `gx` (to the right) and `gy` (downwards), in -4080..=4080 |
//! | | [`plan_magnitude`]: 8-bit grey, `min(\|gx\| + \|gy\|, 255)`; sizes may differ within a batch |
//! | | [`plan_norm`]: map of `u16`, `sqrt(gx^2 + gy^2)` to the nearest integer |
//! | filter | `gx = [-3 0 3; -10 0 10; -3 0 3]`, `gy` its transpose |
//! | border | reflect-101 (replicate where a side is 1) |
//! | exactness | exact |
//! | determinism | the same bits on every adapter |
//! | errors | `Parameter` for formats without luma, sides above 32,768, maps of mixed sizes, results where they cannot be |
//! | source | Scharr 2000; border and derivatives as OpenCV (`CV_16S`) |

use super::stencil::{StencilMapsPlan, StencilPicturesPlan, Uniform};
use crate::core::{Exactness, FrameLayout, Work};
use crate::error::Result;
use crate::gpu::GpuContext;
use crate::ops::{BatchShape, GpuFrames, GpuMaps, MapSample, OpInfo};

const NAME: &str = "edges/scharr";

/// What `frameloom ops` says about this operation.
pub const INFO: OpInfo = OpInfo {
    name: NAME,
    summary: "Scharr derivatives, or their magnitude",
    input: "luma plane, u8 or 10 bit (8 most significant bits used)",
    output: "gx and gy as i16 maps; or gray8, min(|gx| + |gy|, 255); or u16 map, sqrt(gx^2 + gy^2) rounded",
    params: &[],
    border: "reflect-101",
    exactness: Exactness::Exact,
    reason: "integers; integers correct the estimate of the root",
    source: "Scharr 2000; as OpenCV",
    entries: &["derivatives", "magnitude", "norm"],
    fields: Uniform::FIELDS,
    work,
};

/// Of the magnitude as a picture, the least of the three.
fn work(layout: &FrameLayout) -> Work {
    let n = layout.size.area();
    Work { bytes_read: n * u64::from(layout.format.sample_bytes()), bytes_written: n, ops: n * 14 }
}

/// Plans `gx` and `gy`, in this order.
pub fn plan_derivatives(ctx: &GpuContext, input: impl Into<BatchShape>) -> Result<StencilMapsPlan<2>> {
    StencilMapsPlan::new(ctx, (NAME, "derivatives"), ["dst", "dst_gy"], input.into(), MapSample::I16)
}

/// Plans the sum of both absolute values, saturated to 8 bits, as a picture.
pub fn plan_magnitude(ctx: &GpuContext, input: impl Into<BatchShape>) -> Result<StencilPicturesPlan> {
    StencilPicturesPlan::new(ctx, (NAME, "magnitude"), input.into())
}

/// Plans the length of the gradient, rounded.
pub fn plan_norm(ctx: &GpuContext, input: impl Into<BatchShape>) -> Result<StencilMapsPlan<1>> {
    StencilMapsPlan::new(ctx, (NAME, "norm"), ["dst"], input.into(), MapSample::U16)
}

/// `gx` and `gy` of all frames of `src`, at once: waits for the result. For scripts and tests; streams keep a bound plan.
pub fn derivatives(ctx: &GpuContext, src: &GpuFrames) -> Result<[GpuMaps; 2]> {
    plan_derivatives(ctx, src.layout())?.run(ctx, src)
}

/// `min(|gx| + |gy|, 255)` of all frames of `src`, as [`derivatives`].
pub fn magnitude(ctx: &GpuContext, src: &GpuFrames) -> Result<GpuFrames> {
    plan_magnitude(ctx, src.layout())?.run(ctx, src)
}

/// `sqrt(gx^2 + gy^2)` of all frames of `src`, as [`derivatives`].
pub fn norm(ctx: &GpuContext, src: &GpuFrames) -> Result<GpuMaps> {
    let [map] = plan_norm(ctx, src.layout())?.run(ctx, src)?;
    Ok(map)
}
