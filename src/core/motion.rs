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
