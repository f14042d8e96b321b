//! `occlusion/erase`: rectangles erased.

use super::{Occluded, filled};
use crate::Result;
use crate::core::Rect;
use crate::core::occlusion::Fill;
use crate::core::random::Draw;
use crate::reference::plane::Plane;

/// `src` with every pixel inside one of `rects` filled; pixels inside several count once.
///
/// # Errors
/// [`crate::Error::Parameter`] if `src` has neither 1 nor 4 channels.
pub fn erase(src: &Plane<'_>, rects: &[Rect], fill: Fill, draw: Draw) -> Result<Occluded> {
    let inside = |r: &Rect, x: u32, y: u32| (r.x..r.x + r.width).contains(&x) && (r.y..r.y + r.height).contains(&y);
    filled("occlusion/erase", src, (fill, draw), |x, y| rects.iter().any(|r| inside(r, x, y)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::Size;

    #[test]
    fn two_overlapping_rectangles_by_hand() {
        let plane = Plane::tight(Size::new(4, 2), &[1, 2, 3, 4, 5, 6, 7, 8]).unwrap();
        let rects = [Rect { x: 0, y: 0, width: 2, height: 1 }, Rect { x: 1, y: 0, width: 2, height: 2 }];
        let (out, covered) = erase(&plane, &rects, Fill::Constant([9, 0, 0]), Draw::default()).unwrap();
        assert_eq!((out, covered.pixels, covered.share()), (vec![9, 9, 9, 4, 5, 9, 9, 8], 5, 0.625));
        // Mean 36/8 = 4.5, up to 5.
        let (out, _) = erase(&plane, &rects[..1], Fill::Mean, Draw::default()).unwrap();
        assert_eq!(out, [5, 5, 3, 4, 5, 6, 7, 8]);
        assert_eq!(erase(&plane, &[], Fill::Mean, Draw::default()).unwrap().1.pixels, 0);
    }

    #[test]
    fn colour_and_noise_keep_alpha() {
        let data = [10, 20, 30, 40, 50, 60, 70, 80];
        let plane = Plane::interleaved(Size::new(2, 1), 4, 8, &data).unwrap();
        let rect = [Rect { x: 1, y: 0, width: 1, height: 1 }];
        let of = |fill| erase(&plane, &rect, fill, Draw { seed: 1, picture: 2 }).unwrap().0;
        assert_eq!(of(Fill::Constant([1, 2, 3])), [10, 20, 30, 40, 1, 2, 3, 80]);
        assert_eq!(of(Fill::Mean), [10, 20, 30, 40, 30, 40, 50, 80]);
        // pcg4d(1, 2, 1, 1): see tests/golden/occlusion/erase for more.
        let [r, g, b, _] = crate::core::random::pcg4d([1, 2, 1, 1]).map(|w| (w >> 24) as u8);
        assert_eq!(of(Fill::Noise), [10, 20, 30, 40, r, g, b, 80]);
        assert!(
            erase(&Plane::interleaved(Size::new(2, 1), 3, 8, &data).unwrap(), &[], Fill::Noise, Draw::default())
                .is_err()
        );
    }
}
