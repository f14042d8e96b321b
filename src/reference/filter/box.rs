//! `filter/box`: mean of a square window.

use crate::Result;
use crate::reference::plane::{Plane, reflect101, unfit};

/// Mean of a sum of `area` bytes as OpenCV rounds it.
///
/// Up to 256 pixels: `((sum + delta) * scale) >> 23`, where `scale` is `2^23 / area` and `delta` is `area / 2`; if the
/// fraction of the quotient is below a half, it is dropped and `delta` is one more, else `scale` is one more. Above:
/// nearest, halves to even. A window of one pixel copies.
pub fn box_mean_of(sum: u64, area: u64) -> u8 {
    if area == 1 {
        return sum as u8;
    }
    if area <= 256 {
        let quotient = (1u64 << 23) as f64 / area as f64;
        let low = quotient.floor();
        let (delta, scale) = if quotient - low < 0.5 { (area / 2 + 1, low as u64) } else { (area / 2, low as u64 + 1) };
        return (((sum + delta) * scale) >> 23) as u8;
    }
    let (mean, rest) = (sum / area, sum % area);
    match (2 * rest).cmp(&area) {
        std::cmp::Ordering::Less => mean as u8,
        std::cmp::Ordering::Greater => mean as u8 + 1,
        std::cmp::Ordering::Equal => (mean + mean % 2) as u8,
    }
}

/// `src`: W x H pixels of 1 to 4 channels. Gives as many bytes, without padding: [`box_mean_of`] the window of
/// `size` x `size` pixels that begins `size / 2` pixels left of and above each pixel. Border: reflect-101.
///
/// # Errors
/// [`crate::Error::Parameter`] for a size out of 1 to 255.
pub fn box_mean(src: &Plane<'_>, size: u32) -> Result<Vec<u8>> {
    if !(1..=255).contains(&size) {
        return Err(unfit("filter/box", "size", "1 to 255", size));
    }
    let (w, h, channels) = (src.size().width, src.size().height, src.channels());
    let window = |i: u32, n: u32| {
        (0..i64::from(size)).map(move |k| reflect101(i64::from(i) - i64::from(size / 2) + k, n)).collect::<Vec<_>>()
    };
    let columns: Vec<Vec<u32>> = (0..w).map(|x| window(x, w)).collect();
    let mut rows = Vec::with_capacity((w * h * channels) as usize);
    for y in 0..h {
        for columns in &columns {
            for c in 0..channels {
                rows.push(columns.iter().map(|x| u64::from(src.at(*x, y, c))).sum::<u64>());
            }
        }
    }
    let stride = (w * channels) as usize;
    let mut out = Vec::with_capacity(rows.len());
    for y in 0..h {
        let window = window(y, h);
        for i in 0..stride {
            let sum = window.iter().map(|y| rows[*y as usize * stride + i]).sum();
            out.push(box_mean_of(sum, u64::from(size * size)));
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::Size;

    #[test]
    fn means_by_hand() {
        let plane = Plane::tight(Size::new(3, 3), &[1, 2, 3, 4, 5, 6, 7, 8, 9]).unwrap();
        // Corner: 5 4 5 / 2 1 2 / 5 4 5 = 33 / 9 = 3.67
        let out = box_mean(&plane, 3).unwrap();
        assert_eq!((out[0], out[4], out[8]), (4, 5, 6));
        assert_eq!(box_mean(&plane, 1).unwrap(), [1, 2, 3, 4, 5, 6, 7, 8, 9]);
        assert!(box_mean(&plane, 0).is_err() && box_mean(&plane, 256).is_err());
    }

    #[test]
    fn even_windows_reach_up_and_left() {
        // Pixel (1, 1) averages all four; (0, 0) sees 40 30 / 20 10.
        let plane = Plane::tight(Size::new(2, 2), &[10, 20, 30, 40]).unwrap();
        assert_eq!(box_mean(&plane, 2).unwrap(), [25; 4]);
        let row = Plane::tight(Size::new(4, 1), &[0, 100, 0, 40]).unwrap();
        assert_eq!(box_mean(&row, 2).unwrap(), [50, 50, 50, 20]);
    }

    #[test]
    fn rounding_of_small_and_large_windows() {
        // Quarters round up: 1 of 4 is 0.25 + 3/4; ninths to nearest.
        assert_eq!([0, 1, 4, 5].map(|s| box_mean_of(s, 4)), [0, 1, 1, 2]);
        assert_eq!([4, 5, 13, 14].map(|s| box_mean_of(s, 9)), [0, 1, 1, 2]);
        // 18 * 18 = 324: halves to even.
        assert_eq!([162, 163, 486, 485].map(|s| box_mean_of(s, 324)), [0, 1, 2, 1]);
        assert!((1..=64u64).all(|n| box_mean_of(255 * n * n, n * n) == 255));
    }
}
