//! `histogram/hsv3d`: joint histogram of hue, saturation and value.

use crate::Result;
use crate::reference::color::hsv_from_rgb::hsv_of;
use crate::reference::colors::Colors;
use crate::reference::plane::unfit;

/// Counts of the 8-bit HSV ([`hsv_of`]) of all pixels: bin `(h * S + s) * V + v` for `[H, S, V]` bins, where `h = floor(hue * H / 180)`,
/// `s = floor(saturation * S / 256)`, `v = floor(value * V / 256)`.
///
/// # Errors
/// [`crate::Error::Parameter`] for no bins of a component, or more than it has codes.
pub fn hsv3d(picture: &Colors, bins: [u32; 3]) -> Result<Vec<u32>> {
    let [hues, saturations, values] = bins;
    if !(1..=180).contains(&hues) || !(1..=256).contains(&saturations) || !(1..=256).contains(&values) {
        return Err(unfit("histogram/hsv3d", "bins", "1 to 180, 1 to 256, 1 to 256", format!("{bins:?}")));
    }
    let mut counts = vec![0; (hues * saturations * values) as usize];
    for rgb in picture.pixels() {
        let [h, s, v] = hsv_of(*rgb).map(u32::from);
        let (h, s, v) = (h * hues / 180, s * saturations / 256, v * values / 256);
        counts[((h * saturations + s) * values + v) as usize] += 1;
    }
    Ok(counts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::Size;

    #[test]
    fn colours_by_hand() {
        // HSV: red 0 255 255, green 60 255 255, blue 120 255 255, grey 0 0 128.
        let pixels = vec![[255, 0, 0], [0, 255, 0], [0, 0, 255], [128, 128, 128]];
        let picture = Colors::new(Size::new(2, 2), pixels).unwrap();
        let counts = hsv3d(&picture, [6, 6, 6]).unwrap();
        // h * 36 + s * 6 + v; 60 * 6 / 180 = 2, 128 * 6 / 256 = 3.
        let mut want = vec![0; 216];
        [5 * 6 + 5, 2 * 36 + 35, 4 * 36 + 35, 3].iter().for_each(|i: &usize| want[*i] += 1);
        assert_eq!(counts, want);
        assert_eq!(hsv3d(&picture, [2, 1, 3]).unwrap(), [0, 1, 2, 0, 0, 1]);
        assert!([[0, 1, 1], [181, 1, 1], [1, 257, 1], [1, 1, 0]].iter().all(|b| hsv3d(&picture, *b).is_err()));
    }
}
