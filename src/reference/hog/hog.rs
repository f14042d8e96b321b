//! `hog/hog`: histograms of oriented gradients.

use crate::Result;
use crate::core::{HogParams, Size};
use crate::reference::plane::{Plane, unfit};

/// `src`: 8-bit samples, one channel. Gives [`HogParams::dim`] numbers in the order block row, block column, cell row, cell column,
/// bin, as `skimage.feature.hog` with `block_norm="L2-Hys"`:
///
/// - gradient: next minus previous sample; across the edge of the picture 0 (in that direction only);
/// - each pixel votes its gradient's length into the one bin that holds its angle in [0, 180) degrees;
/// - a cell is the sum of the votes of its pixels over its area; pixels behind the last whole cell do not vote;
/// - a block `v` becomes `v / sqrt(|v|^2 + 1e-10)`, clipped at 0.2, and that once more without clipping.
///
/// # Errors
/// [`crate::Error::Parameter`] for more than one channel, a parameter of zero, a picture smaller than a block.
pub fn hog(src: &Plane<'_>, params: HogParams) -> Result<Vec<f64>> {
    const OP: &str = "hog/hog";
    src.expect_channels(OP, 1)?;
    let HogParams { bins, cell, block } = params;
    if bins == 0 || cell.is_empty() || block.is_empty() || params.dim(src.size()) == 0 {
        return Err(unfit(OP, "input", format!("at least a block of {block} cells of {cell}"), src.size()));
    }
    let cells = params.cells(src.size());
    let at = |x: u32, y: u32| (y * cells.width + x) as usize * bins as usize;
    let mut histograms = vec![0.0; at(0, cells.height)];
    for y in 0..cells.height * cell.height {
        for x in 0..cells.width * cell.width {
            let (gx, gy) = gradient(src, x, y);
            let angle = f64::from(gy).atan2(f64::from(gx)).to_degrees().rem_euclid(180.0);
            let bin = (0..bins).rev().find(|i| angle >= 180.0 / f64::from(bins) * f64::from(*i)).unwrap_or(0);
            histograms[at(x / cell.width, y / cell.height) + bin as usize] += f64::from(gx).hypot(f64::from(gy));
        }
    }
    let area = cell.area() as f64;
    let mut out = Vec::new();
    let Size { width, height } = params.blocks(src.size());
    for (bx, by) in (0..height).flat_map(|y| (0..width).map(move |x| (x, y))) {
        let mut v = Vec::new();
        for (cx, cy) in (0..block.height).flat_map(|y| (0..block.width).map(move |x| (x, y))) {
            let first = at(bx + cx, by + cy);
            v.extend(histograms[first..first + bins as usize].iter().map(|sum| sum / area));
        }
        normalize(&mut v);
        v.iter_mut().for_each(|v| *v = v.min(0.2));
        normalize(&mut v);
        out.extend(v);
    }
    Ok(out)
}

fn gradient(src: &Plane<'_>, x: u32, y: u32) -> (i32, i32) {
    let Size { width, height } = src.size();
    let at = |x, y| i32::from(src.at(x, y, 0));
    let gx = if x == 0 || x + 1 == width { 0 } else { at(x + 1, y) - at(x - 1, y) };
    let gy = if y == 0 || y + 1 == height { 0 } else { at(x, y + 1) - at(x, y - 1) };
    (gx, gy)
}

fn normalize(v: &mut [f64]) {
    let length = (v.iter().map(|v| v * v).sum::<f64>() + 1e-10).sqrt();
    v.iter_mut().for_each(|v| *v /= length);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Only the middle pixel has both neighbours: gx = 3, gy = 4; the others on the sides of the cross have one direction.
    #[test]
    fn three_by_three_by_hand() {
        let src = [9, 1, 9, 5, 7, 8, 9, 5, 9];
        let plane = Plane::tight(Size::new(3, 3), &src).unwrap();
        let params = HogParams { bins: 4, cell: Size::new(3, 3), block: Size::new(1, 1) };
        // gx: 0 along the top (9 - 9) and bottom, 3 in the middle; gy: 0 left (9 - 9) and right, 4 in the middle. 53.13 degrees: bin 1.
        assert_eq!(gradient(&plane, 1, 1), (3, 4));
        let v = 5.0 / 9.0;
        let first = v / f64::sqrt(v * v + 1e-10);
        let want = first.min(0.2) / f64::sqrt(0.04 + 1e-10);
        let got = hog(&plane, params).unwrap();
        assert_eq!(([got[0], got[2], got[3]], (got[1] - want).abs() < 1e-12), ([0.0; 3], true), "{got:?}");
    }

    /// On a border between bins the upper one counts; opposite gradients are one orientation.
    #[test]
    fn angles_on_borders() {
        let bin = |gx: i32, gy: i32| {
            let mut src = [100u8; 9];
            src[5] = (100 + gx) as u8;
            src[7] = (100 + gy) as u8;
            let plane = Plane::tight(Size::new(3, 3), &src).unwrap();
            let got = hog(&plane, HogParams { bins: 4, cell: Size::new(3, 3), block: Size::new(1, 1) }).unwrap();
            got.iter().position(|v| *v > 0.0)
        };
        assert_eq!([bin(7, 0), bin(-7, 0)], [Some(0); 2]);
        assert_eq!([bin(7, 7), bin(-7, -7)], [Some(1); 2]);
        assert_eq!([bin(0, 7), bin(0, -7)], [Some(2); 2]);
        assert_eq!([bin(-7, 7), bin(7, -7)], [Some(3); 2]);
        assert_eq!([bin(8, 7), bin(7, 8), bin(-7, 8), bin(-8, 7)], [Some(0), Some(1), Some(2), Some(3)]);
    }

    #[test]
    fn too_small_a_picture_is_refused() {
        let plane =
            |w, h| hog(&Plane::tight(Size::new(w, h), &[0; 300]).unwrap(), HogParams::square(8)).map(|v| v.len());
        assert!(plane(15, 16).is_err() && plane(16, 15).is_err());
        assert_eq!(plane(17, 16).unwrap(), 36);
    }
}
