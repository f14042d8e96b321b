//! Pictures of a heat map: alone, for files; over a frame, for the report.

use super::picks::Thumbnail;
use super::work::HeatMap;
use crate::core::Size;
use crate::error::{Error, Result};
use crate::report::{Colormap, PngFormat, encode_png, heat_rgb};

/// Share of the frame's grey that stays visible where nothing moves.
const BACKDROP: f32 = 0.55;

/// Per pixel 0..=1: how often it moved against the pixel that moved most. The square root makes rare motion visible.
fn shares(map: &HeatMap) -> Vec<f32> {
    let most = map.counts.iter().copied().max().unwrap_or(0).max(1) as f32;
    map.counts.iter().map(|c| (*c as f32 / most).sqrt()).collect()
}

fn png(rgb: &[u8], size: Size) -> Result<Vec<u8>> {
    encode_png(size, PngFormat::Rgb8, rgb).map_err(|e| Error::Bug(format!("heat map: {e}")))
}

/// The map alone.
pub(super) fn picture(map: &HeatMap) -> Result<Vec<u8>> {
    png(&heat_rgb(&shares(map), map.size, Colormap::Inferno, Some((0.0, 1.0)))?, map.size)
}

/// The map over the grey of a frame of the video, so that one sees where it moves.
pub(super) fn over_frame(map: &HeatMap, frame: &Thumbnail) -> Result<Vec<u8>> {
    let values = shares(map);
    let colours = heat_rgb(&values, map.size, Colormap::Inferno, Some((0.0, 1.0)))?;
    let size = frame.size;
    let grey = Grey { rgba: &frame.rgba, size };
    let step = |from: u32, to: u32| f32::from(from as u16) / f32::from(to.max(1) as u16);
    let (sx, sy) = (step(size.width, map.size.width), step(size.height, map.size.height));
    let mut rgb = Vec::with_capacity(colours.len());
    let mut pixels = values.iter().zip(colours.chunks_exact(3));
    for y in 0..map.size.height {
        for x in 0..map.size.width {
            let Some((value, colour)) = pixels.next() else { break };
            let back = grey.at((x as f32 + 0.5) * sx - 0.5, (y as f32 + 0.5) * sy - 0.5) * BACKDROP;
            rgb.extend(colour.iter().map(|c| (f32::from(*c) * value + back * (1.0 - value)).round() as u8));
        }
    }
    png(&rgb, map.size)
}

/// A thumbnail as grey, sampled between pixels.
struct Grey<'a> {
    rgba: &'a [u8],
    size: Size,
}

impl Grey<'_> {
    fn pixel(&self, x: i64, y: i64) -> f32 {
        let x = x.clamp(0, i64::from(self.size.width) - 1) as usize;
        let y = y.clamp(0, i64::from(self.size.height) - 1) as usize;
        let at = (y * self.size.width as usize + x) * 4;
        match self.rgba.get(at..at + 3) {
            Some([r, g, b]) => 0.299 * f32::from(*r) + 0.587 * f32::from(*g) + 0.114 * f32::from(*b),
            _ => 0.0,
        }
    }

    fn at(&self, x: f32, y: f32) -> f32 {
        let (x0, y0) = (x.floor(), y.floor());
        let (fx, fy, x0, y0) = (x - x0, y - y0, x0 as i64, y0 as i64);
        let row = |y: i64| self.pixel(x0, y) * (1.0 - fx) + self.pixel(x0 + 1, y) * fx;
        row(y0) * (1.0 - fy) + row(y0 + 1) * fy
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grey_is_interpolated_and_clamped() {
        let rgba = [[0u8, 0, 0, 255], [200, 200, 200, 255]].concat();
        let g = Grey { rgba: &rgba, size: Size::new(2, 1) };
        assert!((g.at(0.5, 0.0) - 100.0).abs() < 0.01);
        assert!((g.at(-3.0, 5.0)).abs() < 0.01 && (g.at(9.0, 0.0) - 200.0).abs() < 0.01);
    }

    #[test]
    fn the_most_moved_pixel_is_one_and_an_empty_map_is_zero() {
        let map = |counts: Vec<u32>| HeatMap { size: Size::new(2, 1), differences: 9, counts };
        assert_eq!(shares(&map(vec![0, 4])), [0.0, 1.0]);
        assert_eq!(shares(&map(vec![0, 0])), [0.0, 0.0]);
    }
}
