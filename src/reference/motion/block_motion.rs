//! `motion/block_motion`: motion vectors of blocks by full search.

use crate::Result;
use crate::core::{BlockSearch, BlockVector, Size};
use crate::reference::plane::{Plane, unfit};

/// `before`, `now`: 8-bit samples, one channel, equal size. Gives one vector per block of `now`, row by row: the displacement within
/// `-range..=range` of the block of `before` with the least sum of absolute differences. Only blocks wholly inside `before` are
/// candidates. Ties: the least `dx^2 + dy^2`, then the first in raster order (`dy`, then `dx`). The last blocks of a row and a column
/// are smaller where the picture ends.
///
/// # Errors
/// [`crate::Error::Parameter`] for different sizes, more than one channel, a block of zero pixels.
pub fn block_motion(before: &Plane<'_>, now: &Plane<'_>, search: BlockSearch) -> Result<Vec<BlockVector>> {
    const OP: &str = "motion/block_motion";
    before.expect_channels(OP, 1)?;
    now.expect_channels(OP, 1)?;
    let size = now.size();
    if before.size() != size {
        return Err(unfit(OP, "before", size.to_string(), before.size()));
    }
    if search.block == 0 {
        return Err(unfit(OP, "block", "at least 1 pixel", 0));
    }
    let blocks = search.blocks(size);
    let places = (0..blocks.height).flat_map(|y| (0..blocks.width).map(move |x| (x * search.block, y * search.block)));
    Ok(places.map(|at| best(before, now, at, search)).collect())
}

fn best(before: &Plane<'_>, now: &Plane<'_>, (x, y): (u32, u32), search: BlockSearch) -> BlockVector {
    let size = now.size();
    let block = Size::new(search.block.min(size.width - x), search.block.min(size.height - y));
    let range = i64::from(search.range);
    let inside = |from: u32, d: i64, length: u32, side: u32| {
        let at = i64::from(from) + d;
        at >= 0 && at + i64::from(length) <= i64::from(side)
    };
    let mut candidates = Vec::new();
    for dy in (-range..=range).filter(|d| inside(y, *d, block.height, size.height)) {
        for dx in (-range..=range).filter(|d| inside(x, *d, block.width, size.width)) {
            let mut sad = 0;
            for (px, py) in (0..block.height).flat_map(|py| (0..block.width).map(move |px| (px, py))) {
                let there = before.at((i64::from(x + px) + dx) as u32, (i64::from(y + py) + dy) as u32, 0);
                sad += u32::from(now.at(x + px, y + py, 0).abs_diff(there));
            }
            candidates.push((sad, dx * dx + dy * dy, dy, dx));
        }
    }
    let (sad, _, dy, dx) = candidates.into_iter().min().unwrap_or_default();
    BlockVector { dx: dx as i32, dy: dy as i32, sad }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEARCH: BlockSearch = BlockSearch { block: 2, range: 1 };

    /// A bright pixel moves from (1, 1) to (2, 2); the block at (2, 2) finds it one up and to the left.
    #[test]
    fn four_by_four_by_hand() {
        let (mut a, mut b) = ([0; 16], [0; 16]);
        (a[5], b[10]) = (9, 7);
        let plane = |v| Plane::tight(Size::new(4, 4), v).unwrap();
        let got = block_motion(&plane(&a), &plane(&b), SEARCH).unwrap();
        let vector = |dx, dy, sad| BlockVector { dx, dy, sad };
        // The block at (0, 0) had the pixel in its corner: it is black now, and (1, 1) still holds the pixel; no candidate is free of it.
        // At (2, 0) and (0, 2) everything is black without moving.
        assert_eq!(got, [vector(0, 0, 9), vector(0, 0, 0), vector(0, 0, 0), vector(-1, -1, 2)]);
    }

    #[test]
    fn ties_go_to_the_shortest_vector_then_to_raster_order() {
        let plane = |v| Plane::tight(Size::new(5, 1), v).unwrap();
        // The block (4, 0) is one pixel wide; its level lies 2 to the left only; (0, 0) and (2, 0) stay where they are.
        let got = block_motion(&plane(&[5; 5]), &plane(&[5; 5]), SEARCH).unwrap();
        assert_eq!(got, [BlockVector::default(); 3]);
        // One pixel left and right are equally good: left comes first.
        let search = BlockSearch { block: 1, range: 1 };
        let got = block_motion(&plane(&[7, 0, 7, 0, 7]), &plane(&[7, 7, 7, 7, 7]), search).unwrap();
        assert_eq!(got.iter().map(|v| v.dx).collect::<Vec<_>>(), [0, -1, 0, -1, 0]);
    }

    #[test]
    fn sizes_must_agree() {
        let plane = |w, h| Plane::tight(Size::new(w, h), &[0; 6]).unwrap();
        assert!(block_motion(&plane(2, 3), &plane(3, 2), SEARCH).is_err());
        assert!(block_motion(&plane(2, 3), &plane(2, 3), BlockSearch { block: 0, range: 1 }).is_err());
    }
}
