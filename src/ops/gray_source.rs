//! Where operations on grey find it: the luma plane of the source, or a plane made of packed RGB on the way.

use super::batch::{BatchShape, FrameBatch, GpuPictures, PictureTable};
use crate::core::PixelFormat;
use crate::error::Result;
use crate::gpu::{BufferUse, GpuBuffer, GpuContext};

/// The shape of the pictures that operations on grey see.
pub(crate) fn gray_shape(shape: &BatchShape) -> Result<BatchShape> {
    match shape.largest().format {
        PixelFormat::Rgba8 => shape.with_format(PixelFormat::Gray8),
        _ => Ok(*shape),
    }
}

/// Grey of the pictures of a batch from one slot on.
#[derive(Debug)]
pub(crate) struct GraySource<'a> {
    src: &'a dyn FrameBatch,
    first: u32,
    made: Option<(GpuPictures, PictureTable)>,
    /// Takes the place of the plane where there is none to be made.
    unused: GpuBuffer,
}

impl<'a> GraySource<'a> {
    /// For the pictures of `src` from slot `first` on, of `shape`; `pictures` is their table.
    pub(crate) fn new(
        ctx: &GpuContext,
        op: &'static str,
        shape: &BatchShape,
        (src, first): (&'a dyn FrameBatch, u32),
        pictures: &PictureTable,
    ) -> Result<Self> {
        let made = match shape.largest().format {
            PixelFormat::Rgba8 => {
                let made = GpuPictures::new(ctx, op, PixelFormat::Gray8, pictures.sizes())?;
                let table = PictureTable::new(ctx, op, "gray", &gray_shape(shape)?, (&made, 0))?;
                Some((made, table))
            }
            _ => None,
        };
        Ok(Self { src, first, made, unused: GpuBuffer::new(ctx, op, 256, BufferUse::Storage)? })
    }

    /// The pictures to read grey from.
    pub(crate) fn pictures(&self) -> (&dyn FrameBatch, u32) {
        self.made.as_ref().map_or((self.src, self.first), |(made, _)| (made, 0))
    }

    /// What the kernel that makes the plane writes: bind it as `dst_gray`.
    pub(crate) fn target(&self) -> &GpuBuffer {
        self.made.as_ref().map_or(&self.unused, |(made, _)| made.buffer())
    }

    /// The table of the pictures to read grey from: bind it as `out_pictures` where the plane is made, as `src_pictures` where it is
    /// read. `pictures` is that of the source.
    pub(crate) fn table<'b>(&'b self, pictures: &'b PictureTable) -> &'b GpuBuffer {
        self.made.as_ref().map_or(pictures.buffer(), |(_, table)| table.buffer())
    }
}
