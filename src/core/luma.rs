//! Statistics of one luma picture: the integer sums a kernel delivers, and the figures made from them.

use super::geometry::Size;

/// Sums over all pixels of one 8-bit luma picture, in integers: equal on every machine and in any order of addition.
///
/// Filters, with border reflect-101 (`dcb|abcd|cba`; on a side of length 1 the only sample repeats): Laplacian `[0 1
/// 0; 1 -4 1; 0 1 0]`, Sobel `gx = [-1 0 1; -2 0 2; -1 0 1]` and `gy` its transpose. The noise mask `[1 -2 1; -2 4 -2;
/// 1 -2 1]` (Immerkaer, "Fast Noise Variance Estimation", 1996) has no border: it is summed over interior pixels only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LumaSums {
    /// Number of pixels.
    pub n: u64,
    /// Sum of the samples.
    pub sum: u64,
    /// Sum of the squared samples.
    pub sum_sq: u64,
    /// Sum of the Laplacian.
    pub lap_sum: i64,
    /// Sum of the squared Laplacian, whose values lie in -1020..=1020.
    pub lap_sum_sq: u64,
    /// Sum of `gx^2 + gy^2`, each gradient in -1020..=1020.
    pub tenengrad_sum: u64,
    /// Sum over interior pixels of the absolute response of the noise mask, 0..=2040 each.
    pub noise_sum: u64,
    /// Pixels at or below the dark code.
    pub dark: u64,
    /// Pixels at or above the bright code.
    pub bright: u64,
}

/// What [`LumaSums`] mean, in f64. All in units of 8-bit codes, their squares, or shares of 0..=1.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct LumaStats {
    /// Mean sample, 0..=255.
    pub mean: f64,
    /// Population variance of the samples.
    pub variance: f64,
    /// Population variance of the Laplacian: the usual sharpness figure.
    pub laplacian_variance: f64,
    /// Mean of `gx^2 + gy^2`.
    pub tenengrad: f64,
    /// Standard deviation of additive noise after Immerkaer, `sqrt(pi/2) / 6 * noise_sum / ((W-2)*(H-2))`; 0 without
    /// interior pixels.
    pub noise_sigma: f64,
    /// Share of pixels at or below the dark code.
    pub dark_share: f64,
    /// Share of pixels at or above the bright code.
    pub bright_share: f64,
}

/// Population variance from exact integer sums: `(n * sum_sq - sum^2) / n^2`, the numerator without rounding.
pub(super) fn variance(n: u64, sum: i64, sum_sq: u64) -> f64 {
    let square = i128::from(sum) * i128::from(sum);
    (i128::from(n) * i128::from(sum_sq) - square) as f64 / (n as f64 * n as f64)
}

impl LumaSums {
    /// The figures for a picture of `size` pixels, whose area must be [`n`](Self::n). All zero when `n` is 0.
    pub fn stats(&self, size: Size) -> LumaStats {
        if self.n == 0 {
            return LumaStats::default();
        }
        let n = self.n as f64;
        let interior = u64::from(size.width.saturating_sub(2)) * u64::from(size.height.saturating_sub(2));
        let noise_sigma = if interior == 0 {
            0.0
        } else {
            (std::f64::consts::PI / 2.0).sqrt() / 6.0 * (self.noise_sum as f64 / interior as f64)
        };
        LumaStats {
            mean: self.sum as f64 / n,
            variance: variance(self.n, self.sum as i64, self.sum_sq),
            laplacian_variance: variance(self.n, self.lap_sum, self.lap_sum_sq),
            tenengrad: self.tenengrad_sum as f64 / n,
            noise_sigma,
            dark_share: self.dark as f64 / n,
            bright_share: self.bright as f64 / n,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_of_hand_made_sums() {
        // Samples 1 2 3 4 in a 4x1 row; Laplacian (reflect-101, rows replicate) 2 0 0 -2.
        let sums = LumaSums {
            n: 4,
            sum: 10,
            sum_sq: 30,
            lap_sum: 0,
            lap_sum_sq: 8,
            tenengrad_sum: 128,
            noise_sum: 7,
            dark: 1,
            bright: 3,
        };
        let s = sums.stats(Size::new(4, 1));
        assert_eq!((s.mean, s.variance, s.laplacian_variance, s.tenengrad), (2.5, 1.25, 2.0, 32.0));
        assert_eq!((s.noise_sigma, s.dark_share, s.bright_share), (0.0, 0.25, 0.75));
    }

    #[test]
    fn noise_uses_interior_pixels_only() {
        let sums = LumaSums { n: 16, noise_sum: 24, ..LumaSums::default() };
        // 4 interior pixels, mean response 6: sqrt(pi/2).
        assert!((sums.stats(Size::new(4, 4)).noise_sigma - 1.253_314_137_315_500_3).abs() < 1e-15);
    }

    #[test]
    fn nothing_gives_zeros_and_a_constant_has_no_variance() {
        assert_eq!(LumaSums::default().stats(Size::new(0, 0)), LumaStats::default());
        let n = 1920 * 1080;
        let sums = LumaSums { n, sum: 201 * n, sum_sq: 201 * 201 * n, ..LumaSums::default() };
        assert_eq!(sums.stats(Size::new(1920, 1080)).variance, 0.0);
    }
}
