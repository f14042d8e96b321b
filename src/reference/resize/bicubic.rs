//! `resize/bicubic`: any size to any size with four taps per axis.

use crate::Result;
use crate::core::Size;
use crate::reference::plane::{Plane, unfit};

/// The four sources of destination `x` along an axis from `from` to `to` samples, and their weights in 2048ths.
///
/// Half-pixel centres: the source coordinate is `((2x+1)*from - to) / (2*to)`; its floor is the second tap, its
/// fraction is `t`. Keys' weights with `a = -3/4`: `a(t^3 - 2t^2 + t)` and `(a+2)t^3 - (a+3)t^2 + 1` for the first and
/// second tap, the same of `1 - t` for the fourth and third; each times 2048 and rounded to nearest (halves up). What
/// they lack of 2048 goes to the nearer of the two middle taps (to the third for `t = 1/2`). Taps outside are clamped.
pub fn bicubic_taps(x: u32, from: u32, to: u32) -> [(u32, i64); 4] {
    let numerator = (2 * i64::from(x) + 1) * i64::from(from) - i64::from(to);
    let q = 2 * i64::from(to);
    let (whole, r) = (numerator.div_euclid(q), i128::from(numerator.rem_euclid(q)));
    let q = i128::from(q);
    // All fractions over 4 q^3.
    let weight = |numerator: i128| {
        let (n, d) = (2048 * numerator, 4 * q * q * q);
        (2 * n + d).div_euclid(2 * d) as i64
    };
    let outer = |t: i128| weight(-3 * t * t * t + 6 * t * t * q - 3 * t * q * q);
    let inner = |t: i128| weight(5 * t * t * t - 9 * t * t * q + 4 * q * q * q);
    let mut weights = [outer(r), inner(r), inner(q - r), outer(q - r)];
    let lacking = 2048 - weights.iter().sum::<i64>();
    weights[if 2 * r < q { 1 } else { 2 }] += lacking;
    [0, 1, 2, 3].map(|k| ((whole - 1 + k).clamp(0, i64::from(from) - 1) as u32, weights[k as usize]))
}

/// `src`: W x H pixels of 1 to 4 channels. Gives `to.width` x `to.height` pixels of the same channels, rows without
/// padding: `clamp((sum wx wy p + 2^21) >> 22)` with the taps of [`bicubic_taps`], in exact integers. No low-pass.
/// OpenCV's `INTER_CUBIC` scales in f32 and may differ by 1.
///
/// # Errors
/// [`crate::Error::Parameter`] for an empty target.
pub fn bicubic(src: &Plane<'_>, to: Size) -> Result<Vec<u8>> {
    if to.is_empty() {
        return Err(unfit("resize/bicubic", "to", "at least 1x1", to));
    }
    let columns: Vec<_> = (0..to.width).map(|x| bicubic_taps(x, src.size().width, to.width)).collect();
    let mut out = Vec::with_capacity(to.area() as usize * src.channels() as usize);
    for y in 0..to.height {
        let rows = bicubic_taps(y, src.size().height, to.height);
        for columns in &columns {
            for c in 0..src.channels() {
                let mut sum = 1 << 21;
                for (row, wy) in rows {
                    for (column, wx) in columns {
                        sum += wy * wx * i64::from(src.at(*column, row, c));
                    }
                }
                out.push((sum >> 22).clamp(0, 255) as u8);
            }
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reference::Pattern;

    #[test]
    fn taps_by_hand() {
        // 2 to 4: coordinate -1/4, so t = 3/4: -0.03515625, 0.26171875, 0.87890625, -0.10546875.
        assert_eq!(bicubic_taps(0, 2, 4), [(0, -72), (0, 536), (0, 1800), (1, -216)]);
        assert_eq!(bicubic_taps(0, 8, 4), [(0, -192), (0, 1216), (1, 1216), (2, -192)]);
        assert_eq!(bicubic_taps(3, 9, 9).map(|t| t.1), [0, 2048, 0, 0]);
    }

    #[test]
    fn edges_overshoot_and_are_limited() {
        let row = Plane::tight(Size::new(4, 1), &[0, 0, 200, 200]).unwrap();
        // Places -1/4, 1/4, .. 13/4: -7 and -21 become 0; 45.3, 154.7, 221.1, 207.0.
        let out = bicubic(&row, Size::new(8, 1)).unwrap();
        assert_eq!(out, [0, 0, 0, 45, 155, 221, 207, 200]);
        assert!(bicubic(&row, Size::new(0, 1)).is_err());
    }

    #[test]
    fn same_size_copies_and_constants_stay() {
        let size = Size::new(17, 9);
        let data = Pattern::Random { seed: 5 }.plane(size, 1, 17);
        assert_eq!(bicubic(&Plane::tight(size, &data).unwrap(), size).unwrap(), data);
        let white = vec![255; 153];
        let out = bicubic(&Plane::tight(size, &white).unwrap(), Size::new(40, 5)).unwrap();
        assert!(out.len() == 200 && out.into_iter().all(|v| v == 255));
    }
}
