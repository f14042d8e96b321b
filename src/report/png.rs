//! PNG files.

use std::io;

use crate::core::Size;

/// Pixel layouts of [`encode_png`]; 8 bits per channel, rows without padding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PngFormat {
    /// One channel.
    Gray8,
    /// R, G, B.
    Rgb8,
    /// R, G, B, straight alpha.
    Rgba8,
}

impl PngFormat {
    /// Bytes per pixel.
    pub const fn channels(self) -> usize {
        match self {
            Self::Gray8 => 1,
            Self::Rgb8 => 3,
            Self::Rgba8 => 4,
        }
    }
}

/// Encodes `data` (`height * width * channels` bytes). The same picture always gives the same bytes.
///
/// # Errors
/// `InvalidInput` when the size is zero or `data` has another length.
pub fn encode_png(size: Size, format: PngFormat, data: &[u8]) -> io::Result<Vec<u8>> {
    let wanted = (size.width as usize).checked_mul(size.height as usize).and_then(|n| n.checked_mul(format.channels()));
    if wanted != Some(data.len()) || data.is_empty() {
        let text = format!("{}x{} {format:?} has {wanted:?} bytes, got {}", size.width, size.height, data.len());
        return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
    }
    let mut out = Vec::new();
    let mut encoder = png::Encoder::new(&mut out, size.width, size.height);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_color(match format {
        PngFormat::Gray8 => png::ColorType::Grayscale,
        PngFormat::Rgb8 => png::ColorType::Rgb,
        PngFormat::Rgba8 => png::ColorType::Rgba,
    });
    let mut writer = encoder.write_header()?;
    writer.write_image_data(data)?;
    writer.finish()?;
    Ok(out)
}
