//! Byte layout of a frame in a GPU buffer: where a decoder writes rows and where kernels read them.
//!
//! Rows start at multiples of 16 bytes so that a kernel loads 16 samples as one `vec4<u32>`; planes and frame slots start at
//! multiples of 256 bytes, the portable storage-buffer offset alignment. Padding bytes hold anything: kernels never
//! let them reach a result.

use super::frame::FrameDesc;
use super::geometry::Size;
use super::pixel::{PixelFormat, PlaneShape};
use crate::error::{Error, Result};

/// Alignment of row starts in bytes.
pub const ROW_ALIGN: u32 = 16;
/// Alignment of plane and slot starts in bytes.
pub const PLANE_ALIGN: u32 = 256;

/// Place of one plane inside a frame slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlaneLayout {
    /// Bytes from the start of the slot to the first row.
    pub offset: u32,
    /// Bytes from one row to the next; a multiple of 16.
    pub stride: u32,
    /// Samples and rows.
    pub shape: PlaneShape,
}

/// Layout of one frame slot; slots of a batch follow each other every [`FrameLayout::slot_bytes`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrameLayout {
    /// Pixel format.
    pub format: PixelFormat,
    /// Picture size in pixels.
    pub size: Size,
    planes: [PlaneLayout; 3],
    slot_bytes: u32,
}

const fn round_up(v: u64, to: u64) -> u64 {
    v.div_ceil(to) * to
}

impl FrameLayout {
    /// Layout for frames like `desc`; `None` if a side is zero or a slot would not fit into `i32::MAX` bytes.
    pub fn new(desc: &FrameDesc) -> Option<Self> {
        Self::of(desc.format, desc.size)
    }

    /// As [`Self::new`], where a frame without a layout ends the work.
    ///
    /// # Errors
    /// `LimitExceeded`.
    pub(crate) fn required(desc: &FrameDesc) -> Result<Self> {
        Self::new(desc).ok_or_else(|| Error::LimitExceeded {
            name: "frame_bytes",
            what: format!("a {} frame in {}", desc.size, desc.format),
            value: desc.format.frame_bytes(desc.size),
            limit: i32::MAX as u64,
        })
    }

    /// Layout for a format and size; `None` if a side is zero or a slot would not fit into `i32::MAX` bytes.
    pub fn of(format: PixelFormat, size: Size) -> Option<Self> {
        if size.is_empty() || size.width > 1 << 24 || size.height > 1 << 24 {
            return None;
        }
        let mut end = 0u64;
        let mut planes =
            [PlaneLayout { offset: 0, stride: 0, shape: PlaneShape { samples: 0, rows: 0, sample_bytes: 1 } }; 3];
        for (index, plane) in planes.iter_mut().enumerate().take(format.plane_count()) {
            let shape = format.plane_shape(size, index)?;
            let stride = round_up(u64::from(shape.samples) * u64::from(shape.sample_bytes), u64::from(ROW_ALIGN));
            let offset = round_up(end, u64::from(PLANE_ALIGN));
            end = offset + stride * u64::from(shape.rows);
            *plane = PlaneLayout { offset: u32::try_from(offset).ok()?, stride: u32::try_from(stride).ok()?, shape };
        }
        let slot_bytes = round_up(end, u64::from(PLANE_ALIGN));
        (slot_bytes <= i32::MAX as u64).then_some(Self { format, size, planes, slot_bytes: slot_bytes as u32 })
    }

    /// The planes, 1 to 3.
    pub fn planes(&self) -> &[PlaneLayout] {
        self.planes.get(..self.format.plane_count()).unwrap_or_default()
    }

    /// The first plane: luma, grey or packed RGBA.
    pub const fn first(&self) -> &PlaneLayout {
        &self.planes[0]
    }

    /// Bytes of a slot, padding included; a multiple of 256.
    pub const fn slot_bytes(&self) -> u32 {
        self.slot_bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_planes_and_slots_are_aligned_and_disjoint() {
        for format in PixelFormat::ALL {
            for (w, h) in [(1, 1), (3, 3), (17, 1), (1, 17), (321, 241), (1920, 1080)] {
                let l = FrameLayout::of(format, Size::new(w, h)).expect("fits");
                let mut end = 0;
                for p in l.planes() {
                    assert_eq!((p.stride % ROW_ALIGN, p.offset % PLANE_ALIGN), (0, 0));
                    assert!(p.offset >= end && p.stride >= p.shape.row_bytes());
                    end = p.offset + p.stride * p.shape.rows;
                }
                assert!(l.slot_bytes() >= end && l.slot_bytes().is_multiple_of(PLANE_ALIGN));
            }
        }
    }

    #[test]
    fn zero_and_enormous_sizes_have_no_layout() {
        assert_eq!(FrameLayout::of(PixelFormat::Nv12, Size::new(0, 5)), None);
        assert_eq!(FrameLayout::of(PixelFormat::Rgba8, Size::new(100_000, 100_000)), None);
    }
}
