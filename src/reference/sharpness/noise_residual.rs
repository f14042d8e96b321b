//! `sharpness/noise_residual`: what a small blur takes away.

use crate::Result;
use crate::core::ResidualSums;
use crate::reference::plane::Plane;

const BINOMIAL: [u32; 5] = [1, 4, 6, 4, 1];

/// `src`: 8-bit samples, one channel. Sum of `|p - b|` with `b = (B + 128) >> 8`, `B` the sum over 5x5 pixels with the weights
/// `[1 4 6 4 1]` across times `[1 4 6 4 1]` down (256 in all), border reflect-101.
///
/// # Errors
/// [`crate::Error::Parameter`] if `src` has more than one channel.
pub fn noise_residual(src: &Plane<'_>) -> Result<ResidualSums> {
    src.expect_channels("sharpness/noise_residual", 1)?;
    let mut s = ResidualSums::default();
    for (x, y) in src.pixels() {
        let mut total = 128;
        for (dy, down) in (-2..=2).zip(BINOMIAL) {
            for (dx, across) in (-2..=2).zip(BINOMIAL) {
                total += down * across * u32::from(src.at_reflect101(i64::from(x) + dx, i64::from(y) + dy));
            }
        }
        s.n += 1;
        s.sum += u64::from(u32::from(src.at(x, y, 0)).abs_diff(total >> 8));
    }
    Ok(s)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::Size;

    fn sum(w: u32, h: u32, data: &[u8]) -> u64 {
        noise_residual(&Plane::tight(Size::new(w, h), data).unwrap()).unwrap().sum
    }

    #[test]
    fn impulses_by_hand() {
        // In the middle of 5x5: two away from every edge, so that the first and last rows and columns see it twice, once mirrored:
        // weights 2 4 6 4 2 across and down. 255 w / 256 rounds to w up to w = 36, the centre.
        let mut data = [0; 25];
        data[12] = 255;
        assert_eq!(sum(5, 5, &data), (255 - 36) + (18 * 18 - 36));
        // Along a line of three with the impulse at one end: weights 1 4 6 4 1 fold to 6, 4, 2 (twice 1) over 16.
        // 160 * 6/16 = 60, 160 * 4/16 = 40, 160 * 2/16 = 20.
        assert_eq!(sum(3, 1, &[160, 0, 0]), 100 + 40 + 20);
        assert_eq!(sum(1, 3, &[160, 0, 0]), 100 + 40 + 20);
    }

    #[test]
    fn constants_have_no_residual() {
        assert_eq!((sum(1, 1, &[77]), sum(2, 2, &[255; 4]), sum(4, 3, &[9; 12])), (0, 0, 0));
        assert!(noise_residual(&Plane::interleaved(Size::new(1, 1), 4, 4, &[0; 4]).unwrap()).is_err());
    }
}
