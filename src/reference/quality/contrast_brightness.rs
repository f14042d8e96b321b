//! `quality/contrast_brightness`: sums over the grey of a picture.

use crate::core::GraySums;
use crate::reference::color::gray_from_rgb::gray_of;
use crate::reference::plane::FrameSlot;

/// Grey is [`gray_of`] of packed RGB, else luma (of 10 bits the 8 most significant).
pub fn contrast_brightness(frame: &FrameSlot<'_>) -> GraySums {
    let size = frame.size();
    let gray = frame.luma8().unwrap_or_else(|| {
        let at = |x, y| gray_of([0, 1, 2].map(|c| frame.sample(c, x, y) as u8));
        (0..size.height).flat_map(|y| (0..size.width).map(move |x| (x, y))).map(|(x, y)| at(x, y)).collect()
    });
    let mut sums = GraySums::default();
    for v in gray.into_iter().map(u64::from) {
        sums.n += 1;
        sums.sum += v;
        sums.sum_sq += v * v;
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::{FrameLayout, PixelFormat, Size};

    #[test]
    fn grey_of_packed_and_planar_pictures_by_hand() {
        let sums = |format, bytes: &[u8]| {
            let layout = FrameLayout::of(format, Size::new(2, 1)).unwrap();
            let mut slot = vec![0xEE; layout.slot_bytes() as usize];
            slot[..bytes.len()].copy_from_slice(bytes);
            contrast_brightness(&FrameSlot::new(layout, &slot).unwrap())
        };
        // Red is grey 76, blue 29.
        let want = GraySums { n: 2, sum: 105, sum_sq: 76 * 76 + 29 * 29 };
        assert_eq!(sums(PixelFormat::Rgba8, &[255, 0, 0, 9, 0, 0, 255, 9]), want);
        assert_eq!(sums(PixelFormat::Nv12, &[76, 29]), want);
        assert_eq!(sums(PixelFormat::P010, &[0xC0, 76, 0xC0, 29]), want);
    }
}
