//! Boxes of pictures to the tensor that an input of a model wants.

use crate::core::{BoxRect, ColorSpec, Fit, Outside, Rect, Sampling, Size, TensorLayout, TensorPlace, TensorSpec};
use crate::error::{Error, Result};
use crate::gpu::{GpuBuffer, GpuContext, MappedBytes, Readback, ReadbackRing, Recorder};
use crate::infer::manifest::Order;
use crate::infer::{ElementType, Extent, IoInfo, PictureInput};
use crate::ops::resize::crop_resize::{CropBox, CropParams, CropResizePlan};
use crate::ops::resize::warp_affine::{Warp, WarpAffinePlan};
use crate::ops::tensor::pack_nchw::PackNchwPlan;
use crate::ops::tensor::pack_nhwc::PackNhwcPlan;
use crate::ops::tensor::{PackParams, TensorBox};
use crate::ops::{BatchShape, FrameBatch, Record};

/// What the manifest leaves open.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TensorStageOptions {
    /// Width and height where neither the model nor the manifest fixes them.
    pub size: Option<Size>,
    /// Bilinear as the networks were trained with, or means for strong reduction (boxes inside the picture only).
    pub sampling: Sampling,
    /// What lies outside the picture.
    pub outside: Outside,
    /// Tensors in flight: 2 to prepare one while the model works on the other.
    pub in_flight: usize,
}

impl Default for TensorStageOptions {
    fn default() -> Self {
        Self { size: None, sampling: Sampling::Bilinear, outside: Outside::Clamp, in_flight: 2 }
    }
}

/// Makes the tensors of one input of a model. Plans itself anew when format or colour of the pictures change.
#[derive(Debug)]
pub struct TensorStage {
    ctx: GpuContext,
    spec: TensorSpec,
    layout: TensorLayout,
    half: bool,
    options: TensorStageOptions,
    planned: Option<(BatchShape, ColorSpec, Plan)>,
    turned: Option<(BatchShape, ColorSpec, WarpAffinePlan)>,
    ring: Option<(u64, ReadbackRing)>,
}

#[derive(Debug, Clone)]
enum Plan {
    Crop(CropResizePlan),
    Nchw(PackNchwPlan),
    Nhwc(PackNhwcPlan),
}

/// Tensors on their way to the host.
#[derive(Debug)]
pub(super) struct Pending {
    readback: Readback,
    pub(super) places: Vec<TensorPlace>,
    // Kept until the work is done: the buffers would go back to the pool otherwise.
    _tensor: GpuBuffer,
}

impl TensorStage {
    /// For the picture input `io` of a model, which `picture` describes.
    ///
    /// # Errors
    /// [`Error::Model`] with cause `input` when the input does not take pictures of the declared channels and order of axes or neither the
    /// model nor `options` says a size.
    pub fn new(ctx: &GpuContext, io: &IoInfo, picture: &PictureInput, options: TensorStageOptions) -> Result<Self> {
        let half = match io.element {
            ElementType::F32 => false,
            ElementType::F16 => true,
            other => {
                let text = format!("the picture input `{}` takes {other:?}; f32 or f16 is wanted", io.name);
                return Err(Error::model("input", text));
            }
        };
        let layout = picture.tensor_layout();
        let [_, a, b, c] = io.shape.as_slice() else {
            let text = format!("`{}` has {} axes; a picture input has 4", io.name, io.shape.len());
            return Err(Error::model("input", text));
        };
        let (channels, height, width) = match layout {
            TensorLayout::Nchw => (a, b, c),
            TensorLayout::Nhwc => (c, a, b),
        };
        let wanted = if picture.order == Order::Gray { 1 } else { 3 };
        if let Extent::Fixed(n) = channels
            && *n != wanted
        {
            let text = format!(
                "`{}` has {n} channels where {layout:?} in the order {:?} has {wanted}: is the manifest right?",
                io.name, picture.order
            );
            return Err(Error::model("input", text));
        }
        let open = options.size.or(picture.size.map(|[w, h]| Size::new(w, h)));
        let side = |extent: &Extent, given: Option<u32>| match (extent, given) {
            (Extent::Fixed(n), _) => u32::try_from(*n).ok(),
            (Extent::Dynamic(_), given) => given,
        };
        let (Some(width), Some(height)) = (side(width, open.map(|s| s.width)), side(height, open.map(|s| s.height)))
        else {
            let text =
                format!("`{}` takes pictures of any size: say one in the manifest (`size`) or as an option", io.name);
            return Err(Error::model("input", text));
        };
        let multiple = picture.multiple.unwrap_or(1).max(1);
        if !width.is_multiple_of(multiple) || !height.is_multiple_of(multiple) {
            let text = format!("`{}` takes sides that are multiples of {multiple}, not {width}x{height}", io.name);
            return Err(Error::model("input", text));
        }
        let spec = picture.spec(Size::new(width, height));
        Ok(Self { ctx: ctx.clone(), spec, layout, half, options, planned: None, turned: None, ring: None })
    }

    /// Size, fit, channels and normalisation of the tensors.
    pub fn spec(&self) -> &TensorSpec {
        &self.spec
    }

    /// Shape of a tensor of `count` boxes.
    pub fn shape(&self, count: usize) -> [usize; 4] {
        let (w, h) = (self.spec.size.width as usize, self.spec.size.height as usize);
        let channels = self.spec.order.channels() as usize;
        match self.layout {
            TensorLayout::Nchw => [count, channels, h, w],
            TensorLayout::Nhwc => [count, h, w, channels],
        }
    }

    /// Whether elements are 16-bit floats.
    pub fn half(&self) -> bool {
        self.half
    }

    /// Bytes of the tensor of one box.
    pub fn element_bytes(&self) -> u64 {
        self.spec.size.area() * u64::from(self.spec.order.channels()) * if self.half { 2 } else { 4 }
    }

    /// Makes the tensor of `boxes` and waits for it: for hosts that keep pictures over time, and for pictures to be looked at. 32-bit floats,
    /// one element of [`Self::element_bytes`] after the other.
    ///
    /// # Errors
    /// Those of the device; [`Error::Usage`] when the elements are 16-bit floats.
    pub fn tensors(&mut self, src: &dyn FrameBatch, color: ColorSpec, boxes: &[CropBox]) -> Result<Vec<f32>> {
        if self.half {
            return Err(Error::usage("tensors are given to hosts as 32-bit floats; this input takes 16-bit ones"));
        }
        if boxes.is_empty() {
            return Ok(Vec::new());
        }
        let pending = self.submit(src, color, boxes)?;
        let (bytes, _) = self.wait(pending)?;
        Ok(bytes.as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect())
    }

    fn params(&self, color: ColorSpec) -> CropParams {
        let pack = PackParams { color, spec: self.spec, sampling: self.options.sampling, half: self.half };
        CropParams { pack, layout: self.layout, outside: self.options.outside }
    }

    fn plan(&mut self, shape: BatchShape, color: ColorSpec) -> Result<&Plan> {
        let fits = self.planned.as_ref().is_some_and(|(s, c, _)| *s == shape && *c == color);
        if !fits {
            let params = self.params(color);
            let (ctx, pack) = (&self.ctx, params.pack);
            let plan = match (self.options.sampling, self.layout) {
                (Sampling::Bilinear, _) => Plan::Crop(CropResizePlan::new(ctx, shape, params)?),
                (Sampling::Area, TensorLayout::Nchw) => Plan::Nchw(PackNchwPlan::new(ctx, shape, pack)?),
                (Sampling::Area, TensorLayout::Nhwc) => Plan::Nhwc(PackNhwcPlan::new(ctx, shape, pack)?),
            };
            self.planned = Some((shape, color, plan));
        }
        self.planned.as_ref().map(|(_, _, plan)| plan).ok_or_else(|| Error::Bug("a stage without a plan".into()))
    }

    /// Records and submits the tensor of `boxes`, all of pictures of `src`.
    pub(super) fn submit(&mut self, src: &dyn FrameBatch, color: ColorSpec, boxes: &[CropBox]) -> Result<Pending> {
        let ctx = self.ctx.clone();
        let count = u32::try_from(boxes.len()).unwrap_or(u32::MAX);
        let shape = BatchShape::of(src)?;
        let (tensor, work): (GpuBuffer, Box<dyn Record>) = match self.plan(shape, color)? {
            Plan::Crop(plan) => {
                let bound = plan.bind(&ctx, src, count)?;
                bound.set_boxes(&ctx, boxes)?;
                (bound.tensor().clone(), Box::new(bound))
            }
            plan @ (Plan::Nchw(_) | Plan::Nhwc(_)) => {
                let bound = match plan {
                    Plan::Nhwc(plan) => plan.bind(&ctx, src, count)?,
                    Plan::Nchw(plan) => plan.bind(&ctx, src, count)?,
                    Plan::Crop(_) => return Err(Error::Bug("a crop among the packings".into())),
                };
                bound.set_boxes(&ctx, &boxes.iter().map(inside).collect::<Result<Vec<_>>>()?)?;
                (bound.tensor().clone(), Box::new(bound))
            }
        };
        let places = boxes.iter().map(|b| TensorPlace::new(&self.spec, b.rect)).collect();
        self.start(tensor, work.as_ref(), places)
    }

    /// Records and submits the tensor of `warps`, all of pictures of `src`. An element is its own place: what a model finds there comes
    /// back to the picture by the map of the warp.
    pub(super) fn submit_warps(&mut self, src: &dyn FrameBatch, color: ColorSpec, warps: &[Warp]) -> Result<Pending> {
        let (ctx, shape) = (self.ctx.clone(), BatchShape::of(src)?);
        let count = u32::try_from(warps.len()).unwrap_or(u32::MAX);
        if self.turned.as_ref().is_none_or(|(s, c, _)| *s != shape || *c != color) {
            // The map says how a picture fits.
            let mut params = self.params(color);
            params.pack.spec.fit = Fit::Stretch;
            self.turned = Some((shape, color, WarpAffinePlan::new(&ctx, shape, params)?));
        }
        let (_, _, plan) = self.turned.as_ref().ok_or_else(|| Error::Bug("a stage without a plan".into()))?;
        let bound = plan.bind(&ctx, src, count)?;
        bound.set_warps(&ctx, warps)?;
        let size = self.spec.size;
        let place = TensorPlace { source: Rect::full(size).into(), content: Rect::full(size), tensor: size };
        self.start(bound.tensor().clone(), &bound, vec![place; warps.len()])
    }

    fn start(&mut self, tensor: GpuBuffer, work: &dyn Record, places: Vec<TensorPlace>) -> Result<Pending> {
        let ctx = self.ctx.clone();
        let count = u32::try_from(places.len()).unwrap_or(u32::MAX);
        let mut rec = Recorder::new(&ctx, "tensors");
        work.record(&mut rec, count);
        let bytes = self.element_bytes() * u64::from(count);
        if self.ring.as_ref().is_none_or(|(have, _)| *have < bytes) {
            self.ring = None;
            self.ring = Some((bytes, ReadbackRing::new(&ctx, "tensors", bytes, self.options.in_flight.max(1))?));
        }
        let (_, ring) = self.ring.as_mut().ok_or_else(|| Error::Bug("a stage without a ring".into()))?;
        let ticket = ring.record(&mut rec, &[(&tensor, 0, bytes)])?;
        let submission = rec.submit()?;
        let readback = ring.submitted(ticket, submission);
        Ok(Pending { readback, places, _tensor: tensor })
    }

    /// Waits for a tensor.
    pub(super) fn wait(&mut self, pending: Pending) -> Result<(MappedBytes, Vec<TensorPlace>)> {
        let (_, ring) = self.ring.as_mut().ok_or_else(|| Error::Bug("a tensor without a ring".into()))?;
        Ok((ring.collect_mapped(&self.ctx, pending.readback)?, pending.places))
    }
}

/// The box as the packing operations take it; they say themselves when it leaves the picture.
fn inside(b: &CropBox) -> Result<TensorBox> {
    let BoxRect { x, y, width, height } = b.rect;
    let at = |v: i32| {
        u32::try_from(v).map_err(|_| Error::Parameter {
            op: "tensor/pack_nchw",
            name: "crop",
            wanted: "a box inside the picture (area sampling has no rule for what lies outside)".into(),
            given: format!("{:?}", b.rect),
        })
    };
    Ok(TensorBox { slot: b.slot, crop: Rect { x: at(x)?, y: at(y)?, width, height } })
}
