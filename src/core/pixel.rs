//! Pixel formats as decoders deliver them. Samples above 8 bits are little-endian 16-bit words.

use super::geometry::Size;

/// Layout of the samples of one frame.
///
/// Planar and semi-planar YUV with 8 or 10 bits, 8-bit grey, and packed 8-bit RGB with alpha. A decoder never turns YUV
/// into RGB: kernels do.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PixelFormat {
    /// 8-bit luma plane, interleaved U V plane at half width and half height.
    Nv12,
    /// 8-bit planar 4:2:0.
    I420,
    /// 8-bit planar 4:2:2.
    I422,
    /// 8-bit planar 4:4:4.
    I444,
    /// 10-bit semi-planar 4:2:0, samples in the high bits of 16-bit words.
    P010,
    /// 10-bit planar 4:2:0, samples in the low bits of 16-bit words.
    I010,
    /// 10-bit planar 4:2:2, samples in the low bits of 16-bit words.
    I210,
    /// 10-bit planar 4:4:4, samples in the low bits of 16-bit words.
    I410,
    /// 8-bit luma only.
    Gray8,
    /// Packed R G B A, 8 bits each, one 32-bit word a pixel with R in the lowest byte.
    Rgba8,
}

/// Number of samples, and bytes of a sample, of one plane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlaneShape {
    /// Samples per row; an interleaved chroma plane counts U and V, a packed RGBA row counts four per pixel.
    pub samples: u32,
    /// Rows.
    pub rows: u32,
    /// Bytes per sample: 1 or 2.
    pub sample_bytes: u32,
}

impl PlaneShape {
    /// Bytes of a row without padding.
    pub const fn row_bytes(self) -> u32 {
        self.samples * self.sample_bytes
    }
}

impl PixelFormat {
    /// All formats, for tests and tables.
    pub const ALL: [Self; 10] = [
        Self::Nv12,
        Self::I420,
        Self::I422,
        Self::I444,
        Self::P010,
        Self::I010,
        Self::I210,
        Self::I410,
        Self::Gray8,
        Self::Rgba8,
    ];

    /// Short lower-case name, as in reports and file names.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Nv12 => "nv12",
            Self::I420 => "i420",
            Self::I422 => "i422",
            Self::I444 => "i444",
            Self::P010 => "p010",
            Self::I010 => "i010",
            Self::I210 => "i210",
            Self::I410 => "i410",
            Self::Gray8 => "gray8",
            Self::Rgba8 => "rgba8",
        }
    }

    /// Bits of a sample that carry a value: 8 or 10.
    pub const fn bits(self) -> u32 {
        match self {
            Self::P010 | Self::I010 | Self::I210 | Self::I410 => 10,
            _ => 8,
        }
    }

    /// Bytes of a sample: 1 or 2.
    pub const fn sample_bytes(self) -> u32 {
        if self.bits() > 8 { 2 } else { 1 }
    }

    /// How far a stored sample must be shifted right to give its 8 most significant bits: 0, 2 (low-aligned 10 bit) or 8 (P010).
    pub const fn shift_to_8bit(self) -> u32 {
        match self {
            Self::P010 => 8,
            Self::I010 | Self::I210 | Self::I410 => 2,
            _ => 0,
        }
    }

    /// How far a stored sample must be shifted right to give its value: 6 for P010, else 0.
    pub const fn shift_to_value(self) -> u32 {
        if matches!(self, Self::P010) { 6 } else { 0 }
    }

    /// Whether the first plane is luma.
    pub const fn has_luma(self) -> bool {
        !matches!(self, Self::Rgba8)
    }

    /// Whether there are chroma planes.
    pub const fn has_chroma(self) -> bool {
        !matches!(self, Self::Rgba8 | Self::Gray8)
    }

    /// Whether U and V lie interleaved in one plane.
    pub const fn semi_planar(self) -> bool {
        matches!(self, Self::Nv12 | Self::P010)
    }

    /// log2 of the horizontal and vertical chroma subsampling; `(0, 0)` without chroma.
    pub const fn chroma_shift(self) -> (u32, u32) {
        match self {
            Self::Nv12 | Self::I420 | Self::P010 | Self::I010 => (1, 1),
            Self::I422 | Self::I210 => (1, 0),
            _ => (0, 0),
        }
    }

    /// Number of planes: 1 to 3.
    pub const fn plane_count(self) -> usize {
        match self {
            Self::Gray8 | Self::Rgba8 => 1,
            Self::Nv12 | Self::P010 => 2,
            _ => 3,
        }
    }

    /// Size of the chroma planes in chroma samples, rounded up for odd sizes.
    pub const fn chroma_size(self, size: Size) -> Size {
        let (sx, sy) = self.chroma_shift();
        Size { width: (size.width + (1 << sx) - 1) >> sx, height: (size.height + (1 << sy) - 1) >> sy }
    }

    /// Shape of plane `plane` of a frame of `size` pixels, or `None` if there is no such plane.
    pub const fn plane_shape(self, size: Size, plane: usize) -> Option<PlaneShape> {
        let sample_bytes = self.sample_bytes();
        if plane >= self.plane_count() {
            return None;
        }
        if plane == 0 {
            let samples = if matches!(self, Self::Rgba8) { size.width * 4 } else { size.width };
            return Some(PlaneShape { samples, rows: size.height, sample_bytes });
        }
        let c = self.chroma_size(size);
        let samples = if self.semi_planar() { c.width * 2 } else { c.width };
        Some(PlaneShape { samples, rows: c.height, sample_bytes })
    }

    /// Bytes of one frame without padding.
    pub fn frame_bytes(self, size: Size) -> u64 {
        (0..self.plane_count())
            .filter_map(|p| self.plane_shape(size, p))
            .map(|s| u64::from(s.samples) * u64::from(s.sample_bytes) * u64::from(s.rows))
            .sum()
    }
}

impl std::fmt::Display for PixelFormat {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_sizes_round_chroma_up() {
        let s = Size::new(321, 241);
        assert_eq!(PixelFormat::I420.chroma_size(s), Size::new(161, 121));
        assert_eq!(PixelFormat::I422.chroma_size(s), Size::new(161, 241));
        assert_eq!(PixelFormat::Nv12.plane_shape(s, 1).map(PlaneShape::row_bytes), Some(322));
        assert_eq!(PixelFormat::Nv12.plane_shape(s, 2), None);
    }

    #[test]
    fn frame_bytes_of_known_formats() {
        let s = Size::new(1920, 1080);
        assert_eq!(PixelFormat::Nv12.frame_bytes(s), 3_110_400);
        assert_eq!(PixelFormat::I410.frame_bytes(s), 2 * 3 * 1920 * 1080);
        assert_eq!(PixelFormat::Rgba8.frame_bytes(s), 4 * 1920 * 1080);
    }
}
