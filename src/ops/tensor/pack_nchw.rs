//! `tensor/pack_nchw`: rectangles of pictures to the input tensor of a model, in one dispatch.
//!
//! | | |
//! |---|---|
//! | input | pictures of any format, sizes may differ; rectangles in luma pixels, many of one picture if wanted |
//! | output | `[boxes, 3, height, width]` in f32, or f16 (even widths), `rgb * mul + add` with rgb in 0..=1; 1 instead of 3 for grey |
//! | border | places are clamped to the rectangle, chroma to the plane; outside a letterboxed picture `pad * mul + add` |
//! | exactness | within 1e-5 of the f64 reference, in units of rgb (times `mul`); f16 is that rounded to nearest, halves to even, in integers on every adapter |
//! | determinism | the same bits on the same adapter |
//! | errors | `Parameter` for rectangles outside the picture, empty tensors, more boxes than bound, odd widths in f16, sides above 32,768, areas too large for one pixel |
//! | source | half-pixel centres or coverage; ITU-R BT.601-7, BT.709-6, BT.2020-2; chroma siting as H.273 |
//!
//! Bilinear sampling has no low-pass: below half the size it skips pixels. [`crate::core::Sampling::Area`] uses them all.

use super::pack::{Pack, PackParams, TensorBound, TensorBox, Uniform};
use crate::core::{Exactness, FrameLayout, Outside, Work};
use crate::error::Result;
use crate::gpu::GpuContext;
use crate::ops::{BatchShape, FrameBatch, OpInfo, ParamDoc};

const NAME: &str = "tensor/pack_nchw";

/// What `frameloom ops` says about this operation.
pub const INFO: OpInfo = OpInfo {
    name: NAME,
    summary: "rectangles of pictures to the input tensor of a model",
    input: "any format, mixed sizes, rectangles in luma pixels",
    output: "[boxes, 3, height, width] f32 or f16, rgb in 0..=1 times mul plus add",
    params: &[
        ParamDoc { name: "color", range: "matrix, range, siting", meaning: "what the code values mean" },
        ParamDoc { name: "size", range: "1x1 to 32768x32768", meaning: "width and height of the tensor" },
        ParamDoc { name: "fit", range: "stretch | letterbox", meaning: "how a rectangle of another aspect ratio fits" },
        ParamDoc { name: "order", range: "rgb | bgr | gray", meaning: "channels and their order" },
        ParamDoc { name: "mul, add", range: "finite", meaning: "normalisation per channel" },
        ParamDoc {
            name: "sampling",
            range: "bilinear | area",
            meaning: "how a pixel is made; area for strong reduction",
        },
        ParamDoc { name: "half", range: "true | false", meaning: "f16 instead of f32; needs an even width" },
    ],
    border: "replicate inside the rectangle; letterbox filled with pad",
    exactness: Exactness::Abs(1e-5),
    reason: "f32 arithmetic on codes below 1024 with about ten roundings of terms below 4; places and sums are exact",
    source: "ITU-R BT.601-7, BT.709-6, BT.2020-2; half-pixel centres; coverage",
    entries: &["main"],
    fields: Uniform::FIELDS,
    work,
};

/// For a 224x224 tensor of each frame.
fn work(layout: &FrameLayout) -> Work {
    let n = 224 * 224;
    let read = layout.format.frame_bytes(layout.size).min(n * 12);
    Work { bytes_read: read, bytes_written: n * 12, ops: n * 60 }
}

/// A planned `tensor/pack_nchw` for pictures of one format.
#[derive(Debug, Clone)]
pub struct PackNchwPlan(Pack);

impl PackNchwPlan {
    /// Plans for pictures of one layout or, with a mixed shape, of different sizes.
    pub fn new(ctx: &GpuContext, shape: impl Into<BatchShape>, params: PackParams) -> Result<Self> {
        Ok(Self(Pack::new(ctx, NAME, shape.into(), (params, Outside::Clamp), &[])?))
    }

    /// Bytes of one element of the batch in the tensor.
    pub fn element_bytes(&self) -> u64 {
        self.0.element_bytes()
    }

    /// Binds `src`, and makes a tensor with room for `capacity` boxes. Until [`TensorBound::set_boxes`] is called every box is
    /// undefined.
    pub fn bind(&self, ctx: &GpuContext, src: &dyn FrameBatch, capacity: u32) -> Result<TensorBound> {
        self.0.bind(ctx, src, capacity)
    }
}

/// Packs `boxes` of `src` at once: waits for the result. For scripts and tests; streams keep a bound plan.
pub fn pack_nchw(ctx: &GpuContext, src: &dyn FrameBatch, params: PackParams, boxes: &[TensorBox]) -> Result<Vec<f32>> {
    let count = u32::try_from(boxes.len()).unwrap_or(u32::MAX);
    let bound = PackNchwPlan::new(ctx, BatchShape::of(src)?, params)?.bind(ctx, src, count)?;
    bound.set_boxes(ctx, boxes)?;
    bound.run(ctx, count)
}
