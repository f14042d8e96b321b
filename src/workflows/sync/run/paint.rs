//! Boxes and labels drawn on the planes of a decoded picture: no way over RGB, whatever its format.

use crate::core::{BoxF, ColorRange, ColorSpec, FrameLayout, PixelFormat};
use crate::workflows::letters::glyph;

/// Dots of a letter across and down, and from one letter to the next.
const LETTER: (i64, i64) = (5, 7);
const PITCH: i64 = 6;

/// A picture that is drawn on.
pub(super) struct Paint<'a> {
    layout: FrameLayout,
    color: ColorSpec,
    slot: &'a mut [u8],
}

impl<'a> Paint<'a> {
    /// `slot` holds a picture laid out as `layout` says, whose codes `color` explains.
    pub(super) fn new(layout: FrameLayout, color: ColorSpec, slot: &'a mut [u8]) -> Self {
        Self { layout, color, slot }
    }

    /// The outline of a box, `thick` pixels inside of it.
    pub(super) fn outline(&mut self, rect: &BoxF, thick: i64, rgb: [u8; 3]) {
        let (x, y) = (rect.x.round() as i64, rect.y.round() as i64);
        let (w, h) = ((rect.right().round() as i64 - x).max(1), (rect.bottom().round() as i64 - y).max(1));
        let t = thick.min(w).min(h);
        for (at, size) in [((x, y), (w, t)), ((x, y + h - t), (w, t)), ((x, y), (t, h)), ((x + w - t, y), (t, h))] {
            self.fill(at, size, rgb);
        }
    }

    /// `text` in dots of `scale` pixels on a dark band whose lower left corner is at `(x, y)`, moved to where it is seen.
    pub(super) fn label(&mut self, text: &str, (x, y): (i64, i64), scale: i64, rgb: [u8; 3]) {
        let (w, h) = ((PITCH * text.chars().count() as i64 + 1) * scale, (LETTER.1 + 2) * scale);
        let (width, height) = (i64::from(self.layout.size.width), i64::from(self.layout.size.height));
        let (x, y) = (x.min(width - w).max(0), (y - h).min(height - h).max(0));
        self.fill((x, y), (w, h), [0; 3]);
        for (i, c) in (0i64..).zip(text.chars()) {
            for (row, bits) in (0i64..).zip(glyph(c)) {
                for column in (0..LETTER.0).filter(|column| bits >> (LETTER.0 - 1 - column) & 1 == 1) {
                    let at = (x + (1 + PITCH * i + column) * scale, y + (1 + row) * scale);
                    self.fill(at, (scale, scale), rgb);
                }
            }
        }
    }

    /// A rectangle; what reaches outside is left out.
    fn fill(&mut self, (x, y): (i64, i64), (w, h): (i64, i64), rgb: [u8; 3]) {
        let size = self.layout.size;
        let cut = |from: i64, to: i64, side: u32| (from.clamp(0, i64::from(side)), to.clamp(0, i64::from(side)));
        let ((x0, x1), (y0, y1)) = (cut(x, x + w, size.width), cut(y, y + h, size.height));
        if x0 >= x1 || y0 >= y1 {
            return;
        }
        let format = self.layout.format;
        if format == PixelFormat::Rgba8 {
            let [r, g, b] = rgb.map(u16::from);
            return self.plane(0, (4 * x0, 4 * x1), (y0, y1), &[r, g, b, 255]);
        }
        let [luma, u, v] = self.codes(rgb);
        self.plane(0, (x0, x1), (y0, y1), &[luma]);
        if format.has_chroma() {
            let (sx, sy) = format.chroma_shift();
            let part = |from: i64, to: i64, shift: u32| (from >> shift, ((to - 1) >> shift) + 1);
            let ((u0, u1), rows) = (part(x0, x1, sx), part(y0, y1, sy));
            if format.semi_planar() {
                self.plane(1, (2 * u0, 2 * u1), rows, &[u, v]);
            } else {
                self.plane(1, (u0, u1), rows, &[u]);
                self.plane(2, (u0, u1), rows, &[v]);
            }
        }
    }

    /// Samples `from..to` of some rows of a plane, the values over and over.
    fn plane(&mut self, plane: usize, (from, to): (i64, i64), rows: (i64, i64), values: &[u16]) {
        let Some(p) = self.layout.planes().get(plane).copied() else { return };
        let bytes = p.shape.sample_bytes as usize;
        let line: Vec<u8> = values
            .iter()
            .cycle()
            .take((to - from).max(0) as usize)
            .flat_map(|v| v.to_le_bytes().into_iter().take(bytes))
            .collect();
        for row in rows.0..rows.1 {
            let start = p.offset as usize + row as usize * p.stride as usize + from as usize * bytes;
            if let Some(place) = self.slot.get_mut(start..start + line.len()) {
                place.copy_from_slice(&line);
            }
        }
    }

    /// Codes of a colour, as the samples store them.
    fn codes(&self, rgb: [u8; 3]) -> [u16; 3] {
        let [r, g, b] = rgb.map(|v| f64::from(v) / 255.0);
        let (kr, kb) = self.color.matrix.kr_kb();
        let y = kr * r + (1.0 - kr - kb) * g + kb * b;
        let (u, v) = ((b - y) / (2.0 - 2.0 * kb), (r - y) / (2.0 - 2.0 * kr));
        let full = self.color.range == ColorRange::Full;
        let (low, luma, chroma) = if full { (0.0, 255.0, 255.0) } else { (16.0, 219.0, 224.0) };
        let format = self.layout.format;
        let (finer, shift) = (f64::from(1 << (format.bits() - 8)), format.shift_to_value());
        [low + luma * y, 128.0 + chroma * u, 128.0 + chroma * v]
            .map(|code| ((code * finer).round().clamp(0.0, 255.0 * finer + finer - 1.0) as u16) << shift)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::{RgbCoefficients, Size};

    #[test]
    fn a_colour_comes_out_as_it_went_in_in_every_format() {
        let size = Size::new(33, 17);
        for format in PixelFormat::ALL {
            let layout = FrameLayout::of(format, size).unwrap();
            let mut slot = vec![0u8; layout.slot_bytes() as usize];
            let rgb = [40, 220, 90];
            Paint::new(layout, ColorSpec::BT709, &mut slot).fill((-4, 3), (100, 8), rgb);
            let sample = |plane: usize, at: usize, row: usize| {
                let p = layout.planes()[plane];
                let bytes = p.shape.sample_bytes as usize;
                let start = p.offset as usize + row * p.stride as usize + at * bytes;
                let whole = slot[start..start + bytes].iter().rev().fold(0u32, |v, b| v << 8 | u32::from(*b));
                (whole >> format.shift_to_8bit()) as u8
            };
            if format == PixelFormat::Rgba8 {
                assert_eq!([0, 1, 2, 3].map(|i| sample(0, 4 * 32 + i, 5)), [40, 220, 90, 255]);
                continue;
            }
            let (u, v) = match format {
                PixelFormat::Gray8 => (128, 128),
                f if f.semi_planar() => (sample(1, 2 * 5, 3), sample(1, 2 * 5 + 1, 3)),
                _ => (sample(1, 5, 3), sample(2, 5, 3)),
            };
            let got = RgbCoefficients::new(ColorSpec::BT709, 8).rgb([sample(0, 10, 5), u, v]);
            let apart = got.iter().zip(rgb).map(|(a, b)| a.abs_diff(b)).max().unwrap();
            assert!(format == PixelFormat::Gray8 || apart <= 3, "{format}: {got:?}");
            assert_eq!((sample(0, 10, 2), sample(0, 10, 11)), (0, 0), "{format}: outside");
        }
    }

    #[test]
    fn labels_stay_inside_and_can_be_written() {
        let size = Size::new(64, 32);
        let layout = FrameLayout::of(PixelFormat::Gray8, size).unwrap();
        let mut slot = vec![77u8; layout.slot_bytes() as usize];
        Paint::new(layout, ColorSpec::BT601, &mut slot).label("1", (60, 200), 1, [255; 3]);
        let at = |x: usize, y: usize| slot[y * layout.first().stride as usize + x];
        // Seven wide, nine high, in the lower right corner; the stem of the 1 is its third column.
        assert_eq!((at(57, 23), at(56, 23), at(57, 22)), (16, 77, 77));
        assert_eq!((at(60, 25), at(58, 25)), (235, 16));
        for c in "Track0123456789Conf,.-+ms".chars() {
            assert_ne!(glyph(c), [0; 7], "{c}");
        }
    }
}
