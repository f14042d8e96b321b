//! Sums that measure sharpness, and the figures made from them. Integers: equal on every machine and in any order of addition.

use super::geometry::Size;

/// Sums over the Laplacian `[0 1 0; 1 -4 1; 0 1 0]` of 8-bit samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LaplacianSums {
    /// Number of pixels.
    pub n: u64,
    /// Sum of the Laplacian, whose values lie in -1020..=1020.
    pub sum: i64,
    /// Sum of its squares.
    pub sum_sq: u64,
}

impl LaplacianSums {
    /// Population variance, `(n * sum_sq - sum^2) / n^2` with the numerator without rounding; 0 for no pixels.
    pub fn variance(&self) -> f64 {
        if self.n == 0 {
            return 0.0;
        }
        let square = i128::from(self.sum) * i128::from(self.sum);
        (i128::from(self.n) * i128::from(self.sum_sq) - square) as f64 / (self.n as f64 * self.n as f64)
    }
}

/// Sum over the Sobel gradient of 8-bit samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TenengradSums {
    /// Number of pixels.
    pub n: u64,
    /// Sum of `gx^2 + gy^2`, at most 1 300 500 a pixel.
    pub sum: u64,
}

impl TenengradSums {
    /// Mean of `gx^2 + gy^2`; 0 for no pixels.
    pub fn mean(&self) -> f64 {
        if self.n == 0 { 0.0 } else { self.sum as f64 / self.n as f64 }
    }
}

/// Sum over what a small blur takes away from 8-bit samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ResidualSums {
    /// Number of pixels.
    pub n: u64,
    /// Sum of `|sample - blurred sample|`, at most 255 a pixel.
    pub sum: u64,
}

impl ResidualSums {
    /// Mean absolute residual in 8-bit codes; 0 for no pixels.
    pub fn mean(&self) -> f64 {
        if self.n == 0 { 0.0 } else { self.sum as f64 / self.n as f64 }
    }
}

/// Sums over the Laplacian for every tile of a picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlurMap {
    /// Side of a tile in pixels; tiles at the right and bottom may be smaller.
    pub tile: u32,
    /// Tiles across and down.
    pub size: Size,
    /// One entry a tile, row by row.
    pub tiles: Vec<LaplacianSums>,
}

impl BlurMap {
    /// Tiles across and down for a picture of `size`; `tile` is not 0.
    pub fn tiles_of(size: Size, tile: u32) -> Size {
        Size::new(size.width.div_ceil(tile), size.height.div_ceil(tile))
    }

    /// Pixels of a tile of a picture of `size`.
    pub fn pixels_of(size: Size, tile: u32, column: u32, row: u32) -> u64 {
        let side = |length: u32, index: u32| u64::from(tile.min(length.saturating_sub(index * tile)));
        side(size.width, column) * side(size.height, row)
    }

    /// Population variance of the Laplacian of every tile, row by row: small where the picture is blurred.
    pub fn variances(&self) -> Vec<f64> {
        self.tiles.iter().map(LaplacianSums::variance).collect()
    }

    /// Sums over the whole picture.
    pub fn total(&self) -> LaplacianSums {
        self.tiles.iter().fold(LaplacianSums::default(), |a, t| LaplacianSums {
            n: a.n + t.n,
            sum: a.sum + t.sum,
            sum_sq: a.sum_sq + t.sum_sq,
        })
    }
}

/// Histogram of the Sobel magnitude, scaled by the largest magnitude of the picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GradientTexture {
    /// Largest `gx^2 + gy^2` of the picture.
    pub peak: u32,
    /// Pixels of each bin; they add up to the number of pixels.
    pub counts: Vec<u32>,
}

impl GradientTexture {
    /// Shares of the bins, which add up to 1; zeros for no pixels.
    pub fn shares(&self) -> Vec<f64> {
        let n = self.counts.iter().map(|c| u64::from(*c)).sum::<u64>().max(1) as f64;
        self.counts.iter().map(|c| f64::from(*c) / n).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_of_hand_made_sums() {
        assert_eq!(LaplacianSums { n: 4, sum: 2, sum_sq: 8 }.variance(), 1.75);
        assert_eq!(TenengradSums { n: 4, sum: 10 }.mean(), 2.5);
        assert_eq!(ResidualSums { n: 8, sum: 2 }.mean(), 0.25);
        let none = (LaplacianSums::default(), TenengradSums::default(), ResidualSums::default());
        assert_eq!((none.0.variance(), none.1.mean(), none.2.mean()), (0.0, 0.0, 0.0));
        assert_eq!(GradientTexture { peak: 9, counts: vec![3, 1] }.shares(), [0.75, 0.25]);
        assert_eq!(GradientTexture { peak: 0, counts: vec![0; 2] }.shares(), [0.0, 0.0]);
    }

    #[test]
    fn tiles_at_the_edge_are_smaller() {
        let size = Size::new(50, 17);
        assert_eq!(BlurMap::tiles_of(size, 16), Size::new(4, 2));
        let pixels = |column, row| BlurMap::pixels_of(size, 16, column, row);
        assert_eq!([pixels(0, 0), pixels(3, 0), pixels(2, 1), pixels(3, 1)], [256, 32, 16, 2]);
    }
}
