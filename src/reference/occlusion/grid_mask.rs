//! `occlusion/grid_mask`: a grid of holes.

use super::{Occluded, filled};
use crate::Result;
use crate::core::occlusion::{Fill, Grid};
use crate::core::random::Draw;
use crate::reference::plane::Plane;

/// `src` with the holes of `grid` filled: see [`crate::core::occlusion::GridSteps::covers`].
///
/// # Errors
/// [`crate::Error::Parameter`] if `src` has neither 1 nor 4 channels.
pub fn grid_mask(src: &Plane<'_>, grid: &Grid, fill: Fill, draw: Draw) -> Result<Occluded> {
    let (steps, size) = (grid.steps(), src.size());
    filled("occlusion/grid_mask", src, (fill, draw), |x, y| steps.covers(size, x, y))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::Size;

    #[test]
    fn holes_of_two_by_two_by_hand() {
        let plane = Plane::tight(Size::new(4, 3), &[1; 12]).unwrap();
        let grid = Grid { period: 3, ratio: 0.3, offset: [1, 0], degrees: 0.0 };
        // Kept: 0.9 to 1; holes of 2, columns 0 and 2, 3 (moved left by one), rows 0 and 1.
        let (out, covered) = grid_mask(&plane, &grid, Fill::Constant([0; 3]), Draw::default()).unwrap();
        assert_eq!((out, covered.pixels), (vec![0, 1, 0, 0, 0, 1, 0, 0, 1, 1, 1, 1], 6));
    }
}
