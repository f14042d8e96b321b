//! `histogram/gradient_texture`: how strong edges are, as shares of the strongest.

use crate::Result;
use crate::core::GradientTexture;
use crate::reference::edges::sobel::sobel;
use crate::reference::plane::{Plane, unfit};

/// `src`: 8-bit samples, one channel; `bins` 32 or 64. With `m = gx^2 + gy^2` of [`sobel`] (border reflect-101) and `peak` the
/// largest `m`: a pixel goes to bin `floor(255 * sqrt(m / peak) * bins / 256)`, decided without rounding as the largest `k` with
/// `(255 * bins)^2 * m >= (256 * k)^2 * peak`; to bin 0 where `peak` is 0.
///
/// # Errors
/// [`crate::Error::Parameter`] if `src` has more than one channel, or for other numbers of bins.
pub fn gradient_texture(src: &Plane<'_>, bins: u32) -> Result<GradientTexture> {
    if !matches!(bins, 32 | 64) {
        return Err(unfit("histogram/gradient_texture", "bins", "32 or 64", bins));
    }
    let d = sobel(src)?;
    let square = |v: &i16| u64::from(v.unsigned_abs()).pow(2);
    let squares: Vec<u64> = d.gx.iter().zip(&d.gy).map(|(gx, gy)| square(gx) + square(gy)).collect();
    let peak = squares.iter().copied().max().unwrap_or(0);
    let limits: Vec<u64> = (1..u64::from(bins)).map(|k| (256 * k).pow(2) * peak).collect();
    let mut counts = vec![0; bins as usize];
    for m in squares {
        let scaled = (255 * u64::from(bins)).pow(2) * m;
        counts[if peak == 0 { 0 } else { limits.partition_point(|limit| scaled >= *limit) }] += 1;
    }
    Ok(GradientTexture { peak: peak as u32, counts })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::Size;

    fn of(w: u32, h: u32, data: &[u8], bins: u32) -> GradientTexture {
        gradient_texture(&Plane::tight(Size::new(w, h), data).unwrap(), bins).unwrap()
    }

    #[test]
    fn corner_impulse_of_three_by_three_by_hand() {
        // m is 64 at two pixels, 32 at one, 0 at six. sqrt(32/64) * 255 = 180.3: bin 22 of 32, 45 of 64.
        let t = of(3, 3, &[4, 0, 0, 0, 0, 0, 0, 0, 0], 32);
        let bin = |t: &GradientTexture, i: usize| t.counts[i];
        assert_eq!((t.peak, bin(&t, 0), bin(&t, 22), bin(&t, 31)), (64, 6, 1, 2));
        let t = of(3, 3, &[4, 0, 0, 0, 0, 0, 0, 0, 0], 64);
        assert_eq!((t.counts.len(), bin(&t, 0), bin(&t, 45), bin(&t, 63)), (64, 6, 1, 2));
    }

    #[test]
    fn a_flat_picture_lies_in_bin_0_and_other_bins_are_refused() {
        let t = of(5, 2, &[9; 10], 32);
        assert_eq!((t.peak, t.counts[0], t.counts.iter().sum::<u32>()), (0, 10, 10));
        assert!(gradient_texture(&Plane::tight(Size::new(1, 1), &[0]).unwrap(), 16).is_err());
    }
}
