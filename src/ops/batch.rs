//! Batches of pictures in GPU memory, of one size or of different ones, and the table that tells kernels where they lie.

use super::frames::GpuFrames;
use super::params::plan_error;
use super::plan::check_count;
use crate::core::{FrameLayout, PixelFormat, Size};
use crate::error::{Error, Result};
use crate::gpu::{BufferUse, GpuBuffer, GpuContext};
use std::sync::Arc;

/// Pictures of one format in one GPU buffer.
pub trait FrameBatch: std::fmt::Debug {
    /// The buffer.
    fn buffer(&self) -> &GpuBuffer;
    /// Pixel format of all pictures.
    fn format(&self) -> PixelFormat;
    /// Number of pictures there is room for.
    fn slots(&self) -> u32;
    /// Byte offset and layout of the picture in slot `index`; `None` behind the last one.
    fn slot(&self, index: u32) -> Option<(u64, FrameLayout)>;
}

impl FrameBatch for GpuFrames {
    fn buffer(&self) -> &GpuBuffer {
        self.buffer()
    }

    fn format(&self) -> PixelFormat {
        self.layout().format
    }

    fn slots(&self) -> u32 {
        self.slots()
    }

    fn slot(&self, index: u32) -> Option<(u64, FrameLayout)> {
        (index < self.slots()).then(|| (u64::from(index) * u64::from(self.layout().slot_bytes()), *self.layout()))
    }
}

/// Pictures of different sizes and one format, one behind the other in one GPU buffer.
#[derive(Debug, Clone)]
pub struct GpuPictures {
    buffer: GpuBuffer,
    format: PixelFormat,
    places: Arc<[(u64, FrameLayout)]>,
}

impl GpuPictures {
    /// Room for one picture of each of `sizes`; contents undefined.
    ///
    /// # Errors
    /// `Parameter` for no picture at all or a size without a layout; the budget.
    pub fn new(ctx: &GpuContext, label: &str, format: PixelFormat, sizes: &[Size]) -> Result<Self> {
        const OP: &str = "pictures";
        let mut end = 0u64;
        let mut places = Vec::with_capacity(sizes.len());
        for size in sizes {
            let layout = FrameLayout::of(format, *size)
                .ok_or_else(|| plan_error(OP, "size", "both sides at least 1 and a picture below 2 GiB", size))?;
            places.push((end, layout));
            end += u64::from(layout.slot_bytes());
        }
        if places.is_empty() {
            return Err(plan_error(OP, "sizes", "at least one picture", "none"));
        }
        Ok(Self { buffer: GpuBuffer::new(ctx, label, end, BufferUse::Storage)?, format, places: places.into() })
    }

    /// Pictures from the host: size, and the bytes of one slot of its [`FrameLayout`].
    ///
    /// # Errors
    /// As [`GpuPictures::new`]; [`Error::Bug`] for bytes of another length than the slot.
    pub fn from_host(ctx: &GpuContext, label: &str, format: PixelFormat, pictures: &[(Size, &[u8])]) -> Result<Self> {
        let sizes: Vec<Size> = pictures.iter().map(|p| p.0).collect();
        let this = Self::new(ctx, label, format, &sizes)?;
        for ((offset, layout), (_, bytes)) in this.places.iter().zip(pictures) {
            if bytes.len() != layout.slot_bytes() as usize {
                let slot = layout.slot_bytes();
                return Err(Error::Bug(format!("a picture of {} bytes for a slot of {slot}", bytes.len())));
            }
            this.buffer.write(ctx, *offset, bytes)?;
        }
        Ok(this)
    }

    /// Room for pictures of the sizes of `batch`, in `format`.
    ///
    /// # Errors
    /// As [`GpuPictures::new`].
    pub fn like(ctx: &GpuContext, label: &str, format: PixelFormat, batch: &dyn FrameBatch) -> Result<Self> {
        let sizes: Vec<Size> = (0..batch.slots()).filter_map(|i| batch.slot(i)).map(|(_, l)| l.size).collect();
        Self::new(ctx, label, format, &sizes)
    }

    /// Copies the bytes of slot `index` to the host, padding included.
    pub fn read_slot(&self, ctx: &GpuContext, index: u32) -> Result<Vec<u8>> {
        let (offset, layout) =
            self.slot(index).ok_or_else(|| Error::Bug(format!("slot {index} of {}", self.places.len())))?;
        self.buffer.read_range(ctx, offset, u64::from(layout.slot_bytes()))
    }
}

impl FrameBatch for GpuPictures {
    fn buffer(&self) -> &GpuBuffer {
        &self.buffer
    }

    fn format(&self) -> PixelFormat {
        self.format
    }

    fn slots(&self) -> u32 {
        self.places.len() as u32
    }

    fn slot(&self, index: u32) -> Option<(u64, FrameLayout)> {
        self.places.get(index as usize).copied()
    }
}

/// What a plan is made for: pictures of one layout, or pictures of one format up to a size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchShape {
    largest: FrameLayout,
    mixed: bool,
}

impl BatchShape {
    /// Pictures of `format` whose sides are at most those of `largest`.
    ///
    /// # Errors
    /// `Parameter` when a picture of size `largest` has no layout.
    pub fn mixed(format: PixelFormat, largest: Size) -> Result<Self> {
        let wanted = "both sides at least 1 and a picture below 2 GiB";
        let layout = FrameLayout::of(format, largest).ok_or_else(|| plan_error("batch", "largest", wanted, largest))?;
        Ok(Self { largest: layout, mixed: true })
    }

    /// The shape of a batch: that of its pictures where they agree, else the largest width with the largest height.
    ///
    /// # Errors
    /// `Parameter` for an empty batch, and for pictures of which the largest width with the largest height reaches 2 GiB.
    pub fn of(batch: &dyn FrameBatch) -> Result<Self> {
        let sizes = || (0..batch.slots()).filter_map(|i| batch.slot(i)).map(|(_, layout)| layout.size);
        let first = sizes().next().ok_or_else(|| plan_error("batch", "slots", "at least one picture", 0))?;
        let largest = sizes().fold(first, |a, b| Size::new(a.width.max(b.width), a.height.max(b.height)));
        let layout = FrameLayout::of(batch.format(), largest).ok_or_else(|| {
            let wanted = "the largest width with the largest height below 2 GiB (bind wide and high pictures apart)";
            plan_error("batch", "largest", wanted, largest)
        })?;
        Ok(Self { mixed: sizes().any(|s| s != first), largest: layout })
    }

    /// Layout of the pictures, or of one as large as the largest side of each.
    pub const fn largest(&self) -> &FrameLayout {
        &self.largest
    }

    /// Whether pictures may be smaller than [`Self::largest`].
    pub const fn is_mixed(&self) -> bool {
        self.mixed
    }

    /// The layout, where all pictures have the same.
    ///
    /// # Errors
    /// `Parameter` of `op` for mixed shapes: some results need one size.
    pub(crate) fn uniform(&self, op: &'static str) -> Result<&FrameLayout> {
        if self.mixed {
            return Err(plan_error(op, "input", "pictures of one size", "a plan for mixed sizes"));
        }
        Ok(&self.largest)
    }

    /// The same sizes in another format.
    ///
    /// # Errors
    /// As [`BatchShape::mixed`].
    pub fn with_format(&self, format: PixelFormat) -> Result<Self> {
        Ok(Self { mixed: self.mixed, ..Self::mixed(format, self.largest.size)? })
    }

    fn check(&self, op: &'static str, name: &'static str, given: &FrameLayout) -> Result<()> {
        let text = |l: &FrameLayout| format!("{} {}", l.format, l.size);
        let (is, may) = (given.size, self.largest.size);
        let fits = if self.mixed {
            given.format == self.largest.format && is.width <= may.width && is.height <= may.height
        } else {
            *given == self.largest
        };
        if fits {
            return Ok(());
        }
        let wanted = if self.mixed { "at most " } else { "" };
        Err(plan_error(op, name, format!("{wanted}{}", text(&self.largest)), text(given)))
    }
}

impl From<&FrameLayout> for BatchShape {
    fn from(layout: &FrameLayout) -> Self {
        Self { largest: *layout, mixed: false }
    }
}

impl From<&BatchShape> for BatchShape {
    fn from(shape: &BatchShape) -> Self {
        *shape
    }
}

/// The table of pictures that kernels with `common/pictures` or `common/out_pictures` read, from one slot of a batch on.
#[derive(Debug, Clone)]
pub(crate) struct PictureTable {
    buffer: GpuBuffer,
    sizes: Arc<[Size]>,
}

impl PictureTable {
    /// As [`Self::new`], of pictures that are all dispatched together.
    pub(crate) fn each(
        ctx: &GpuContext,
        op: &'static str,
        name: &'static str,
        shape: &BatchShape,
        (batch, first): (&dyn FrameBatch, u32),
    ) -> Result<Self> {
        check_count(ctx, op, name, u64::from(batch.slots().saturating_sub(first)))?;
        Self::new(ctx, op, name, shape, (batch, first))
    }

    /// Checks the pictures of `batch` from slot `first` on against `shape` and uploads where they lie.
    pub(crate) fn new(
        ctx: &GpuContext,
        op: &'static str,
        name: &'static str,
        shape: &BatchShape,
        (batch, first): (&dyn FrameBatch, u32),
    ) -> Result<Self> {
        let mut words: Vec<u32> = Vec::new();
        let mut sizes = Vec::new();
        for (offset, layout) in (first..batch.slots()).filter_map(|i| batch.slot(i)) {
            shape.check(op, name, &layout)?;
            let plane = |i: usize| layout.planes().get(i).map_or(0, |p| (offset + u64::from(p.offset)) / 16);
            let chroma = layout.planes().get(1).map_or(0, |p| p.stride / 16);
            let Size { width, height } = layout.size;
            let [a, b, c] = [plane(0), plane(1), plane(2)].map(|v| v as u32); // a binding is below 2^32 bytes
            words.extend([a, layout.first().stride / 16, width, height, b, c, chroma, 0]);
            sizes.push(layout.size);
        }
        if words.is_empty() {
            let wanted = format!("one of {} slots", batch.slots());
            return Err(plan_error(op, "first", wanted, first));
        }
        let bytes: Vec<u8> = words.iter().flat_map(|w| w.to_le_bytes()).collect();
        let buffer = GpuBuffer::new(ctx, op, bytes.len() as u64, BufferUse::Storage)?;
        buffer.write(ctx, 0, &bytes)?;
        Ok(Self { buffer, sizes: sizes.into() })
    }

    /// The table: bind it as `src_pictures` or `out_pictures`.
    pub(crate) fn buffer(&self) -> &GpuBuffer {
        &self.buffer
    }

    /// Sizes of the pictures.
    pub(crate) fn sizes(&self) -> &Arc<[Size]> {
        &self.sizes
    }

    /// Number of pictures.
    pub(crate) fn len(&self) -> u32 {
        self.sizes.len() as u32
    }
}

/// Tables of the source and the result of an operation that makes pictures from pictures.
#[derive(Debug, Clone)]
pub(crate) struct PicturePair {
    /// Pictures that are read.
    pub(crate) src: PictureTable,
    /// Pictures that are written.
    pub(crate) dst: PictureTable,
}

impl PicturePair {
    /// Checks both batches, from their first slots on; `result` is the size of the result for a source of a size.
    pub(crate) fn new(
        ctx: &GpuContext,
        op: &'static str,
        (src, first, src_shape): (&dyn FrameBatch, u32, &BatchShape),
        (dst, dst_first, dst_shape): (&dyn FrameBatch, u32, &BatchShape),
        result: impl Fn(Size) -> Size,
    ) -> Result<Self> {
        if src.buffer().raw() == dst.buffer().raw() {
            return Err(plan_error(op, "output", "another buffer than the input", "the same"));
        }
        let src = PictureTable::new(ctx, op, "input", src_shape, (src, first))?;
        let dst = PictureTable::new(ctx, op, "output", dst_shape, (dst, dst_first))?;
        for (from, to) in src.sizes.iter().zip(dst.sizes.iter()) {
            if result(*from) != *to {
                return Err(plan_error(op, "output", format!("{} for a source of {from}", result(*from)), to));
            }
        }
        let pair = Self { src, dst };
        check_count(ctx, op, "input", u64::from(pair.len()))?;
        Ok(pair)
    }

    /// Pictures that both have.
    pub(crate) fn len(&self) -> u32 {
        self.src.len().min(self.dst.len())
    }
}
