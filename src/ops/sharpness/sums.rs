//! What the single measures share: a plan that leaves a few sums per picture.

use crate::core::Size;
use crate::error::Result;
use crate::gpu::{AdapterClass, BufferUse, GpuBuffer, GpuContext, Kernel};
use crate::ops::luma_plane::LumaPlane;
use crate::ops::{BatchShape, FrameBatch, Measure, Passes, PictureTable, grid};

/// Reads the sums of a picture of a size.
type Decode<R> = fn(&[u8], Size) -> R;

/// A planned measure of sharpness with result `R` per picture.
#[derive(Debug, Clone)]
pub struct SumsPlan<R> {
    op: &'static str,
    kernel: Kernel,
    shape: BatchShape,
    groups: [u32; 2],
    result_bytes: u64,
    decode: Decode<R>,
}

impl<R> SumsPlan<R> {
    /// By entry point `main` of kernel `op`, which leaves `words` words per picture.
    pub(super) fn of(
        ctx: &GpuContext,
        op: &'static str,
        shape: BatchShape,
        words: u64,
        decode: Decode<R>,
    ) -> Result<Self> {
        let plane = LumaPlane::of_shape(op, &shape)?;
        let (wg, rows) = match ctx.caps().class {
            AdapterClass::Cpu => (8u32, 40u32),
            AdapterClass::Gpu => (64, 8),
        };
        let constants = plane.constants([("TAIL", plane.tail()), ("WG", wg), ("ROWS", rows)]);
        let kernel = Kernel::new(ctx, op, "main", &constants)?;
        let items = u64::from(plane.columns) * u64::from(shape.largest().size.height.div_ceil(rows));
        Ok(Self { op, kernel, shape, groups: grid(ctx, op, items, wg)?, result_bytes: words * 4, decode })
    }

    /// Bytes of results per picture.
    pub fn result_bytes(&self) -> u64 {
        self.result_bytes
    }

    /// Binds the pictures of `src` from slot `first` on.
    ///
    /// # Errors
    /// `Parameter` for other pictures than planned and a slot that does not exist.
    pub fn bind(&self, ctx: &GpuContext, src: &dyn FrameBatch, first: u32) -> Result<Measure<R>>
    where
        R: 'static,
    {
        let pictures = PictureTable::each(ctx, self.op, "input", &self.shape, (src, first))?;
        let bytes = self.result_bytes;
        let sums = GpuBuffer::new(ctx, self.op, bytes * u64::from(pictures.len()), BufferUse::Storage)?;
        let bind = self.kernel.bind(
            ctx,
            &[
                ("src", src.buffer()),
                ("src_words", src.buffer()),
                ("src_pictures", pictures.buffer()),
                ("dst_sums", &sums),
            ],
        )?;
        let passes = Passes::new(pictures.len()).clear(&sums, bytes).run(&self.kernel, bind, self.groups);
        Ok(Measure::new(passes, (&sums, bytes), pictures.sizes(), self.decode))
    }
}
