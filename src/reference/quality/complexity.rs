//! `quality/complexity`: what makes a picture busy, counted by the references of its parts.

use crate::Result;
use crate::core::{ComplexitySums, Size};
use crate::reference::color::gray_from_rgb::gray_of;
use crate::reference::colors::Colors;
use crate::reference::edges::{canny::canny, edge_density::edge_density};
use crate::reference::histogram::unique_colors::unique_colors;
use crate::reference::plane::{FrameSlot, Plane};
use crate::reference::quality::contrast_brightness::contrast_brightness;

/// Size and grey of a picture of any format: luma (of 10 bits the 8 most significant), or [`gray_of`] packed RGB.
pub fn gray(frame: &FrameSlot<'_>) -> (Size, Vec<u8>) {
    let size = frame.size();
    let packed = || {
        let at = |x, y| gray_of([0, 1, 2].map(|c| frame.sample(c, x, y) as u8));
        (0..size.height).flat_map(|y| (0..size.width).map(move |x| at(x, y))).collect()
    };
    (size, frame.luma8().unwrap_or_else(packed))
}

/// `colors`: those of the same picture. Edges are those of [`canny`] on [`gray`].
///
/// # Errors
/// None for a frame and its colours.
pub fn complexity(frame: &FrameSlot<'_>, colors: &Colors, low: u16, high: u16) -> Result<ComplexitySums> {
    let (size, gray) = gray(frame);
    Ok(ComplexitySums {
        edges: edge_density(&canny(&Plane::tight(size, &gray)?, low, high)?),
        unique_colors: unique_colors(colors),
        gray: contrast_brightness(frame),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::{EdgeCount, FrameLayout, GraySums, PixelFormat};

    #[test]
    fn a_board_by_hand() {
        // 8x4: black, and the right half white. Gradients of 4 * 255 at columns 3 and 4: the left one is above its left neighbour and
        // not below its right one.
        let layout = FrameLayout::of(PixelFormat::Rgba8, Size::new(8, 4)).unwrap();
        let mut slot = vec![0xEE; layout.slot_bytes() as usize];
        for (i, byte) in slot.iter_mut().take(4 * 32).enumerate() {
            *byte = if i % 32 < 16 { 0 } else { 255 };
        }
        let frame = FrameSlot::new(layout, &slot).unwrap();
        let pixels = (0..32).map(|i| [if i % 8 < 4 { 0 } else { 255 }; 3]).collect();
        let got = complexity(&frame, &Colors::new(layout.size, pixels).unwrap(), 50, 150).unwrap();
        let gray = GraySums { n: 32, sum: 16 * 255, sum_sq: 16 * 255 * 255 };
        assert_eq!(got, ComplexitySums { edges: EdgeCount { edges: 4, pixels: 32 }, unique_colors: 2, gray });
        // 0.4 / 8, 0.3 * 2 / 3.2, 0.3 * 127.5 / 128.
        assert!((got.complexity() - (0.05 + 0.1875 + 0.298_828_125)).abs() < 1e-15);
    }
}
