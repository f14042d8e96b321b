//! `filter/unsharp_mask`: sharper pictures.

use super::gaussian::gaussian;
use crate::Result;
use crate::reference::plane::{Plane, reflect101, unfit};

/// `src`: W x H pixels of 1 to 4 channels. Gives as many bytes, without padding:
/// `clamp(p + floor((a * (p - g) + 128) / 256))`, where `g` is the result of [`gaussian`] and `a` is `amount * 256`
/// rounded to nearest.
///
/// # Errors
/// As [`gaussian`], and for an amount out of 0 to 16.
pub fn unsharp_mask(src: &Plane<'_>, size: u32, sigma: Option<f64>, amount: f64) -> Result<Vec<u8>> {
    if !(0.0..=16.0).contains(&amount) {
        return Err(unfit("filter/unsharp_mask", "amount", "0 to 16", amount));
    }
    let a = (amount * 256.0).round() as i64;
    let blurred = gaussian(src, size, sigma)?;
    let channels = src.channels();
    let pixels = src.pixels().flat_map(|(x, y)| (0..channels).map(move |c| (x, y, c)));
    Ok(pixels
        .zip(blurred)
        .map(|((x, y, c), g)| {
            let p = i64::from(src.at(x, y, c));
            (p + (a * (p - i64::from(g)) + 128).div_euclid(256)).clamp(0, 255) as u8
        })
        .collect())
}

/// `src`: W x H pixels of 1 to 4 channels. Gives as many bytes, without padding: 9 times the pixel less its 8
/// neighbours, limited to 0..=255. Border: reflect-101.
pub fn sharpen(src: &Plane<'_>) -> Vec<u8> {
    let (w, h) = (src.size().width, src.size().height);
    let mut out = Vec::with_capacity((w * h * src.channels()) as usize);
    for (x, y) in src.pixels() {
        for c in 0..src.channels() {
            let mut sum = 0i64;
            for dy in -1..=1 {
                for dx in -1..=1 {
                    let weight = if (dx, dy) == (0, 0) { 9 } else { -1 };
                    let place = (reflect101(i64::from(x) + dx, w), reflect101(i64::from(y) + dy, h));
                    sum += weight * i64::from(src.at(place.0, place.1, c));
                }
            }
            out.push(sum.clamp(0, 255) as u8);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::Size;

    #[test]
    fn the_kernel_by_hand() {
        let plane = Plane::tight(Size::new(3, 3), &[10, 10, 10, 10, 12, 10, 10, 10, 11]).unwrap();
        // Centre: 108 - 81 = 27; corner (0, 0) sees four 12 and four 10: 90 - 88 = 2.
        let out = sharpen(&plane);
        assert_eq!((out[4], out[0]), (27, 2));
        assert_eq!(sharpen(&Plane::tight(Size::new(4, 2), &[200; 8]).unwrap()), [200; 8]);
    }

    #[test]
    fn the_mask_by_hand() {
        // Blurred: 15 20 25; differences -5 0 5 by 1.5: -7.5 and 7.5, halves up.
        let row = Plane::tight(Size::new(3, 1), &[10, 20, 30]).unwrap();
        assert_eq!(unsharp_mask(&row, 3, None, 1.5).unwrap(), [3, 20, 38]);
        assert_eq!(unsharp_mask(&row, 3, None, 0.0).unwrap(), [10, 20, 30]);
        assert_eq!(unsharp_mask(&row, 3, None, 16.0).unwrap(), [0, 20, 110]);
        assert!(unsharp_mask(&row, 3, None, 16.1).is_err() && unsharp_mask(&row, 3, None, f64::NAN).is_err());
    }
}
