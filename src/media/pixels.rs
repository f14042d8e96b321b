//! From FFmpeg's pixel formats to [`PixelFormat`]: planes that are copied as they are, and RGB-like formats whose bytes are
//! put in RGBA order.

use crate::core::PixelFormat;

/// How the samples of a source format get into our planes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pack {
    /// Plane by plane, byte by byte.
    Planes,
    /// One plane of pixels of `step` bytes; `rgba` are the byte positions, alpha is opaque where there is none.
    Packed { step: usize, rgb: [usize; 3], alpha: Option<usize> },
    /// Planes G, B, R and maybe A.
    Planar { alpha: bool },
    /// 8-bit indices into a palette of 256 native-endian ARGB words.
    Palette,
}

/// How one FFmpeg format is taken over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mapping {
    pub(crate) format: PixelFormat,
    pub(crate) pack: Pack,
    /// The format itself says full range.
    pub(crate) full_range: bool,
    /// An alpha plane is left out.
    pub(crate) drops_alpha: bool,
}

/// The mapping of the FFmpeg format called `name`; `None` for formats that must be converted first.
pub(crate) fn mapping(name: &str) -> Option<Mapping> {
    let planes = |format| Mapping { format, pack: Pack::Planes, full_range: false, drops_alpha: false };
    let full = |format| Mapping { full_range: true, ..planes(format) };
    let no_alpha = |format| Mapping { drops_alpha: true, ..planes(format) };
    let packed = |step, rgb, alpha| Mapping { pack: Pack::Packed { step, rgb, alpha }, ..full(PixelFormat::Rgba8) };
    Some(match name {
        "yuv420p" => planes(PixelFormat::I420),
        "yuvj420p" => full(PixelFormat::I420),
        "yuv422p" => planes(PixelFormat::I422),
        "yuvj422p" => full(PixelFormat::I422),
        "yuv444p" => planes(PixelFormat::I444),
        "yuvj444p" => full(PixelFormat::I444),
        "nv12" => planes(PixelFormat::Nv12),
        "p010le" => planes(PixelFormat::P010),
        "yuv420p10le" => planes(PixelFormat::I010),
        "yuv422p10le" => planes(PixelFormat::I210),
        "yuv444p10le" => planes(PixelFormat::I410),
        "gray" | "gray8" => planes(PixelFormat::Gray8),
        "yuva420p" => no_alpha(PixelFormat::I420),
        "yuva422p" => no_alpha(PixelFormat::I422),
        "yuva444p" => no_alpha(PixelFormat::I444),
        "yuva420p10le" => no_alpha(PixelFormat::I010),
        "yuva422p10le" => no_alpha(PixelFormat::I210),
        "yuva444p10le" => no_alpha(PixelFormat::I410),
        "rgb24" => packed(3, [0, 1, 2], None),
        "bgr24" => packed(3, [2, 1, 0], None),
        "rgba" => packed(4, [0, 1, 2], Some(3)),
        "bgra" => packed(4, [2, 1, 0], Some(3)),
        "argb" => packed(4, [1, 2, 3], Some(0)),
        "abgr" => packed(4, [3, 2, 1], Some(0)),
        "rgb0" => packed(4, [0, 1, 2], None),
        "bgr0" => packed(4, [2, 1, 0], None),
        "0rgb" => packed(4, [1, 2, 3], None),
        "0bgr" => packed(4, [3, 2, 1], None),
        "gbrp" => Mapping { pack: Pack::Planar { alpha: false }, ..full(PixelFormat::Rgba8) },
        "gbrap" => Mapping { pack: Pack::Planar { alpha: true }, ..full(PixelFormat::Rgba8) },
        "pal8" => Mapping { pack: Pack::Palette, ..full(PixelFormat::Rgba8) },
        _ => return None,
    })
}

/// Formats that foreign ones are converted to, for FFmpeg to choose the one that loses least.
pub(crate) const TARGETS: &[&str] =
    &["yuv420p", "yuv422p", "yuv444p", "yuv420p10le", "yuv422p10le", "yuv444p10le", "gray", "rgba"];

/// Packed pixels to RGBA.
pub(crate) fn packed_row(source: &[u8], step: usize, rgb: [usize; 3], alpha: Option<usize>, out: &mut [u8]) {
    for (pixel, out) in source.chunks_exact(step).zip(out.chunks_exact_mut(4)) {
        let at = |i: usize| pixel.get(i).copied().unwrap_or(255);
        let [r, g, b] = rgb.map(at);
        out.copy_from_slice(&[r, g, b, alpha.map_or(255, at)]);
    }
}

/// Planes G, B, R (and A) to RGBA.
pub(crate) fn planar_row(g: &[u8], b: &[u8], r: &[u8], a: Option<&[u8]>, out: &mut [u8]) {
    let alpha = a.into_iter().flatten().copied().chain(std::iter::repeat(255));
    for ((((r, g), b), a), out) in r.iter().zip(g).zip(b).zip(alpha).zip(out.chunks_exact_mut(4)) {
        out.copy_from_slice(&[*r, *g, *b, a]);
    }
}

/// Palette indices to RGBA.
pub(crate) fn palette_row(indices: &[u8], palette: &[u8], out: &mut [u8]) {
    for (index, out) in indices.iter().zip(out.chunks_exact_mut(4)) {
        let at = usize::from(*index) * 4;
        let word = palette.get(at..at + 4).and_then(|w| w.try_into().ok()).map_or(0, u32::from_ne_bytes);
        let [a, r, g, b] = word.to_be_bytes();
        out.copy_from_slice(&[r, g, b, a]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_target_of_a_conversion_is_mapped_without_another_one() {
        assert!(TARGETS.iter().all(|t| mapping(t).is_some()));
        assert_eq!(mapping("yuv410p"), None);
    }

    #[test]
    fn bytes_get_into_rgba_order() {
        let mut out = [0; 8];
        packed_row(&[1, 2, 3, 4, 5, 6], 3, [2, 1, 0], None, &mut out);
        assert_eq!(out, [3, 2, 1, 255, 6, 5, 4, 255]);
        packed_row(&[9, 1, 2, 3, 8, 4, 5, 6], 4, [1, 2, 3], Some(0), &mut out);
        assert_eq!(out, [1, 2, 3, 9, 4, 5, 6, 8]);
        planar_row(&[1, 2], &[3, 4], &[5, 6], None, &mut out);
        assert_eq!(out, [5, 1, 3, 255, 6, 2, 4, 255]);
        let palette: Vec<u8> = [0xff01_0203u32, 0x8004_0506].iter().flat_map(|w| w.to_ne_bytes()).collect();
        palette_row(&[1, 0], &palette, &mut out);
        assert_eq!(out, [4, 5, 6, 0x80, 1, 2, 3, 0xff]);
    }
}
