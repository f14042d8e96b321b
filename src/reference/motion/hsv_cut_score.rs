//! `motion/hsv_cut_score`: how much the colours of two frames differ.

use crate::Result;
use crate::core::HsvDifferenceSums;
use crate::reference::color::hsv_from_rgb::hsv_of;
use crate::reference::colors::Colors;
use crate::reference::plane::unfit;

/// Sums of the absolute differences of the 8-bit HSV ([`hsv_of`]) of all pixels.
///
/// # Errors
/// [`crate::Error::Parameter`] for different sizes.
pub fn hsv_cut_score(a: &Colors, b: &Colors) -> Result<HsvDifferenceSums> {
    if a.size() != b.size() {
        return Err(unfit("motion/hsv_cut_score", "b", a.size().to_string(), b.size()));
    }
    let mut sums = HsvDifferenceSums::default();
    for (a, b) in a.pixels().iter().zip(b.pixels()) {
        let ([h, s, v], [hue, saturation, value]) = (hsv_of(*a), hsv_of(*b));
        let d = u64::from(h.abs_diff(hue));
        sums.hue += d;
        sums.hue_circular += d.min(180 - d);
        sums.saturation += u64::from(s.abs_diff(saturation));
        sums.value += u64::from(v.abs_diff(value));
        sums.n += 1;
    }
    Ok(sums)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::Size;

    #[test]
    fn differences_by_hand() {
        let of = |pixels: &[[u8; 3]]| Colors::new(Size::new(pixels.len() as u32, 1), pixels.to_vec()).unwrap();
        // HSV 0 255 255 and 165 127 200 (the short way is 15); 120 255 255 and 60 255 255; twice the same.
        let a = of(&[[255, 0, 0], [0, 0, 255], [9, 8, 7]]);
        let b = of(&[[200, 100, 150], [0, 255, 0], [9, 8, 7]]);
        let want = HsvDifferenceSums { hue: 225, hue_circular: 75, saturation: 128, value: 55, n: 3 };
        assert_eq!(hsv_cut_score(&a, &b).unwrap(), want);
        assert_eq!(hsv_cut_score(&b, &a).unwrap(), want);
        assert!(hsv_cut_score(&a, &of(&[[0; 3]])).is_err());
    }
}
