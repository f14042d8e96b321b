//! How pictures are described: what an index is made of, and what frames are compared by.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::network::{FeaturePooling, NetworkUse};
use crate::core::{Aspect, DescriptorMethod, DescriptorSizes, DescriptorSpec, DescriptorStyle, DescriptorWeights};
use crate::error::{Error, Result};

/// Shape and content of a descriptor.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FeatureMethod {
    /// Canny edges by orientation, texture, colour of the whole picture.
    Canny,
    /// The same with edges in a finer grid of cells.
    SpatialPyramid,
    /// Histograms of oriented gradients, texture, colour.
    Hog,
    /// Colours of 4x4 cells, projected to 256 numbers.
    SpatialColor,
    /// Features of a small network, pooled over a grid: what is in the picture.
    Mobilenet,
    /// The same of a larger network.
    Efficientnet,
}

impl FeatureMethod {
    /// Methods that need no network, in the order of their speed.
    pub const ALL: [Self; 4] = [Self::Canny, Self::SpatialPyramid, Self::Hog, Self::SpatialColor];

    /// Methods that need a network. Weights are of no use to them: they have one part.
    pub const NEURAL: [Self; 2] = [Self::Mobilenet, Self::Efficientnet];

    /// Whether it needs a network.
    pub const fn is_neural(self) -> bool {
        matches!(self, Self::Mobilenet | Self::Efficientnet)
    }

    /// Name as users write it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Canny => "canny",
            Self::SpatialPyramid => "spatial_pyramid",
            Self::Hog => "hog",
            Self::SpatialColor => "spatial_color",
            Self::Mobilenet => "mobilenet",
            Self::Efficientnet => "efficientnet",
        }
    }
}

impl std::fmt::Display for FeatureMethod {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

impl std::str::FromStr for FeatureMethod {
    type Err = Error;

    fn from_str(s: &str) -> Result<Self> {
        let all = || Self::ALL.into_iter().chain(Self::NEURAL);
        let names = || all().map(Self::name).collect::<Vec<_>>().join(", ");
        all().find(|m| m.name() == s).ok_or_else(|| Error::Config {
            field: "feature_method".into(),
            message: format!("must be one of {}, got `{s}`", names()),
        })
    }
}

/// Numbers of the parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum FeatureLayout {
    /// 128 edges (32 a cell), 32 bins of texture, 216 of colour.
    #[default]
    Reduced,
    /// 256 edges (128 a cell), 64 bins of texture, 512 of colour.
    Legacy,
}

/// Settings of a descriptor. All of them are part of the key of an index.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DescriptorConfig {
    /// What is described.
    pub method: FeatureMethod,
    /// Numbers of the parts.
    pub layout: FeatureLayout,
    /// The numbers of the system before this one, FluxFrame, instead of ours: unit parts by roots of their weights. Pictures are
    /// decoded at full size and compared at 16:9, the pyramid has 4x4 cells and the projection the seed 42.
    pub parity: bool,
    /// Weight of the edge part, not negative; only ratios matter.
    pub edge_weight: f64,
    /// Weight of the texture part.
    pub texture_weight: f64,
    /// Weight of the colour part.
    pub color_weight: f64,
    /// Longer side of the pictures that are compared, in pixels, 8 to 4096.
    pub comparison_size: u32,
    /// Grid of the pyramid, 2 to 4, or of a network's map, 1 to 4. A pyramid of 2, in the reduced layout, is what `Canny` is.
    pub spatial_grid: u32,
    /// Which random matrix projects colours.
    pub projection_seed: u32,
    /// How cells of a network's map are pooled.
    pub pooling: FeaturePooling,
    /// Power of the generalised mean, 1 to 64.
    pub gem_p: f64,
    /// The network of a method that needs one: see [`super::Networks::complete`].
    pub network: Option<NetworkUse>,
    /// Width and height, as a ratio, of what is compared: pool pictures and frames are cropped to it alike. Each 1 to 10,000.
    pub aspect: [u32; 2],
}

impl Default for DescriptorConfig {
    fn default() -> Self {
        let DescriptorWeights { edge, texture, color } = DescriptorWeights::default();
        Self {
            method: FeatureMethod::Canny,
            layout: FeatureLayout::Reduced,
            parity: false,
            edge_weight: edge,
            texture_weight: texture,
            color_weight: color,
            comparison_size: 256,
            spatial_grid: 4,
            projection_seed: 42,
            pooling: FeaturePooling::Avg,
            gem_p: 3.0,
            network: None,
            aspect: [16, 9],
        }
    }
}

impl DescriptorConfig {
    /// The descriptor as the operation `fused/describe_image` takes it. For a network it only makes the pictures that are shown.
    ///
    /// # Errors
    /// [`Error::Config`] for settings out of range, by the names they have here.
    pub fn spec(&self) -> Result<DescriptorSpec> {
        let parity = self.parity;
        if self.method.is_neural() {
            let wrong = |field: &str, message: String| Err(Error::Config { field: field.into(), message });
            if parity {
                return wrong("parity", format!("is not there for `{}`", self.method));
            }
            if !(1.0..=64.0).contains(&self.gem_p) {
                return wrong("gem_p", format!("must be 1 to 64, got {}", self.gem_p));
            }
            if !(1..=4).contains(&self.spatial_grid) {
                return wrong("spatial_grid", format!("must be 1 to 4, got {}", self.spatial_grid));
            }
        }
        let method = match self.method {
            FeatureMethod::Canny => DescriptorMethod::Canny,
            FeatureMethod::SpatialPyramid => {
                DescriptorMethod::SpatialPyramid { grid: if parity { 4 } else { self.spatial_grid } }
            }
            FeatureMethod::Hog => DescriptorMethod::Hog,
            FeatureMethod::SpatialColor | FeatureMethod::Mobilenet | FeatureMethod::Efficientnet => {
                DescriptorMethod::SpatialColor { seed: if parity { 42 } else { self.projection_seed } }
            }
        };
        let [width, height] = if parity { [16, 9] } else { self.aspect };
        let spec = DescriptorSpec {
            method,
            style: if parity { DescriptorStyle::Parity } else { DescriptorStyle::Default },
            sizes: match self.layout {
                FeatureLayout::Reduced => DescriptorSizes::Reduced,
                FeatureLayout::Legacy => DescriptorSizes::Legacy,
            },
            weights: DescriptorWeights {
                edge: self.edge_weight,
                texture: self.texture_weight,
                color: self.color_weight,
            },
            aspect: Aspect { width, height },
            longest: self.comparison_size,
        };
        match spec.layout() {
            Ok(_) => Ok(spec),
            Err(Error::Parameter { name, wanted, given, .. }) => {
                let field = match name {
                    "longest" => "comparison_size",
                    "grid" => "spatial_grid",
                    other => other,
                };
                Err(Error::Config { field: field.into(), message: format!("must be {wanted}, got {given}") })
            }
            Err(e) => Err(e),
        }
    }

    /// Numbers of a descriptor.
    ///
    /// # Errors
    /// As [`Self::spec`], and for a method without the network that it needs.
    pub fn dim(&self) -> Result<u32> {
        if self.method.is_neural() {
            self.spec()?;
            let missing = || Error::Config {
                field: "network".into(),
                message: format!("`{}` needs a network, none is named", self.method),
            };
            return self.network.as_ref().map(|n| n.dim).ok_or_else(missing);
        }
        Ok(self.spec()?.layout()?.dim())
    }
}

/// `width:height` without common factors, and within what a descriptor takes.
pub(super) fn aspect_of(width: u32, height: u32) -> [u32; 2] {
    let (mut a, mut b) = (width.max(1), height.max(1));
    while b > 0 {
        (a, b) = (b, a % b);
    }
    let (w, h) = (width.max(1) / a, height.max(1) / a);
    let most = w.max(h);
    if most <= 10_000 {
        return [w, h];
    }
    // Sides above 10,000 pixels: the nearest ratio of smaller numbers.
    [w, h].map(|v| ((u64::from(v) * 10_000 + u64::from(most) / 2) / u64::from(most)).max(1) as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dim(change: impl FnOnce(&mut DescriptorConfig)) -> u32 {
        let mut config = DescriptorConfig::default();
        change(&mut config);
        config.dim().expect("valid")
    }

    /// The sizes that users know, in both layouts and in parity.
    #[test]
    fn dims_of_all_methods() {
        use FeatureMethod::{Canny, Hog, SpatialColor, SpatialPyramid};
        assert_eq!((dim(|_| ()), dim(|c| c.layout = FeatureLayout::Legacy)), (376, 832));
        for (grid, reduced, legacy) in [(2, 376, 1088), (3, 536, 1728), (4, 760, 2624)] {
            let of = |layout| dim(|c| (c.method, c.spatial_grid, c.layout) = (SpatialPyramid, grid, layout));
            assert_eq!((of(FeatureLayout::Reduced), of(FeatureLayout::Legacy)), (reduced, legacy));
        }
        for (size, reduced, legacy) in [(128, 356, 684), (256, 1004, 1332), (512, 4568, 4896)] {
            let of = |layout| dim(|c| (c.method, c.comparison_size, c.layout) = (Hog, size, layout));
            assert_eq!((of(FeatureLayout::Reduced), of(FeatureLayout::Legacy)), (reduced, legacy));
        }
        assert_eq!(dim(|c| c.method = SpatialColor), 256);
        // The original ignores its grid flag, and the aspect of the video.
        let parity = |method| dim(|c| (c.parity, c.method, c.aspect, c.spatial_grid) = (true, method, [4, 3], 3));
        assert_eq!([Canny, SpatialPyramid, Hog, SpatialColor].map(parity), [376, 760, 1004, 256]);
    }

    #[test]
    fn every_aspect_has_descriptors_of_all_methods() {
        for aspect in [[16, 9], [4, 3], [1, 1], [9, 16], [40, 17]] {
            for method in FeatureMethod::ALL {
                assert!(dim(|c| (c.method, c.aspect) = (method, aspect)) >= 256, "{aspect:?} {method}");
            }
        }
        assert_eq!((aspect_of(1280, 720), aspect_of(321, 241), aspect_of(1, 0)), ([16, 9], [321, 241], [1, 1]));
        assert_eq!(aspect_of(16_384, 16_383), [10_000, 9_999]);
    }

    #[test]
    fn nonsense_is_refused_by_name() {
        let refused = |change: fn(&mut DescriptorConfig)| {
            let mut config = DescriptorConfig::default();
            change(&mut config);
            match config.spec() {
                Err(Error::Config { field, .. }) => field,
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(refused(|c| c.comparison_size = 7), "comparison_size");
        assert_eq!(refused(|c| (c.method, c.spatial_grid) = (FeatureMethod::SpatialPyramid, 5)), "spatial_grid");
        assert_eq!(refused(|c| c.edge_weight = -1.0), "weights");
        assert_eq!(refused(|c| c.aspect = [0, 9]), "aspect");
        assert_eq!(refused(|c| (c.method, c.gem_p) = (FeatureMethod::Mobilenet, 0.5)), "gem_p");
        assert_eq!(refused(|c| (c.method, c.parity) = (FeatureMethod::Mobilenet, true)), "parity");
        assert!(DescriptorConfig { method: FeatureMethod::Mobilenet, ..DescriptorConfig::default() }.dim().is_err());
        assert!("cany".parse::<FeatureMethod>().is_err() && "hog".parse::<FeatureMethod>().is_ok());
    }
}
