//! `edges/canny`: the Canny edge detector.

use super::hysteresis::hysteresis;
use crate::Result;
use crate::core::Size;
use crate::reference::plane::Plane;

/// tan(22.5 degrees) * 2^15, rounded as in OpenCV.
const TAN: i64 = 13_573;

/// The two kinds of pixels before hysteresis, one byte a pixel, 0 or 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidates {
    /// Maxima along their gradient above the lower threshold.
    pub weak: Vec<u8>,
    /// Those above the upper one.
    pub strong: Vec<u8>,
}

/// `src`: 8-bit luma, one channel. Gives W x H bytes, 255 on edges, else 0.
///
/// Gradients by Sobel 3x3 with a replicated border, magnitude `m = |gx| + |gy|`, 0 outside the picture. The direction is that of the
/// sector of 45 degrees around it: horizontal if `|gy| * 2^15 < 13573 |gx|`, vertical if `|gy| * 2^15 > (13573 + 2^16) |gx|`, else
/// diagonal, downwards to the right where the signs agree. A pixel is kept if m is above its left or upper neighbour and not below the right
/// or lower one, on diagonals if m is above both. Weak pixels are above the lower threshold, strong ones above the
/// upper; [`hysteresis`] does the rest. `low` and `high` are swapped where they are in the wrong order.
///
/// # Errors
/// [`crate::Error::Parameter`] if `src` has more than one channel.
pub fn canny(src: &Plane<'_>, low: u16, high: u16) -> Result<Vec<u8>> {
    let Candidates { weak, strong } = candidates(src, low, high)?;
    let edges = hysteresis(src.size(), &weak, &strong)?;
    Ok(edges.into_iter().map(|v| v * 255).collect())
}

/// What [`canny`] gives to hysteresis.
///
/// # Errors
/// As [`canny`].
pub fn candidates(src: &Plane<'_>, low: u16, high: u16) -> Result<Candidates> {
    src.expect_channels("edges/canny", 1)?;
    let (low, high) = (i64::from(low.min(high)), i64::from(low.max(high)));
    let size = src.size();
    let gradients: Vec<(i64, i64)> = src.pixels().map(|(x, y)| gradient(src, i64::from(x), i64::from(y))).collect();
    let inside = |x: i64, y: i64| (0..i64::from(size.width)).contains(&x) && (0..i64::from(size.height)).contains(&y);
    let m = |x: i64, y: i64| {
        if !inside(x, y) {
            return 0;
        }
        let (gx, gy) = gradients[(y * i64::from(size.width) + x) as usize];
        gx.abs() + gy.abs()
    };
    let mut out = Candidates { weak: Vec::with_capacity(gradients.len()), strong: Vec::with_capacity(gradients.len()) };
    for (px, py) in src.pixels() {
        let (x, y) = (i64::from(px), i64::from(py));
        let (gx, gy) = gradients[(py * size.width + px) as usize];
        let here = gx.abs() + gy.abs();
        let (tan, rise) = (TAN * gx.abs(), gy.abs() << 15);
        let keep = if rise < tan {
            here > m(x - 1, y) && here >= m(x + 1, y)
        } else if rise > tan + (gx.abs() << 16) {
            here > m(x, y - 1) && here >= m(x, y + 1)
        } else {
            let s = if (gx ^ gy) < 0 { -1 } else { 1 };
            here > m(x - s, y - 1) && here > m(x + s, y + 1)
        };
        out.weak.push(u8::from(keep && here > low));
        out.strong.push(u8::from(keep && here > high));
    }
    Ok(out)
}

fn gradient(src: &Plane<'_>, x: i64, y: i64) -> (i64, i64) {
    let Size { width, height } = src.size();
    let at = |dx: i64, dy: i64| {
        let (u, v) = ((x + dx).clamp(0, i64::from(width) - 1), (y + dy).clamp(0, i64::from(height) - 1));
        i64::from(src.at(u as u32, v as u32, 0))
    };
    let gx = at(1, -1) - at(-1, -1) + 2 * (at(1, 0) - at(-1, 0)) + at(1, 1) - at(-1, 1);
    let gy = at(-1, 1) - at(-1, -1) + 2 * (at(0, 1) - at(0, -1)) + at(1, 1) - at(1, -1);
    (gx, gy)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edges(w: u32, h: u32, data: &[u8], low: u16, high: u16) -> Vec<u8> {
        canny(&Plane::tight(Size::new(w, h), data).unwrap(), low, high).unwrap()
    }

    #[test]
    fn a_step_is_one_pixel_wide() {
        // gx = 4 * 40 in both columns at the step, equal: the left one is above its left neighbour (0) and not below the right one.
        let row = [0, 0, 40, 40];
        let data: Vec<u8> = row.into_iter().cycle().take(12).collect();
        let want: Vec<u8> = [0, 255, 0, 0].into_iter().cycle().take(12).collect();
        assert_eq!(edges(4, 3, &data, 50, 150), want);
        // 160 is not above 160; nothing is strong, and a weak edge alone is none.
        assert_eq!(edges(4, 3, &data, 50, 160), [0; 12]);
        assert_eq!(edges(4, 3, &data, 160, 50), [0; 12]);
        assert_eq!(edges(4, 3, &data, 159, 50), want);
    }

    #[test]
    fn borders_replicate_and_magnitudes_outside_are_zero() {
        // One row: gx = 4 (right - left), 4 * 30 at x = 0 and 1; x = 0 is above 0 outside and equal to its right neighbour.
        assert_eq!(edges(3, 1, &[10, 40, 40], 50, 100), [255, 0, 0]);
        assert_eq!(edges(1, 1, &[200], 0, 0), [0]);
    }

    #[test]
    fn a_diagonal_step_needs_to_be_above_both() {
        // Below the diagonal 100, else 0: m = 300 or so on two bands of equal height; strict on both sides leaves none of them but
        // at places where one is larger.
        let data: Vec<u8> = (0..36).map(|i| if i / 6 > i % 6 { 100 } else { 0 }).collect();
        let plane = Plane::tight(Size::new(6, 6), &data).unwrap();
        let (gx, gy) = gradient(&plane, 2, 2);
        assert_eq!((gx, gy), (-300, 300));
        let (ox, oy) = gradient(&plane, 2, 3);
        assert_eq!((ox, oy), (-300, 300));
        let got = canny(&plane, 50, 150).unwrap();
        // Up-right of (2,2) is (3,1) with m = 200, down-left (1,3) with m = 200: (2,2) is kept, as is (2,3).
        assert_eq!((got[14], got[20]), (255, 255));
    }
}
