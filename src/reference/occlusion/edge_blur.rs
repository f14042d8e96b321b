//! `occlusion/edge_blur`: a blurred band along a side.

use super::{Occluded, painted};
use crate::Result;
use crate::core::Rect;
use crate::core::occlusion::{EdgeBlur, Inside, Side, gauss_taps};
use crate::reference::plane::{Plane, reflect101};

const OP: &str = "occlusion/edge_blur";

/// `src` with a band blurred.
///
/// Taps are [`gauss_taps`]; both passes are exact and the result is `(sum + 32768) >> 16`, with reflect-101 at the borders of the
/// picture or of the band. The pixel that lies `d` pixels behind the seam (0: beside it) becomes `(p (2f - w) + b w + f) / (2f)`,
/// `w = min(2d + 1, 2f)`, rounded down, for a feather of `f > 0`; else the blurred `b`. Alpha is kept.
///
/// # Errors
/// [`crate::Error::Parameter`] if `src` has neither 1 nor 4 channels.
pub fn edge_blur(src: &Plane<'_>, blur: &EdgeBlur) -> Result<Occluded> {
    let Some(band) = blur.side.band(src.size(), blur.share) else {
        return painted(OP, src, |_, _| false, |_, _, old| old);
    };
    let around = if blur.inside == Inside::Band { band } else { Rect::full(src.size()) };
    let blurred: Vec<Vec<u8>> = (0..src.channels().min(3)).map(|c| gauss(src, c, band, around, blur.radius)).collect();
    let inside = |x: u32, y: u32| x >= band.x && y >= band.y && x < band.x + band.width && y < band.y + band.height;
    painted(OP, src, inside, |x, y, old| {
        let (i, j) = (x - band.x, y - band.y);
        let behind_seam = match blur.side {
            Side::Left => band.width - 1 - i,
            Side::Right => i,
            Side::Top => band.height - 1 - j,
            Side::Bottom => j,
        };
        let (f, w) = (blur.feather, (2 * behind_seam + 1).min(2 * blur.feather));
        let mut new = old;
        for (p, channel) in new.iter_mut().zip(&blurred) {
            let b = channel[(j * band.width + i) as usize];
            *p = if f == 0 { b } else { ((u32::from(*p) * (2 * f - w) + u32::from(b) * w + f) / (2 * f)) as u8 };
        }
        new
    })
}

/// The blurred pixels of `band`, one channel, mirrored at the borders of `around`.
fn gauss(src: &Plane<'_>, channel: u32, band: Rect, around: Rect, radius: u32) -> Vec<u8> {
    let taps = gauss_taps(radius);
    let places = |at: u32, start: u32, n: u32| {
        (-i64::from(radius)..).zip(&taps).map(move |(k, tap)| (reflect101(i64::from(at - start) + k, n), *tap))
    };
    let mut rows = Vec::new(); // of all of `around`, columns of the band
    for y in 0..around.height {
        for x in band.x..band.x + band.width {
            let across = places(x, around.x, around.width);
            rows.push(across.map(|(i, tap)| tap * u32::from(src.at(around.x + i, around.y + y, channel))).sum::<u32>());
        }
    }
    let mut out = Vec::new();
    for y in band.y..band.y + band.height {
        for i in 0..band.width {
            let down = places(y, around.y, around.height);
            let sum: u32 = down.map(|(row, tap)| tap * rows[(row * band.width + i) as usize]).sum();
            out.push(((sum + 32_768) >> 16) as u8);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::Size;

    fn row(data: &[u8], blur: EdgeBlur) -> Vec<u8> {
        edge_blur(&Plane::tight(Size::new(data.len() as u32, 1), data).unwrap(), &blur).unwrap().0
    }

    #[test]
    fn a_step_by_hand() {
        let blur = EdgeBlur { side: Side::Left, share: 0.5, radius: 1, feather: 0, inside: Inside::Band };
        // Inside the band nothing of the 200 is seen; 0 40 80: mirrored 20, 40, 60.
        assert_eq!(row(&[0, 40, 80, 200, 200, 200], blur), [20, 40, 60, 200, 200, 200]);
        // Inside the picture the seam sees it: (40 + 160 + 200) / 4.
        let picture = EdgeBlur { inside: Inside::Picture, ..blur };
        assert_eq!(row(&[0, 40, 80, 200, 200, 200], picture), [20, 40, 100, 200, 200, 200]);
        // Feather 2, from the seam: 1/4 and 3/4 of the blur: 80 + 5, 40, then the whole blur.
        assert_eq!(row(&[0, 40, 80, 200, 200, 200], EdgeBlur { feather: 2, ..picture }), [20, 40, 85, 200, 200, 200]);
        // At the right, band 200 200 200: the seam sees 80: (80 + 600) / 4 = 170, a quarter: 192.5 up.
        let right = EdgeBlur { side: Side::Right, feather: 2, ..picture };
        assert_eq!(row(&[0, 40, 80, 200, 200, 200], right), [0, 40, 80, 193, 200, 200]);
    }

    #[test]
    fn thin_bands_mirror_more_than_once_and_empty_ones_do_nothing() {
        let blur = EdgeBlur { side: Side::Left, share: 0.5, radius: 3, feather: 0, inside: Inside::Band };
        // Band 0, 100 with taps 8 28 56 72 56 28 8: even distances see the pixel itself: 72 + 2*28 = 128 of 256.
        assert_eq!(row(&[0, 100, 9, 9], blur), [50, 50, 9, 9]);
        assert_eq!(row(&[0, 100, 9, 9], EdgeBlur { share: 0.2, ..blur }), [0, 100, 9, 9]);
        let top = EdgeBlur { side: Side::Top, share: 1.0, ..blur };
        assert_eq!(edge_blur(&Plane::tight(Size::new(1, 2), &[0, 100]).unwrap(), &top).unwrap().0, [50, 50]);
    }
}
