//! Pictures of a pool, decoded for comparison or for showing.

use std::path::Path;

use crate::core::{FrameLayout, Limits, PixelFormat, RowSink, Size};
use crate::error::{Error, Result};
use crate::gpu::GpuBuffer;
use crate::media::{DecodeHint, decode_image_bytes};
use crate::ops::FrameBatch;

/// A picture in memory: rows of R G B A, upright, without transparency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// Size in pixels; smaller than [`Self::source`] where the file was decoded at a reduced size.
    pub size: Size,
    /// Size of the full picture.
    pub source: Size,
    /// Rows without padding.
    pub rgba: Vec<u8>,
}

impl Picture {
    /// Decodes the bytes of a picture file at no less than `least` (as displayed; `None`: full size). Transparency is laid over black:
    /// what lies under it is often leftovers that nobody was meant to see.
    ///
    /// # Errors
    /// Those of [`decode_image_bytes`]; `InputCorrupt` for pictures that came out damaged.
    pub fn decode(bytes: &[u8], path: &Path, limits: &Limits, least: Option<Size>) -> Result<Self> {
        let image = decode_image_bytes(bytes, path, limits, DecodeHint { min_size: least })?;
        if let Some(reason) = image.damaged {
            return Err(Error::InputCorrupt { path: path.to_path_buf(), reason });
        }
        let mut rgba = image.rgba;
        if image.has_alpha {
            for pixel in rgba.as_chunks_mut::<4>().0 {
                let [r, g, b, a] = *pixel;
                let over = |v: u8| ((u32::from(v) * u32::from(a) + 127) / 255) as u8;
                *pixel = [over(r), over(g), over(b), 255];
            }
        }
        Ok(Self { size: image.size, source: image.source_size, rgba })
    }

    /// Layout of the picture in GPU memory.
    ///
    /// # Errors
    /// `LimitExceeded` for pictures of 2 GiB.
    pub(super) fn layout(&self) -> Result<FrameLayout> {
        FrameLayout::of(PixelFormat::Rgba8, self.size).ok_or_else(|| Error::LimitExceeded {
            name: "frame_bytes",
            what: format!("a picture of {}", self.size),
            value: self.size.area() * 4,
            limit: i32::MAX as u64,
        })
    }

    /// Copies the rows into `sink`, from `offset` on.
    pub(super) fn copy_to<S: RowSink + ?Sized>(&self, layout: &FrameLayout, offset: u64, sink: &mut S) {
        let plane = layout.first();
        let row = (self.size.width as usize * 4).max(1);
        for (y, bytes) in self.rgba.chunks_exact(row).enumerate() {
            sink.write((offset + u64::from(plane.offset)) as usize + y * plane.stride as usize, bytes);
        }
    }
}

/// Pictures of any sizes at places of a buffer.
#[derive(Debug)]
pub(super) struct Placed {
    pub(super) buffer: GpuBuffer,
    pub(super) places: Vec<(u64, FrameLayout)>,
}

impl FrameBatch for Placed {
    fn buffer(&self) -> &GpuBuffer {
        &self.buffer
    }

    fn format(&self) -> PixelFormat {
        PixelFormat::Rgba8
    }

    fn slots(&self) -> u32 {
        self.places.len() as u32
    }

    fn slot(&self, index: u32) -> Option<(u64, FrameLayout)> {
        self.places.get(index as usize).copied()
    }
}
