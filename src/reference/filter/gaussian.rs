//! `filter/gaussian`: Gaussian blur.

use crate::Result;
use crate::reference::plane::{Plane, reflect101, unfit};

/// Weights of a Gaussian window of `size` pixels in 256ths.
///
/// Without a sigma the windows of 3, 5, 7 and 9 pixels are given: `[64 128 ..]`, `[16 64 96 ..]`, `[8 28 56 72 ..]`,
/// `[4 13 30 51 60 ..]`; larger ones have `sigma = 0.3 * ((size - 1) / 2 - 1) + 0.8`. With a sigma the weights are
/// `k_i = exp(-(i - (size - 1) / 2)^2 / (2 sigma^2))` divided by their sum, in f64; from the outside in
/// `v = 256 k_i + carry` is rounded to nearest (halves to even) and `carry` is what that left over; the centre is
/// 256 less all others.
///
/// # Errors
/// [`crate::Error::Parameter`] for an even size, one out of 3 to 31, or a sigma that is not above 0.
pub fn gaussian_taps(size: u32, sigma: Option<f64>) -> Result<Vec<u32>> {
    const OP: &str = "filter/gaussian";
    if size.is_multiple_of(2) || !(3..=31).contains(&size) {
        return Err(unfit(OP, "size", "odd, 3 to 31", size));
    }
    let sigma = match (sigma, size) {
        (None, 3) => return Ok(vec![64, 128, 64]),
        (None, 5) => return Ok(vec![16, 64, 96, 64, 16]),
        (None, 7) => return Ok(vec![8, 28, 56, 72, 56, 28, 8]),
        (None, 9) => return Ok(vec![4, 13, 30, 51, 60, 51, 30, 13, 4]),
        (None, _) => 0.3 * (f64::from(size - 1) * 0.5 - 1.0) + 0.8,
        (Some(s), _) if s > 0.0 && s.is_finite() => s,
        (Some(s), _) => return Err(unfit(OP, "sigma", "above 0", s)),
    };
    let middle = f64::from(size - 1) * 0.5;
    let k: Vec<f64> = (0..size).map(|i| (-(f64::from(i) - middle).powi(2) / (2.0 * sigma * sigma)).exp()).collect();
    let sum: f64 = k.iter().sum();
    let mut taps = vec![0u32; size as usize];
    let (mut carry, mut rest) = (0.0, 256);
    for i in 0..size as usize / 2 {
        let v = 256.0 * (k[i] / sum) + carry;
        taps[i] = v.round_ties_even() as u32;
        taps[size as usize - 1 - i] = taps[i];
        carry = v - f64::from(taps[i]);
        rest -= 2 * taps[i];
    }
    taps[size as usize / 2] = rest;
    Ok(taps)
}

/// `src`: W x H pixels of 1 to 4 channels. Gives as many bytes, without padding: `(sum of t_i t_j p_ij + 32768) >> 16`
/// over the window around each pixel with the weights of [`gaussian_taps`], in exact integers. Border: reflect-101.
///
/// # Errors
/// As [`gaussian_taps`].
pub fn gaussian(src: &Plane<'_>, size: u32, sigma: Option<f64>) -> Result<Vec<u8>> {
    let taps = gaussian_taps(size, sigma)?;
    let (w, h, channels) = (src.size().width, src.size().height, src.channels());
    let reach = i64::from(size / 2);
    let places = |i: u32, n: u32| (0..i64::from(size)).map(move |k| reflect101(i64::from(i) + k - reach, n));
    // Sums along rows first; nothing is rounded in between, so the order does not matter.
    let mut rows = Vec::with_capacity((w * h * channels) as usize);
    let columns: Vec<Vec<u32>> = (0..w).map(|x| places(x, w).collect()).collect();
    for y in 0..h {
        for columns in &columns {
            for c in 0..channels {
                rows.push(columns.iter().zip(&taps).map(|(x, t)| u32::from(src.at(*x, y, c)) * t).sum::<u32>());
            }
        }
    }
    let stride = (w * channels) as usize;
    let mut out = Vec::with_capacity(rows.len());
    for y in 0..h {
        let window: Vec<usize> = places(y, h).map(|y| y as usize * stride).collect();
        for i in 0..stride {
            let sum: u32 = window.iter().zip(&taps).map(|(row, t)| rows[row + i] * t).sum();
            out.push(((sum + 32768) >> 16) as u8);
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::Size;

    #[test]
    fn an_impulse_shows_the_window() {
        let mut data = vec![0; 25];
        data[12] = 255;
        let out = gaussian(&Plane::tight(Size::new(5, 5), &data).unwrap(), 3, None).unwrap();
        // 255 * [1 2 1; 2 4 2; 1 2 1] / 16 = 15.9, 31.9, 63.75
        assert_eq!(out[6..9], [16, 32, 16]);
        assert_eq!(out[11..14], [32, 64, 32]);
        assert_eq!((out[0], out[10]), (0, 0));
    }

    #[test]
    fn borders_are_mirrored_without_the_edge() {
        // [10 20 30]: left (20 + 2*10 + 20)/4 = 15, right (20 + 2*30 + 20)/4 = 25
        let row = Plane::tight(Size::new(3, 1), &[10, 20, 30]).unwrap();
        assert_eq!(gaussian(&row, 3, None).unwrap(), [15, 20, 25]);
        let one = Plane::interleaved(Size::new(1, 1), 4, 4, &[7, 200, 0, 255]).unwrap();
        assert_eq!(gaussian(&one, 31, Some(3.0)).unwrap(), [7, 200, 0, 255]);
    }

    #[test]
    fn weights_of_sigma_5() {
        let taps = gaussian_taps(31, Some(5.0)).unwrap();
        assert_eq!(taps[..16], [0, 1, 0, 1, 2, 3, 4, 6, 7, 10, 13, 15, 17, 19, 20, 20]);
        assert!(gaussian_taps(4, None).is_err() && gaussian_taps(33, None).is_err());
        assert!(gaussian_taps(5, Some(0.0)).is_err() && gaussian_taps(5, Some(f64::NAN)).is_err());
    }
}
