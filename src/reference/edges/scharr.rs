//! `edges/scharr`: Scharr derivatives.

use super::gradient::Derivatives;
use crate::Result;
use crate::reference::plane::Plane;

/// `src`: 8-bit samples, one channel. `gx = [-3 0 3; -10 0 10; -3 0 3]`, `gy` its transpose, border reflect-101: each in
/// -4080..=4080.
///
/// # Errors
/// [`crate::Error::Parameter`] if `src` has more than one channel.
pub fn scharr(src: &Plane<'_>) -> Result<Derivatives> {
    Derivatives::of("edges/scharr", src, [3, 10, 3])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::Size;

    #[test]
    fn corner_impulse_of_three_by_three_by_hand() {
        let plane = [4, 0, 0, 0, 0, 0, 0, 0, 0];
        let d = scharr(&Plane::tight(Size::new(3, 3), &plane).unwrap()).unwrap();
        assert_eq!(d.gx, [0, -40, 0, 0, -12, 0, 0, 0, 0]);
        assert_eq!(d.gy, [0, 0, 0, -40, -12, 0, 0, 0, 0]);
        assert_eq!(d.magnitude(), [0, 40, 0, 40, 24, 0, 0, 0, 0]);
        assert_eq!(d.norm(), [0, 40, 0, 40, 17, 0, 0, 0, 0]); // sqrt(288) = 16.97
        assert!(scharr(&Plane::interleaved(Size::new(1, 1), 4, 4, &[0; 4]).unwrap()).is_err());
    }
}
