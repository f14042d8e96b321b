//! Pictures on the host, and their way to the device and back.

use std::path::Path;

use crate::core::{FrameLayout, Limits, PixelFormat, Size};
use crate::error::{Error, Result};
use crate::gpu::GpuContext;
use crate::media::{DecodeHint, ImageFormat, decode_image_bytes, read_image};
use crate::ops::{FrameBatch as _, GpuFrames};

/// Rows of R G B A without padding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rgba {
    pub(super) size: Size,
    pub(super) pixels: Vec<u8>,
}

/// A picture file: its bytes as they are, and decoded.
#[derive(Debug, Clone)]
pub(super) struct PictureFile {
    pub(super) bytes: Vec<u8>,
    pub(super) format: ImageFormat,
    /// Whether the bytes show the picture as it was decoded: no turn by Exif.
    pub(super) upright: bool,
    pub(super) picture: Rgba,
}

/// Content id of the bytes of a file.
pub(super) fn content_of(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex().to_string()
}

impl PictureFile {
    /// Reads and decodes a file.
    ///
    /// # Errors
    /// As [`decode_image_bytes`]; `InputCorrupt` for one that came out damaged.
    pub(super) fn read(path: &Path, limits: &Limits) -> Result<Self> {
        Self::decode(read_image(path, limits)?, path, limits)
    }

    /// Decodes bytes that were read already.
    pub(super) fn decode(bytes: Vec<u8>, path: &Path, limits: &Limits) -> Result<Self> {
        let image = decode_image_bytes(&bytes, path, limits, DecodeHint::default())?;
        if let Some(reason) = image.damaged {
            return Err(Error::InputCorrupt { path: path.to_path_buf(), reason });
        }
        let picture = Rgba { size: image.size, pixels: image.rgba };
        Ok(Self { bytes, format: image.format, upright: image.orientation == 1, picture })
    }
}

fn layout_of(size: Size) -> Result<FrameLayout> {
    FrameLayout::of(PixelFormat::Rgba8, size).ok_or_else(|| Error::LimitExceeded {
        name: "frame_bytes",
        what: format!("a picture of {size}"),
        value: size.area() * 4,
        limit: i32::MAX as u64,
    })
}

impl Rgba {
    fn row_bytes(&self) -> usize {
        (self.size.width as usize * 4).max(1)
    }

    /// Copies of pictures of one size on the device, each `times` times.
    pub(super) fn upload(ctx: &GpuContext, pictures: &[&Self]) -> Result<GpuFrames> {
        let first = pictures.first().ok_or_else(|| Error::Bug("no pictures to upload".into()))?;
        let layout = layout_of(first.size)?;
        let mut slots = Vec::with_capacity(pictures.len());
        for picture in pictures {
            if picture.size != first.size {
                return Err(Error::Bug(format!("{} among pictures of {}", picture.size, first.size)));
            }
            let plane = layout.first();
            let mut slot = vec![0u8; layout.slot_bytes() as usize];
            let rows = slot.get_mut(plane.offset as usize..).unwrap_or_default().chunks_mut(plane.stride as usize);
            for (to, from) in rows.zip(picture.pixels.chunks_exact(picture.row_bytes())) {
                to.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
            }
            slots.push(slot);
        }
        let slots: Vec<&[u8]> = slots.iter().map(Vec::as_slice).collect();
        GpuFrames::from_host(ctx, "curate", layout, &slots)
    }

    /// One picture of packed RGBA from the device.
    pub(super) fn download(ctx: &GpuContext, frames: &GpuFrames, index: u32) -> Result<Self> {
        let bytes = frames.read_slot(ctx, index)?;
        let (_, layout) = frames.slot(index).ok_or_else(|| Error::Bug(format!("no picture {index}")))?;
        if layout.format != PixelFormat::Rgba8 {
            return Err(Error::Bug(format!("{} is no packed RGBA", layout.format)));
        }
        let (row, plane) = (layout.size.width as usize * 4, layout.first());
        let rows = bytes.get(plane.offset as usize..).unwrap_or_default().chunks(plane.stride.max(1) as usize);
        let pixels = rows.take(layout.size.height as usize).flat_map(|r| r.iter().take(row)).copied().collect();
        Ok(Self { size: layout.size, pixels })
    }

    /// The picture with other bytes of alpha, one a pixel.
    pub(super) fn with_alpha(&self, alpha: &[u8]) -> Self {
        let mut pixels = self.pixels.clone();
        pixels.iter_mut().skip(3).step_by(4).zip(alpha).for_each(|(to, a)| *to = *a);
        Self { size: self.size, pixels }
    }

    /// The picture without transparency: what lay under it is shown.
    pub(super) fn opaque(mut self) -> Self {
        self.pixels.iter_mut().skip(3).step_by(4).for_each(|a| *a = 255);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alpha_is_replaced_pixel_by_pixel() {
        let p = Rgba { size: Size::new(2, 1), pixels: vec![1, 2, 3, 4, 5, 6, 7, 8] };
        assert_eq!(p.with_alpha(&[9, 10]).pixels, [1, 2, 3, 9, 5, 6, 7, 10]);
        assert_eq!(p.opaque().pixels, [1, 2, 3, 255, 5, 6, 7, 255]);
    }
}
