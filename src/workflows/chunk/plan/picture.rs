//! A plan as a picture: the heat map, the chunks on it, their numbers.

use super::heat::HeatMap;
use super::record::{Chunk, Orientation};
use crate::core::Size;
use crate::error::{Error, Result};
use crate::report::{Colormap, PngFormat, encode_png, heat_rgb};

/// Digits of 5x7 dots, a row a number, the leftmost dot highest.
const DIGITS: [[u8; 7]; 10] = [
    [14, 17, 19, 21, 25, 17, 14],
    [4, 12, 4, 4, 4, 4, 14],
    [14, 17, 1, 2, 4, 8, 31],
    [31, 2, 4, 2, 1, 17, 14],
    [2, 6, 10, 18, 31, 2, 2],
    [31, 16, 30, 1, 1, 17, 14],
    [6, 8, 16, 30, 17, 17, 14],
    [31, 1, 2, 4, 8, 8, 8],
    [14, 17, 17, 14, 17, 17, 14],
    [14, 17, 17, 15, 1, 2, 12],
];
/// Pixels a dot.
const DOT: u32 = 3;

struct Canvas {
    rgb: Vec<u8>,
    size: Size,
}

impl Canvas {
    fn fill(&mut self, [x0, x1]: [u32; 2], [y0, y1]: [u32; 2], colour: [u8; 3]) {
        let row = self.size.width as usize * 3;
        let (from, to) = (x0.min(self.size.width) as usize * 3, x1.min(self.size.width) as usize * 3);
        for line in self.rgb.chunks_exact_mut(row).take(y1 as usize).skip(y0 as usize) {
            for pixel in line.get_mut(from..to).unwrap_or_default().chunks_exact_mut(3) {
                pixel.copy_from_slice(&colour);
            }
        }
    }

    /// A number whose baseline lies at `y`.
    fn number(&mut self, number: u32, x: u32, y: u32) {
        for (i, digit) in (0u32..).zip(number.to_string().bytes()) {
            let dots = DIGITS.get(usize::from(digit - b'0')).copied().unwrap_or_default();
            for (row, bits) in (0u32..).zip(dots) {
                for column in (0..5u32).filter(|c| bits >> (4 - c) & 1 == 1) {
                    let left = x + (i * 6 + column) * DOT;
                    let top = (y + row * DOT).saturating_sub(7 * DOT);
                    self.fill([left, left + DOT], [top, top + DOT], [255; 3]);
                }
            }
        }
    }
}

/// The map in colours (JET), boxes of 2 pixels around chunks, green for horizontal and blue for vertical ones as the original draws
/// them, and white numbers from 1 on: a PNG.
///
/// # Errors
/// [`Error::Bug`] if the picture cannot be encoded.
pub fn overlay(map: &HeatMap, chunks: &[Chunk]) -> Result<Vec<u8>> {
    let size = map.size();
    let rgb = heat_rgb(map.values(), size, Colormap::Jet, Some((0.0, map.most().max(f32::MIN_POSITIVE))))?;
    let mut canvas = Canvas { rgb, size };
    for c in chunks {
        let colour = match c.orientation {
            Orientation::Horizontal => [0, 255, 0],
            Orientation::Vertical => [0, 0, 255],
        };
        let ([x0, x1], [y0, y1]) = (c.x_range, c.y_range);
        canvas.fill([x0, x1], [y0, y0 + 2], colour);
        canvas.fill([x0, x1], [y1.saturating_sub(2), y1], colour);
        canvas.fill([x0, x0 + 2], [y0, y1], colour);
        canvas.fill([x1.saturating_sub(2), x1], [y0, y1], colour);
    }
    for c in chunks {
        canvas.number(c.chunk_id + 1, c.x_range[0] + 10, c.y_range[0] + 30);
    }
    encode_png(size, PngFormat::Rgb8, &canvas.rgb).map_err(|e| Error::Bug(format!("plan: {e}")))
}
