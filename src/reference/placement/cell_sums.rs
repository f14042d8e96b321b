//! `placement/cell_sums`: sums over the cells of a field.

use crate::Result;
use crate::core::CellGrid;
use crate::reference::Field;
use crate::reference::plane::unfit;

/// What a cell holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Cell {
    /// Sum of all values.
    pub sum: u64,
    /// Number of values above the threshold.
    pub count: u64,
    /// Their sum.
    pub active: u64,
    /// Sum of value times x of those, modulo `2^64`.
    pub x: u64,
    /// Sum of value times y of those, modulo `2^64`.
    pub y: u64,
}

/// The cells of `field`, row by row. Values are integers in units of `2^-fraction_bits` (floats) or 1; active above `threshold` units;
/// moments from each cell's corner or, with `from_picture`, from that of the field.
///
/// # Errors
/// [`crate::Error::Parameter`] for a grid of another size than the field.
pub fn cell_sums(
    field: &Field<'_>,
    grid: &CellGrid,
    fraction_bits: u32,
    threshold: u32,
    from_picture: bool,
) -> Result<Vec<Cell>> {
    if grid.size() != field.size() {
        return Err(unfit("placement/cell_sums", "cells", format!("a grid for {}", field.size()), grid.size()));
    }
    let mut cells = Vec::new();
    for rows in grid.ys().windows(2) {
        for columns in grid.xs().windows(2) {
            let mut cell = Cell::default();
            let (left, top) = if from_picture { (0, 0) } else { (columns[0], rows[0]) };
            for y in rows[0]..rows[1] {
                for x in columns[0]..columns[1] {
                    let value = field.fixed((y * field.size().width + x) as usize, fraction_bits as i32);
                    let wide = u64::from(value);
                    cell.sum += wide;
                    if value > threshold {
                        cell.count += 1;
                        cell.active += wide;
                        cell.x = cell.x.wrapping_add(wide * u64::from(x - left));
                        cell.y = cell.y.wrapping_add(wide * u64::from(y - top));
                    }
                }
            }
            cells.push(cell);
        }
    }
    Ok(cells)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::Size;
    use crate::reference::Numbers;

    #[test]
    fn by_hand() {
        let size = Size::new(5, 2);
        let values: Vec<u32> = (0..10).collect();
        let field = Field::new(size, Numbers::Integers(&values)).unwrap();
        let grid = CellGrid::uniform(size, 4).unwrap();
        // 0 1 2 3 | 4
        // 5 6 7 8 | 9
        let got = cell_sums(&field, &grid, 0, 6, false).unwrap();
        assert_eq!(got[0], Cell { sum: 32, count: 2, active: 15, x: 2 * 7 + 3 * 8, y: 15 });
        assert_eq!(got[1], Cell { sum: 13, count: 1, active: 9, x: 0, y: 9 });
        assert_eq!(
            cell_sums(&field, &grid, 0, 6, true).unwrap()[1],
            Cell { sum: 13, count: 1, active: 9, x: 36, y: 9 }
        );
    }
}
