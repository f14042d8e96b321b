//! `tensor/pack_nchw`: rectangles of frames to the input tensor of a model, in one dispatch.
//!
//! | | |
//! |---|---|
//! | input | frames of any format; rectangles in luma pixels, many of one frame if wanted |
//! | output | `[boxes, 3, height, width]` in f32, or f16 (even widths), `rgb * mul + add` with rgb in 0..=1 |
//! | border | places are clamped to the rectangle, chroma taps to the plane; outside a letterboxed picture `pad * mul + add` |
//! | exactness | within 1e-5 of the f64 reference, in units of rgb (times `mul`); f16 adds its own rounding |
//! | determinism | the same bits on the same adapter |
//! | errors | `Parameter` for rectangles outside the frame, empty tensors, more boxes than bound, odd widths in f16, sides above 32,768 |
//! | source | half-pixel centres; ITU-R BT.601-7, BT.709-6, BT.2020-2; chroma siting as H.273 |
//!
//! There is no low-pass: below half the size pixels are skipped, use `resize/area` first where that matters.

use crate::core::{
    ChannelOrder, ChromaSiting, ColorSpec, Exactness, Fit, FrameLayout, PixelFormat, Rect, Size, TensorSpec, Work,
};
use crate::error::{Error, Result};
use crate::gpu::{AdapterClass, BindGroup, BufferUse, GpuBuffer, GpuContext, Kernel, Recorder};
use crate::ops::{GpuFrames, MAX_SIDE, OpInfo, ParamDoc, check_layout, check_sides, gpu_params, grid, plan_error};

const NAME: &str = "tensor/pack_nchw";
/// Bytes that describe a box to the kernel.
const BOX_BYTES: u64 = 48;

/// What `frameloom ops` says about this operation.
pub const INFO: OpInfo = OpInfo {
    name: NAME,
    summary: "rectangles of frames to the input tensor of a model",
    input: "any format, rectangles in luma pixels",
    output: "[boxes, 3, height, width] f32 or f16, rgb in 0..=1 times mul plus add",
    params: &[
        ParamDoc { name: "color", range: "matrix, range, siting", meaning: "what the code values mean" },
        ParamDoc { name: "size", range: "1x1 to 32768x32768", meaning: "width and height of the tensor" },
        ParamDoc { name: "fit", range: "stretch | letterbox", meaning: "how a rectangle of another aspect ratio fits" },
        ParamDoc { name: "order", range: "rgb | bgr", meaning: "order of channels" },
        ParamDoc { name: "mul, add", range: "finite", meaning: "normalisation per channel" },
        ParamDoc { name: "half", range: "true | false", meaning: "f16 instead of f32; needs an even width" },
    ],
    border: "replicate inside the rectangle; letterbox filled with pad",
    exactness: Exactness::Abs(1e-5),
    reason: "f32 arithmetic on codes below 1024 with about ten roundings of terms below 4; places are exact",
    source: "ITU-R BT.601-7, BT.709-6, BT.2020-2; half-pixel centres",
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

gpu_params! {
    struct Uniform {
        first: [f32; 4],
        second: [f32; 4],
        third: [f32; 4],
        mul: [f32; 4],
        add: [f32; 4],
        base: u32,
        stride: u32,
        u_base: u32,
        v_base: u32,
        c_stride: u32,
        slot: u32,
        src_width: u32,
        src_height: u32,
        c_width: u32,
        c_height: u32,
        width: u32,
        height: u32,
        columns: u32,
    }
}

/// What the tensor is made of and looks like.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PackParams {
    /// Matrix, range and siting of the stream.
    pub color: ColorSpec,
    /// Size, fit, order of channels, normalisation.
    pub spec: TensorSpec,
    /// f16 instead of f32.
    pub half: bool,
}

/// One element of the batch: a rectangle of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TensorBox {
    /// Slot of the frame in the bound frames.
    pub slot: u32,
    /// Rectangle in luma pixels, inside the frame.
    pub crop: Rect,
}

/// A planned `tensor/pack_nchw` for frames of one layout.
#[derive(Debug, Clone)]
pub struct PackNchwPlan {
    kernel: Kernel,
    uniform: Uniform,
    input: FrameLayout,
    spec: TensorSpec,
    half: bool,
    groups: [u32; 2],
}

/// A plan bound to buffers, with room for a number of boxes.
#[derive(Debug, Clone)]
pub struct PackNchwBound {
    plan: PackNchwPlan,
    bind: BindGroup,
    boxes: GpuBuffer,
    tensor: GpuBuffer,
    slots: u32,
    capacity: u32,
}

/// Rows of the matrix from (first, second, third component, 1) to R, G, B in 0..=1.
fn matrix(color: ColorSpec, format: PixelFormat) -> [[f32; 4]; 3] {
    let level = 1.0 / 255.0;
    match format {
        PixelFormat::Rgba8 => [[level, 0.0, 0.0, 0.0], [0.0, level, 0.0, 0.0], [0.0, 0.0, level, 0.0]],
        PixelFormat::Gray8 => [[level, 0.0, 0.0, 0.0]; 3],
        _ => color.rgb_from_yuv(format.bits()).map(|row| row.map(|v| v as f32)),
    }
}

impl PackNchwPlan {
    /// Plans for frames like `input`.
    pub fn new(ctx: &GpuContext, input: &FrameLayout, params: PackParams) -> Result<Self> {
        let (format, spec) = (input.format, params.spec);
        check_sides(NAME, "input", input)?;
        let Size { width, height } = spec.size;
        if spec.size.is_empty() || width.max(height) > MAX_SIDE {
            return Err(plan_error(NAME, "size", format!("1x1 to {MAX_SIDE}x{MAX_SIDE}"), spec.size));
        }
        if params.half && !width.is_multiple_of(2) {
            return Err(plan_error(NAME, "size", "an even width for f16", spec.size));
        }
        if !spec.mul.iter().chain(&spec.add).all(|v| v.is_finite()) {
            return Err(plan_error(NAME, "mul, add", "finite", format!("{:?}, {:?}", spec.mul, spec.add)));
        }
        let pad = match spec.fit {
            Fit::Letterbox { pad, .. } if !(0.0..=1.0).contains(&pad) => {
                return Err(plan_error(NAME, "pad", "0..=1", pad));
            }
            Fit::Letterbox { pad, .. } => pad,
            Fit::Stretch => 0.0,
        };
        let workgroup = match ctx.caps().class {
            AdapterClass::Cpu => 8u32,
            AdapterClass::Gpu => 64,
        };
        let ((sx, sy), flag) = (format.chroma_shift(), |b: bool| f64::from(u8::from(b)));
        let kernel = Kernel::new(
            ctx,
            NAME,
            "main",
            &[
                ("WG", f64::from(workgroup)),
                ("WIDE", flag(format.sample_bytes() == 2)),
                ("SHIFT", f64::from(format.shift_to_value())),
                ("GRAY", flag(format == PixelFormat::Gray8)),
                ("RGBA", flag(format == PixelFormat::Rgba8)),
                ("SEMI", flag(format.semi_planar())),
                ("SX", f64::from(sx)),
                ("SY", f64::from(sy)),
                ("COSITED_X", flag(params.color.siting != ChromaSiting::Center)),
                ("COSITED_Y", flag(params.color.siting == ChromaSiting::TopLeft)),
                ("HALF", flag(params.half)),
            ],
        )?;
        let [r, g, b] = matrix(params.color, format);
        let (first, third) = if spec.order == ChannelOrder::Bgr { (b, r) } else { (r, b) };
        let plane = |i: usize| input.planes().get(i).or(input.planes().last()).copied();
        let (Some(luma), Some(u), Some(v)) = (plane(0), plane(1), plane(2)) else {
            return Err(Error::Bug(format!("{NAME}: a frame without planes")));
        };
        let chroma = format.chroma_size(input.size);
        let ([m0, m1, m2], [a0, a1, a2]) = (spec.mul, spec.add);
        let columns = width.div_ceil(4);
        let uniform = Uniform {
            first,
            second: g,
            third,
            mul: [m0, m1, m2, pad],
            add: [a0, a1, a2, 0.0],
            base: luma.offset / 4,
            stride: luma.stride / 4,
            u_base: u.offset / 4,
            v_base: v.offset / 4,
            c_stride: u.stride / 4,
            slot: input.slot_bytes() / 4,
            src_width: input.size.width,
            src_height: input.size.height,
            c_width: chroma.width,
            c_height: chroma.height,
            width,
            height,
            columns,
        };
        let groups = grid(ctx, NAME, u64::from(columns) * u64::from(height), workgroup)?;
        Ok(Self { kernel, uniform, input: *input, spec, half: params.half, groups })
    }

    /// Bytes of one element of the batch in the tensor.
    pub fn element_bytes(&self) -> u64 {
        self.spec.size.area() * if self.half { 6 } else { 12 }
    }

    /// Binds `src`, and makes a tensor with room for `capacity` boxes. Until [`PackNchwBound::set_boxes`] is called every box is
    /// undefined.
    pub fn bind(&self, ctx: &GpuContext, src: &GpuFrames, capacity: u32) -> Result<PackNchwBound> {
        check_layout(NAME, "input", &self.input, src)?;
        let limit = ctx.caps().max_workgroups;
        if capacity == 0 || capacity > limit {
            return Err(plan_error(NAME, "capacity", format!("1 to {limit} boxes"), capacity));
        }
        let tensor = GpuBuffer::new(ctx, NAME, self.element_bytes() * u64::from(capacity), BufferUse::Storage)?;
        let boxes = GpuBuffer::new(ctx, NAME, BOX_BYTES * u64::from(capacity), BufferUse::Storage)?;
        let params = self.uniform.upload(ctx, NAME)?;
        let bind = self
            .kernel
            .bind(ctx, &[("params", &params), ("src_words", src.buffer()), ("src_boxes", &boxes), ("dst", &tensor)])?;
        Ok(PackNchwBound { plan: self.clone(), bind, boxes, tensor, slots: src.slots(), capacity })
    }
}

impl PackNchwBound {
    /// Says which rectangles the next submission packs, in the order of the tensor.
    ///
    /// # Errors
    /// `Parameter` for more boxes than bound, a slot that does not exist, a rectangle that is empty or leaves the frame.
    pub fn set_boxes(&self, ctx: &GpuContext, boxes: &[TensorBox]) -> Result<()> {
        if boxes.len() > self.capacity as usize {
            return Err(plan_error(NAME, "boxes", format!("at most {}", self.capacity), boxes.len()));
        }
        let frame = self.plan.input.size;
        let mut bytes = Vec::with_capacity(boxes.len() * BOX_BYTES as usize);
        for b in boxes {
            if b.slot >= self.slots {
                return Err(plan_error(NAME, "slot", format!("below {}", self.slots), b.slot));
            }
            if !b.crop.fits(frame) {
                return Err(plan_error(NAME, "crop", format!("a rectangle inside {frame}"), format!("{:?}", b.crop)));
            }
            let Rect { x, y, width, height } = b.crop;
            let content = self.plan.spec.fit.content(Size::new(width, height), self.plan.spec.size);
            let words = [b.slot, x, y, 0, width, height, content.width, content.height, content.x, content.y, 0, 0];
            bytes.extend(words.into_iter().flat_map(u32::to_le_bytes));
        }
        self.boxes.write(ctx, 0, &bytes)
    }

    /// Records the packing of the first `count` boxes.
    pub fn record(&self, rec: &mut Recorder<'_>, count: u32) {
        let [x, y] = self.plan.groups;
        rec.dispatch(&self.plan.kernel, &self.bind, [x, y, count.min(self.capacity)]);
    }

    /// The tensor, [`PackNchwPlan::element_bytes`] a box.
    pub fn tensor(&self) -> &GpuBuffer {
        &self.tensor
    }

    /// Values from the bytes of [`Self::tensor`].
    pub fn decode(&self, bytes: &[u8]) -> Vec<f32> {
        if self.plan.half {
            bytes.as_chunks().0.iter().map(|b| half::f16::from_le_bytes(*b).to_f32()).collect()
        } else {
            bytes.as_chunks().0.iter().map(|b| f32::from_le_bytes(*b)).collect()
        }
    }
}

/// Packs `boxes` of `src` at once: waits for the result. For scripts and tests; streams keep a bound plan.
pub fn pack_nchw(ctx: &GpuContext, src: &GpuFrames, params: PackParams, boxes: &[TensorBox]) -> Result<Vec<f32>> {
    let plan = PackNchwPlan::new(ctx, src.layout(), params)?;
    let count = u32::try_from(boxes.len()).unwrap_or(u32::MAX);
    let bound = plan.bind(ctx, src, count)?;
    bound.set_boxes(ctx, boxes)?;
    let mut rec = Recorder::new(ctx, NAME);
    bound.record(&mut rec, count);
    rec.run()?;
    let bytes = bound.tensor().read(ctx, plan.element_bytes() * u64::from(count))?;
    Ok(bound.decode(&bytes))
}
