//! `blend/alpha_over`: one picture over another.

use super::alike;
use crate::Result;
use crate::core::blend::Alpha;
use crate::reference::plane::Plane;

/// Porter and Duff's "over" of one pixel (R, G, B, A), all divisions rounded down.
///
/// With `q = 255 - a_top`: alpha is `a_top + (a_bottom q + 127) / 255`. Premultiplied colours are `min(c_top + (c_bottom q + 127) / 255,
/// 255)`. Straight ones are `(255 c_top a_top + c_bottom a_bottom q + n/2) / n` with the alpha before rounding, `n = 255 a_top + a_bottom
/// q`, and 0 where `n` is 0.
pub fn over(top: [u8; 4], bottom: [u8; 4], alpha: Alpha) -> [u8; 4] {
    let ([.., at], [.., ab]) = (top.map(u32::from), bottom.map(u32::from));
    let q = 255 - at;
    let n = 255 * at + ab * q;
    let mut out = [0; 4];
    for (out, (c, d)) in out.iter_mut().zip(top.into_iter().zip(bottom)) {
        let (c, d) = (u32::from(c), u32::from(d));
        *out = match alpha {
            Alpha::Premultiplied => (c + (d * q + 127) / 255).min(255),
            Alpha::Straight => (255 * c * at + d * ab * q + n / 2).checked_div(n).unwrap_or(0),
        } as u8;
    }
    out[3] = (at + (ab * q + 127) / 255) as u8;
    out
}

/// `top` over `bottom`, both with 4 channels and of one size: [`over`] for each pixel.
///
/// # Errors
/// [`crate::Error::Parameter`] for other channels and different sizes.
pub fn alpha_over(top: &Plane<'_>, bottom: &Plane<'_>, alpha: Alpha) -> Result<Vec<u8>> {
    const OP: &str = "blend/alpha_over";
    top.expect_channels(OP, 4)?;
    alike(OP, top, bottom)?;
    let pixel = |p: &Plane<'_>, x, y| [0, 1, 2, 3].map(|c| p.at(x, y, c));
    Ok(top.pixels().flat_map(|(x, y)| over(pixel(top, x, y), pixel(bottom, x, y), alpha)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pixels_by_hand() {
        let bottom = [100, 200, 0, 255];
        for alpha in [Alpha::Straight, Alpha::Premultiplied] {
            assert_eq!(over([1, 2, 3, 255], bottom, alpha), [1, 2, 3, 255]);
            assert_eq!(over([0; 4], bottom, alpha), bottom);
            assert_eq!(over([0; 4], [0; 4], alpha), [0; 4]);
        }
        // 51/255 = 1/5 over opaque: 0.2*50 + 0.8*100 = 90, 0.2*50 + 0.8*200 = 170, 10.
        assert_eq!(over([50, 50, 50, 51], bottom, Alpha::Straight), [90, 170, 10, 255]);
        assert_eq!(over([10, 10, 10, 51], bottom, Alpha::Premultiplied), [90, 170, 10, 255]);
        // 1/5 over 2/5: alpha 0.2 + 0.4*0.8 = 0.52 -> 132.6; (0.2*50 + 0.32*100)/0.52 = 80.8.
        assert_eq!(over([50, 0, 0, 51], [100, 0, 0, 102], Alpha::Straight), [81, 0, 0, 133]);
        // No valid premultiplied colour: saturates.
        assert_eq!(over([255, 0, 0, 0], [255, 0, 0, 255], Alpha::Premultiplied), [255, 0, 0, 255]);
    }

    #[test]
    fn straight_and_premultiplied_agree_over_opaque() {
        for a in 0..=255u8 {
            for (c, d) in [(0, 255), (255, 0), (13, 77), (200, 200)] {
                let straight = over([c, c, c, a], [d, d, d, 255], Alpha::Straight)[0];
                let exact = (f64::from(c) * f64::from(a) + f64::from(d) * f64::from(255 - a)) / 255.0;
                assert!((f64::from(straight) - exact).abs() <= 0.5, "{a} {c} {d}");
            }
        }
    }
}
