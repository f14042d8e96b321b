//! `heatmap/splat_gaussian`: boxes as bells of heat.

use crate::core::{Rect, Size};

/// Adds `weight * exp(-(dx^2 + dy^2) / (2 s^2))` to each value of `heat` (row by row, `size` pixels) for each box, in f64:
/// distances to `(x + width / 2, y + height / 2)`, `s = max(width, height) / 2`, halves rounded down. Pixels further than
/// `reach * s` along x or along y get nothing. Boxes of which both sides are below 2 pixels have no deviation and add nothing.
pub fn splat_gaussian(heat: &mut [f64], size: Size, boxes: &[(Rect, f64)], reach: Option<f64>) {
    for (rect, weight) in boxes {
        let s = f64::from(rect.width.max(rect.height) / 2);
        if s == 0.0 {
            continue;
        }
        let (cx, cy) = (f64::from(rect.x) + f64::from(rect.width / 2), f64::from(rect.y) + f64::from(rect.height / 2));
        for (i, v) in heat.iter_mut().enumerate() {
            let (x, y) = (i % size.width as usize, i / size.width as usize);
            let (dx, dy) = (x as f64 - cx, y as f64 - cy);
            if reach.is_none_or(|r| dx.abs() <= r * s && dy.abs() <= r * s) {
                *v += weight * (-(dx * dx + dy * dy) / (2.0 * s * s)).exp();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        // Centre (2, 1), s = 2.
        let one = [(Rect { x: 0, y: 0, width: 5, height: 3 }, 3.0)];
        let mut heat = vec![1.0; 10];
        splat_gaussian(&mut heat, Size::new(5, 2), &one, None);
        assert_eq!(heat[7], 4.0);
        assert!((heat[5] - 1.0 - 3.0 * (-0.5f64).exp()).abs() < 1e-15);
        assert!((heat[0] - 1.0 - 3.0 * (-0.625f64).exp()).abs() < 1e-15);
        let mut near = vec![0.0; 10];
        splat_gaussian(&mut near, Size::new(5, 2), &one, Some(0.5));
        let reached: Vec<usize> = (0..10).filter(|i| near[*i] > 0.0).collect();
        assert_eq!(reached, [1, 2, 3, 6, 7, 8]);
        splat_gaussian(&mut near, Size::new(5, 2), &[(Rect { x: 0, y: 0, width: 1, height: 1 }, 1.0)], None);
        assert_eq!(near[0], 0.0);
    }
}
