//! `color/hsv_from_rgb`: packed RGB to 8-bit HSV, H in half degrees.

use crate::Result;
use crate::reference::plane::Plane;

/// `numerator / d` rounded to nearest, 0 for `d == 0`. For the two numerators in use no quotient lies halfway.
const fn rounded_quotient(numerator: i32, d: i32) -> i32 {
    if d == 0 { 0 } else { (2 * numerator + d) / (2 * d) }
}

/// H (0..=179, half degrees), S, V (0..=255) of one colour, exactly as OpenCV computes them for 8 bits.
///
/// `V = max`, `d = V - min`, `S = (d * q(255*4096, V) + 2048) >> 12`, where `q(n, i)` is `n / i` rounded to nearest
/// and `q(n, 0) = 0`. With `h = G - B` if V is R, else `B - R + 2d` if V is G, else `R - G + 4d` (the first that
/// holds): `H = (h * q(30*4096, d) + 2048) >> 12` with an arithmetic shift, plus 180 if negative. 32-bit integers
/// suffice.
pub fn hsv_of([r, g, b]: [u8; 3]) -> [u8; 3] {
    let [r, g, b] = [r, g, b].map(i32::from);
    let v = r.max(g).max(b);
    let d = v - r.min(g).min(b);
    let s = (d * rounded_quotient(255 << 12, v) + 2048) >> 12;
    let h = if v == r {
        g - b
    } else if v == g {
        b - r + 2 * d
    } else {
        r - g + 4 * d
    };
    let h = (h * rounded_quotient(30 << 12, d) + 2048) >> 12;
    let h = if h < 0 { h + 180 } else { h };
    [h as u8, s as u8, v as u8]
}

/// `rgba`: 4 channels R, G, B, A. Gives W x H words `H | S << 8 | V << 16`, see [`hsv_of`]; A is ignored.
///
/// # Errors
/// [`crate::Error::Parameter`] if `rgba` does not have 4 channels.
pub fn hsv_from_rgb(rgba: &Plane<'_>) -> Result<Vec<u32>> {
    rgba.expect_channels("color/hsv_from_rgb", 4)?;
    Ok(rgba
        .pixels()
        .map(|(x, y)| {
            let [h, s, v] = hsv_of([0, 1, 2].map(|c| rgba.at(x, y, c)));
            u32::from_le_bytes([h, s, v, 0])
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::Size;

    #[test]
    fn colours_by_hand() {
        for (rgb, hsv) in [
            ([0, 0, 0], [0, 0, 0]),
            ([255, 255, 255], [0, 0, 255]),
            ([255, 0, 0], [0, 255, 255]),
            ([0, 255, 0], [60, 255, 255]),
            ([0, 0, 255], [120, 255, 255]),
            ([255, 255, 0], [30, 255, 255]),
            ([255, 0, 255], [150, 255, 255]),
            ([255, 0, 1], [0, 255, 255]),       // -1 of 255: -0.12 half degrees, rounds to 0
            ([200, 100, 150], [165, 127, 200]), // h = -50 of 100: -15; S = (100*5222 + 2048) >> 12
        ] {
            assert_eq!(hsv_of(rgb), hsv, "{rgb:?}");
        }
    }

    #[test]
    fn integer_quotients_equal_rounded_real_ones() {
        for (n, real) in [(255 << 12, 255.0 * 4096.0), (30 << 12, 180.0 * 4096.0 / 6.0)] {
            for d in 1..256 {
                assert_eq!(rounded_quotient(n, d), (real / f64::from(d)).round_ties_even() as i32, "{n} / {d}");
            }
        }
    }

    #[test]
    fn words_hold_h_lowest_and_ignore_alpha() {
        let plane = Plane::interleaved(Size::new(1, 2), 4, 8, &[0, 0, 255, 77, 1, 2, 3, 4, 200, 100, 150, 0]).unwrap();
        assert_eq!(hsv_from_rgb(&plane).unwrap(), [0x00FF_FF78, 0x00C8_7FA5]);
    }
}
