//! Where kernels that import `common/luma` find the luma plane of a frame.

use super::batch::BatchShape;
use super::params::plan_error;
use super::plan::check_sides;
use crate::core::FrameLayout;
use crate::error::Result;

/// The luma plane in units of the kernels: vec4 of 16 bytes, columns of 16 pixels.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LumaPlane {
    /// First vec4 of the plane.
    pub(crate) base: u32,
    /// vec4 per row.
    pub(crate) stride: u32,
    /// vec4 per frame slot.
    pub(crate) slot: u32,
    /// Columns of 16 pixels per row.
    pub(crate) columns: u32,
    /// Pixels of the last column, 1 to 16.
    pub(crate) last: u32,
    wide: bool,
    shift: u32,
    mixed: bool,
}

impl LumaPlane {
    /// The plane of `layout`, or the error of `op` about it.
    pub(crate) fn of(op: &'static str, layout: &FrameLayout) -> Result<Self> {
        if !layout.format.has_luma() {
            let wanted = "a format with a luma plane (use color/gray_from_rgb first)";
            return Err(plan_error(op, "input", wanted, layout.format));
        }
        // Every index stays below 2^31 and every loop within its bound.
        check_sides(op, "input", layout)?;
        let (plane, columns) = (layout.first(), layout.size.width.div_ceil(16));
        Ok(Self {
            base: plane.offset / 16,
            stride: plane.stride / 16,
            slot: layout.slot_bytes() / 16,
            columns,
            last: layout.size.width - (columns - 1) * 16,
            wide: layout.format.sample_bytes() == 2,
            shift: layout.format.shift_to_8bit(),
            mixed: false,
        })
    }

    /// The plane of the largest picture of `shape`, or the error of `op` about it.
    pub(crate) fn of_shape(op: &'static str, shape: &BatchShape) -> Result<Self> {
        Ok(Self { mixed: shape.is_mixed(), ..Self::of(op, shape.largest())? })
    }

    /// Values of the overrides `TAIL`, `WIDE` and `SHIFT`, followed by `more`.
    pub(crate) fn constants<const N: usize>(&self, more: [(&'static str, u32); N]) -> Vec<(&'static str, f64)> {
        let own = [("WIDE", u32::from(self.wide)), ("SHIFT", self.shift)];
        own.into_iter().chain(more).map(|(name, value)| (name, f64::from(value))).collect()
    }

    /// 1 where a width may not be a multiple of 16, else 0: the override `TAIL`.
    pub(crate) fn tail(&self) -> u32 {
        u32::from(self.mixed || self.last < 16)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::{PixelFormat, Size};

    #[test]
    fn the_last_column_holds_the_rest() {
        for width in 1..=48 {
            let layout = FrameLayout::of(PixelFormat::Gray8, Size::new(width, 2)).expect("fits");
            let plane = LumaPlane::of("t", &layout).expect("luma");
            assert_eq!((plane.columns - 1) * 16 + plane.last, width);
            assert_eq!(plane.tail() == 0, width % 16 == 0);
        }
    }
}
