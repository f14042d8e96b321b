//! What all filters share: which pictures they take, how their work is divided, where sums lie between two passes.

use crate::core::{PixelFormat, Work};
use crate::error::Result;
use crate::gpu::{BufferUse, GpuBuffer, GpuContext};
use crate::ops::{BatchShape, FrameBatch, PicturePair, check_sides, grid};

/// Pictures as `common/bytes` sees them: rows of columns of 16 bytes.
#[derive(Debug, Clone)]
pub(super) struct Pictures {
    op: &'static str,
    input: BatchShape,
    output: BatchShape,
}

impl Pictures {
    /// Luma of any format, or packed RGBA.
    pub(super) fn of(op: &'static str, input: BatchShape) -> Result<Self> {
        // Every index stays below 2^31 and every loop within its bound.
        check_sides(op, "input", input.largest())?;
        let format = if input.largest().format == PixelFormat::Rgba8 { PixelFormat::Rgba8 } else { PixelFormat::Gray8 };
        Ok(Self { op, input, output: input.with_format(format)? })
    }

    /// Whether pixels have four channels.
    pub(super) fn rgba(&self) -> bool {
        self.output.largest().format == PixelFormat::Rgba8
    }

    /// Pictures that are written.
    pub(super) fn output(&self) -> &BatchShape {
        &self.output
    }

    /// Overrides of `common/bytes`, followed by `more`.
    pub(super) fn constants<const N: usize>(&self, more: [(&'static str, u32); N]) -> Vec<(&'static str, f64)> {
        let format = self.input.largest().format;
        let wide = u32::from(format.sample_bytes() == 2);
        let own = [("RGBA", u32::from(self.rgba())), ("WIDE", wide), ("SHIFT", format.shift_to_8bit())];
        own.into_iter().chain(more).map(|(name, value)| (name, f64::from(value))).collect()
    }

    /// Columns of 16 bytes per row of the largest result.
    pub(super) fn columns(&self) -> u32 {
        self.output.largest().first().stride / 16
    }

    /// Workgroups for invocations that do `columns` columns in `rows` rows each.
    pub(super) fn grid(&self, ctx: &GpuContext, (columns, rows): (u32, u32), workgroup: u32) -> Result<[u32; 2]> {
        let across = u64::from(self.columns().div_ceil(columns));
        let down = u64::from(self.output.largest().size.height.div_ceil(rows));
        grid(ctx, self.op, across * down, workgroup)
    }

    /// Source and result, checked.
    pub(super) fn pair(
        &self,
        ctx: &GpuContext,
        (src, first): (&dyn FrameBatch, u32),
        (dst, dst_first): (&dyn FrameBatch, u32),
    ) -> Result<PicturePair> {
        PicturePair::new(ctx, self.op, (src, first, &self.input), (dst, dst_first, &self.output), |size| size)
    }

    /// Room for two bytes a byte of `count` results from slot `first` on, and the first vec4 of the first of them.
    pub(super) fn sums(
        &self,
        ctx: &GpuContext,
        dst: &dyn FrameBatch,
        first: u32,
        count: u32,
    ) -> Result<(GpuBuffer, u32)> {
        let place = |i: u32| dst.slot(i).map(|(offset, layout)| (offset, offset + u64::from(layout.slot_bytes())));
        let begin = place(first).map_or(0, |p| p.0);
        let end = place(first + count.saturating_sub(1)).map_or(begin, |p| p.1);
        // A binding is below 2^32 bytes.
        Ok((GpuBuffer::new(ctx, self.op, 2 * (end - begin), BufferUse::Storage)?, (begin / 16) as u32))
    }
}

/// Work of a filter of `ops` operations a byte that reads its luma once.
pub(super) fn work(layout: &crate::core::FrameLayout, ops: u64) -> Work {
    let rgba = layout.format == PixelFormat::Rgba8;
    let bytes = layout.size.area() * if rgba { 4 } else { 1 };
    Work { bytes_read: bytes * u64::from(layout.format.sample_bytes()), bytes_written: bytes, ops: bytes * ops }
}
