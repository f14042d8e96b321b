//! Bit planes: one bit a pixel, one plane a picture, pictures of any sizes.

use crate::core::Size;
use crate::error::{Error, Result};
use crate::gpu::{BufferUse, GpuBuffer, GpuContext};
use crate::ops::{GpuMaps, MapLayout, MapSample, check_count, plan_error};
use std::sync::Arc;

/// One bit a pixel in GPU memory, one plane behind the other: rows of whole 128 pixels, the leftmost pixel in the lowest bit of a
/// 32-bit word, bits behind the width 0; a plane starts at a multiple of 256 bytes. Planes of one size lie as [`GpuMaps`] of
/// [`MapSample::Bit`] do.
#[derive(Debug, Clone)]
pub struct BitPlanes {
    buffer: GpuBuffer,
    places: Arc<[(u64, MapLayout)]>,
}

impl BitPlanes {
    /// Room for one plane of each of `sizes`; contents undefined.
    ///
    /// # Errors
    /// `Parameter` for no plane at all or an empty size; the budget.
    pub fn new(ctx: &GpuContext, label: &str, sizes: &[Size]) -> Result<Self> {
        let mut end = 0u64;
        let mut places = Vec::with_capacity(sizes.len());
        for size in sizes {
            let layout = MapLayout::new(MapSample::Bit, *size)?;
            places.push((end, layout));
            end += u64::from(layout.slot_bytes());
        }
        if places.is_empty() {
            return Err(plan_error("bit planes", "sizes", "at least one", "none"));
        }
        Ok(Self { buffer: GpuBuffer::new(ctx, label, end, BufferUse::Storage)?, places: places.into() })
    }

    /// Planes from the host: size, and one byte a pixel, row by row, zero or not.
    ///
    /// # Errors
    /// As [`BitPlanes::new`]; [`Error::Bug`] for planes of another length.
    pub fn from_host(ctx: &GpuContext, label: &str, planes: &[(Size, &[u8])]) -> Result<Self> {
        let sizes: Vec<Size> = planes.iter().map(|p| p.0).collect();
        let this = Self::new(ctx, label, &sizes)?;
        for ((offset, layout), (size, pixels)) in this.places.iter().zip(planes) {
            if pixels.len() as u64 != size.area() {
                return Err(Error::Bug(format!("{} pixels for a plane of {size}", pixels.len())));
            }
            let mut bytes = vec![0u8; layout.slot_bytes() as usize];
            let rows = bytes.chunks_exact_mut(layout.stride_bytes() as usize);
            for (to, from) in rows.zip(pixels.chunks_exact(size.width as usize)) {
                for (byte, eight) in to.iter_mut().zip(from.chunks(8)) {
                    *byte = eight.iter().rev().fold(0, |b, v| b << 1 | u8::from(*v != 0));
                }
            }
            this.buffer.write(ctx, *offset, &bytes)?;
        }
        Ok(this)
    }

    /// The buffer.
    pub fn buffer(&self) -> &GpuBuffer {
        &self.buffer
    }

    /// Number of planes.
    pub fn slots(&self) -> u32 {
        self.places.len() as u32
    }

    /// Byte offset and layout of plane `index`.
    pub fn slot(&self, index: u32) -> Option<(u64, MapLayout)> {
        self.places.get(index as usize).copied()
    }

    /// Sizes of the planes.
    pub fn sizes(&self) -> impl Iterator<Item = Size> + '_ {
        self.places.iter().map(|(_, layout)| layout.size)
    }

    /// The planes as maps, where all have one size.
    pub fn maps(&self) -> Option<GpuMaps> {
        let (_, layout) = *self.places.first()?;
        if self.places.iter().any(|(_, l)| *l != layout) {
            return None;
        }
        GpuMaps::in_buffer(self.buffer.clone(), layout, self.slots()).ok()
    }

    /// Waits for everything submitted and copies plane `index` to the host: one byte a pixel, 0 or 1, row by row.
    pub fn read(&self, ctx: &GpuContext, index: u32) -> Result<Vec<u8>> {
        let (offset, layout) =
            self.slot(index).ok_or_else(|| Error::Bug(format!("plane {index} of {}", self.places.len())))?;
        let bytes = self.buffer.read_range(ctx, offset, u64::from(layout.slot_bytes()))?;
        let rows = bytes.chunks_exact(layout.stride_bytes() as usize);
        let pixels = |row: &[u8]| -> Vec<u8> {
            let bits = row.iter().flat_map(|byte| (0..8).map(move |i| byte >> i & 1));
            bits.take(layout.size.width as usize).collect()
        };
        Ok(rows.take(layout.size.height as usize).flat_map(pixels).collect())
    }

    /// Blocks of 2x2 pixels of a plane, padding included: what its union-find has nodes for.
    fn blocks(layout: &MapLayout) -> u64 {
        u64::from(layout.stride()) / 2 * u64::from(layout.size.height.div_ceil(2))
    }

    /// Nodes of the union-find of all planes: one a block and one a plane.
    pub(super) fn nodes(&self) -> u64 {
        self.places.iter().map(|(_, layout)| Self::blocks(layout) + 1).sum()
    }

    /// The table of planes for `common/pictures` or `common/out_pictures`; `second` counts the nodes before a plane.
    pub(crate) fn table(&self, ctx: &GpuContext, op: &'static str) -> Result<GpuBuffer> {
        check_count(ctx, op, "edges", self.places.len() as u64)?;
        let mut words: Vec<u32> = Vec::new();
        let mut node = 0u64;
        for (offset, layout) in self.places.iter() {
            let Size { width, height } = layout.size;
            let first = (offset / 16) as u32; // a binding is below 2^32 bytes
            words.extend([first, layout.stride_bytes() / 16, width, height, node as u32, 0, 0, 0]);
            node += Self::blocks(layout) + 1;
        }
        let bytes: Vec<u8> = words.iter().flat_map(|w| w.to_le_bytes()).collect();
        GpuBuffer::with_data(ctx, op, &bytes)
    }
}

/// Planes of edges that fit a plan for pictures of up to `largest`.
pub(crate) fn check_edges(op: &'static str, largest: Size, edges: &BitPlanes) -> Result<()> {
    match edges.sizes().find(|s| s.width > largest.width || s.height > largest.height) {
        Some(size) => Err(plan_error(op, "edges", format!("planes of at most {largest}"), size)),
        None => Ok(()),
    }
}
