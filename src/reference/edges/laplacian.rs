//! `edges/laplacian`: the second derivatives' sum.

use crate::Result;
use crate::reference::plane::Plane;

/// `src`: 8-bit samples, one channel. `[0 1 0; 1 -4 1; 0 1 0]`, border reflect-101: values in -1020..=1020.
///
/// # Errors
/// [`crate::Error::Parameter`] if `src` has more than one channel.
pub fn laplacian(src: &Plane<'_>) -> Result<Vec<i16>> {
    src.expect_channels("edges/laplacian", 1)?;
    let value = |(x, y): (u32, u32)| {
        let at = |dx: i64, dy: i64| i16::from(src.at_reflect101(i64::from(x) + dx, i64::from(y) + dy));
        at(0, -1) + at(-1, 0) - 4 * at(0, 0) + at(1, 0) + at(0, 1)
    };
    Ok(src.pixels().map(value).collect())
}

/// `min(|L|, 255)` of [`laplacian`].
///
/// # Errors
/// As [`laplacian`].
pub fn magnitude(src: &Plane<'_>) -> Result<Vec<u8>> {
    Ok(laplacian(src)?.into_iter().map(|v| v.unsigned_abs().min(255) as u8).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::Size;

    #[test]
    fn impulse_in_three_by_three_by_hand() {
        let data = [0, 0, 0, 0, 100, 0, 0, 0, 0];
        let plane = Plane::tight(Size::new(3, 3), &data).unwrap();
        // Each side sees the impulse twice, once mirrored.
        assert_eq!(laplacian(&plane).unwrap(), [0, 200, 0, 200, -400, 200, 0, 200, 0]);
        assert_eq!(magnitude(&plane).unwrap(), [0, 200, 0, 200, 255, 200, 0, 200, 0]);
    }

    #[test]
    fn lines_and_single_pixels_have_degenerate_borders() {
        let of = |w, h, data: &[u8]| laplacian(&Plane::tight(Size::new(w, h), data).unwrap()).unwrap();
        assert_eq!(of(4, 1, &[1, 2, 3, 4]), [2, 0, 0, -2]);
        assert_eq!(of(1, 4, &[1, 2, 3, 4]), [2, 0, 0, -2]);
        assert_eq!(of(1, 1, &[200]), [0]);
        assert!(laplacian(&Plane::interleaved(Size::new(1, 1), 4, 4, &[0; 4]).unwrap()).is_err());
    }
}
