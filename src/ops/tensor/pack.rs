//! What the operations that make tensors from rectangles of pictures share: parameters, the plan and what it is bound to.

use crate::core::{
    BoxRect, ChannelOrder, ChromaSiting, ColorSpec, Fit, Outside, PixelFormat, Rect, Sampling, Size, TensorSpec,
};
use crate::error::Result;
use crate::gpu::{AdapterClass, BindGroup, BufferUse, GpuBuffer, GpuContext, Kernel, Recorder};
use crate::ops::{BatchShape, FrameBatch, MAX_SIDE, PictureTable, Record, check_sides, gpu_params, grid, plan_error};

/// Bytes that describe a box to the kernel.
const BOX_BYTES: u64 = 48;
/// Steps that all loops of an invocation may take together.
const MAX_STEPS: u64 = 32_768;
/// Words of a row, and rows, whose bytes 16-bit lanes can sum up.
const MAX_LANE: u64 = 256;

gpu_params! {
    pub(crate) struct Uniform {
        first: [f32; 4],
        second: [f32; 4],
        third: [f32; 4],
        mul: [f32; 4],
        add: [f32; 4],
        width: u32,
        height: u32,
        columns: u32,
        segments: u32,
        blocks: u32,
        spread: u32,
    }
}

/// What the tensor is made of and looks like.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PackParams {
    /// Matrix, range and siting of the stream.
    pub color: ColorSpec,
    /// Size, fit, order of channels, normalisation.
    pub spec: TensorSpec,
    /// Bilinear, or means for strong reduction.
    pub sampling: Sampling,
    /// f16 instead of f32, rounded to nearest, halves to even.
    pub half: bool,
}

/// One element of the batch: a rectangle of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TensorBox {
    /// Slot of the picture in the bound batch.
    pub slot: u32,
    /// Rectangle in luma pixels, inside the picture.
    pub crop: Rect,
}

/// A planned operation of this kind for pictures of one format.
#[derive(Debug, Clone)]
pub(crate) struct Pack {
    op: &'static str,
    kernel: Kernel,
    uniform: Uniform,
    shape: BatchShape,
    params: PackParams,
    groups: [u32; 2],
}

/// A plan bound to pictures, with room for a number of boxes.
#[derive(Debug, Clone)]
pub struct TensorBound {
    plan: Pack,
    bind: BindGroup,
    boxes: GpuBuffer,
    tensor: GpuBuffer,
    pictures: PictureTable,
    capacity: u32,
}

/// Rows of the matrix from (first, second, third component, 1) to the channels in 0..=1.
fn matrix(color: ColorSpec, format: PixelFormat, order: ChannelOrder) -> [[f32; 4]; 3] {
    let level = 1.0 / 255.0;
    match format {
        PixelFormat::Rgba8 if order == ChannelOrder::Gray => {
            let [r, g, b] = [0.299, 0.587, 0.114].map(|v| (v / 255.0) as f32);
            [[r, g, b, 0.0]; 3]
        }
        PixelFormat::Rgba8 => [[level, 0.0, 0.0, 0.0], [0.0, level, 0.0, 0.0], [0.0, 0.0, level, 0.0]],
        PixelFormat::Gray8 => [[level, 0.0, 0.0, 0.0]; 3],
        _ if order == ChannelOrder::Gray => {
            let [factor, summand] = color.gray_from_luma(format.bits()).map(|v| v as f32);
            [[factor, 0.0, 0.0, summand]; 3]
        }
        _ => color.rgb_from_yuv(format.bits()).map(|row| row.map(|v| v as f32)),
    }
}

/// A step through `count` things, coprime to `count` and near its golden section: any stretch of steps meets all parts alike.
fn spread(count: u32) -> u32 {
    let gcd = |mut a: u32, mut b: u32| {
        while b > 0 {
            (a, b) = (b, a % b);
        }
        a
    };
    let golden = (f64::from(count) * 0.618) as u32;
    (1..=golden).rev().find(|step| gcd(*step, count) == 1).unwrap_or(1)
}

impl Pack {
    /// Plans for pictures of `shape`; `outside` and `more` constants as the kernel of `op` has them.
    pub(crate) fn new(
        ctx: &GpuContext,
        op: &'static str,
        shape: BatchShape,
        (params, outside): (PackParams, Outside),
        more: &[(&'static str, f64)],
    ) -> Result<Self> {
        let (format, spec) = (shape.largest().format, params.spec);
        check_sides(op, "input", shape.largest())?;
        let Size { width, height } = spec.size;
        if spec.size.is_empty() || width.max(height) > MAX_SIDE {
            return Err(plan_error(op, "size", format!("1x1 to {MAX_SIDE}x{MAX_SIDE}"), spec.size));
        }
        if params.half && !width.is_multiple_of(2) {
            return Err(plan_error(op, "size", "an even width for f16", spec.size));
        }
        if !spec.mul.iter().chain(&spec.add).all(|v| v.is_finite()) {
            return Err(plan_error(op, "mul, add", "finite", format!("{:?}, {:?}", spec.mul, spec.add)));
        }
        let letterbox = match spec.fit {
            Fit::Letterbox { pad, .. } => Some(pad),
            Fit::Stretch => None,
        };
        let beside = match outside {
            Outside::Pad(grey) => Some(grey),
            Outside::Clamp => None,
        };
        for grey in [letterbox, beside].into_iter().flatten() {
            if !(0.0..=1.0).contains(&grey) {
                return Err(plan_error(op, "pad", "0..=1", grey));
            }
        }
        let pad = match (letterbox, beside) {
            (Some(a), Some(b)) if a != b => return Err(plan_error(op, "pad", format!("{a}, as the letterbox"), b)),
            (a, b) => a.or(b).unwrap_or(0.0),
        };
        let workgroup = match ctx.caps().class {
            AdapterClass::Cpu => 8u32,
            AdapterClass::Gpu => 64,
        };
        let ((sx, sy), flag) = (format.chroma_shift(), |b: bool| f64::from(u8::from(b)));
        let one = spec.order == ChannelOrder::Gray;
        let columns = width.div_ceil(4);
        // A software adapter pays for lanes that are masked out: whole rows keep the border of a letterbox apart. Means over an area have
        // their own loops, whose bound is for one group.
        let steps = match ctx.caps().class {
            AdapterClass::Cpu if params.sampling != Sampling::Area => columns,
            _ => 1,
        };
        let mut constants = vec![
            ("WG", f64::from(workgroup)),
            ("WIDE", flag(format.sample_bytes() == 2)),
            ("SHIFT", f64::from(format.shift_to_value())),
            // The luma alone is a grey picture.
            ("GRAY", flag(format == PixelFormat::Gray8 || (one && format != PixelFormat::Rgba8))),
            ("RGBA", flag(format == PixelFormat::Rgba8)),
            ("SEMI", flag(format.semi_planar())),
            ("SX", f64::from(sx)),
            ("SY", f64::from(sy)),
            ("COSITED_X", flag(params.color.siting != ChromaSiting::Center)),
            ("COSITED_Y", flag(params.color.siting == ChromaSiting::TopLeft)),
            ("HALF", flag(params.half)),
            ("AREA", flag(params.sampling == Sampling::Area)),
            ("PAD", flag(beside.is_some())),
            ("ONE", flag(one)),
            ("STEPS", f64::from(steps)),
            ("QUADS", flag(!params.half && width.is_multiple_of(4))),
        ];
        constants.extend(more);
        let kernel = Kernel::new(ctx, op, "main", &constants)?;
        let [r, g, b] = matrix(params.color, format, spec.order);
        let (first, third) = if spec.order == ChannelOrder::Bgr { (b, r) } else { (r, b) };
        let ([m0, m1, m2], [a0, a1, a2]) = (spec.mul, spec.add);
        let segments = columns.div_ceil(steps);
        // Sides are at most 32,768: no overflow.
        let blocks = (segments * height).div_ceil(workgroup);
        let uniform = Uniform {
            first,
            second: g,
            third,
            mul: [m0, m1, m2, pad],
            add: [a0, a1, a2, 0.0],
            width,
            height,
            columns,
            segments,
            blocks,
            spread: spread(blocks),
        };
        let groups = grid(ctx, op, u64::from(segments) * u64::from(height), workgroup)?;
        Ok(Self { op, kernel, uniform, shape, params, groups })
    }

    pub(crate) fn element_bytes(&self) -> u64 {
        let TensorSpec { size, order, .. } = self.params.spec;
        size.area() * u64::from(order.channels()) * if self.params.half { 2 } else { 4 }
    }

    pub(crate) fn bind(&self, ctx: &GpuContext, src: &dyn FrameBatch, capacity: u32) -> Result<TensorBound> {
        let pictures = PictureTable::new(ctx, self.op, "input", &self.shape, (src, 0))?;
        let limit = ctx.caps().max_workgroups;
        if capacity == 0 || capacity > limit {
            return Err(plan_error(self.op, "capacity", format!("1 to {limit} boxes"), capacity));
        }
        // The kernel takes it for words of 16 bytes.
        let bytes = (self.element_bytes() * u64::from(capacity)).next_multiple_of(16);
        let tensor = GpuBuffer::new(ctx, self.op, bytes, BufferUse::Storage)?;
        let boxes = GpuBuffer::new(ctx, self.op, BOX_BYTES * u64::from(capacity), BufferUse::Storage)?;
        let params = self.uniform.upload(ctx, self.op)?;
        let bind = self.kernel.bind(
            ctx,
            &[
                ("params", &params),
                ("src_words", src.buffer()),
                ("src_pictures", pictures.buffer()),
                ("src_boxes", &boxes),
                ("dst", &tensor),
            ],
        )?;
        Ok(TensorBound { plan: self.clone(), bind, boxes, tensor, pictures, capacity })
    }

    /// Whether a pixel covers so little of a crop that the kernel can sum it up.
    fn sums_fit(&self, crop: Size, content: Size) -> bool {
        let format = self.shape.largest().format;
        let bytes = if format == PixelFormat::Rgba8 { 4 } else { format.sample_bytes() };
        let across = u64::from(crop.width.div_ceil(content.width.max(1))) + 1;
        let rows = u64::from(crop.height.div_ceil(content.height.max(1))) + 2;
        let planes = if format.has_chroma() && self.params.spec.order != ChannelOrder::Gray { 3 } else { 1 };
        let words = across * u64::from(bytes) / 4 + 3;
        words.max(rows) <= MAX_LANE && 4 * planes * rows * words <= MAX_STEPS
    }
}

impl TensorBound {
    /// Boxes that must lie inside their pictures: `set_boxes` of the operations without a rule for what is outside.
    ///
    /// # Errors
    /// `Parameter` for more boxes than bound, a slot that does not exist, a rectangle that is empty or leaves the picture, and with
    /// [`Sampling::Area`] for one of which a pixel covers more than a kernel can sum up (256 words of a row, 256 rows, 32,768 steps).
    pub fn set_boxes(&self, ctx: &GpuContext, boxes: &[TensorBox]) -> Result<()> {
        let op = self.plan.op;
        for b in boxes {
            let Some(picture) = self.pictures.sizes().get(b.slot as usize) else {
                return Err(plan_error(op, "slot", format!("below {}", self.pictures.len()), b.slot));
            };
            if !b.crop.fits(*picture) {
                return Err(plan_error(op, "crop", format!("a rectangle inside {picture}"), format!("{:?}", b.crop)));
            }
        }
        let boxes: Vec<_> = boxes.iter().map(|b| (b.slot, BoxRect::from(b.crop))).collect();
        self.set(ctx, &boxes)
    }

    /// Boxes anywhere.
    pub(crate) fn set(&self, ctx: &GpuContext, boxes: &[(u32, BoxRect)]) -> Result<()> {
        let Pack { op, params, .. } = self.plan;
        let mut all = Vec::with_capacity(boxes.len());
        for (slot, crop) in boxes {
            let BoxRect { x, y, width, height } = *crop;
            let size = Size::new(width, height);
            let far = x.unsigned_abs().max(y.unsigned_abs()).max(width).max(height);
            if size.is_empty() || far > MAX_SIDE {
                let wanted = format!("sides of 1 to {MAX_SIDE}, corner within {MAX_SIDE}");
                return Err(plan_error(op, "crop", wanted, format!("{crop:?}")));
            }
            let content = params.spec.fit.content(size, params.spec.size);
            if params.sampling == Sampling::Area && !self.plan.sums_fit(size, Size::new(content.width, content.height))
            {
                let wanted = "a rectangle small enough for the tensor (or bilinear, or resize/area first)";
                return Err(plan_error(op, "crop", wanted, format!("{crop:?}")));
            }
            let [x, y] = [x, y].map(i32::cast_unsigned);
            let words = [*slot, x, y, 0, width, height, content.width, content.height, content.x, content.y, 0, 0];
            all.push((*slot, words));
        }
        self.write(ctx, &all)
    }

    /// The slot and what else the kernel knows about each box.
    pub(crate) fn write(&self, ctx: &GpuContext, boxes: &[(u32, [u32; 12])]) -> Result<()> {
        let (op, limit) = (self.plan.op, self.pictures.len());
        if boxes.len() > self.capacity as usize {
            return Err(plan_error(op, "boxes", format!("at most {}", self.capacity), boxes.len()));
        }
        if let Some((slot, _)) = boxes.iter().find(|(slot, _)| *slot >= limit) {
            return Err(plan_error(op, "slot", format!("below {limit}"), slot));
        }
        let bytes: Vec<u8> = boxes.iter().flat_map(|(_, words)| words.iter().flat_map(|w| w.to_le_bytes())).collect();
        self.boxes.write(ctx, 0, &bytes)
    }

    /// Width and height of the tensor.
    pub(crate) fn size(&self) -> Size {
        self.plan.params.spec.size
    }

    /// Records the packing of the first `count` boxes.
    pub fn record(&self, rec: &mut Recorder<'_>, count: u32) {
        let [x, y] = self.plan.groups;
        rec.dispatch(&self.plan.kernel, &self.bind, [x, y, count.min(self.capacity)]);
    }

    /// Boxes there is room for.
    pub fn capacity(&self) -> u32 {
        self.capacity
    }

    /// The tensor; elements lie one behind the other without padding.
    pub fn tensor(&self) -> &GpuBuffer {
        &self.tensor
    }

    /// Values from the bytes of [`Self::tensor`].
    pub fn decode(&self, bytes: &[u8]) -> Vec<f32> {
        if self.plan.params.half {
            bytes.as_chunks().0.iter().map(|b| half::f16::from_le_bytes(*b).to_f32()).collect()
        } else {
            bytes.as_chunks().0.iter().map(|b| f32::from_le_bytes(*b)).collect()
        }
    }

    /// Records the first `count` boxes, waits, reads. For scripts and tests.
    pub fn run(&self, ctx: &GpuContext, count: u32) -> Result<Vec<f32>> {
        let mut rec = Recorder::new(ctx, self.plan.op);
        self.record(&mut rec, count);
        rec.run()?;
        Ok(self.decode(&self.tensor.read(ctx, self.plan.element_bytes() * u64::from(count.min(self.capacity)))?))
    }
}

impl Record for TensorBound {
    fn record(&self, rec: &mut Recorder<'_>, count: u32) {
        Self::record(self, rec, count);
    }

    fn capacity(&self) -> u32 {
        Self::capacity(self)
    }
}

/// What bound operations around a [`TensorBound`] share: recording, the tensor and its values.
macro_rules! wraps_tensor {
    ($bound:ident) => {
        impl $bound {
            /// Records the first `count` elements.
            pub fn record(&self, rec: &mut $crate::gpu::Recorder<'_>, count: u32) {
                self.0.record(rec, count);
            }

            /// Elements there is room for.
            pub fn capacity(&self) -> u32 {
                self.0.capacity()
            }

            /// The tensor; elements lie one behind the other without padding.
            pub fn tensor(&self) -> &$crate::gpu::GpuBuffer {
                self.0.tensor()
            }

            /// Values from the bytes of [`Self::tensor`].
            pub fn decode(&self, bytes: &[u8]) -> Vec<f32> {
                self.0.decode(bytes)
            }
        }

        impl $crate::ops::Record for $bound {
            fn record(&self, rec: &mut $crate::gpu::Recorder<'_>, count: u32) {
                Self::record(self, rec, count);
            }

            fn capacity(&self) -> u32 {
                Self::capacity(self)
            }
        }
    };
}
pub(crate) use wraps_tensor;
