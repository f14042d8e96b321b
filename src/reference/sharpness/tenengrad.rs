//! `sharpness/tenengrad`: sum of the squared Sobel gradient.

use crate::Result;
use crate::core::TenengradSums;
use crate::reference::edges::sobel::sobel;
use crate::reference::plane::Plane;

/// `src`: 8-bit samples, one channel. Sum of `gx^2 + gy^2` over [`sobel`], border reflect-101.
///
/// # Errors
/// [`crate::Error::Parameter`] if `src` has more than one channel.
pub fn tenengrad(src: &Plane<'_>) -> Result<TenengradSums> {
    let d = sobel(src)?;
    let square = |v: &i16| u64::from(v.unsigned_abs()).pow(2);
    Ok(TenengradSums { n: src.size().area(), sum: d.gx.iter().chain(&d.gy).map(square).sum() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::Size;

    #[test]
    fn corner_impulse_of_three_by_three_by_hand() {
        let data = [4, 0, 0, 0, 0, 0, 0, 0, 0];
        let s = tenengrad(&Plane::tight(Size::new(3, 3), &data).unwrap()).unwrap();
        // gx is -8 at (1,0) and -4 at (1,1), gy the same turned.
        assert_eq!(s, TenengradSums { n: 9, sum: 64 + 64 + 32 });
    }
}
