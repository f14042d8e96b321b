//! Motion between frames: what is summed, and the figures made from it.

use super::Size;

/// Sums over the absolute differences of two 8-bit pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DifferenceSums {
    /// Sum of `|a - b|`.
    pub sum_abs: u64,
    /// Number of pixels with `|a - b| > threshold`.
    pub over: u64,
    /// Number of pixels.
    pub n: u64,
    /// Sum of the samples of both pictures, `a + b`.
    pub sum_both: u64,
}

impl DifferenceSums {
    /// Mean absolute difference in 8-bit codes, 0..=255; 0 for no pixels.
    pub fn mean(&self) -> f64 {
        if self.n == 0 { 0.0 } else { self.sum_abs as f64 / self.n as f64 }
    }

    /// Mean absolute difference as a share of the code range, `mean / 255`, 0..=1.
    pub fn mean_normalised(&self) -> f64 {
        self.mean() / 255.0
    }

    /// Mean absolute difference relative to the mean luma of both pictures, `2 sum |a - b| / sum (a + b)`, 0..=2; 0 where both are
    /// black. The same motion in a darker scene gives the same figure; codes are taken as they are, without black-level correction.
    pub fn mean_relative(&self) -> f64 {
        if self.sum_both == 0 { 0.0 } else { 2.0 * self.sum_abs as f64 / self.sum_both as f64 }
    }

    /// Share of pixels over the threshold, 0..=1; 0 for no pixels.
    pub fn share(&self) -> f64 {
        if self.n == 0 { 0.0 } else { self.over as f64 / self.n as f64 }
    }
}

/// What a heat map adds up, per pixel, in `u32`.
///
/// No mode adds more than 255 per frame: up to [`HeatMode::MAX_FRAMES`] frames cannot overflow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum HeatMode {
    /// Number of frames with `|p_t - p_(t-1)| > threshold`.
    CountOver {
        /// Difference in 8-bit codes that does not count yet.
        threshold: u8,
    },
    /// Sum of `|p_t - p_(t-1)|`.
    SumAbs,
    /// Sum of the samples themselves: masks, brightness.
    SumValues,
    /// Number of frames whose sample is not zero: masks of any height, among them maps of bits.
    CountSet,
}

impl HeatMode {
    /// Most frames that may go into one map: `255 * MAX_FRAMES <= u32::MAX`.
    pub const MAX_FRAMES: u32 = u32::MAX / 255;

    /// Lower-case name, as in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::CountOver { .. } => "count-over",
            Self::SumAbs => "sum-abs",
            Self::SumValues => "sum-values",
            Self::CountSet => "count-set",
        }
    }

    /// Whether the mode looks at the frame before.
    pub const fn uses_differences(self) -> bool {
        !matches!(self, Self::SumValues | Self::CountSet)
    }

    /// Most that one frame adds to a pixel: what a map is divided by, times its frames, to give shares.
    pub const fn full(self) -> u32 {
        match self {
            Self::CountOver { .. } | Self::CountSet => 1,
            Self::SumAbs | Self::SumValues => 255,
        }
    }

    /// What one pixel adds: `current` and, for the modes that look at differences, the sample of the frame before.
    pub const fn contribution(self, previous: u8, current: u8) -> u32 {
        match self {
            Self::CountOver { threshold } => (previous.abs_diff(current) > threshold) as u32,
            Self::SumAbs => previous.abs_diff(current) as u32,
            Self::SumValues => current as u32,
            Self::CountSet => (current != 0) as u32,
        }
    }
}

/// Resolution of optical flow: the finest level of the pyramid that is searched, which is also the size of the result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FlowScale {
    /// One vector per pixel.
    Full,
    /// One vector per 2x2 pixels.
    Half,
    /// One vector per 4x4 pixels.
    Quarter,
}

impl FlowScale {
    /// Finest level: 0 is the picture itself, each further one has half the sides.
    pub const fn level(self) -> u32 {
        match self {
            Self::Full => 0,
            Self::Half => 1,
            Self::Quarter => 2,
        }
    }

    /// Size of level `level` of the pyramid of a picture: sides halved and rounded up.
    pub const fn size_at(level: u32, picture: Size) -> Size {
        Size::new(picture.width.div_ceil(1 << level), picture.height.div_ceil(1 << level))
    }

    /// Size of the result.
    pub const fn size(self, picture: Size) -> Size {
        Self::size_at(self.level(), picture)
    }

    /// Finest and coarsest level for a picture: up to level 7, as long as both sides have 12 pixels.
    pub const fn levels(self, picture: Size) -> (u32, u32) {
        let mut coarsest = self.level();
        while coarsest < 7 {
            let next = Self::size_at(coarsest + 1, picture);
            if next.width < 12 || next.height < 12 {
                break;
            }
            coarsest += 1;
        }
        (self.level(), coarsest)
    }
}

/// Lengths of the vectors of one frame's optical flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FlowSums {
    /// Sum of the lengths, each rounded, in 64ths of a pixel of the result's level.
    pub sum: u64,
    /// Largest length, in the same unit.
    pub max: u32,
    /// Number of vectors.
    pub n: u64,
    /// The level: its pixel is `2^level` pixels of the picture.
    pub level: u32,
}

impl FlowSums {
    /// Mean length in pixels of the picture; 0 for no vectors.
    pub fn mean(&self) -> f64 {
        if self.n == 0 { 0.0 } else { self.sum as f64 / self.n as f64 / 64.0 * f64::from(1u32 << self.level) }
    }

    /// Largest length in pixels of the picture.
    pub fn largest(&self) -> f64 {
        f64::from(self.max) / 64.0 * f64::from(1u32 << self.level)
    }
}

/// How blocks are matched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct BlockSearch {
    /// Side of a block in pixels: 8 or 16.
    pub block: u32,
    /// Longest component of a vector in pixels, 1 to 16.
    pub range: u32,
}

impl BlockSearch {
    /// Blocks across and down; the last ones may be smaller.
    pub const fn blocks(&self, picture: Size) -> Size {
        Size::new(picture.width.div_ceil(self.block), picture.height.div_ceil(self.block))
    }
}

/// Where a block of a frame lay in the frame before: the motion of its content is `(-dx, -dy)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BlockVector {
    /// Pixels to the right, from the block to its match.
    pub dx: i32,
    /// Pixels down.
    pub dy: i32,
    /// Sum of absolute differences between the two.
    pub sad: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_of_hand_made_sums() {
        let d = DifferenceSums { sum_abs: 510, over: 1, n: 4, sum_both: 1360 };
        assert_eq!((d.mean(), d.mean_normalised(), d.share(), d.mean_relative()), (127.5, 0.5, 0.25, 0.75));
        let none = DifferenceSums::default();
        assert_eq!((none.mean(), none.share(), none.mean_relative()), (0.0, 0.0, 0.0));
    }

    #[test]
    fn contributions_and_their_bound() {
        assert_eq!(HeatMode::CountOver { threshold: 5 }.contribution(10, 15), 0);
        assert_eq!(HeatMode::CountOver { threshold: 5 }.contribution(16, 10), 1);
        assert_eq!(HeatMode::SumAbs.contribution(255, 0), 255);
        assert_eq!(HeatMode::SumValues.contribution(255, 7), 7);
        assert_eq!([0, 1, 255].map(|v| HeatMode::CountSet.contribution(9, v)), [0, 1, 1]);
        for mode in [HeatMode::CountOver { threshold: 9 }, HeatMode::SumAbs, HeatMode::SumValues, HeatMode::CountSet] {
            assert_eq!(mode.full(), mode.contribution(0, 255), "{}", mode.name());
        }
        assert!(255 * u64::from(HeatMode::MAX_FRAMES) <= u64::from(u32::MAX));
    }
}
