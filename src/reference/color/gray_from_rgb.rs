//! `color/gray_from_rgb`: packed RGB to 8-bit grey.

use crate::Result;
use crate::reference::plane::Plane;

/// Grey of one colour: `(3735*B + 19235*G + 9798*R + 16384) >> 15`.
///
/// The weights are those of BT.601 (0.114, 0.587, 0.299) in 15 bits and sum to 2^15, so white stays white; OpenCV uses
/// the same.
pub fn gray_of([r, g, b]: [u8; 3]) -> u8 {
    let [r, g, b] = [r, g, b].map(u32::from);
    ((3735 * b + 19235 * g + 9798 * r + 16384) >> 15) as u8
}

/// `rgba`: 4 channels R, G, B, A. Gives W x H bytes, each [`gray_of`] its pixel; A is ignored.
///
/// # Errors
/// [`crate::Error::Parameter`] if `rgba` does not have 4 channels.
pub fn gray_from_rgb(rgba: &Plane<'_>) -> Result<Vec<u8>> {
    rgba.expect_channels("color/gray_from_rgb", 4)?;
    Ok(rgba.pixels().map(|(x, y)| gray_of([0, 1, 2].map(|c| rgba.at(x, y, c)))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::Size;

    #[test]
    fn primaries_by_hand() {
        // 9798*255/32768 = 76.2, 19235*255/32768 = 149.7, 3735*255/32768 = 29.1
        let data = [255, 0, 0, 9, 0, 255, 0, 9, 0, 0, 255, 9, 255, 255, 255, 0, 0, 0, 0, 255, 1, 1, 1, 1];
        let plane = Plane::interleaved(Size::new(3, 2), 4, 12, &data).unwrap();
        assert_eq!(gray_from_rgb(&plane).unwrap(), [76, 150, 29, 255, 0, 1]);
    }

    #[test]
    fn grey_stays_and_wrong_channels_are_refused() {
        assert!((0..=255).all(|v| gray_of([v; 3]) == v));
        assert!(gray_from_rgb(&Plane::tight(Size::new(1, 1), &[0]).unwrap()).is_err());
    }
}
