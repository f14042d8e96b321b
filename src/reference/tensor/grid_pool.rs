//! `tensor/grid_pool`: means of the cells of a grid over feature maps.

use crate::Result;
use crate::core::{GridPooling, Size};
use crate::reference::plane::unfit;

/// `maps`: `[N, channels, height, width]`. Gives `grid * grid * channels` numbers a map: cells row by row, the channels of a cell
/// together.
///
/// A cell has `floor(width / grid)` x `floor(height / grid)` numbers; columns and rows behind the last cell take no part. Average:
/// the mean. GeM (Radenovic et al. 2018): `mean(max(x, 1e-6)^p)^(1/p)`. All in f64, rounded to f32 once.
///
/// # Errors
/// [`crate::Error::Parameter`] if the grid has more cells than the map has numbers along a side, or `maps` is no whole number of maps.
pub fn grid_pool(maps: &[f32], channels: usize, size: Size, grid: u32, pooling: GridPooling) -> Result<Vec<f32>> {
    const OP: &str = "tensor/grid_pool";
    if grid == 0 || grid > size.width || grid > size.height {
        return Err(unfit(OP, "grid", format!("1 to the sides of {size}"), grid));
    }
    let (area, width) = (size.area() as usize, size.width as usize);
    if channels == 0 || !maps.len().is_multiple_of(channels * area) {
        return Err(unfit(OP, "maps", format!("a multiple of {channels} x {size}"), maps.len()));
    }
    let (cell_width, cell_height) = ((size.width / grid) as usize, (size.height / grid) as usize);
    let mut out = Vec::new();
    for map in maps.chunks_exact(channels * area) {
        for cell in 0..(grid * grid) as usize {
            let (left, top) = (cell % grid as usize * cell_width, cell / grid as usize * cell_height);
            for plane in map.chunks_exact(area) {
                let rows = plane.chunks_exact(width).skip(top).take(cell_height);
                let values = rows.flat_map(|row| &row[left..left + cell_width]).map(|v| f64::from(*v));
                let n = (cell_width * cell_height) as f64;
                out.push(match pooling {
                    GridPooling::Average => values.sum::<f64>() / n,
                    GridPooling::GeneralizedMean { p } => {
                        let p = f64::from(p);
                        (values.map(|v| v.max(1e-6).powf(p)).sum::<f64>() / n).powf(1.0 / p)
                    }
                } as f32);
            }
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_row_by_row_with_their_channels_together() {
        // 2 channels of 5x4: the last column belongs to no cell of a 2x2 grid.
        let map: Vec<f32> = (0..40).map(|i| i as f32).collect();
        let mean = grid_pool(&map, 2, Size::new(5, 4), 2, GridPooling::Average).unwrap();
        // Cell 0, channel 0: 0 1 5 6; channel 1: 20 more; cell 1: two columns on; cell 2: two rows on.
        assert_eq!(mean, [3.0, 23.0, 5.0, 25.0, 13.0, 33.0, 15.0, 35.0]);
    }

    #[test]
    fn the_generalized_mean_lies_between_mean_and_maximum() {
        let gem = |p| {
            grid_pool(&[-1.0, 1.0, 2.0, 3.0], 1, Size::new(2, 2), 1, GridPooling::GeneralizedMean { p }).unwrap()[0]
        };
        // (0 + 1 + 8 + 27) / 4 = 9
        assert!((gem(3.0) - 9.0f32.cbrt()).abs() < 1e-6 && (gem(1.0) - 1.5).abs() < 1e-6);
        assert!(gem(30.0) > 2.8 && gem(30.0) < 3.0);
        assert!(grid_pool(&[1.0; 4], 1, Size::new(2, 2), 3, GridPooling::Average).is_err());
        assert!(grid_pool(&[1.0; 5], 1, Size::new(2, 2), 1, GridPooling::Average).is_err());
    }
}
