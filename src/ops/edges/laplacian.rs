//! `edges/laplacian`: the Laplacian, or its absolute value.
//!
//! | | |
//! |---|---|
//! | input | the luma plane of any YUV or grey format, 8 or 10 bits, at least 1x1 |
//! | output | [`plan_map`]: map of `i16` in -1020..=1020 |
//! | | [`plan_magnitude`]: 8-bit grey, `min(\|L\|, 255)`; sizes may differ within a batch |
//! | filter | `[0 1 0; 1 -4 1; 0 1 0]` |
//! | border | reflect-101 (replicate where a side is 1) |
//! | exactness | exact |
//! | determinism | the same bits on every adapter |
//! | errors | `Parameter` for formats without luma, sides above 32,768, maps of mixed sizes, results where they cannot be |
//! | source | border and values as OpenCV (`CV_16S`, aperture 1) |

use super::stencil::{StencilMapsPlan, StencilPicturesPlan, Uniform};
use crate::core::{Exactness, FrameLayout, Work};
use crate::error::Result;
use crate::gpu::GpuContext;
use crate::ops::{BatchShape, GpuFrames, GpuMaps, MapSample, OpInfo};

const NAME: &str = "edges/laplacian";

/// What `frameloom ops` says about this operation.
pub const INFO: OpInfo = OpInfo {
    name: NAME,
    summary: "Laplacian, or its absolute value",
    input: "luma plane, u8 or 10 bit (8 most significant bits used)",
    output: "i16 map; or gray8, min(|L|, 255)",
    params: &[],
    border: "reflect-101",
    exactness: Exactness::Exact,
    reason: "integers",
    source: "as OpenCV",
    entries: &["map", "magnitude"],
    fields: Uniform::FIELDS,
    work,
};

/// Of the absolute value as a picture, the lesser of the two.
fn work(layout: &FrameLayout) -> Work {
    let n = layout.size.area();
    Work { bytes_read: n * u64::from(layout.format.sample_bytes()), bytes_written: n, ops: n * 7 }
}

/// Plans the values.
pub fn plan_map(ctx: &GpuContext, input: impl Into<BatchShape>) -> Result<StencilMapsPlan<1>> {
    StencilMapsPlan::new(ctx, (NAME, "map"), ["dst"], input.into(), MapSample::I16)
}

/// Plans the absolute values, saturated to 8 bits, as a picture.
pub fn plan_magnitude(ctx: &GpuContext, input: impl Into<BatchShape>) -> Result<StencilPicturesPlan> {
    StencilPicturesPlan::new(ctx, (NAME, "magnitude"), input.into())
}

/// Laplacian of all frames of `src`, at once: waits for the result. For scripts and tests; streams keep a bound plan.
pub fn laplacian(ctx: &GpuContext, src: &GpuFrames) -> Result<GpuMaps> {
    let [map] = plan_map(ctx, src.layout())?.run(ctx, src)?;
    Ok(map)
}

/// `min(|L|, 255)` of all frames of `src`, as [`laplacian`].
pub fn magnitude(ctx: &GpuContext, src: &GpuFrames) -> Result<GpuFrames> {
    plan_magnitude(ctx, src.layout())?.run(ctx, src)
}
