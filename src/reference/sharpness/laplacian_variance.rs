//! `sharpness/laplacian_variance`: sums of the Laplacian and its squares.

use crate::Result;
use crate::core::LaplacianSums;
use crate::reference::edges::laplacian::laplacian;
use crate::reference::plane::Plane;

/// `src`: 8-bit samples, one channel. Sums over [`laplacian`], border reflect-101.
///
/// # Errors
/// [`crate::Error::Parameter`] if `src` has more than one channel.
pub fn laplacian_variance(src: &Plane<'_>) -> Result<LaplacianSums> {
    let mut s = LaplacianSums::default();
    for v in laplacian(src)? {
        s.n += 1;
        s.sum += i64::from(v);
        s.sum_sq += u64::from(v.unsigned_abs()).pow(2);
    }
    Ok(s)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::Size;

    #[test]
    fn impulse_in_three_by_three_by_hand() {
        let data = [0, 0, 0, 0, 10, 0, 0, 0, 0];
        let s = laplacian_variance(&Plane::tight(Size::new(3, 3), &data).unwrap()).unwrap();
        // Centre -40, four sides 20.
        assert_eq!(s, LaplacianSums { n: 9, sum: 40, sum_sq: 1600 + 4 * 400 });
        assert!((s.variance() - (3200.0 / 9.0 - 1600.0 / 81.0)).abs() < 1e-9);
    }
}
