//! `resize/bilinear`: any size to any size with two taps per axis.

use crate::Result;
use crate::core::Size;
use crate::reference::plane::{Plane, unfit};

/// One of the two taps of each axis in 2048ths.
const ONE: u64 = 2048;

/// The two sources of destination `x` along an axis from `from` to `to` samples, and the weight of the second in
/// 2048ths.
///
/// Half-pixel centres: the source coordinate is `((2x+1)*from - to) / (2*to)`, in exact integers. Its floor is the
/// first tap, the fraction `r/(2*to)` is rounded to 2048ths as `(2048*r + to) / (2*to)` (halves up; 2048 is possible).
/// The taps are clamped to `0..from` afterwards.
pub fn bilinear_taps(x: u32, from: u32, to: u32) -> ([u32; 2], u32) {
    let (from, to) = (i64::from(from), i64::from(to));
    let numerator = (2 * i64::from(x) + 1) * from - to;
    let first = numerator.div_euclid(2 * to);
    let weight = (ONE as i64 * numerator.rem_euclid(2 * to) + to) / (2 * to);
    ([first, first + 1].map(|i| i.clamp(0, from - 1) as u32), weight as u32)
}

/// `src`: W x H pixels of 1, 2 or 4 channels. Gives `to.width` x `to.height` pixels of the same channels, rows without
/// padding.
///
/// With taps and weights `fx`, `fy` of [`bilinear_taps`]: each of the two rows gives `t = a*(2048 - fx) + b*fx`, and
/// `out = (t0*(2048 - fy) + t1*fy + 2^21) >> 22`. Every step is exact in `u32` (at most `255 * 2^22 + 2^21`). Edges
/// clamp. No low-pass: below half size it skips pixels, use `resize/area` there. OpenCV's `INTER_LINEAR` drops bits
/// between the passes and may differ by 1.
///
/// # Errors
/// [`crate::Error::Parameter`] for 3 channels or an empty target.
pub fn bilinear(src: &Plane<'_>, to: Size) -> Result<Vec<u8>> {
    const OP: &str = "resize/bilinear";
    let from = src.size();
    if src.channels() == 3 {
        return Err(unfit(OP, "channels", "1, 2 or 4", 3));
    }
    if to.is_empty() {
        return Err(unfit(OP, "to", "at least 1x1", to));
    }
    let mut out = Vec::with_capacity(to.area() as usize * src.channels() as usize);
    for y in 0..to.height {
        let (rows, fy) = bilinear_taps(y, from.height, to.height);
        for x in 0..to.width {
            let (columns, fx) = bilinear_taps(x, from.width, to.width);
            for c in 0..src.channels() {
                let [t0, t1] = rows.map(|row| {
                    let [a, b] = columns.map(|column| u64::from(src.at(column, row, c)));
                    a * (ONE - u64::from(fx)) + b * u64::from(fx)
                });
                let sum = t0 * (ONE - u64::from(fy)) + t1 * u64::from(fy) + (1 << 21);
                out.push((sum >> 22) as u8);
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
        // 2 to 4: coordinates -1/4, 1/4, 3/4, 5/4
        let taps: Vec<_> = (0..4).map(|x| bilinear_taps(x, 2, 4)).collect();
        assert_eq!(taps, [([0, 0], 1536), ([0, 1], 512), ([0, 1], 1536), ([1, 1], 512)]);
        // 4 to 2: 1/2, 5/2; 3 to 2: 1/4, 7/4; 1 to 3: always the only sample
        assert_eq!((bilinear_taps(0, 4, 2), bilinear_taps(1, 4, 2)), (([0, 1], 1024), ([2, 3], 1024)));
        assert_eq!((bilinear_taps(0, 3, 2), bilinear_taps(1, 3, 2)), (([0, 1], 512), ([1, 2], 1536)));
        assert!((0..3).all(|x| bilinear_taps(x, 1, 3).0 == [0, 0]));
        // A fraction within 1/4096 of one rounds to 2048: coordinate (1*9999 - 10000) / 20000 = -1/20000
        assert_eq!(bilinear_taps(0, 9_999, 10_000), ([0, 0], 2048));
    }

    #[test]
    fn up_and_down_by_hand() {
        let four = Plane::tight(Size::new(2, 2), &[0, 100, 200, 40]).unwrap();
        let up = bilinear(&four, Size::new(4, 4)).unwrap();
        assert_eq!(up[..8], [0, 25, 75, 100, 50, 59, 76, 85]); // row 1: (3*row0 + row1)/4 = 50, 58.75, 76.25, 85
        let p = [0, 10, 20, 30, 1, 11, 21, 31, 100, 100, 200, 200, 100, 101, 200, 203];
        let plane = Plane::tight(Size::new(4, 4), &p).unwrap();
        assert_eq!(bilinear(&plane, Size::new(2, 2)).unwrap(), [6, 26, 100, 201]);
        let pixels = Plane::interleaved(Size::new(2, 1), 2, 4, &[0, 100, 10, 200]).unwrap();
        assert_eq!(bilinear(&pixels, Size::new(1, 1)).unwrap(), [5, 150]);
    }

    #[test]
    fn same_size_copies_and_constants_stay() {
        let size = Size::new(17, 9);
        let data = Pattern::Random { seed: 5 }.plane(size, 1, 17);
        assert_eq!(bilinear(&Plane::tight(size, &data).unwrap(), size).unwrap(), data);
        let white = vec![255; 153];
        let out = bilinear(&Plane::tight(size, &white).unwrap(), Size::new(40, 5)).unwrap();
        assert!(out.len() == 200 && out.into_iter().all(|v| v == 255));
        assert!(bilinear(&Plane::tight(size, &white).unwrap(), Size::new(4, 0)).is_err());
    }
}
