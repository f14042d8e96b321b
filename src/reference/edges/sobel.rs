//! `edges/sobel`: Sobel derivatives.

use super::gradient::Derivatives;
use crate::Result;
use crate::reference::plane::Plane;

/// `src`: 8-bit samples, one channel. `gx = [-1 0 1; -2 0 2; -1 0 1]`, `gy` its transpose, border reflect-101: each in -1020..=1020.
///
/// # Errors
/// [`crate::Error::Parameter`] if `src` has more than one channel.
pub fn sobel(src: &Plane<'_>) -> Result<Derivatives> {
    Derivatives::of("edges/sobel", src, [1, 2, 1])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::Size;

    fn of(w: u32, h: u32, data: &[u8]) -> Derivatives {
        sobel(&Plane::tight(Size::new(w, h), data).unwrap()).unwrap()
    }

    #[test]
    fn corner_impulse_of_three_by_three_by_hand() {
        let d = of(3, 3, &[4, 0, 0, 0, 0, 0, 0, 0, 0]);
        // The top row repeats nothing: above row 0 lies row 1. The impulse is left of (1,0) with weight 2, above-left of (1,1).
        assert_eq!(d.gx, [0, -8, 0, 0, -4, 0, 0, 0, 0]);
        assert_eq!(d.gy, [0, 0, 0, -8, -4, 0, 0, 0, 0]);
        assert_eq!(d.magnitude(), [0, 8, 0, 8, 8, 0, 0, 0, 0]);
        assert_eq!(d.norm(), [0, 8, 0, 8, 6, 0, 0, 0, 0]); // sqrt(32) = 5.66
    }

    #[test]
    fn a_step_saturates_and_a_single_pixel_has_no_edge() {
        let d = of(4, 1, &[0, 0, 255, 255]);
        assert_eq!((d.gx.as_slice(), d.gy.as_slice()), (&[0, 1020, 1020, 0][..], &[0; 4][..]));
        assert_eq!((d.magnitude(), d.norm()), (vec![0, 255, 255, 0], vec![0, 1020, 1020, 0]));
        assert_eq!(of(1, 1, &[9]), Derivatives { gx: vec![0], gy: vec![0] });
        assert!(sobel(&Plane::interleaved(Size::new(1, 1), 4, 4, &[0; 4]).unwrap()).is_err());
    }
}
