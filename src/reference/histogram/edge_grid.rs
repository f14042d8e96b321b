//! `histogram/edge_grid`: edge pixels in the cells of a grid.

use crate::Result;
use crate::core::{EdgeCells, Size};
use crate::reference::edges::canny::canny;
use crate::reference::plane::{Plane, unfit};

/// Copies the pixels of the cells of a plane, row by row of cells: cells have `W/grid` x `H/grid` pixels, rounded down.
fn cells(src: &Plane<'_>, grid: u32) -> Result<(Size, Vec<Vec<u8>>)> {
    src.expect_channels("histogram/edge_grid", 1)?;
    let cell = EdgeCells::cell_of(src.size(), grid).ok_or_else(|| {
        unfit("histogram/edge_grid", "grid", format!("cells of at least a pixel of {}", src.size()), grid)
    })?;
    let pixels = |i: u32| {
        let (left, top) = (i % grid * cell.width, i / grid * cell.height);
        (0..cell.height).flat_map(move |y| (0..cell.width).map(move |x| src.at(left + x, top + y, 0))).collect()
    };
    Ok((cell, (0..grid * grid).map(pixels).collect()))
}

fn count(pixels: &[u8]) -> u32 {
    pixels.iter().filter(|v| **v != 0).count() as u32
}

/// `edges`: an edge map, one byte a pixel, zero or not. Counts the pixels other than zero in each cell.
///
/// # Errors
/// [`crate::Error::Parameter`] if the plane has fewer pixels than cells along a side, or more than one channel.
pub fn edge_grid(edges: &Plane<'_>, grid: u32) -> Result<EdgeCells> {
    let (cell, cells) = cells(edges, grid)?;
    Ok(EdgeCells { grid, cell, counts: cells.iter().map(|c| count(c)).collect() })
}

/// `src`: 8-bit luma. Cuts out each cell and counts the edges that [`canny`] finds in it, as if it were a picture.
///
/// # Errors
/// As [`edge_grid`].
pub fn cell_edges(src: &Plane<'_>, grid: u32, low: u16, high: u16) -> Result<EdgeCells> {
    let (cell, cells) = cells(src, grid)?;
    let edges = |c: &Vec<u8>| canny(&Plane::tight(cell, c)?, low, high).map(|e| count(&e));
    Ok(EdgeCells { grid, cell, counts: cells.iter().map(edges).collect::<Result<_>>()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_leave_out_what_is_left_over() {
        // 5x5 in cells of 2x2: the last row and column belong to none.
        let mut data = [0u8; 25];
        for i in [0, 1, 3, 4, 10, 12, 18, 24] {
            data[i] = 255;
        }
        let got = edge_grid(&Plane::tight(Size::new(5, 5), &data).unwrap(), 2).unwrap();
        assert_eq!((got.cell, got.counts), (Size::new(2, 2), vec![2, 1, 1, 2]));
        assert!(edge_grid(&Plane::tight(Size::new(5, 5), &data).unwrap(), 6).is_err());
    }

    #[test]
    fn a_step_between_cells_is_seen_by_none() {
        let data: Vec<u8> = [0u8, 0, 90, 90].into_iter().cycle().take(16).collect();
        let plane = Plane::tight(Size::new(4, 4), &data).unwrap();
        assert_eq!(cell_edges(&plane, 2, 50, 150).unwrap().counts, [0; 4]);
        assert_eq!(cell_edges(&plane, 1, 50, 150).unwrap().counts, [4]);
    }
}
