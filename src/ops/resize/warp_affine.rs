//! `resize/warp_affine`: pictures turned, scaled, sheared and moved into the input tensor of a model, many in one dispatch.
//!
//! | | |
//! |---|---|
//! | input | pictures of any format, sizes may differ; for each element of the batch a picture and the map from the tensor to it |
//! | output | `[boxes, 3, height, width]` or `[boxes, height, width, 3]` in f32, or f16 (even widths), `rgb * mul + add`; 1 instead of 3 for grey |
//! | border | outside the picture its nearest pixel, or a grey |
//! | exactness | within 1e-5 of the f64 reference, in units of rgb (times `mul`); f16 is that rounded to nearest, halves to even |
//! | determinism | the same bits on the same adapter |
//! | errors | `Parameter` for maps with numbers that are none or lead farther than 32,768 pixels, slots that do not exist, more boxes than bound, letterboxes, area sampling, and what `tensor/pack_nchw` refuses |
//! | source | half-pixel centres, bilinear, as scikit-image's `warp` of order 1; ITU-R BT.601-7, BT.709-6, BT.2020-2; chroma siting as H.273 |
//!
//! The six numbers of a map are rounded to parts of 1/32768 of a pixel, so that places are exact integers on every adapter; that moves a
//! place by at most `(width + height + 1) / 65536` pixels, see [`Affine::steps`]. There is no low-pass: what shrinks to less than half
//! skips pixels, as OpenCV's `warpAffine` does.

use crate::core::{Affine, Exactness, Fit, FrameLayout, Sampling, TensorLayout, Work};
use crate::error::Result;
use crate::gpu::GpuContext;
use crate::ops::resize::crop_resize::CropParams;
use crate::ops::tensor::{Pack, PackUniform, TensorBound, wraps_tensor};
use crate::ops::{BatchShape, FrameBatch, OpInfo, ParamDoc, plan_error};

const NAME: &str = "resize/warp_affine";

/// What `frameloom ops` says about this operation.
pub const INFO: OpInfo = OpInfo {
    name: NAME,
    summary: "pictures turned, scaled and moved into the input tensor of a model: faces with their eyes level",
    input: "any format, mixed sizes, a picture and an affine map for each element",
    output: "[boxes, C, height, width] or [boxes, height, width, C] f32 or f16",
    params: &[
        ParamDoc {
            name: "pack",
            range: "as tensor/pack_nchw, bilinear, stretched",
            meaning: "colour, size, order, normalisation",
        },
        ParamDoc { name: "layout", range: "nchw | nhwc", meaning: "order of the numbers" },
        ParamDoc { name: "outside", range: "clamp | pad 0..=1", meaning: "what lies outside the picture" },
    ],
    border: "outside the picture clamped or grey",
    exactness: Exactness::Abs(1e-5),
    reason: "f32 arithmetic on codes below 1024 with about ten roundings of terms below 4; places are exact integers",
    source: "half-pixel centres; ITU-R BT.601-7, BT.709-6, BT.2020-2",
    entries: &["main"],
    fields: PackUniform::FIELDS,
    work,
};

/// For one face of 112x112.
fn work(layout: &FrameLayout) -> Work {
    let n = 112 * 112;
    let read = layout.format.frame_bytes(layout.size).min(n * 12);
    Work { bytes_read: read, bytes_written: n * 12, ops: n * 70 }
}

/// One element of the batch.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Warp {
    /// Slot of the picture in the bound batch.
    pub slot: u32,
    /// From pixels of the tensor to pixels of the picture; pixel `i` covers `i..i+1`.
    pub to_picture: Affine,
}

/// A planned `resize/warp_affine` for pictures of one format.
#[derive(Debug, Clone)]
pub struct WarpAffinePlan(Pack);

/// A plan bound to pictures, with room for a number of boxes.
#[derive(Debug, Clone)]
pub struct WarpAffineBound(TensorBound);

impl WarpAffinePlan {
    /// Plans for pictures of one layout or, with a mixed shape, of different sizes.
    pub fn new(ctx: &GpuContext, shape: impl Into<BatchShape>, params: CropParams) -> Result<Self> {
        if params.pack.sampling != Sampling::Bilinear {
            return Err(plan_error(NAME, "sampling", "bilinear", "area"));
        }
        if params.pack.spec.fit != Fit::Stretch {
            return Err(plan_error(NAME, "fit", "stretch: the map says how a picture fits", "letterbox"));
        }
        let last = f64::from(u8::from(params.layout == TensorLayout::Nhwc));
        Ok(Self(Pack::new(ctx, NAME, shape.into(), (params.pack, params.outside), &[("LAST", last)])?))
    }

    /// Bytes of one element of the batch in the tensor.
    pub fn element_bytes(&self) -> u64 {
        self.0.element_bytes()
    }

    /// Binds `src`, and makes a tensor with room for `capacity` elements. Until [`WarpAffineBound::set_warps`] is called every one is
    /// undefined.
    pub fn bind(&self, ctx: &GpuContext, src: &dyn FrameBatch, capacity: u32) -> Result<WarpAffineBound> {
        Ok(WarpAffineBound(self.0.bind(ctx, src, capacity)?))
    }
}

impl WarpAffineBound {
    /// Says which maps the next submission takes, in the order of the tensor.
    pub fn set_warps(&self, ctx: &GpuContext, warps: &[Warp]) -> Result<()> {
        let size = self.0.size();
        let mut words = Vec::with_capacity(warps.len());
        for warp in warps {
            let Some([[a, b, c], [d, e, f]]) = warp.to_picture.steps(size) else {
                let wanted = format!("finite numbers that lead no farther than {} pixels", Affine::REACH);
                return Err(plan_error(NAME, "to_picture", wanted, format!("{:?}", warp.to_picture.0)));
            };
            let [a, b, c, d, e, f] = [a, b, c, d, e, f].map(i32::cast_unsigned);
            words.push((warp.slot, [warp.slot, 0, 0, 0, a, b, c, 0, d, e, f, 0]));
        }
        self.0.write(ctx, &words)
    }
}

wraps_tensor!(WarpAffineBound);

/// Warps pictures of `src` at once: waits for the result. For scripts and tests; streams keep a bound plan.
pub fn warp_affine(ctx: &GpuContext, src: &dyn FrameBatch, params: CropParams, warps: &[Warp]) -> Result<Vec<f32>> {
    let count = u32::try_from(warps.len()).unwrap_or(u32::MAX);
    let bound = WarpAffinePlan::new(ctx, BatchShape::of(src)?, params)?.bind(ctx, src, count)?;
    bound.set_warps(ctx, warps)?;
    bound.0.run(ctx, count)
}
