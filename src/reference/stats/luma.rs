//! `stats/luma`: sums for brightness, contrast, sharpness and noise of one luma picture.

use crate::Result;
use crate::core::LumaSums;
use crate::reference::plane::Plane;

/// `src`: 8-bit luma, one channel (of 10-bit formats the 8 most significant bits,
/// [`crate::reference::FrameSlot::luma8`]). Gives the sums that [`LumaSums`] defines, filters and borders included;
/// `dark` counts samples `<= dark_code`, `bright` those `>= bright_code`.
///
/// Bounds per pixel: square 65 025, squared Laplacian 1020^2 = 1 040 400, `gx^2 + gy^2` at most 1020^2 + 510^2 =
/// 1 300 500 (both gradients share their corners), noise response 2040. A `u32` therefore holds the worst case of 66 051,
/// 4128, 3302 and 2 105 376 pixels: a kernel passes its partial sums on before that.
///
/// # Errors
/// [`crate::Error::Parameter`] if `src` has more than one channel.
pub fn luma(src: &Plane<'_>, dark_code: u8, bright_code: u8) -> Result<LumaSums> {
    src.expect_channels("stats/luma", 1)?;
    let size = src.size();
    let mut s = LumaSums::default();
    for (px, py) in src.pixels() {
        let (x, y) = (i64::from(px), i64::from(py));
        let at = |dx: i64, dy: i64| i64::from(src.at_reflect101(x + dx, y + dy));
        let value = src.at(px, py, 0);
        s.n += 1;
        s.sum += u64::from(value);
        s.sum_sq += u64::from(value) * u64::from(value);
        s.dark += u64::from(value <= dark_code);
        s.bright += u64::from(value >= bright_code);

        let laplacian = at(0, -1) + at(-1, 0) - 4 * at(0, 0) + at(1, 0) + at(0, 1);
        s.lap_sum += laplacian;
        s.lap_sum_sq += (laplacian * laplacian) as u64;

        let gx = at(1, -1) - at(-1, -1) + 2 * (at(1, 0) - at(-1, 0)) + at(1, 1) - at(-1, 1);
        let gy = at(-1, 1) - at(-1, -1) + 2 * (at(0, 1) - at(0, -1)) + at(1, 1) - at(1, -1);
        s.tenengrad_sum += (gx * gx + gy * gy) as u64;

        if px > 0 && py > 0 && px + 1 < size.width && py + 1 < size.height {
            let corners = at(-1, -1) + at(1, -1) + at(-1, 1) + at(1, 1);
            let sides = at(0, -1) + at(-1, 0) + at(1, 0) + at(0, 1);
            s.noise_sum += (corners - 2 * sides + 4 * at(0, 0)).unsigned_abs();
        }
    }
    Ok(s)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::Size;

    fn sums(w: u32, h: u32, data: &[u8]) -> LumaSums {
        luma(&Plane::tight(Size::new(w, h), data).unwrap(), 10, 20).unwrap()
    }

    #[test]
    fn impulse_in_three_by_three_by_hand() {
        let s = sums(3, 3, &[0, 0, 0, 0, 10, 0, 0, 0, 0]);
        // Laplacian: centre -40; each side sees the impulse twice (once mirrored): 20; corners 0.
        assert_eq!((s.lap_sum, s.lap_sum_sq), (-40 + 4 * 20, 1600 + 4 * 400));
        // Sobel: the side pixels see the impulse at +1 and, mirrored, at -1: both gradients cancel. Corners likewise.
        assert_eq!(s.tenengrad_sum, 0);
        assert_eq!((s.noise_sum, s.sum, s.sum_sq, s.n), (40, 10, 100, 9));
        assert_eq!((s.dark, s.bright), (9, 0));
    }

    #[test]
    fn ramp_of_four_by_four_by_hand() {
        let s = sums(4, 4, &[0, 10, 20, 30, 0, 10, 20, 30, 0, 10, 20, 30, 0, 10, 20, 30]);
        // Laplacian per row 20 0 0 -20; gx per row 0 80 80 0 (edges mirror to equal neighbours), gy 0.
        assert_eq!((s.lap_sum, s.lap_sum_sq, s.tenengrad_sum, s.noise_sum), (0, 4 * 800, 4 * 2 * 6400, 0));
        assert_eq!((s.sum, s.sum_sq, s.dark, s.bright), (240, 5600, 8, 8));
    }

    #[test]
    fn corner_impulse_of_three_by_three_tells_gx_from_gy() {
        // 4 in the top-left corner. gx at (1,0): -(2*4) from the left column, its row weighted 2, rows above and below
        // are row 1: -8; gy there: rows 1 mirrored: 0. (0,1) the same turned. (1,1): gx = gy = -4. All others 0.
        let s = sums(3, 3, &[4, 0, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(s.tenengrad_sum, 64 + 64 + 32);
        // Laplacian: -16 in the corner, 4 at its two neighbours (the mirrored side is the other one).
        assert_eq!((s.lap_sum, s.lap_sum_sq, s.noise_sum), (-16 + 8, 256 + 32, 4));
    }

    #[test]
    fn lines_and_single_pixels_have_degenerate_borders() {
        let s = sums(4, 1, &[1, 2, 3, 4]);
        // Above and below repeat: Laplacian 2 0 0 -2, gx = 4 * (right - left) = 0 8 8 0, gy 0, no interior.
        assert_eq!((s.lap_sum, s.lap_sum_sq, s.tenengrad_sum, s.noise_sum), (0, 8, 128, 0));
        assert_eq!(s, sums(1, 4, &[1, 2, 3, 4]));
        let one = sums(1, 1, &[77]);
        assert_eq!((one.n, one.sum, one.lap_sum_sq, one.tenengrad_sum, one.noise_sum), (1, 77, 0, 0, 0));
        assert_eq!((one.dark, one.bright), (0, 1));
    }
}
