//! Text and rectangles on small pictures, without a font file: the letters that samples need, 5x7 pixels each.

use crate::core::Size;
use crate::workflows::letters::glyph;

/// Rows of RGBA.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Canvas {
    pub(super) size: Size,
    pub(super) rgba: Vec<u8>,
}

impl Canvas {
    /// A canvas of one colour.
    pub(super) fn new(size: Size, [r, g, b]: [u8; 3]) -> Self {
        Self { size, rgba: [r, g, b, 255].repeat(size.area() as usize) }
    }

    /// Lays a picture on it; what reaches outside is cut off.
    pub(super) fn draw(&mut self, rgba: &[u8], size: Size, (left, top): (u32, u32)) {
        let width = size.width.min(self.size.width.saturating_sub(left)) as usize * 4;
        let stride = self.size.width as usize * 4;
        let rows = self.rgba.chunks_exact_mut(stride.max(1)).skip(top as usize);
        for (to, from) in rows.zip(rgba.chunks_exact((size.width as usize * 4).max(1))) {
            let to = to.get_mut(left as usize * 4..left as usize * 4 + width);
            if let (Some(to), Some(from)) = (to, from.get(..width)) {
                to.copy_from_slice(from);
            }
        }
    }

    fn block(&mut self, (left, top): (u32, u32), size: Size, [r, g, b]: [u8; 3]) {
        let stride = (self.size.width as usize * 4).max(1);
        for row in self.rgba.chunks_exact_mut(stride).skip(top as usize).take(size.height as usize) {
            for pixel in row.as_chunks_mut::<4>().0.iter_mut().skip(left as usize).take(size.width as usize) {
                *pixel = [r, g, b, 255];
            }
        }
    }

    /// Writes `text` in squares of `scale` pixels on a dark band. Characters without a letter here are left blank.
    pub(super) fn text(&mut self, text: &str, (left, top): (u32, u32), scale: u32, color: [u8; 3]) {
        let width = 6 * scale * text.chars().count() as u32 + 2 * scale;
        self.block((left, top), Size::new(width, 11 * scale), [0, 0, 0]);
        for (i, c) in text.chars().enumerate() {
            let x = left + 2 * scale + 6 * scale * i as u32;
            for (y, bits) in glyph(c).into_iter().enumerate() {
                for bit in (0..5u32).filter(|bit| bits >> (4 - bit) & 1 == 1) {
                    let at = (x + bit * scale, top + 2 * scale + y as u32 * scale);
                    self.block(at, Size::new(scale, scale), color);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workflows::collage::FeatureMethod;

    #[test]
    fn letters_are_where_they_belong() {
        let mut canvas = Canvas::new(Size::new(40, 20), [9, 9, 9]);
        canvas.draw(&[7; 2 * 2 * 4], Size::new(2, 2), (39, 0));
        canvas.text("1", (0, 0), 1, [0, 255, 0]);
        let at = |x: usize, y: usize| canvas.rgba[(y * 40 + x) * 4..][..3].to_vec();
        assert_eq!((at(39, 0), at(39, 2)), (vec![7, 7, 7], vec![9, 9, 9]));
        // The stem of the 1 is its third column.
        assert_eq!((at(4, 2), at(2, 2), at(20, 2)), (vec![0, 255, 0], vec![0, 0, 0], vec![9, 9, 9]));
    }

    #[test]
    fn all_that_samples_say_can_be_written() {
        let names = FeatureMethod::ALL.map(FeatureMethod::name).concat();
        for c in "Frame 0123456789 | Similarity: -.s frame".chars().chain(names.chars()).filter(|c| *c != ' ') {
            assert_ne!(glyph(c), [0; 7], "{c}");
        }
    }
}
