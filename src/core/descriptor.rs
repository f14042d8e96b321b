//! Descriptors that pictures are matched by: what they are made of, and where their parts lie in a row.

use super::geometry::{Rect, Size};
use crate::error::{Error, Result};
use std::ops::Range;

const OP: &str = "fused/describe_image";
/// Sides that comparison pictures may have: bounds the loops of the kernels.
const SIDES: std::ops::RangeInclusive<u32> = 8..=4096;

/// A ratio of width to height that pictures are cropped to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Aspect {
    /// Share of the width, 1 to 10,000.
    pub width: u32,
    /// Share of the height, 1 to 10,000.
    pub height: u32,
}

impl Aspect {
    /// 16:9.
    pub const WIDE: Self = Self { width: 16, height: 9 };

    /// Width over height.
    pub fn ratio(self) -> f64 {
        f64::from(self.width) / f64::from(self.height)
    }

    /// The part of a picture of `size` that is compared: all of it where its ratio is less than 0.01 off, else the largest centred
    /// box of this ratio, its sides truncated (but at least 1), its corner rounded down.
    pub fn crop(self, size: Size) -> Rect {
        let Size { width, height } = size;
        let (ratio, own) = (self.ratio(), f64::from(width) / f64::from(height.max(1)));
        if (own - ratio).abs() < 0.01 {
            return Rect::full(size);
        }
        if own > ratio {
            let cut = ((f64::from(height) * ratio) as u32).clamp(1, width.max(1));
            return Rect { x: (width - cut) / 2, y: 0, width: cut, height };
        }
        let cut = ((f64::from(width) / ratio) as u32).clamp(1, height.max(1));
        Rect { x: 0, y: (height - cut) / 2, width, height: cut }
    }

    /// The picture that crops are made smaller to: its longer side is `longest`, the other one truncated.
    pub fn comparison_size(self, longest: u32) -> Size {
        let (w, h, longest) = (u64::from(self.width), u64::from(self.height), u64::from(longest));
        // At most `longest`.
        let side = |share: u64, whole: u64| (longest * share / whole.max(1)) as u32;
        if w >= h { Size::new(longest as u32, side(h, w)) } else { Size::new(side(w, h), longest as u32) }
    }
}

/// How the edge part of a descriptor is made. Texture and colour parts are the same for all, where there are any.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DescriptorMethod {
    /// Canny edges of the whole picture.
    Canny,
    /// Canny edges in `grid` x `grid` cells.
    SpatialPyramid {
        /// 2, 3 or 4.
        grid: u32,
    },
    /// Histograms of oriented gradients, cells of 32x32 pixels.
    Hog,
    /// Colours of 4x4 cells, 512 bins each, projected to 256 numbers by a random matrix: no texture or colour part.
    SpatialColor {
        /// Which matrix; 42 in parity.
        seed: u32,
    },
    /// Numbers that another operation makes, a network for instance, and fills in later.
    Reserved {
        /// How many, a multiple of 4 up to 16,384.
        len: u32,
    },
}

/// Numbers of the parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum DescriptorSizes {
    /// 128 edges (32 a cell), 32 bins of texture, 6x6x6 of colour.
    #[default]
    Reduced,
    /// 256 edges (128 a cell), 64 bins of texture, 8x8x8 of colour.
    Legacy,
}

impl DescriptorSizes {
    /// Bins of the texture part.
    pub const fn texture(self) -> u32 {
        match self {
            Self::Reduced => 32,
            Self::Legacy => 64,
        }
    }

    /// Bins of hue, saturation and value, each.
    pub const fn color_side(self) -> u32 {
        match self {
            Self::Reduced => 6,
            Self::Legacy => 8,
        }
    }

    const fn canny(self) -> u32 {
        match self {
            Self::Reduced => 128,
            Self::Legacy => 256,
        }
    }

    const fn cell(self) -> u32 {
        match self {
            Self::Reduced => 32,
            Self::Legacy => 128,
        }
    }
}

/// What becomes of the parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum DescriptorStyle {
    /// Each part has length 1 and is scaled by the root of its weight: the inner product of two rows is the weighted sum of the
    /// cosines of their parts. No number is dead.
    #[default]
    Default,
    /// As the system that users may come from: shares and histograms of mostly dead bins, scaled by the weights, the row of length 1.
    Parity,
}

/// Weights of the parts, not negative; only their ratio matters.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DescriptorWeights {
    /// Of the edge part.
    pub edge: f64,
    /// Of the texture part.
    pub texture: f64,
    /// Of the colour part.
    pub color: f64,
}

impl Default for DescriptorWeights {
    fn default() -> Self {
        Self { edge: 0.33, texture: 0.33, color: 0.34 }
    }
}

/// What a descriptor is made of.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DescriptorSpec {
    /// How the edge part is made.
    pub method: DescriptorMethod,
    /// What becomes of the parts.
    pub style: DescriptorStyle,
    /// Numbers of the parts.
    pub sizes: DescriptorSizes,
    /// Weights of the parts.
    pub weights: DescriptorWeights,
    /// What pictures are cropped to.
    pub aspect: Aspect,
    /// Longer side of the picture that crops are made smaller to, in pixels.
    pub longest: u32,
}

/// Places of the parts in a row: edges, texture, colour, one behind the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DescriptorLayout {
    /// Of the edge part.
    pub edge: Range<u32>,
    /// Of the texture part; empty where there is none.
    pub texture: Range<u32>,
    /// Of the colour part; empty where there is none.
    pub color: Range<u32>,
    /// Whether the edge part is left to another operation.
    pub reserved: bool,
}

impl DescriptorLayout {
    /// Numbers of a row.
    pub const fn dim(&self) -> u32 {
        self.color.end
    }
}

impl DescriptorSpec {
    /// Cells along a side whose colours [`DescriptorMethod::SpatialColor`] counts.
    pub const COLOR_GRID: u32 = 4;
    /// Numbers that it projects their counts to.
    pub const PROJECTED: u32 = 256;
    /// Side of the cells of [`DescriptorMethod::Hog`], in pixels.
    pub const HOG_CELL: u32 = 32;

    /// `method` with pictures cropped to 16:9 and made smaller to 256x144, reduced sizes, about equal weights.
    pub fn new(method: DescriptorMethod) -> Self {
        Self {
            method,
            style: DescriptorStyle::Default,
            sizes: DescriptorSizes::Reduced,
            weights: DescriptorWeights::default(),
            aspect: Aspect::WIDE,
            longest: 256,
        }
    }

    /// Size of the pictures that are compared.
    pub fn size(&self) -> Size {
        self.aspect.comparison_size(self.longest)
    }

    /// Cells that orientations of edges are counted in, across and down, for the default style; nothing for methods without Canny.
    pub fn orientation_cells(&self) -> Option<Size> {
        match self.method {
            DescriptorMethod::Canny => {
                let wide = self.aspect.width >= self.aspect.height;
                Some(match (self.sizes, wide) {
                    (DescriptorSizes::Reduced, _) => Size::new(4, 4),
                    (DescriptorSizes::Legacy, true) => Size::new(8, 4),
                    (DescriptorSizes::Legacy, false) => Size::new(4, 8),
                })
            }
            DescriptorMethod::SpatialPyramid { grid } => {
                let side = match self.sizes {
                    DescriptorSizes::Reduced => grid.saturating_mul(2),
                    DescriptorSizes::Legacy => grid.saturating_mul(4),
                };
                Some(Size::new(side, side))
            }
            _ => None,
        }
    }

    /// Weights of the edge, texture and colour part, which add up to 1. A descriptor of one part has no use for them.
    ///
    /// # Errors
    /// `Parameter` for weights that are negative, not finite, or all zero.
    pub fn shares(&self) -> Result<[f64; 3]> {
        if matches!(self.method, DescriptorMethod::SpatialColor { .. }) {
            return Ok([1.0, 0.0, 0.0]);
        }
        let DescriptorWeights { edge, texture, color } = self.weights;
        let all = [edge, texture, color];
        let sum: f64 = all.iter().sum();
        if all.iter().any(|w| *w < 0.0) || !sum.is_finite() || sum <= 0.0 {
            return Err(unfit("weights", "not negative, finite, one above 0", format!("{edge} {texture} {color}")));
        }
        Ok(all.map(|w| w / sum))
    }

    /// Checks everything, and tells where the parts lie.
    ///
    /// # Errors
    /// `Parameter` for an aspect of zero, comparison pictures with sides outside 8..=4096 or too small for the method, grids other
    /// than 2 to 4, reserved lengths that are no multiple of 4 or above 16,384 or in the parity style, and what [`Self::shares`] refuses.
    pub fn layout(&self) -> Result<DescriptorLayout> {
        let Aspect { width, height } = self.aspect;
        if !(1..=10_000).contains(&width) || !(1..=10_000).contains(&height) {
            return Err(unfit("aspect", "shares of 1 to 10000", format!("{width}:{height}")));
        }
        let size = self.size();
        if !SIDES.contains(&size.width) || !SIDES.contains(&size.height) {
            return Err(unfit("longest", "comparison pictures with sides of 8 to 4096", size));
        }
        self.shares()?;
        let reserved = matches!(self.method, DescriptorMethod::Reserved { .. });
        let edge = self.edge_numbers(size)?;
        let (texture, side) = match self.method {
            DescriptorMethod::SpatialColor { .. } => (0, 0),
            _ => (self.sizes.texture(), self.sizes.color_side()),
        };
        let behind = edge + texture;
        Ok(DescriptorLayout { edge: 0..edge, texture: edge..behind, color: behind..behind + side.pow(3), reserved })
    }

    fn edge_numbers(&self, size: Size) -> Result<u32> {
        if let DescriptorMethod::SpatialPyramid { grid } = self.method
            && !(2..=4).contains(&grid)
        {
            return Err(unfit("grid", "2, 3 or 4", grid));
        }
        if let Some(cells) = self.orientation_cells().filter(|c| size.width < c.width || size.height < c.height) {
            return Err(unfit("longest", format!("at least {cells} pixels"), size));
        }
        match self.method {
            DescriptorMethod::Canny => Ok(self.sizes.canny()),
            DescriptorMethod::SpatialPyramid { grid } => Ok(grid * grid * self.sizes.cell()),
            DescriptorMethod::Hog => {
                let dim = super::HogParams::square(Self::HOG_CELL).dim(size);
                // Rows have at most 65,536 numbers.
                u32::try_from(dim)
                    .ok()
                    .filter(|dim| (1..=60_000).contains(dim))
                    .ok_or_else(|| unfit("longest", "comparison pictures of 64x64 to about 60,000 numbers", size))
            }
            DescriptorMethod::SpatialColor { .. } => Ok(Self::PROJECTED),
            DescriptorMethod::Reserved { .. } if self.style == DescriptorStyle::Parity => {
                let wanted = "the default style (in parity, descriptors of networks have no other part)";
                Err(unfit("method", wanted, "reserved numbers"))
            }
            DescriptorMethod::Reserved { len } if len.is_multiple_of(4) && (4..=16_384).contains(&len) => Ok(len),
            DescriptorMethod::Reserved { len } => Err(unfit("len", "a multiple of 4 up to 16384", len)),
        }
    }
}

fn unfit(name: &'static str, wanted: impl Into<String>, given: impl std::fmt::Display) -> Error {
    Error::Parameter { op: OP, name, wanted: wanted.into(), given: given.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crops_by_hand() {
        let crop = |w, h| {
            let Rect { x, y, width, height } = Aspect::WIDE.crop(Size::new(w, h));
            [x, y, width, height]
        };
        assert_eq!(crop(384, 256), [0, 20, 384, 216]);
        assert_eq!(crop(512, 512), [0, 112, 512, 288]);
        // 1.7734 is near enough; 427 * 16/9 = 759.1.
        assert_eq!((crop(454, 256), crop(1000, 427)), ([0, 0, 454, 256], [120, 0, 759, 427]));
        assert_eq!((crop(1, 1), crop(1, 1000), crop(1000, 1)), ([0, 0, 1, 1], [0, 499, 1, 1], [499, 0, 1, 1]));
        let tall = Aspect { width: 9, height: 16 };
        assert_eq!(tall.crop(Size::new(640, 480)), Rect { x: 185, y: 0, width: 270, height: 480 });
    }

    #[test]
    fn comparison_sizes_keep_the_longer_side() {
        let of = |width, height, longest| Aspect { width, height }.comparison_size(longest);
        assert_eq!([128, 256, 512].map(|s| of(16, 9, s).height), [72, 144, 288]);
        assert_eq!(
            (of(9, 16, 256), of(1, 1, 100), of(4, 3, 256)),
            (Size::new(144, 256), Size::new(100, 100), Size::new(256, 192))
        );
    }

    #[test]
    fn sizes_of_all_methods() {
        use DescriptorMethod::{Canny, Hog, Reserved, SpatialColor, SpatialPyramid};
        let spec = |method, sizes| DescriptorSpec { sizes, ..DescriptorSpec::new(method) };
        let dim = |method, sizes| spec(method, sizes).layout().map(|l| l.dim()).unwrap_or(0);
        let reduced = |method| dim(method, DescriptorSizes::Reduced);
        let legacy = |method| dim(method, DescriptorSizes::Legacy);
        let pyramid = |grid| SpatialPyramid { grid };
        assert_eq!((reduced(Canny), legacy(Canny)), (376, 832));
        assert_eq!([2, 3, 4].map(|g| reduced(pyramid(g))), [376, 536, 760]);
        assert_eq!([2, 3].map(|g| legacy(pyramid(g))), [1088, 1728]);
        assert_eq!((reduced(SpatialColor { seed: 42 }), reduced(Reserved { len: 96 })), (256, 344));
        let hog =
            |longest, sizes| DescriptorSpec { longest, ..spec(Hog, sizes) }.layout().map(|l| l.dim()).unwrap_or(0);
        assert_eq!([128, 256, 512].map(|s| hog(s, DescriptorSizes::Reduced)), [356, 1004, 4568]);
        assert_eq!([128, 256, 512].map(|s| hog(s, DescriptorSizes::Legacy)), [684, 1332, 4896]);
        for method in [pyramid(1), pyramid(5), Reserved { len: 6 }, Reserved { len: 0 }] {
            assert_eq!(reduced(method), 0);
        }
        // Whatever the size of the pictures, a grid that is none is named as such.
        for (grid, sizes) in
            [(0, DescriptorSizes::Reduced), (200, DescriptorSizes::Legacy), (u32::MAX, DescriptorSizes::Legacy)]
        {
            let refused = spec(pyramid(grid), sizes).layout();
            assert!(matches!(refused, Err(Error::Parameter { name: "grid", .. })), "{grid}: {refused:?}");
            assert!(spec(pyramid(grid), sizes).orientation_cells().is_some());
        }
        // Default edge parts hold eight orientations a cell.
        for (method, sizes) in [
            (Canny, DescriptorSizes::Reduced),
            (Canny, DescriptorSizes::Legacy),
            (pyramid(3), DescriptorSizes::Reduced),
            (pyramid(4), DescriptorSizes::Legacy),
        ] {
            let spec = spec(method, sizes);
            let cells = spec.orientation_cells().map_or(0, Size::area);
            assert_eq!(spec.layout().map(|l| u64::from(l.edge.end)).unwrap_or(0), cells * 8);
        }
    }
}
