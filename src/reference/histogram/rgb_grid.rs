//! `histogram/rgb_grid`: colour histograms of the cells of a grid.

use crate::Result;
use crate::reference::colors::Colors;
use crate::reference::plane::unfit;

/// Counts per cell of a `grid` x `grid` partition, cells row by row, 512 bins each: bin `b * 64 + g * 8 + r` of the 8-bit components
/// divided by 32, floored. Cells are `floor(width / grid)` x `floor(height / grid)` pixels; the pixels right of and below the last
/// cells belong to none.
///
/// # Errors
/// [`crate::Error::Parameter`] for no grid.
pub fn rgb_grid(picture: &Colors, grid: u32) -> Result<Vec<u32>> {
    if grid == 0 {
        return Err(unfit("histogram/rgb_grid", "grid", "at least 1", grid));
    }
    let size = picture.size();
    let (width, height) = (size.width / grid, size.height / grid);
    let mut counts = vec![0; (grid * grid * 512) as usize];
    for y in 0..height * grid {
        for x in 0..width * grid {
            let [r, g, b] = picture.at(x, y).map(|v| u32::from(v) / 32);
            let cell = y / height * grid + x / width;
            counts[(cell * 512 + b * 64 + g * 8 + r) as usize] += 1;
        }
    }
    Ok(counts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::Size;

    #[test]
    fn cells_and_bins_by_hand() {
        // 5x2 in 2x2 cells of 2x1; the last column belongs to none.
        let mut pixels = vec![[0, 0, 0]; 10];
        pixels[0] = [32, 0, 0];
        pixels[3] = [0, 64, 0];
        pixels[4] = [255, 255, 255];
        pixels[6] = [31, 31, 255];
        let counts = rgb_grid(&Colors::new(Size::new(5, 2), pixels).unwrap(), 2).unwrap();
        let found: Vec<(usize, u32)> = counts.into_iter().enumerate().filter(|(_, n)| *n > 0).collect();
        assert_eq!(found, [(0, 1), (1, 1), (512, 1), (512 + 16, 1), (1024, 1), (1024 + 448, 1), (1536, 2)]);
    }

    #[test]
    fn a_picture_smaller_than_the_grid_has_empty_cells() {
        let picture = Colors::new(Size::new(3, 9), vec![[1, 2, 3]; 27]).unwrap();
        assert!(rgb_grid(&picture, 4).unwrap().iter().all(|n| *n == 0));
        assert_eq!(rgb_grid(&picture, 1).unwrap()[0], 27);
        assert!(rgb_grid(&picture, 0).is_err());
    }
}
