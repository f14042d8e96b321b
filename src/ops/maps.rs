//! Maps in GPU memory: one number per pixel (or per cell) that is no picture.

use super::params::plan_error;
use crate::core::Size;
use crate::error::{Error, Result};
use crate::gpu::{BufferUse, GpuBuffer, GpuContext};

/// Type of the numbers of a map.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MapSample {
    /// One bit, the leftmost in the lowest bit of a 32-bit word.
    Bit,
    /// Signed 16-bit integer, two in a word, the left one low.
    I16,
    /// Unsigned 16-bit integer, two in a word, the left one low.
    U16,
    /// Unsigned 32-bit integer.
    U32,
    /// Signed 32-bit integer.
    I32,
    /// 32-bit float.
    F32,
}

impl MapSample {
    /// Bits of one number.
    pub const fn bits(self) -> u32 {
        match self {
            Self::Bit => 1,
            Self::I16 | Self::U16 => 16,
            Self::U32 | Self::I32 | Self::F32 => 32,
        }
    }
}

impl std::fmt::Display for MapSample {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Bit => "bit",
            Self::I16 => "i16",
            Self::U16 => "u16",
            Self::U32 => "u32",
            Self::I32 => "i32",
            Self::F32 => "f32",
        })
    }
}

/// Layout of one map. A row holds the width rounded up to 16 numbers and starts at a multiple of 16 bytes, a slot at a multiple of
/// 256; what lies behind the width means nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MapLayout {
    /// Type of the numbers.
    pub sample: MapSample,
    /// Numbers per row, and rows.
    pub size: Size,
    stride_bytes: u32,
    slot_bytes: u32,
}

impl MapLayout {
    /// The layout for a type and a size.
    ///
    /// # Errors
    /// `Parameter` when a side is zero or a map would not fit into `i32::MAX` bytes.
    pub fn new(sample: MapSample, size: Size) -> Result<Self> {
        let stride = (u64::from(size.width.div_ceil(16)) * 2 * u64::from(sample.bits())).next_multiple_of(16);
        // Sides of 2^31 have products beyond 64 bits.
        let slot = stride.checked_mul(u64::from(size.height)).and_then(|bytes| bytes.checked_next_multiple_of(256));
        match slot.filter(|slot| !size.is_empty() && *slot <= i32::MAX as u64) {
            Some(slot) => Ok(Self { sample, size, stride_bytes: stride as u32, slot_bytes: slot as u32 }),
            None => Err(plan_error("map", "size", "both sides at least 1 and a map below 2 GiB", size)),
        }
    }

    /// Bytes from one row to the next; a multiple of 16.
    pub const fn stride_bytes(&self) -> u32 {
        self.stride_bytes
    }

    /// Bytes of a slot; a multiple of 256.
    pub const fn slot_bytes(&self) -> u32 {
        self.slot_bytes
    }

    /// Numbers from one row to the next.
    pub const fn stride(&self) -> u32 {
        (self.stride_bytes as u64 * 8 / self.sample.bits() as u64) as u32
    }
}

/// Equally laid out maps, one behind the other, in one GPU buffer.
#[derive(Debug, Clone)]
pub struct GpuMaps {
    buffer: GpuBuffer,
    layout: MapLayout,
    slots: u32,
}

impl GpuMaps {
    /// Room for `slots` maps; contents undefined.
    pub fn new(ctx: &GpuContext, label: &str, layout: MapLayout, slots: u32) -> Result<Self> {
        let bytes = u64::from(layout.slot_bytes) * u64::from(slots);
        Ok(Self { buffer: GpuBuffer::new(ctx, label, bytes, BufferUse::Storage)?, layout, slots })
    }

    /// Maps that lie in `buffer` already.
    ///
    /// # Errors
    /// [`Error::Bug`] when the buffer is too small.
    pub fn in_buffer(buffer: GpuBuffer, layout: MapLayout, slots: u32) -> Result<Self> {
        let needed = u64::from(layout.slot_bytes) * u64::from(slots);
        if buffer.size_bytes() < needed {
            let has = buffer.size_bytes();
            return Err(Error::Bug(format!("{slots} maps need {needed} bytes, the buffer has {has}")));
        }
        Ok(Self { buffer, layout, slots })
    }

    /// Maps from the host: row by row without padding, each number in the little-endian bytes of its type (`bytemuck` makes them
    /// from slices of numbers); bits as one byte each, zero or not.
    ///
    /// # Errors
    /// [`Error::Bug`] for a map of another length.
    pub fn from_host(ctx: &GpuContext, label: &str, layout: MapLayout, maps: &[&[u8]]) -> Result<Self> {
        let this = Self::new(ctx, label, layout, maps.len() as u32)?;
        let row = layout.row_bytes();
        for (i, map) in maps.iter().enumerate() {
            if map.len() != row * layout.size.height as usize {
                let wanted = row * layout.size.height as usize;
                return Err(Error::Bug(format!("a map of {} bytes instead of {wanted}", map.len())));
            }
            let mut slot = vec![0u8; layout.slot_bytes as usize];
            for (to, from) in slot.chunks_exact_mut(layout.stride_bytes as usize).zip(map.chunks_exact(row)) {
                if layout.sample == MapSample::Bit {
                    for (x, v) in from.iter().enumerate() {
                        if let Some(byte) = to.get_mut(x / 8) {
                            *byte |= u8::from(*v != 0) << (x % 8);
                        }
                    }
                } else if let Some(to) = to.get_mut(..row) {
                    to.copy_from_slice(from);
                }
            }
            this.buffer.write(ctx, i as u64 * u64::from(layout.slot_bytes), &slot)?;
        }
        Ok(this)
    }

    /// The buffer.
    pub fn buffer(&self) -> &GpuBuffer {
        &self.buffer
    }

    /// Layout of one map.
    pub fn layout(&self) -> &MapLayout {
        &self.layout
    }

    /// Number of maps there is room for.
    pub fn slots(&self) -> u32 {
        self.slots
    }

    /// Waits for everything submitted and copies map `index` to the host, row by row without padding, in the form of
    /// [`Self::from_host`].
    pub fn read(&self, ctx: &GpuContext, index: u32) -> Result<Vec<u8>> {
        if index >= self.slots {
            return Err(Error::Bug(format!("map {index} of {}", self.slots)));
        }
        let slot = u64::from(self.layout.slot_bytes);
        let bytes = self.buffer.read_range(ctx, slot * u64::from(index), slot)?;
        let rows = bytes.chunks_exact(self.layout.stride_bytes as usize).take(self.layout.size.height as usize);
        let row = self.layout.row_bytes();
        Ok(if self.layout.sample == MapSample::Bit {
            let bit = |bytes: &[u8], x: usize| bytes.get(x / 8).map_or(0, |b| b >> (x % 8) & 1);
            rows.flat_map(|r| (0..row).map(|x| bit(r, x)).collect::<Vec<u8>>()).collect()
        } else {
            rows.flat_map(|r| r.iter().take(row).copied()).collect()
        })
    }

    /// As [`Self::read`], as numbers of the map's type.
    ///
    /// # Errors
    /// [`Error::Bug`] when `T` is not as wide as the map's numbers.
    pub fn read_as<T: bytemuck::AnyBitPattern + bytemuck::NoUninit>(
        &self,
        ctx: &GpuContext,
        index: u32,
    ) -> Result<Vec<T>> {
        if size_of::<T>() as u32 * 8 != self.layout.sample.bits().max(8) {
            return Err(Error::Bug(format!("a map of {} read as {}", self.layout.sample, std::any::type_name::<T>())));
        }
        Ok(bytemuck::pod_collect_to_vec(&self.read(ctx, index)?))
    }
}

impl MapLayout {
    /// The numbers of a map of `u32` in the bytes of its slot, row by row without padding.
    pub fn u32_rows(&self, slot: &[u8]) -> Vec<u32> {
        let rows = slot.chunks(self.stride_bytes.max(1) as usize).take(self.size.height as usize);
        let width = self.size.width as usize;
        rows.flat_map(|row| row.as_chunks::<4>().0.iter().take(width).map(|b| u32::from_le_bytes(*b))).collect()
    }

    /// Bytes of a row on the host, without padding: one byte a bit, else the width of the type.
    fn row_bytes(&self) -> usize {
        self.size.width as usize * (self.sample.bits() as usize).div_ceil(8)
    }
}

/// `maps` are laid out as planned.
pub(crate) fn check_maps(op: &'static str, name: &'static str, planned: &MapLayout, maps: &GpuMaps) -> Result<()> {
    let text = |l: &MapLayout| format!("{} {}", l.sample, l.size);
    if maps.layout() != planned {
        return Err(plan_error(op, name, text(planned), text(maps.layout())));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_hold_whole_columns_of_16() {
        for (sample, width, stride) in [
            (MapSample::Bit, 1, 16),
            (MapSample::Bit, 129, 32),
            (MapSample::I16, 17, 64),
            (MapSample::F32, 16, 64),
            (MapSample::U32, 33, 192),
        ] {
            let layout = MapLayout::new(sample, Size::new(width, 3)).expect("fits");
            assert_eq!((layout.stride_bytes(), layout.slot_bytes() % 256), (stride, 0), "{sample} {width}");
            assert_eq!(layout.stride(), stride * 8 / sample.bits());
        }
        assert!(MapLayout::new(MapSample::F32, Size::new(0, 3)).is_err());
    }

    #[test]
    fn enormous_sizes_have_no_layout() {
        for (width, height) in [(1 << 31, 1 << 31), (u32::MAX, u32::MAX), (1 << 30, 1), (1, u32::MAX)] {
            for sample in [MapSample::Bit, MapSample::F32] {
                let layout = MapLayout::new(sample, Size::new(width, height));
                // A bit is little enough for a single row.
                let fits = sample == MapSample::Bit && (width, height) == (1 << 30, 1);
                assert_eq!(layout.is_ok(), fits, "{sample} {width}x{height}");
            }
        }
    }
}
