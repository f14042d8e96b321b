//! What operations on two batches of equal sizes share.

use crate::core::Size;
use crate::error::Result;
use crate::gpu::{AdapterClass, GpuBuffer, GpuContext, Kernel, Recorder};
use crate::ops::{BatchShape, FrameBatch, FramesBound, GpuPictures, PicturePair, PictureTable, grid, plan_error};

/// A kernel that reads `src` and `src_second`, 16 bytes an invocation and row, and writes `dst`.
#[derive(Debug, Clone)]
pub(super) struct TwoPlan {
    op: &'static str,
    kernel: Kernel,
    shape: BatchShape,
    groups: [u32; 2],
}

/// Two sources, and the pictures that result, each from a slot on.
pub(super) struct Three<'a> {
    /// `src`.
    pub(super) first: (&'a dyn FrameBatch, u32),
    /// `src_second`.
    pub(super) second: (&'a dyn FrameBatch, u32),
    /// `dst`.
    pub(super) output: (&'a dyn FrameBatch, u32),
}

impl TwoPlan {
    pub(super) fn new(
        ctx: &GpuContext,
        op: &'static str,
        shape: BatchShape,
        rows: u32,
        flag: (&'static str, bool),
    ) -> Result<Self> {
        let (workgroup, rows) = match ctx.caps().class {
            AdapterClass::Cpu => (8u32, rows),
            AdapterClass::Gpu => (64, 1),
        };
        let (name, value) = flag;
        let value = if value { 1.0 } else { 0.0 };
        let own = [("WG", f64::from(workgroup)), ("ROWS", f64::from(rows)), (name, value)];
        let kernel = Kernel::new(ctx, op, "main", &own)?;
        let largest = shape.largest();
        let items = u64::from(largest.first().stride / 16) * u64::from(largest.size.height.div_ceil(rows));
        Ok(Self { op, kernel, shape, groups: grid(ctx, op, items, workgroup)? })
    }

    /// `more` makes the buffers that the operation adds for pictures of the given number.
    pub(super) fn bind(
        &self,
        ctx: &GpuContext,
        three: &Three<'_>,
        more: impl FnOnce(&[Size]) -> Result<Option<(&'static str, GpuBuffer)>>,
    ) -> Result<FramesBound> {
        let ((first, at), (second, second_at), (dst, dst_at)) = (three.first, three.second, three.output);
        if second.buffer().raw() == dst.buffer().raw() {
            return Err(plan_error(self.op, "output", "another buffer than the inputs", "the same"));
        }
        let pair = PicturePair::new(ctx, self.op, (first, at, &self.shape), (dst, dst_at, &self.shape), |size| size)?;
        let table = PictureTable::new(ctx, self.op, "second", &self.shape, (second, second_at))?;
        for (a, b) in pair.src.sizes().iter().zip(table.sizes().iter()) {
            if a != b {
                return Err(plan_error(self.op, "second", format!("{a} as the first"), b));
            }
        }
        let count = pair.len().min(table.len());
        let more = more(pair.src.sizes().get(..count as usize).unwrap_or_default())?;
        let mut buffers = vec![
            ("src", first.buffer()),
            ("src_pictures", pair.src.buffer()),
            ("src_second", second.buffer()),
            ("src_second_pictures", table.buffer()),
            ("dst", dst.buffer()),
            ("out_pictures", pair.dst.buffer()),
        ];
        buffers.extend(more.iter().map(|(name, buffer)| (*name, buffer)));
        Ok(FramesBound::new(&self.kernel, self.kernel.bind(ctx, &buffers)?, self.groups, count))
    }
}

/// Makes room for results like `src`, binds, runs, waits.
pub(super) fn run_like(
    ctx: &GpuContext,
    op: &'static str,
    src: &dyn FrameBatch,
    bind: impl FnOnce(&GpuPictures) -> Result<FramesBound>,
) -> Result<GpuPictures> {
    let dst = GpuPictures::like(ctx, op, src.format(), src)?;
    let bound = bind(&dst)?;
    let mut rec = Recorder::new(ctx, op);
    bound.record(&mut rec, bound.capacity());
    rec.run()?;
    Ok(dst)
}
