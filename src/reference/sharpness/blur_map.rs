//! `sharpness/blur_map`: sums of the Laplacian for every tile.

use crate::Result;
use crate::core::{BlurMap, LaplacianSums};
use crate::reference::edges::laplacian::laplacian;
use crate::reference::plane::{Plane, unfit};

/// `src`: 8-bit samples, one channel. [`laplacian`] of the whole picture (border reflect-101), summed over tiles of `tile` x `tile`
/// pixels from the top left; the last ones across and down end with the picture.
///
/// # Errors
/// [`crate::Error::Parameter`] if `src` has more than one channel or `tile` is 0.
pub fn blur_map(src: &Plane<'_>, tile: u32) -> Result<BlurMap> {
    if tile == 0 {
        return Err(unfit("sharpness/blur_map", "tile", "at least 1", tile));
    }
    let (size, values) = (src.size(), laplacian(src)?);
    let tiles = BlurMap::tiles_of(size, tile);
    let mut out = vec![LaplacianSums::default(); tiles.area() as usize];
    for ((x, y), v) in src.pixels().zip(values) {
        let t = &mut out[(y / tile * tiles.width + x / tile) as usize];
        t.n += 1;
        t.sum += i64::from(v);
        t.sum_sq += u64::from(v.unsigned_abs()).pow(2);
    }
    Ok(BlurMap { tile, size: tiles, tiles: out })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::Size;

    #[test]
    fn four_by_three_in_tiles_of_two_by_hand() {
        let data = [0, 0, 0, 0, 0, 10, 0, 0, 0, 0, 0, 0];
        let map = blur_map(&Plane::tight(Size::new(4, 3), &data).unwrap(), 2).unwrap();
        // Laplacian: 0 20 0 0 / 20 -40 10 0 / 0 20 0 0.
        let tile = |n, sum, sum_sq| LaplacianSums { n, sum, sum_sq };
        assert_eq!(map.size, Size::new(2, 2));
        assert_eq!(map.tiles, [tile(4, 0, 2400), tile(4, 10, 100), tile(2, 20, 400), tile(2, 0, 0)]);
        assert_eq!((map.variances()[2], map.total()), (100.0, tile(12, 30, 2900)));
    }
}
