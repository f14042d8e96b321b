//! `color/rgb_from_yuv`: frames as decoded to packed 8-bit RGB.

use crate::Result;
use crate::core::{ChromaUpsampling, ColorSpec, PixelFormat, RgbCoefficients};
use crate::reference::plane::{FrameSlot, unfit};

/// RGB of code values with their full 8 or 10 bits: `clamp((m0*y + m1*u + m2*v + m3) >> shift, 0, 255)` per channel,
/// in `i32`, with an arithmetic shift. The integers and the proof that nothing overflows are at [`RgbCoefficients`].
pub fn rgb_of([y, u, v]: [u32; 3], coefficients: &RgbCoefficients) -> [u8; 3] {
    let [y, u, v] = [y, u, v].map(|s| s as i32);
    coefficients.m.map(|[my, mu, mv, one]| ((my * y + mu * u + mv * v + one) >> coefficients.shift).clamp(0, 255) as u8)
}

/// `frame`: any YUV format or grey. Gives W x H words `R | G << 8 | B << 16 | 255 << 24`.
///
/// Luma is taken as it is, chroma as [`FrameSlot::chroma`] defines (`siting` of `color` matters for bilinear
/// upsampling only), then [`rgb_of`] with [`RgbCoefficients::for_format`]. Grey is full range: R = G = B = sample.
/// Luma below black is not raised to black first, as OpenCV does: codes outside the nominal range take part, and only
/// the result is clamped.
///
/// # Errors
/// [`crate::Error::Parameter`] if the frame is RGB already.
pub fn rgb_from_yuv(frame: &FrameSlot<'_>, color: ColorSpec, upsampling: ChromaUpsampling) -> Result<Vec<u32>> {
    if frame.format() == PixelFormat::Rgba8 {
        return Err(unfit("color/rgb_from_yuv", "format", "YUV or grey", frame.format().name()));
    }
    let coefficients = RgbCoefficients::for_format(color, frame.format());
    let size = frame.size();
    let mut out = Vec::with_capacity(size.area() as usize);
    for y in 0..size.height {
        for x in 0..size.width {
            let [u, v] = frame.chroma(x, y, color.siting, upsampling);
            let [r, g, b] = rgb_of([frame.sample(0, x, y), u, v], &coefficients);
            out.push(u32::from_le_bytes([r, g, b, 255]));
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::{ChromaSiting, ColorRange, FrameLayout, Size, YuvMatrix};
    use crate::reference::Pattern;

    #[test]
    fn textbook_colours_of_bt601_and_bt709() {
        let m601 = RgbCoefficients::new(ColorSpec::BT601, 8);
        // 1.164*(81-16) = 75.7; + 1.596*(240-128) = 254.4; 75.7 - 0.392*(90-128) - 0.813*112 = -0.5
        assert_eq!(rgb_of([81, 90, 240], &m601), [254, 0, 0]);
        assert_eq!(rgb_of([41, 240, 110], &m601), [0, 0, 255]);
        assert_eq!(rgb_of([16, 128, 128], &m601), [0, 0, 0]);
        assert_eq!(rgb_of([235, 128, 128], &m601), [255, 255, 255]);
        let m709 = RgbCoefficients::new(ColorSpec::BT709, 10);
        // 219 * 4 * 0.2126 + 64 = 250.2, U = 512 - 102.7, V = 960: red
        assert_eq!(rgb_of([250, 409, 960], &m709), [255, 0, 0]);
        // 1.1644 * 959/4 = 279.2; 0.2132 * 511/4 = 27.2; 0.5329 * 511/4 = 68.1
        assert_eq!(rgb_of([1023, 1023, 1023], &m709)[1], 184);
    }

    #[test]
    fn three_by_three_nv12_by_hand() {
        let layout = FrameLayout::of(PixelFormat::Nv12, Size::new(3, 3)).unwrap();
        let mut data = vec![0xFF; layout.slot_bytes() as usize];
        for y in 0..3 {
            data[y * 16..y * 16 + 3].copy_from_slice(&[16, 126, 235]);
        }
        // 2x2 chroma samples, all neutral but the last: V = 240.
        data[256..260].copy_from_slice(&[128; 4]);
        data[272..276].copy_from_slice(&[128, 128, 128, 240]);
        let slot = FrameSlot::new(layout, &data).unwrap();
        let out = rgb_from_yuv(&slot, ColorSpec::BT601, ChromaUpsampling::Nearest).unwrap();
        let grey = 0xFF80_8080; // 1.164 * 110 = 128.08
        assert_eq!(out[..8], [0xFF00_0000, grey, 0xFFFF_FFFF, 0xFF00_0000, grey, 0xFFFF_FFFF, 0xFF00_0000, grey]);
        // 255 - 0.813 * 112 = 163.9
        assert_eq!(out[8], 0xFFFF_A4FF);
        let out = rgb_from_yuv(&slot, ColorSpec::BT601, ChromaUpsampling::Bilinear).unwrap();
        // (1,2): left-sited, half of columns 0 and 1, and row 2 is 3/4 row 1: V = 128 + 112*3/8 = 170; R = 128.1 + 67.0
        assert_eq!(out[7] & 0xFF, 195);
    }

    #[test]
    fn neutral_chroma_is_grey_in_every_format_and_grey_is_copied() {
        for format in PixelFormat::ALL.into_iter().filter(|f| f.has_luma()) {
            let layout = FrameLayout::of(format, Size::new(5, 3)).unwrap();
            let mut data = Pattern::Random { seed: 3 }.frame(&layout);
            for plane in layout.planes().iter().skip(1) {
                let neutral: &[u8] = match format {
                    PixelFormat::P010 => &[0x00, 0x80],
                    _ if format.bits() == 10 => &[0x00, 0x02],
                    _ => &[128, 128],
                };
                let end = (plane.offset + plane.stride * plane.shape.rows) as usize;
                data[plane.offset as usize..end].chunks_exact_mut(2).for_each(|c| c.copy_from_slice(neutral));
            }
            let slot = FrameSlot::new(layout, &data).unwrap();
            let full = ColorSpec { matrix: YuvMatrix::Bt2020, range: ColorRange::Full, siting: ChromaSiting::Center };
            let out = rgb_from_yuv(&slot, full, ChromaUpsampling::Bilinear).unwrap();
            for (word, luma) in out.into_iter().zip(slot.luma8().unwrap()) {
                let [r, g, b, a] = word.to_le_bytes();
                assert!(r == g && g == b && a == 255 && r.abs_diff(luma) <= u8::from(format.bits() > 8), "{format:?}");
            }
        }
    }

    #[test]
    fn rgb_input_is_refused() {
        let layout = FrameLayout::of(PixelFormat::Rgba8, Size::new(1, 1)).unwrap();
        let slot = FrameSlot::new(layout, &[0; 256]).unwrap();
        assert!(rgb_from_yuv(&slot, ColorSpec::BT601, ChromaUpsampling::Nearest).is_err());
    }
}
