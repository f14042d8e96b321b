//! `occlusion/paste_object`: a foreground element pasted.

use super::{Occluded, painted};
use crate::Result;
use crate::core::occlusion::Paste;
use crate::reference::plane::{Plane, unfit};

/// First sample, second sample and weight of the second in 256ths for place `i` of `to` on an axis of `size` samples: half-pixel centres,
/// clamped at both ends.
fn taps(i: u32, size: u32, to: u32) -> [(u32, u32); 2] {
    let (doubled, to) = ((2 * u64::from(i) + 1) * u64::from(size), u64::from(to));
    let place = doubled.max(to) - to;
    let (first, rest) = ((place / (2 * to)) as u32, place % (2 * to));
    let weight = ((256 * rest + to) / (2 * to)) as u32;
    let last = size - 1;
    [(first.min(last), 256 - weight), ((first + 1).min(last), weight)]
}

/// `src` with `object` (R, G, B, A, straight alpha) pasted, scaled bilinearly with colours weighted by their alpha.
///
/// Tap `i` has the weight `w_i` of 65 536. `A = (sum w_i a_i + 128) >> 8` and `C = (sum w_i a_i c_i + 32768) >> 16`; with opacity `o` in
/// 256ths the pixel becomes `(p (F - A o) + 256 C o + F/2) / F` rounded down, `F = 255 * 65536`: at scale 1 and full opacity an opaque
/// pixel replaces and a transparent one changes nothing, exactly. A pixel is covered where `A o > 0`. Alpha of the picture is kept.
///
/// # Errors
/// [`crate::Error::Parameter`] if `src` or `object` do not have 4 channels.
pub fn paste_object(src: &Plane<'_>, object: &Plane<'_>, paste: &Paste) -> Result<Occluded> {
    const OP: &str = "occlusion/paste_object";
    const FULL: u64 = 255 * 65_536;
    src.expect_channels(OP, 4)?;
    object.expect_channels(OP, 4)?;
    let size = object.size();
    let to =
        paste.target(size).ok_or_else(|| unfit(OP, "scale", "a target of 1 to 32768 pixels a side", paste.scale))?;
    let opacity = u64::from(paste.opacity_256ths().ok_or_else(|| unfit(OP, "opacity", "0 to 1", paste.opacity))?);
    // Alpha and the three colours times alpha.
    let sample = |x: u32, y: u32| {
        let (i, j) = (i64::from(x) - i64::from(paste.x), i64::from(y) - i64::from(paste.y));
        if !(0..i64::from(to.width)).contains(&i) || !(0..i64::from(to.height)).contains(&j) {
            return [0; 4];
        }
        let mut sums = [0u64; 4];
        for (row, down) in taps(j as u32, size.height, to.height) {
            for (column, across) in taps(i as u32, size.width, to.width) {
                let weight = u64::from(down * across) * u64::from(object.at(column, row, 3));
                sums[3] += weight;
                for c in 0..3 {
                    sums[c as usize] += weight * u64::from(object.at(column, row, c));
                }
            }
        }
        [0, 1, 2, 3].map(|c| if c == 3 { (sums[c] + 128) >> 8 } else { (sums[c] + 32_768) >> 16 })
    };
    painted(
        OP,
        src,
        |x, y| sample(x, y)[3] * opacity > 0,
        |x, y, old| {
            let [r, g, b, alpha] = sample(x, y);
            let mut new = old;
            for (p, c) in new.iter_mut().zip([r, g, b]) {
                *p = ((u64::from(*p) * (FULL - alpha * opacity) + 256 * c * opacity + FULL / 2) / FULL) as u8;
            }
            new
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::Size;

    const ONE: Paste = Paste { object: 0, x: 1, y: 0, scale: 1.0, opacity: 1.0 };

    fn row(object: &[u8], paste: Paste) -> (Vec<u8>, u64) {
        let data: Vec<u8> = [100, 110, 120, 7].repeat(4);
        let plane = Plane::interleaved(Size::new(4, 1), 4, 16, &data).unwrap();
        let object = Plane::interleaved(Size::new(object.len() as u32 / 4, 1), 4, object.len(), object).unwrap();
        let (out, covered) = paste_object(&plane, &object, &paste).unwrap();
        (out.chunks(4).map(|p| p[0]).collect(), covered.pixels)
    }

    #[test]
    fn pixels_replace_blend_or_stay_by_hand() {
        // Opaque 200; half of 200: 100 + 100 * 128/255 = 150.2; transparent.
        let object = [200, 0, 0, 255, 200, 0, 0, 128, 200, 0, 0, 0];
        assert_eq!(row(&object, ONE), (vec![100, 200, 150, 100], 2));
        assert_eq!(row(&object, Paste { opacity: 0.5, ..ONE }), (vec![100, 150, 125, 100], 2));
        assert_eq!(row(&object, Paste { opacity: 0.0, ..ONE }), (vec![100; 4], 0));
        // Moved out to the left and to the right.
        assert_eq!(row(&object, Paste { x: -1, ..ONE }), (vec![150, 100, 100, 100], 1));
        assert_eq!(row(&object, Paste { x: 3, ..ONE }), (vec![100, 100, 100, 200], 1));
        assert_eq!(row(&object, Paste { x: 4, ..ONE }), (vec![100; 4], 0));
    }

    #[test]
    fn colours_of_transparent_pixels_do_not_bleed() {
        // Opaque 200 beside transparent 0, twice as large: places -1/4 1/4 3/4 5/4, alpha 1, 3/4, 1/4, 0; the colour stays 200.
        let object = [200, 0, 0, 255, 0, 0, 0, 0];
        assert_eq!(row(&object, Paste { x: 0, scale: 2.0, ..ONE }), (vec![200, 175, 125, 100], 3));
        assert_eq!(taps(0, 5, 5), [(0, 256), (1, 0)]);
        assert_eq!(taps(4, 5, 5), [(4, 256), (4, 0)]);
    }
}
