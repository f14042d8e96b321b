//! Picture quality: exact integer sums that kernels deliver, and the figures made from them in f64.

use super::edges::EdgeCount;
use super::geometry::Size;
use super::luma::variance;

/// Sums over the grey of one picture, in 8-bit codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct GraySums {
    /// Number of pixels.
    pub n: u64,
    /// Sum of the samples.
    pub sum: u64,
    /// Sum of the squared samples.
    pub sum_sq: u64,
}

impl GraySums {
    /// Population standard deviation in codes, 0..=127.5; 0 for no pixels.
    pub fn standard_deviation(&self) -> f64 {
        if self.n == 0 { 0.0 } else { variance(self.n, self.sum as i64, self.sum_sq).max(0.0).sqrt() }
    }

    /// Standard deviation / 128, 0..1.
    pub fn contrast(&self) -> f64 {
        self.standard_deviation() / 128.0
    }

    /// Mean / 255, 0..=1; 0 for no pixels.
    pub fn brightness(&self) -> f64 {
        if self.n == 0 { 0.0 } else { self.sum as f64 / self.n as f64 / 255.0 }
    }
}

/// Sums over the HSV values V of one patch of at most 32x32 pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PatchSums {
    /// Sum of V.
    pub sum: u32,
    /// Sum of the squared V.
    pub sum_sq: u32,
    /// Pixels with V below 64.
    pub dark: u32,
    /// Pixels with V at or above 192.
    pub bright: u32,
}

/// Which patches the contrast of [`LightingSums`] is averaged over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PatchGrid {
    /// All patches, the cut ones at the right and the bottom too, each weighted by its pixels: every pixel counts once.
    #[default]
    All,
    /// Patches that begin at `x < width - 32` and `y < height - 32`, equally weighted: sides that are multiples of 32 lose their last
    /// patches. For comparison with systems that do so. Where there is none, as [`PatchGrid::All`].
    Strict,
}

/// Patches of one picture, row by row: `ceil(width / 32) * ceil(height / 32)` of 32x32 pixels, cut at the right and the bottom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LightingSums {
    /// Size of the picture.
    pub size: Size,
    /// The patches.
    pub patches: Vec<PatchSums>,
}

/// Lighting of a picture. Shares and figures lie in 0..=1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lighting {
    /// Share of pixels with V below 64.
    pub dark_share: f64,
    /// Share of pixels with V at or above 192.
    pub bright_share: f64,
    /// Mean V, 0..=255.
    pub mean: f64,
    /// Mean over patches of the standard deviation of V, in codes.
    pub patch_deviation: f64,
    /// 0.3 where one share is above a half, else what neither of them takes.
    pub distribution: f64,
    /// `1 - min(patch_deviation / 128, 1)`: high where light does not change within patches.
    pub evenness: f64,
    /// 1 where the mean lies above 0.3 and below 0.7 of the range, else 0.5.
    pub exposure: f64,
    /// `0.4 distribution + 0.3 evenness + 0.3 exposure`.
    pub quality: f64,
}

impl LightingSums {
    /// Side of a patch.
    pub const PATCH: u32 = 32;

    /// Patches across and down a picture of `size`.
    pub const fn patches_of(size: Size) -> (u32, u32) {
        (size.width.div_ceil(Self::PATCH), size.height.div_ceil(Self::PATCH))
    }

    /// The figures. A picture without patches is dark: all sums are 0, and nothing is divided by 0.
    pub fn lighting(&self, grid: PatchGrid) -> Lighting {
        let total = |value: fn(&PatchSums) -> u32| self.patches.iter().map(|p| u64::from(value(p))).sum::<u64>() as f64;
        let n = (self.size.area() as f64).max(1.0);
        let (dark_share, bright_share) = (total(|p| p.dark) / n, total(|p| p.bright) / n);
        let mean = total(|p| p.sum) / n;
        let patch_deviation = match grid {
            PatchGrid::Strict => self.strict_deviation().unwrap_or_else(|| self.deviation()),
            PatchGrid::All => self.deviation(),
        };
        let distribution = if dark_share > 0.5 || bright_share > 0.5 { 0.3 } else { 1.0 - (dark_share + bright_share) };
        let evenness = 1.0 - (patch_deviation / 128.0).min(1.0);
        let level = mean / 255.0;
        let exposure = if level > 0.3 && level < 0.7 { 1.0 } else { 0.5 };
        let quality = (0.4 * distribution + 0.3 * evenness + 0.3 * exposure).clamp(0.0, 1.0);
        Lighting { dark_share, bright_share, mean, patch_deviation, distribution, evenness, exposure, quality }
    }

    /// Index of column and row, pixels, and standard deviation of each patch.
    fn deviations(&self) -> impl Iterator<Item = ((u32, u32), f64, f64)> + '_ {
        let (across, down) = Self::patches_of(self.size);
        let places = (0..down).flat_map(move |y| (0..across).map(move |x| (x, y)));
        places.zip(&self.patches).map(|((x, y), patch)| {
            let side = |length: u32, i: u32| u64::from((length - i * Self::PATCH).min(Self::PATCH));
            let n = side(self.size.width, x) * side(self.size.height, y);
            let deviation = variance(n, i64::from(patch.sum), u64::from(patch.sum_sq)).max(0.0).sqrt();
            ((x, y), n as f64, deviation)
        })
    }

    fn deviation(&self) -> f64 {
        let (sum, n) = self.deviations().fold((0.0, 0.0), |(sum, all), (_, n, d)| (sum + n * d, all + n));
        if n > 0.0 { sum / n } else { 0.0 }
    }

    fn strict_deviation(&self) -> Option<f64> {
        let inside = |i: u32, length: u32| i * Self::PATCH + Self::PATCH < length;
        let kept = self.deviations().filter(|((x, y), ..)| inside(*x, self.size.width) && inside(*y, self.size.height));
        let (sum, n) = kept.fold((0.0, 0u32), |(sum, n), (.., d)| (sum + d, n + 1));
        (n > 0).then(|| sum / f64::from(n))
    }
}

/// How busy a picture is, 0..=1: `0.4 edges + 0.3 colours + 0.3 contrast`, where colours are counted against a tenth of the pixels.
///
/// `edge_share`: share of edge pixels, 0..=1; `unique_colors`: different 24-bit colours among `pixels`; `gray_deviation`: standard
/// deviation of grey in 8-bit codes. 0 pixels give no colour term.
pub fn complexity(edge_share: f64, unique_colors: u32, pixels: u64, gray_deviation: f64) -> f64 {
    let colors = if pixels == 0 { 0.0 } else { (f64::from(unique_colors) / (0.1 * pixels as f64)).min(1.0) };
    (0.4 * edge_share + 0.3 * colors + 0.3 * (gray_deviation / 128.0)).clamp(0.0, 1.0)
}

/// What makes a picture busy, counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ComplexitySums {
    /// Pixels on Canny edges.
    pub edges: EdgeCount,
    /// Different 24-bit colours.
    pub unique_colors: u32,
    /// Sums over grey.
    pub gray: GraySums,
}

impl ComplexitySums {
    /// How busy the picture is, see [`complexity`].
    pub fn complexity(&self) -> f64 {
        complexity(self.edges.share(), self.unique_colors, self.gray.n, self.gray.standard_deviation())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn constant(size: Size, v: u32) -> LightingSums {
        let (across, down) = LightingSums::patches_of(size);
        let side = |length: u32, i: u32| (length - i * 32).min(32);
        let patches = (0..down).flat_map(|y| (0..across).map(move |x| (x, y))).map(|(x, y)| {
            let n = side(size.width, x) * side(size.height, y);
            let (dark, bright) = (if v < 64 { n } else { 0 }, if v >= 192 { n } else { 0 });
            PatchSums { sum: n * v, sum_sq: n * v * v, dark, bright }
        });
        LightingSums { size, patches: patches.collect() }
    }

    #[test]
    fn grey_figures_by_hand() {
        // 0 and 255 in equal parts: mean 127.5, deviation 127.5.
        let sums = GraySums { n: 4, sum: 510, sum_sq: 2 * 255 * 255 };
        assert_eq!((sums.standard_deviation(), sums.contrast(), sums.brightness()), (127.5, 127.5 / 128.0, 0.5));
        assert_eq!(GraySums::default().contrast() + GraySums::default().brightness(), 0.0);
    }

    #[test]
    fn even_light_is_best_and_no_size_gives_nan() {
        for size in [Size::new(1, 1), Size::new(32, 32), Size::new(33, 31), Size::new(33, 33), Size::new(512, 512)] {
            for grid in [PatchGrid::All, PatchGrid::Strict] {
                assert_eq!(constant(size, 150).lighting(grid).quality, 1.0, "{size} {grid:?}");
                // All dark: 0.4 * 0.3 + 0.3 * 1 + 0.3 * 0.5.
                assert!((constant(size, 10).lighting(grid).quality - 0.57).abs() < 1e-15);
                let bright = constant(size, 200).lighting(grid);
                assert_eq!((bright.bright_share, bright.distribution, bright.exposure), (1.0, 0.3, 0.5));
            }
        }
        let none = LightingSums { size: Size::new(0, 0), patches: Vec::new() };
        assert!(none.lighting(PatchGrid::Strict).quality.is_finite());
    }

    #[test]
    fn the_grids_choose_their_patches() {
        // 65x33: 3 x 2 patches of 32x32, 32x32, 1x32 and one row each; deviations 10 in the first, 20 in the second, else 0.
        let spread = |n: u32, d: u32| PatchSums { sum: n * 100, sum_sq: n * (100 * 100 + d * d), dark: 0, bright: 0 };
        let patches =
            vec![spread(1024, 10), spread(1024, 20), spread(32, 0), spread(32, 0), spread(32, 0), spread(1, 0)];
        let sums = LightingSums { size: Size::new(65, 33), patches };
        assert_eq!(sums.lighting(PatchGrid::Strict).patch_deviation, 15.0);
        let all = sums.lighting(PatchGrid::All).patch_deviation;
        assert!((all - 30.0 * 1024.0 / (65.0 * 33.0)).abs() < 1e-12);
        // 64 wide: the strict grid loses the second column; 32 high: it has no row at all.
        let two = LightingSums { size: Size::new(64, 33), ..sums.clone() };
        let two =
            LightingSums { patches: vec![spread(1024, 10), spread(1024, 20), spread(32, 0), spread(32, 0)], ..two };
        assert_eq!(two.lighting(PatchGrid::Strict).patch_deviation, 10.0);
        let flat = LightingSums { size: Size::new(64, 32), patches: vec![spread(1024, 10), spread(1024, 20)] };
        assert_eq!(flat.lighting(PatchGrid::Strict), flat.lighting(PatchGrid::All));
    }

    #[test]
    fn complexity_of_known_pictures() {
        // 512x512 in one colour: 0.3 * 1 / 26214.4.
        assert_eq!(complexity(0.0, 1, 512 * 512, 0.0), 1.1444091796875e-05);
        assert_eq!(complexity(1.0, 9, 10, 128.0), 1.0);
        assert_eq!(complexity(0.0, 0, 0, 0.0), 0.0);
        assert_eq!(complexity(0.5, 5, 100, 64.0), 0.2 + 0.15 + 0.15);
        let sums = ComplexitySums {
            edges: EdgeCount { edges: 50, pixels: 100 },
            unique_colors: 5,
            gray: GraySums { n: 100, sum: 100 * 64, sum_sq: 50 * 128 * 128 },
        };
        assert_eq!(sums.complexity(), 0.2 + 0.15 + 0.15);
        assert_eq!(ComplexitySums::default().complexity(), 0.0);
    }
}
