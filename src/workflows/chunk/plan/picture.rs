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

/// Places of the dots of a number, columns from 0 and rows 0 to 6; a digit is 5 wide, and 6 columns from the next.
pub(in crate::workflows::chunk) fn number_dots(number: u32) -> impl Iterator<Item = [u32; 2]> {
    let digits: Vec<u8> = number.to_string().into_bytes();
    (0u32..).zip(digits).flat_map(|(i, digit)| {
        let rows = DIGITS.get(usize::from(digit.wrapping_sub(b'0'))).copied().unwrap_or_default();
        (0u32..).zip(rows).flat_map(move |(row, bits)| {
            (0..5u32).filter(move |c| bits >> (4 - c) & 1 == 1).map(move |c| [i * 6 + c, row])
        })
    })
}

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

    /// A number whose baseline lies at `y`, of dots of `dot` pixels.
    fn number(&mut self, number: u32, [x, y]: [u32; 2], dot: u32, colour: [u8; 3]) {
        for [column, row] in number_dots(number) {
            let left = x + column * dot;
            let top = (y + row * dot).saturating_sub(7 * dot);
            self.fill([left, left + dot], [top, top + dot], colour);
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
    // Where the original writes them; smaller in small pictures, with a shadow so that they can be read on any colour.
    let dot = if size.width.max(size.height) < 720 { 2 } else { 3 };
    for c in chunks {
        let at = [c.x_range[0] + 10, c.y_range[0] + 10 * dot];
        canvas.number(c.chunk_id + 1, at.map(|v| v + 1), dot, [0; 3]);
        canvas.number(c.chunk_id + 1, at, dot, [255; 3]);
    }
    encode_png(size, PngFormat::Rgb8, &canvas.rgb).map_err(|e| Error::Bug(format!("plan: {e}")))
}

/// When chunks are active: a row a chunk with its number, bars over `span`, seconds below: a PNG, 1000 pixels wide.
///
/// # Errors
/// [`Error::Bug`] if the picture cannot be encoded.
pub fn timeline(chunks: &[Chunk], [from, to]: [f64; 2]) -> Result<Vec<u8>> {
    const WIDTH: u32 = 1000;
    const LEFT: u32 = 50;
    const ROW: u32 = 20;
    let (ink, paper, still, bar) = ([60; 3], [255; 3], [236, 238, 241], [38, 128, 90]);
    let height = ROW * chunks.len() as u32 + 30;
    let size = Size::new(WIDTH, height);
    let mut canvas = Canvas { rgb: paper.repeat(size.area() as usize), size };
    let length = (to - from).max(1e-9);
    let at = |time: f64| LEFT + ((time - from) / length * f64::from(WIDTH - LEFT - 40)).round().max(0.0) as u32;
    // At most ten marks, at 1, 2 or 5 times a power of ten of seconds.
    let power = 10f64.powf((length / 10.0).log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].map(|f| f * power).into_iter().find(|s| length / s <= 10.0).unwrap_or(length);
    for (row, chunk) in (0u32..).zip(chunks) {
        let top = row * ROW + 4;
        canvas.number(chunk.chunk_id + 1, [8, top + 13], 2, ink);
        canvas.fill([LEFT, at(to)], [top, top + ROW - 6], still);
        let always = [[from, to]];
        for [a, b] in chunk.active.as_ref().map_or(&always[..], |s| s.spans()) {
            canvas.fill([at(*a), at(*b).max(at(*a) + 1)], [top, top + ROW - 6], bar);
        }
    }
    let bottom = ROW * chunks.len() as u32 + 4;
    let mut mark = (from / step).ceil();
    while mark * step <= to {
        let x = at(mark * step);
        canvas.fill([x, x + 1], [0, bottom + 4], [180; 3]);
        // Whole seconds are written.
        if mark >= 0.0 && (mark * step).fract() == 0.0 {
            canvas.number((mark * step) as u32, [x.saturating_sub(4), bottom + 22], 2, ink);
        }
        mark += 1.0;
    }
    encode_png(size, PngFormat::Rgb8, &canvas.rgb).map_err(|e| Error::Bug(format!("timeline: {e}")))
}
