//! `filter/denoise`: non-local means.

use crate::Result;
use crate::core::Size;
use crate::reference::plane::{Plane, reflect101, unfit};

/// Pixels beside a pixel that belong to its patch.
const PATCH: i64 = 3;
/// Linear RGB to X / Xw, Y, Z / Zw of D65, in 4096ths; each row sums to 4096.
const TO_XYZ: [[i64; 3]; 3] = [[1777, 1541, 778], [871, 2929, 296], [73, 448, 3575]];
/// And back.
const TO_RGB: [[i64; 3]; 3] = [[12615, -6296, -2223], [-3773, 7684, 185], [217, -836, 4715]];

fn dot(a: [i64; 3], b: [i64; 3]) -> i64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// 8-bit L*a*b* of linear RGB: `L * 255 / 100, a + 128, b + 128`.
///
/// With `i = (8 * (row of the matrix) . rgb + 2048) >> 12` for X, Y, Z and `F = round(2^15 f(i / 2040))`, where `f(t)` is
/// the cube root above `(6/29)^3`, else `t * 841/108 + 16/116`: `L = (296 Fy - 1336934 + 2^14) >> 15`,
/// `a = (500 (Fx - Fy) + 2^22 + 2^14) >> 15`, `b = (200 (Fy - Fz) + 2^22 + 2^14) >> 15`, limited to 0..=255.
pub fn lab_of(rgb: [u8; 3]) -> [u8; 3] {
    let rgb = rgb.map(i64::from);
    let [x, y, z] = TO_XYZ.map(|row| {
        let t = ((8 * dot(row, rgb) + 2048) >> 12) as f64 / 2040.0;
        let f = if t < 216.0 / 24389.0 { t * (841.0 / 108.0) + 16.0 / 116.0 } else { t.cbrt() };
        (32768.0 * f).round() as i64
    });
    [296 * y - 1_336_934, 500 * (x - y) + (1 << 22), 200 * (y - z) + (1 << 22)]
        .map(|v| ((v + (1 << 14)) >> 15).clamp(0, 255) as u8)
}

/// Linear RGB of 8-bit L*a*b*, in 2^-14 all the way.
///
/// `fy` is `(100 L / 255 + 16) / 116`, `fx = fy + (a - 128) / 500`, `fz = fy - (b - 128) / 200`, each rounded to
/// nearest; the inverse of `f` is `f^3`, rounded after each product, above 6/29, else `(f - 4/29) * 108/841`; the
/// matrix gives 2^-26, which is rounded to 2^-20, limited to 0..=1, times 255 and rounded.
pub fn rgb_of(lab: [u8; 3]) -> [u8; 3] {
    const ONE: i64 = 1 << 14;
    let [l, a, b] = lab.map(i64::from);
    let nearest = |n: i64, d: i64| (2 * n + d).div_euclid(2 * d);
    let fy = nearest((100 * l + 16 * 255) * ONE, 255 * 116);
    let fx = fy + nearest((a - 128) * ONE, 500);
    let fz = fy - nearest((b - 128) * ONE, 200);
    let xyz = [fx, fy, fz].map(|f| {
        if 29 * f > 6 * ONE {
            (((f * f + (1 << 13)) >> 14) * f + (1 << 13)) >> 14
        } else {
            ((29 * f - 4 * ONE) * 108 + 24389 / 2).div_euclid(24389)
        }
    });
    TO_RGB.map(|row| {
        let part = ((dot(row, xyz) + 32) >> 6).clamp(0, 1 << 20);
        ((part * 255 + (1 << 19)) >> 20) as u8
    })
}

/// Weight of two pixels whose patches differ by `sum`, the sum of squared differences over 49 pixels of `channels`
/// values, in units of `(2^31 - 1) / (255 * search^2)` (rounded down).
///
/// The distance is taken in steps: `(sum >> 6) * 64 / 49`; the weight `exp(-distance / (h^2 * channels))` is rounded to
/// whole units (halves to even), and 0 below a thousandth.
pub fn weight_of(sum: u64, h: f32, channels: u32, search: u32) -> u64 {
    let unit = f64::from((i32::MAX as u32) / (search * search * 255));
    let distance = (sum >> 6) as f64 * (64.0 / 49.0);
    // The square of a tiny h is no number but the least there is: pixels that are alike count, and they alone.
    let square = f64::from((h * h).max(f32::MIN_POSITIVE));
    let weight = (unit * (-distance / (square * f64::from(channels))).exp()).round_ties_even();
    if weight < 0.001 * unit { 0 } else { weight as u64 }
}

/// Non-local means of `src`, W x H pixels of 1 to 4 channels that are compared and averaged together. Gives as many
/// bytes, without padding.
///
/// Each pixel becomes `floor((sum w p + floor(sum w / 2)) / sum w)` over the `search` x `search` pixels around it,
/// with [`weight_of`] the 7x7 patches around both, in exact integers. Border: reflect-101, of positions: the patch
/// around a mirrored pixel is the mirrored one.
///
/// # Errors
/// [`crate::Error::Parameter`] for `h` out of 0 (excluded) to 1000, an even `search` or one out of 3 to 31.
pub fn joint(src: &Plane<'_>, h: f32, search: u32) -> Result<Vec<u8>> {
    const OP: &str = "filter/denoise";
    if !(h > 0.0 && h <= 1000.0) {
        return Err(unfit(OP, "h", "above 0, up to 1000", h));
    }
    if search.is_multiple_of(2) || !(3..=31).contains(&search) {
        return Err(unfit(OP, "search", "odd, 3 to 31", search));
    }
    let Size { width, height } = src.size();
    let channels = src.channels();
    let radius = i64::from(search / 2);
    let at = |x: i64, y: i64, c: u32| i64::from(src.at(reflect101(x, width), reflect101(y, height), c));
    let (w, h_rows) = (i64::from(width), i64::from(height));
    let count = (w * h_rows) as usize;
    let (mut total, mut sums) = (vec![0u64; count], vec![0u64; count * channels as usize]);
    for dy in -radius..=radius {
        for dx in -radius..=radius {
            // Squared differences for all pixels that patches reach, then sums of seven along rows and columns.
            let across = w + 2 * PATCH;
            let squares: Vec<u64> = (-PATCH..h_rows + PATCH)
                .flat_map(|y| (-PATCH..w + PATCH).map(move |x| (x, y)))
                .map(|(x, y)| (0..channels).map(|c| (at(x, y, c) - at(x + dx, y + dy, c)).pow(2) as u64).sum())
                .collect();
            let rows: Vec<u64> = squares
                .chunks(across as usize)
                .flat_map(|row| row.windows(7).map(|seven| seven.iter().sum::<u64>()))
                .collect();
            for y in 0..h_rows {
                for x in 0..w {
                    let i = (y * w + x) as usize;
                    let sum = (0..7).map(|k| rows[i + k * w as usize]).sum();
                    let weight = weight_of(sum, h, channels, search);
                    total[i] += weight;
                    for c in 0..channels {
                        sums[i * channels as usize + c as usize] += weight * at(x + dx, y + dy, c) as u64;
                    }
                }
            }
        }
    }
    Ok(sums
        .iter()
        .enumerate()
        .map(|(i, sum)| {
            let weight = total[i / channels as usize];
            ((sum + weight / 2) / weight) as u8
        })
        .collect())
}

/// `rgba`: 4 channels R, G, B, A. Gives as many bytes: [`joint`] of R, G and B together; A is kept.
///
/// # Errors
/// As [`joint`], and for another number of channels.
pub fn rgb(rgba: &Plane<'_>, h: f32, search: u32) -> Result<Vec<u8>> {
    by_pixels(
        rgba,
        |p| p,
        |p| p,
        |planes| joint(&Plane::interleaved(rgba.size(), 3, rgba.size().width as usize * 3, planes)?, h, search),
    )
}

/// `rgba`: 4 channels R, G, B, A. Gives as many bytes: [`lab_of`] each pixel, [`joint`] of L with `h` and of a and b
/// together with `h_color`, and back by [`rgb_of`]; A is kept.
///
/// # Errors
/// As [`joint`], and for another number of channels.
pub fn lab(rgba: &Plane<'_>, h: f32, h_color: f32, search: u32) -> Result<Vec<u8>> {
    let width = rgba.size().width as usize;
    by_pixels(rgba, lab_of, rgb_of, |lab| {
        let light: Vec<u8> = lab.iter().copied().step_by(3).collect();
        let color: Vec<u8> = lab.chunks(3).flat_map(|p| [p[1], p[2]]).collect();
        let light = joint(&Plane::interleaved(rgba.size(), 1, width, &light)?, h, search)?;
        let color = joint(&Plane::interleaved(rgba.size(), 2, width * 2, &color)?, h_color, search)?;
        Ok(light.iter().zip(color.chunks(2)).flat_map(|(l, ab)| [*l, ab[0], ab[1]]).collect())
    })
}

fn by_pixels(
    rgba: &Plane<'_>,
    to: impl Fn([u8; 3]) -> [u8; 3],
    back: impl Fn([u8; 3]) -> [u8; 3],
    run: impl Fn(&[u8]) -> Result<Vec<u8>>,
) -> Result<Vec<u8>> {
    rgba.expect_channels("filter/denoise", 4)?;
    let three: Vec<u8> = rgba.pixels().flat_map(|(x, y)| to([0, 1, 2].map(|c| rgba.at(x, y, c)))).collect();
    let out = run(&three)?;
    Ok(rgba
        .pixels()
        .zip(out.chunks(3))
        .flat_map(|((x, y), p)| {
            let [r, g, b] = back([p[0], p[1], p[2]]);
            [r, g, b, rgba.at(x, y, 3)]
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lab_of_known_colours() {
        // White, black, and the primaries of BT.709 with white D65: L* = 116 Y^(1/3) - 16.
        assert_eq!((lab_of([255; 3]), lab_of([0; 3])), ([255, 128, 128], [0, 128, 128]));
        let red = lab_of([255, 0, 0]);
        assert_eq!(red, [136, 208, 195]); // L 53.24, a 80.09, b 67.20
        for c in [[255, 0, 0], [0, 255, 0], [0, 0, 255], [10, 200, 90], [128; 3]] {
            let back = rgb_of(lab_of(c));
            assert!(c.iter().zip(back).all(|(a, b)| a.abs_diff(b) <= 3), "{c:?} {back:?}");
        }
        assert!((0..=255).all(|v| rgb_of(lab_of([v; 3])).iter().all(|b| b.abs_diff(v) <= 2)));
    }

    #[test]
    fn weights_by_hand() {
        // 2147483647 / (441 * 255) = 19096; a sum of 64 is a distance of 64 / 49.
        assert_eq!(weight_of(0, 10.0, 1, 21), 19096);
        assert_eq!((weight_of(63, 10.0, 1, 21), weight_of(64, 10.0, 1, 21)), (19096, 18848));
        assert_eq!(weight_of(64, 10.0, 3, 21), 19013);
        // exp(-6.9078) is a thousandth.
        assert_eq!(weight_of(49 * 700, 10.0, 1, 21), 0);
        for h in [1e-18, 1e-23, 1e-30, f32::from_bits(1)] {
            assert_eq!((weight_of(0, h, 1, 21), weight_of(64, h, 1, 21)), (19096, 0));
        }
    }

    #[test]
    fn constants_stay_and_lone_speckles_shrink() {
        let flat = vec![77u8; 60];
        assert_eq!(joint(&Plane::tight(Size::new(10, 6), &flat).unwrap(), 3.0, 7).unwrap(), flat);
        let mut speckled = flat;
        speckled[25] = 97;
        let out = joint(&Plane::tight(Size::new(10, 6), &speckled).unwrap(), 10.0, 7).unwrap();
        assert_eq!((out[25], out[24]), (77, 77)); // 97 counts 1, the others 0.85 each
        assert!(joint(&Plane::tight(Size::new(1, 1), &[5]).unwrap(), 0.0, 7).is_err());
        assert!(joint(&Plane::tight(Size::new(1, 1), &[5]).unwrap(), 1.0, 8).is_err());
        assert_eq!(joint(&Plane::tight(Size::new(1, 1), &[5]).unwrap(), 1.0, 3).unwrap(), [5]);
        assert_eq!(joint(&Plane::tight(Size::new(2, 1), &[5, 9]).unwrap(), 1e-30, 3).unwrap(), [5, 9]);
    }
}
