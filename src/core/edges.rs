//! Figures of edge maps: exact counts, and what is made from them.

use super::geometry::Size;

/// Edge pixels of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct EdgeCount {
    /// Pixels on edges.
    pub edges: u64,
    /// All pixels.
    pub pixels: u64,
}

impl EdgeCount {
    /// Share of pixels on edges, 0..=1; 0 for a picture without pixels.
    pub fn share(&self) -> f64 {
        if self.pixels == 0 { 0.0 } else { self.edges as f64 / self.pixels as f64 }
    }
}

/// Edge pixels in the cells of a `grid` x `grid` grid over a picture. Cells have `W/grid` x `H/grid` pixels, rounded down; what is
/// left over at the right and below belongs to none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EdgeCells {
    /// Cells along each side.
    pub grid: u32,
    /// Size of a cell in pixels.
    pub cell: Size,
    /// Edge pixels of each cell, row by row.
    pub counts: Vec<u32>,
}

impl EdgeCells {
    /// Size of the cells of a picture; `None` where it has fewer pixels than cells along a side, or for a grid of 0.
    pub fn cell_of(picture: Size, grid: u32) -> Option<Size> {
        let cell = Size::new(picture.width.checked_div(grid)?, picture.height.checked_div(grid)?);
        (!cell.is_empty()).then_some(cell)
    }

    /// Shares of pixels on edges, 0..=1 each.
    pub fn shares(&self) -> impl Iterator<Item = f64> + '_ {
        let pixels = self.cell.area().max(1) as f64;
        self.counts.iter().map(move |count| f64::from(*count) / pixels)
    }

    /// The histograms of an edge map of 0 and 255 with `bins` equal bins over 0..256, one a cell, each with sum 1: all but the first
    /// and the last bin are 0. The `edge` part of descriptors made with OpenCV's `Canny` and `calcHist`.
    pub fn histograms(&self, bins: usize) -> Vec<f64> {
        let mut out = vec![0.0; bins * self.counts.len()];
        for (cell, share) in out.chunks_exact_mut(bins.max(1)).zip(self.shares()) {
            if let Some(first) = cell.first_mut() {
                *first += 1.0 - share;
            }
            if let Some(last) = cell.last_mut() {
                *last += share;
            }
        }
        out
    }
}

/// What edge pixels on the border count, see [`BorderSums::occlusion`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum EdgeWeight {
    /// 1: the share of edge pixels among those of the border.
    #[default]
    One,
    /// 255, the value of the byte, per pixel of strips that are not cut off by a small picture: saturates at 0.8 % edge pixels. For
    /// results equal to those of tools that add up OpenCV's edge maps.
    Byte,
}

/// Sums over the border of one 8-bit luma picture: strips of `border` pixels at the top, bottom, left and right, behind each
/// other, so that a pixel counts once for each strip it lies in. Strips end at the picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BorderSums {
    /// Size of the picture.
    pub size: Size,
    /// Width of a strip.
    pub border: u32,
    /// Sum of the samples.
    pub sum: u64,
    /// Sum of the squared samples.
    pub sum_sq: u64,
    /// Pixels on edges.
    pub edges: u64,
}

impl BorderSums {
    /// Nothing summed up yet.
    pub const fn new(size: Size, border: u32) -> Self {
        Self { size, border, sum: 0, sum_sq: 0, edges: 0 }
    }

    /// Samples of all strips: `2 W min(border, H) + 2 H min(border, W)`.
    pub fn samples(&self) -> u64 {
        let Size { width, height } = self.size;
        let strip = |along: u32, across: u32| 2 * u64::from(along) * u64::from(across.min(self.border));
        strip(width, height) + strip(height, width)
    }

    /// Population standard deviation of the samples, in 8-bit codes; 0 without samples.
    pub fn deviation(&self) -> f64 {
        let n = self.samples();
        if n == 0 {
            return 0.0;
        }
        let square = i128::from(self.sum) * i128::from(self.sum);
        let variance = (i128::from(n) * i128::from(self.sum_sq) - square) as f64 / (n as f64 * n as f64);
        variance.sqrt()
    }

    /// How much the border looks as if something were cut off: `0.5 deviation / 128 + 0.5 r`, clipped to 0..=1. With
    /// [`EdgeWeight::One`], `r = edges / samples`; with [`EdgeWeight::Byte`], `r = 255 edges / (2 (W + H) border)`.
    pub fn occlusion(&self, weight: EdgeWeight) -> f64 {
        let r = match weight {
            EdgeWeight::One => self.edges as f64 / self.samples().max(1) as f64,
            EdgeWeight::Byte => {
                let sides = u64::from(self.size.width) + u64::from(self.size.height);
                255.0 * self.edges as f64 / (2 * sides * u64::from(self.border)).max(1) as f64
            }
        };
        (0.5 * self.deviation() / 128.0 + 0.5 * r).clamp(0.0, 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_and_histograms_by_hand() {
        assert_eq!(EdgeCount { edges: 3, pixels: 12 }.share(), 0.25);
        assert_eq!(EdgeCount::default().share(), 0.0);
        let cells = EdgeCells { grid: 2, cell: Size::new(2, 2), counts: vec![0, 1, 2, 4] };
        assert_eq!(cells.shares().collect::<Vec<_>>(), [0.0, 0.25, 0.5, 1.0]);
        assert_eq!(cells.histograms(3), [1.0, 0.0, 0.0, 0.75, 0.0, 0.25, 0.5, 0.0, 0.5, 0.0, 0.0, 1.0]);
        assert_eq!(EdgeCells::cell_of(Size::new(14, 15), 3), Some(Size::new(4, 5)));
        assert_eq!(EdgeCells::cell_of(Size::new(14, 2), 3), None);
        assert_eq!(EdgeCells::cell_of(Size::new(14, 2), 0), None);
    }

    #[test]
    fn occlusion_by_hand() {
        // 3x2 with strips of 1: top and bottom 3 each, left and right 2 each; half of the samples 0, half 100.
        let sums = BorderSums { size: Size::new(3, 2), border: 1, sum: 500, sum_sq: 50_000, edges: 1 };
        assert_eq!((sums.samples(), sums.deviation()), (10, 50.0));
        assert_eq!(sums.occlusion(EdgeWeight::One), 0.5 * 50.0 / 128.0 + 0.05);
        assert_eq!(sums.occlusion(EdgeWeight::Byte), 1.0);
        // Strips of 4 are cut off at 2 and 3 pixels.
        let cut = BorderSums { border: 4, ..sums };
        assert_eq!(cut.samples(), 2 * 3 * 2 + 2 * 2 * 3);
        assert_eq!(BorderSums { edges: 0, sum: 0, sum_sq: 0, ..cut }.occlusion(EdgeWeight::Byte), 0.0);
        assert_eq!(BorderSums::new(Size::new(0, 0), 0).occlusion(EdgeWeight::One), 0.0);
    }
}
