//! `color/hsv_range`: which pixels have a colour of a range.

use super::hsv_from_rgb::hsv_of;
use crate::Result;
use crate::core::HsvRange;
use crate::reference::plane::Plane;

/// `rgba`: 4 channels R, G, B, A. Gives W x H bytes: 255 where [`hsv_of`] the pixel lies in `range`, else 0; A is ignored.
///
/// # Errors
/// [`crate::Error::Parameter`] if `rgba` does not have 4 channels.
pub fn hsv_range(rgba: &Plane<'_>, range: HsvRange) -> Result<Vec<u8>> {
    rgba.expect_channels("color/hsv_range", 4)?;
    let mask = |(x, y)| if range.holds(hsv_of([0, 1, 2].map(|c| rgba.at(x, y, c)))) { 255 } else { 0 };
    Ok(rgba.pixels().map(mask).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::Size;

    #[test]
    fn reds_by_hand() {
        // Red, dark red, orange, violet red (hue 165), white, black.
        let data = [255, 0, 0, 9, 40, 0, 0, 9, 255, 90, 0, 9, 200, 100, 150, 9, 255, 255, 255, 0, 0, 0, 0, 0];
        let plane = Plane::interleaved(Size::new(6, 1), 4, 24, &data).unwrap();
        let red = HsvRange { low: [0, 50, 50], high: [10, 255, 255] };
        assert_eq!(hsv_range(&plane, red).unwrap(), [255, 0, 0, 0, 0, 0]);
        let around = HsvRange { low: [160, 50, 0], high: [10, 255, 255] };
        assert_eq!(hsv_range(&plane, around).unwrap(), [255, 255, 0, 255, 0, 0]);
        let bright = HsvRange { low: [0, 0, 200], high: [179, 255, 255] };
        assert_eq!(hsv_range(&plane, bright).unwrap(), [255, 0, 255, 255, 255, 0]);
        assert!(hsv_range(&Plane::tight(Size::new(1, 1), &[0]).unwrap(), red).is_err());
    }
}
