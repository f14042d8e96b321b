//! `blend/feather_composite`: tiles blended into one canvas.

use crate::Result;
use crate::core::blend::{MAX_WEIGHT, OverTile, Tile, WHOLE, ramp, ramp_over};
use crate::core::{Covered, Size};
use crate::reference::plane::{Plane, unfit};

/// `canvas` with `tiles` (picture, x, y) blended in, all with 4 channels.
///
/// A tile weighs `w = `[`ramp`]`(across) * ramp(down)` at each of its pixels; a pixel inside tiles becomes `(sum w p + W/2) / W` rounded
/// down, `W = sum w`, alpha included: the weights sum to one everywhere, also where three or four tiles meet and at outermost pixels.
/// Pixels outside all tiles stay.
///
/// # Errors
/// [`crate::Error::Parameter`] for other channels, tiles that do not lie inside the canvas, and more than [`MAX_WEIGHT`] tiles *
/// feather^2.
pub fn feather_composite(
    canvas: &Plane<'_>,
    tiles: &[(Plane<'_>, u32, u32)],
    feather: u32,
) -> Result<(Vec<u8>, Covered)> {
    const OP: &str = "blend/feather_composite";
    canvas.expect_channels(OP, 4)?;
    let size = canvas.size();
    for (tile, x, y) in tiles {
        tile.expect_channels(OP, 4)?;
        if !lies_inside((*x, *y), tile.size(), size) {
            return Err(unfit(OP, "tiles", format!("tiles inside {size}"), format!("{} at {x}, {y}", tile.size())));
        }
    }
    if feather == 0 || (tiles.len() as u64).saturating_mul(u64::from(feather).pow(2)) > MAX_WEIGHT {
        return Err(unfit(OP, "feather", "at least 1, tiles * feather^2 in 32 bits", feather));
    }
    let mut out = Vec::new();
    let mut covered = Covered { pixels: 0, n: size.area() };
    for (x, y) in canvas.pixels() {
        let (mut total, mut sums) = (0u64, [0u64; 4]);
        for (tile, left, top) in tiles {
            let s = tile.size();
            let (Some(i), Some(j)) = (x.checked_sub(*left), y.checked_sub(*top)) else { continue };
            if i < s.width && j < s.height {
                let weight = u64::from(ramp(i, s.width, feather) * ramp(j, s.height, feather));
                total += weight;
                for (c, sum) in (0..).zip(&mut sums) {
                    *sum += weight * u64::from(tile.at(i, j, c));
                }
            }
        }
        covered.pixels += u64::from(total > 0);
        out.extend(
            (0..)
                .zip(sums)
                .map(|(c, sum)| (sum + total / 2).checked_div(total).map_or(canvas.at(x, y, c), |v| v as u8)),
        );
    }
    Ok((out, covered))
}

fn lies_inside((x, y): (u32, u32), tile: Size, canvas: Size) -> bool {
    u64::from(x) + u64::from(tile.width) <= u64::from(canvas.width)
        && u64::from(y) + u64::from(tile.height) <= u64::from(canvas.height)
}

/// `canvas` with `tiles` over it: picture, place, strength and flush sides as [`OverTile`]; the slot is not looked at.
///
/// A tile weighs `w = strength * `[`ramp_over`]`(across) * ramp_over(down)`. With `one = 16 feather^2` and `W = sum w`, a pixel
/// with `W > 0` becomes `(sum w p + max(one - W, 0) c + n/2) / n` rounded down, `n = max(W, one)`, `c` the canvas: weights sum to one, and
/// what tiles leave belongs to the canvas. Other pixels stay.
///
/// # Errors
/// As [`feather_composite`], with 16 times the weight.
pub fn feather_over(
    canvas: &Plane<'_>,
    tiles: &[(Plane<'_>, OverTile)],
    (feather, inset): (u32, u32),
) -> Result<(Vec<u8>, Covered)> {
    const OP: &str = "blend/feather_composite";
    canvas.expect_channels(OP, 4)?;
    let size = canvas.size();
    for (tile, over) in tiles {
        tile.expect_channels(OP, 4)?;
        let Tile { x, y, .. } = over.tile;
        if !lies_inside((x, y), tile.size(), size) {
            return Err(unfit(OP, "tiles", format!("tiles inside {size}"), format!("{} at {x}, {y}", tile.size())));
        }
        if !(1..=WHOLE).contains(&over.strength) {
            return Err(unfit(OP, "strength", format!("1 to {WHOLE}"), over.strength));
        }
    }
    let one = u64::from(WHOLE).saturating_mul(u64::from(feather).pow(2));
    if feather == 0 || one.saturating_mul(tiles.len().max(1) as u64) > MAX_WEIGHT {
        return Err(unfit(OP, "feather", "at least 1, 16 * tiles * feather^2 in 32 bits", feather));
    }
    let mut out = Vec::new();
    let mut covered = Covered { pixels: 0, n: size.area() };
    for (x, y) in canvas.pixels() {
        let (mut total, mut sums) = (0u64, [0u64; 4]);
        for (tile, over) in tiles {
            let (s, [left, top, right, bottom]) = (tile.size(), over.flush);
            let (Some(i), Some(j)) = (x.checked_sub(over.tile.x), y.checked_sub(over.tile.y)) else { continue };
            if i < s.width && j < s.height {
                let across = ramp_over(i, s.width, (left, right), inset, feather);
                let down = ramp_over(j, s.height, (top, bottom), inset, feather);
                let weight = u64::from(over.strength * across * down);
                total += weight;
                for (c, sum) in (0..).zip(&mut sums) {
                    *sum += weight * u64::from(tile.at(i, j, c));
                }
            }
        }
        covered.pixels += u64::from(total > 0);
        let (rest, n) = (one.saturating_sub(total), total.max(one));
        out.extend((0..).zip(sums).map(|(c, sum)| {
            let under = u64::from(canvas.at(x, y, c));
            if total == 0 { under as u8 } else { ((sum + rest * under + n / 2) / n) as u8 }
        }));
    }
    Ok((out, covered))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gray(size: Size, data: &[u8]) -> Vec<u8> {
        assert_eq!(data.len() as u64, size.area());
        data.iter().flat_map(|v| [*v; 4]).collect()
    }

    #[test]
    fn two_tiles_cross_fade_by_hand() {
        let canvas = gray(Size::new(7, 1), &[9; 7]);
        let (a, b) = (gray(Size::new(4, 1), &[0; 4]), gray(Size::new(4, 1), &[60; 4]));
        let plane = |data, width| Plane::interleaved(Size::new(width, 1), 4, width as usize * 4, data).unwrap();
        let tiles = [(plane(&a, 4), 0, 0), (plane(&b, 4), 2, 0)];
        let (out, covered) = feather_composite(&plane(&canvas, 7), &tiles, 2).unwrap();
        // Weights of the overlap: 2 and 1, then 1 and 2.
        assert_eq!(out.chunks(4).map(|p| p[1]).collect::<Vec<_>>(), [0, 0, 20, 40, 60, 60, 9]);
        assert_eq!((covered.pixels, covered.n), (6, 7));
        assert!(feather_composite(&plane(&canvas, 7), &[(plane(&a, 4), 4, 0)], 2).is_err());
        assert!(feather_composite(&plane(&canvas, 7), &tiles, 0).is_err());
        assert!(feather_composite(&plane(&canvas, 7), &tiles, 4096).is_err());
        // Products beyond 64 bits: 2 * 2^64 - 2^34, and a place behind the last column there is.
        assert!(feather_composite(&plane(&canvas, 7), &tiles, u32::MAX).is_err());
        assert!(feather_composite(&plane(&canvas, 7), &[(plane(&a, 4), u32::MAX, 0)], 2).is_err());
        assert_eq!(feather_composite(&plane(&canvas, 7), &[], 2).unwrap().0, canvas);
    }

    #[test]
    fn tiles_over_a_canvas_by_hand() {
        let canvas = gray(Size::new(8, 1), &[100; 8]);
        let white = gray(Size::new(4, 1), &[200; 4]);
        let plane = |data, width| Plane::interleaved(Size::new(width, 1), 4, width as usize * 4, data).unwrap();
        let over = |x, flush, strength| OverTile { tile: Tile { slot: 0, x, y: 0 }, flush, strength };
        let of = |x, flush, strength, inset| {
            let tiles = [(plane(&white, 4), over(x, flush, strength))];
            let (out, covered) = feather_over(&plane(&canvas, 8), &tiles, (2, inset)).unwrap();
            (out.chunks(4).map(|p| p[0]).collect::<Vec<_>>(), covered.pixels)
        };
        let high = [false, true, false, true];
        assert_eq!(of(2, high, 16, 0), (vec![100, 100, 150, 200, 200, 150, 100, 100], 4));
        assert_eq!(of(2, high, 8, 0), (vec![100, 100, 125, 150, 150, 125, 100, 100], 4));
        assert_eq!(of(2, high, 16, 1), (vec![100, 100, 100, 150, 150, 100, 100, 100], 2));
        assert_eq!(of(0, [true, true, false, true], 16, 1), (vec![200, 200, 150, 100, 100, 100, 100, 100], 3));
        let refused = |strength, feather| {
            let tiles = [(plane(&white, 4), over(0, high, strength))];
            feather_over(&plane(&canvas, 8), &tiles, (feather, 0)).is_err()
        };
        assert!(refused(0, 2) && refused(17, 2) && refused(16, 0) && refused(16, 1025) && !refused(16, 1023));
        assert!(refused(16, 1 << 30) && refused(16, u32::MAX));
    }

    #[test]
    fn four_tiles_that_are_one_picture_give_it_back() {
        let size = Size::new(9, 8);
        let data: Vec<u8> = (0..size.area() * 4).map(|i| (i * 37 % 251) as u8).collect();
        let source = Plane::interleaved(size, 4, 36, &data).unwrap();
        let cut = |x: u32, y: u32| -> Vec<u8> {
            (0..5).flat_map(|j| (0..20).map(move |i| (i, j))).map(|(i, j)| source.at(x + i / 4, y + j, i % 4)).collect()
        };
        let places = [(0, 0), (4, 0), (0, 3), (4, 3), (2, 1)];
        let cuts: Vec<_> = places.iter().map(|(x, y)| cut(*x, *y)).collect();
        let tiles: Vec<_> = cuts
            .iter()
            .zip(places)
            .map(|(c, (x, y))| (Plane::interleaved(Size::new(5, 5), 4, 20, c).unwrap(), x, y))
            .collect();
        let zero = vec![0; data.len()];
        let canvas = Plane::interleaved(size, 4, 36, &zero).unwrap();
        for feather in [1, 2, 3, 100] {
            let (out, covered) = feather_composite(&canvas, &tiles, feather).unwrap();
            assert!(out == data && covered.share() == 1.0, "{feather}");
        }
    }
}
