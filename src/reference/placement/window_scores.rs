//! `placement/window_scores`: how much heat each window holds.

use crate::core::{Rect, WindowScore, Windows};
use crate::reference::Field;

/// Scores of all `windows` over `field`, per orientation, row by row: the sum of the heat in units of `2^-fraction_bits` (floats) or 1;
/// centred unless the heat-weighted mean position of the values above `threshold` units, measured in whole pixels from the window's
/// corner, lies below the margin `min(width / 6, height / 6)` or above the side less the margin.
pub fn window_scores(
    field: &Field<'_>,
    windows: &Windows,
    fraction_bits: u32,
    threshold: u32,
) -> Vec<Vec<WindowScore>> {
    let score = |rect: Rect, turned| {
        let (mut sum, mut active, mut mx, mut my) = (0u64, 0u128, 0u128, 0u128);
        for y in 0..rect.height {
            for x in 0..rect.width {
                let at = (rect.y + y) * field.size().width + rect.x + x;
                let heat = field.fixed(at as usize, fraction_bits as i32);
                sum += u64::from(heat);
                if heat > threshold {
                    active += u128::from(heat);
                    mx += u128::from(heat) * u128::from(x);
                    my += u128::from(heat) * u128::from(y);
                }
            }
        }
        let margin = (rect.width / 6).min(rect.height / 6);
        let off = |moment: u128, side: u32| {
            moment < active * u128::from(margin) || moment > active * u128::from(side - margin)
        };
        WindowScore { rect, turned, sum, centred: !off(mx, rect.width) && !off(my, rect.height) }
    };
    let all = windows.places().iter();
    all.map(|p| (0..p.count() as usize).filter_map(|i| p.rect(i)).map(|r| score(r, p.turned)).collect()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::{Size, WindowParams};
    use crate::reference::Numbers;

    #[test]
    fn by_hand() {
        // One hot pixel at (7, 3) of 12x6: windows of 6x6 have a margin of 1.
        let size = Size::new(12, 6);
        let mut heat = [0u32; 72];
        heat[3 * 12 + 7] = 10;
        let field = Field::new(size, Numbers::Integers(&heat)).unwrap();
        let params = WindowParams { step: 1, rotate: true, flush: false };
        let windows = Windows::new(size, Size::new(6, 6), params).unwrap();
        let scores = window_scores(&field, &windows, 0, 5);
        let keys: Vec<u64> = scores[0].iter().map(WindowScore::key).collect();
        // At x = 2 the pixel is in column 5 = 6 - 1 of the window and not beyond, at x = 6 in column 1 and not below.
        assert_eq!(keys, [0, 0, 200, 200, 200, 200, 200]);
        let deep = window_scores(&field, &windows, 0, 10);
        assert!(deep[0].iter().all(|s| s.centred));
    }
}
