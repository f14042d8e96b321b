//! Summed-area tables over cells: the sum over any window that is made of whole cells is four look-ups.
#![allow(
    clippy::indexing_slicing,
    reason = "tables have one entry per crossing of the grid; positions come from the grid"
)]

use super::heat::HeatMap;
use crate::core::{CellGrid, Rect};

/// For each pixel coordinate that is a cut, its number.
fn places(cuts: &[u32]) -> Vec<u32> {
    let mut at = vec![u32::MAX; cuts.last().map_or(0, |l| *l as usize) + 1];
    cuts.iter().zip(0..).for_each(|(cut, i)| at[*cut as usize] = i);
    at
}

/// Sums of a map in f64, with those of its active values and their positions.
pub(super) struct FloatTables {
    xs: Vec<u32>,
    ys: Vec<u32>,
    stride: usize,
    /// Sum; active count, sum, sum times x, sum times y.
    cells: Vec<[f64; 5]>,
}

impl FloatTables {
    /// Tables over `grid` of `values`, active above `active`.
    pub(super) fn new(grid: &CellGrid, values: &[f32], active: f32) -> Self {
        let stride = grid.xs().len();
        let mut cells = vec![[0.0; 5]; stride * grid.ys().len()];
        let width = grid.size().width as usize;
        for (row, ys) in grid.ys().windows(2).enumerate() {
            for y in ys[0]..ys[1] {
                let line = &values[y as usize * width..(y as usize + 1) * width];
                for (column, xs) in grid.xs().windows(2).enumerate() {
                    let cell = &mut cells[(row + 1) * stride + column + 1];
                    for x in xs[0]..xs[1] {
                        let v = f64::from(line[x as usize]);
                        cell[0] += v;
                        if line[x as usize] > active {
                            cell[1] += 1.0;
                            cell[2] += v;
                            cell[3] += v * f64::from(x);
                            cell[4] += v * f64::from(y);
                        }
                    }
                }
            }
        }
        for at in stride..cells.len() {
            if at % stride != 0 {
                let (left, up, both) = (cells[at - 1], cells[at - stride], cells[at - stride - 1]);
                for (i, v) in cells[at].iter_mut().enumerate() {
                    *v += left[i] + up[i] - both[i];
                }
            }
        }
        Self { xs: places(grid.xs()), ys: places(grid.ys()), stride, cells }
    }

    fn over(&self, rect: Rect, part: usize) -> f64 {
        let (x0, x1) = (self.xs[rect.x as usize] as usize, self.xs[(rect.x + rect.width) as usize] as usize);
        let (y0, y1) = (self.ys[rect.y as usize] as usize, self.ys[(rect.y + rect.height) as usize] as usize);
        let at = |x: usize, y: usize| self.cells[y * self.stride + x][part];
        at(x1, y1) - at(x0, y1) - at(x1, y0) + at(x0, y0)
    }

    /// The sum over a window of whole cells.
    pub(super) fn sum(&self, rect: Rect) -> f64 {
        self.over(rect, 0)
    }

    /// The mean position of the active values, from the corner of the window.
    pub(super) fn centroid(&self, rect: Rect) -> Option<(f64, f64)> {
        let (count, sum) = (self.over(rect, 1), self.over(rect, 2));
        let mean = |part, corner: u32| self.over(rect, part) / sum - f64::from(corner);
        (count > 0.5).then(|| (mean(3, rect.x), mean(4, rect.y)))
    }
}

/// Heat per cell in integers.
#[derive(Debug, Clone)]
pub(super) struct Cells {
    pub(super) xs: Vec<u32>,
    pub(super) ys: Vec<u32>,
    /// Row by row.
    pub(super) heat: Vec<u64>,
}

/// Values are integers in units of the largest value times 2^-24.
const UNIT: f64 = 16_777_216.0;

impl Cells {
    /// Sums of the values above `threshold` times the largest.
    pub(super) fn new(grid: &CellGrid, map: &HeatMap, threshold: f64) -> Self {
        let most = f64::from(map.most());
        let least = (threshold * most) as f32;
        let unit = if most > 0.0 { UNIT / most } else { 0.0 };
        let columns = grid.xs().len() - 1;
        let mut heat = vec![0u64; columns * (grid.ys().len() - 1)];
        for (row, ys) in grid.ys().windows(2).enumerate() {
            for y in ys[0]..ys[1] {
                for (column, xs) in grid.xs().windows(2).enumerate() {
                    let values = map.row(y, xs[0], xs[1]).iter().filter(|v| **v > least);
                    // Even the faintest heat is at least one unit: what counts is never rounded away.
                    let sum: u64 = values.map(|v| ((f64::from(*v) * unit + 0.5) as u64).max(1)).sum();
                    heat[row * columns + column] += sum;
                }
            }
        }
        Self { xs: grid.xs().to_vec(), ys: grid.ys().to_vec(), heat }
    }

    /// Units in a heat of 1.
    pub(super) fn scale(map: &HeatMap) -> f64 {
        UNIT / f64::from(map.most())
    }

    pub(super) fn columns(&self) -> usize {
        self.xs.len() - 1
    }

    pub(super) fn total(&self) -> u64 {
        self.heat.iter().sum()
    }
}
