//! `resize/crop_resize`: many boxes of pictures, which may reach outside, to the input tensor of a model, in one dispatch.
//!
//! | | |
//! |---|---|
//! | input | pictures of any format, sizes may differ; boxes in whole luma pixels with signed corners, each of any picture |
//! | output | `[boxes, 3, height, width]` or `[boxes, height, width, 3]` in f32, or f16 (even widths), `rgb * mul + add`; 1 instead of 3 for grey |
//! | border | places are clamped to the box; outside the picture its nearest pixel, or a grey |
//! | exactness | within 1e-5 of the f64 reference, in units of rgb (times `mul`); f16 is that rounded to nearest, halves to even |
//! | determinism | the same bits on the same adapter |
//! | errors | `Parameter` for empty boxes, corners or sides beyond 32,768, slots that do not exist, more boxes than bound, two greys, area sampling, and what `tensor/pack_nchw` refuses |
//! | source | half-pixel centres; ITU-R BT.601-7, BT.709-6, BT.2020-2; chroma siting as H.273 |
//!
//! Boxes are integers: detectors are not better than that, and places stay exact. There is no low-pass: boxes of more than twice the size
//! of the tensor skip pixels.

use crate::core::{BoxRect, Exactness, FrameLayout, Outside, Sampling, TensorLayout, Work};
use crate::error::Result;
use crate::gpu::GpuContext;
use crate::ops::tensor::{Pack, PackParams, PackUniform, TensorBound, wraps_tensor};
use crate::ops::{BatchShape, FrameBatch, OpInfo, ParamDoc, plan_error};

const NAME: &str = "resize/crop_resize";

/// What `frameloom ops` says about this operation.
pub const INFO: OpInfo = OpInfo {
    name: NAME,
    summary: "many boxes of pictures, which may reach outside, to the input tensor of a model",
    input: "any format, mixed sizes, boxes in whole luma pixels with signed corners",
    output: "[boxes, 3, height, width] or [boxes, height, width, 3] f32 or f16",
    params: &[
        ParamDoc {
            name: "pack",
            range: "as tensor/pack_nchw, bilinear",
            meaning: "colour, size, fit, order, normalisation",
        },
        ParamDoc { name: "layout", range: "nchw | nhwc", meaning: "order of the numbers" },
        ParamDoc { name: "outside", range: "clamp | pad 0..=1", meaning: "what lies outside the picture" },
    ],
    border: "clamped to the box; outside the picture clamped or grey",
    exactness: Exactness::Abs(1e-5),
    reason: "f32 arithmetic on codes below 1024 with about ten roundings of terms below 4; places are exact",
    source: "ITU-R BT.601-7, BT.709-6, BT.2020-2; half-pixel centres",
    entries: &["main"],
    fields: PackUniform::FIELDS,
    work,
};

/// For one crop of 112x112.
fn work(layout: &FrameLayout) -> Work {
    let n = 112 * 112;
    let read = layout.format.frame_bytes(layout.size).min(n * 12);
    Work { bytes_read: read, bytes_written: n * 12, ops: n * 60 }
}

/// What the tensor is made of and looks like.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CropParams {
    /// Colour, size, fit, order of channels, normalisation; sampling must be bilinear.
    pub pack: PackParams,
    /// Order of the numbers.
    pub layout: TensorLayout,
    /// What lies outside the picture; with a letterbox the same grey as its.
    pub outside: Outside,
}

/// One element of the batch: a box of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CropBox {
    /// Slot of the picture in the bound batch.
    pub slot: u32,
    /// Box in luma pixels; corners within 32,768 of the picture's, sides 1 to 32,768.
    pub rect: BoxRect,
}

/// A planned `resize/crop_resize` for pictures of one format.
#[derive(Debug, Clone)]
pub struct CropResizePlan(Pack);

/// A plan bound to pictures, with room for a number of boxes.
#[derive(Debug, Clone)]
pub struct CropResizeBound(TensorBound);

impl CropResizePlan {
    /// Plans for pictures of one layout or, with a mixed shape, of different sizes.
    pub fn new(ctx: &GpuContext, shape: impl Into<BatchShape>, params: CropParams) -> Result<Self> {
        if params.pack.sampling != Sampling::Bilinear {
            return Err(plan_error(NAME, "sampling", "bilinear", "area"));
        }
        let last = f64::from(u8::from(params.layout == TensorLayout::Nhwc));
        Ok(Self(Pack::new(ctx, NAME, shape.into(), (params.pack, params.outside), &[("LAST", last)])?))
    }

    /// Bytes of one element of the batch in the tensor.
    pub fn element_bytes(&self) -> u64 {
        self.0.element_bytes()
    }

    /// Binds `src`, and makes a tensor with room for `capacity` boxes. Until [`CropResizeBound::set_boxes`] is called every box is
    /// undefined.
    pub fn bind(&self, ctx: &GpuContext, src: &dyn FrameBatch, capacity: u32) -> Result<CropResizeBound> {
        Ok(CropResizeBound(self.0.bind(ctx, src, capacity)?))
    }
}

impl CropResizeBound {
    /// Says which boxes the next submission crops, in the order of the tensor.
    pub fn set_boxes(&self, ctx: &GpuContext, boxes: &[CropBox]) -> Result<()> {
        let boxes: Vec<_> = boxes.iter().map(|b| (b.slot, b.rect)).collect();
        self.0.set(ctx, &boxes)
    }
}

wraps_tensor!(CropResizeBound);

/// Crops `boxes` of `src` at once: waits for the result. For scripts and tests; streams keep a bound plan.
pub fn crop_resize(ctx: &GpuContext, src: &dyn FrameBatch, params: CropParams, boxes: &[CropBox]) -> Result<Vec<f32>> {
    let count = u32::try_from(boxes.len()).unwrap_or(u32::MAX);
    let bound = CropResizePlan::new(ctx, BatchShape::of(src)?, params)?.bind(ctx, src, count)?;
    bound.set_boxes(ctx, boxes)?;
    bound.0.run(ctx, count)
}
