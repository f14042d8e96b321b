//! Settings of heat maps.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::{Settings, check_ranges};
use crate::core::{HeatMode, HsvRange};
use crate::error::{Error, Result};

/// What makes a pixel hot.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum HeatKind {
    /// Share of the frames in which its luma changed by more than the threshold.
    Motion,
    /// Mean change of its luma from frame to frame, as a share of 255.
    Change,
    /// Mean of its luma over 255: the exact mean of masks.
    Masks,
    /// Mean length of its optical flow, as a share of `flow_full`. Where a frame has no texture flow goes on from around.
    Flow,
    /// Share of the frames in which its colour lies in the range.
    Color,
    /// Share of the frames in which it lies in an object that a detector sees.
    Detections,
    /// Share of the frames in which it lies in a box of a file.
    Boxes,
    /// Mean of the mask that a segmentation model gives it.
    Saliency,
    /// Mean of what a function of the caller marks: see [`super::custom_heat`].
    #[schemars(skip)]
    Custom,
}

impl HeatKind {
    /// Lower-case name, as in settings.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Motion => "motion",
            Self::Change => "change",
            Self::Masks => "masks",
            Self::Flow => "flow",
            Self::Color => "color",
            Self::Detections => "detections",
            Self::Boxes => "boxes",
            Self::Saliency => "saliency",
            Self::Custom => "custom",
        }
    }

    /// Whether kernels measure it in the frames; the others need someone who looks at them.
    pub const fn is_measured(self) -> bool {
        !matches!(self, Self::Detections | Self::Boxes | Self::Saliency)
    }

    /// Whether frames are compared with those before.
    pub(super) const fn looks_back(self) -> bool {
        matches!(self, Self::Motion | Self::Change | Self::Flow)
    }
}

/// What of a box is hot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum BoxMark {
    /// All of it.
    #[default]
    Box,
    /// Its middle, a square of 8 pixels of the map, and the way of it to where it is at the next look. Every box weighs about the same, and
    /// a plan with [`PlanParams::subject`] has each of them whole in a chunk.
    ///
    /// [`PlanParams::subject`]: super::super::plan::PlanParams::subject
    Middle,
}

/// Settings of a heat map.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct HeatConfig {
    /// What makes a pixel hot.
    pub source: HeatKind,
    /// For `motion`: a change of up to this many luma codes is none.
    #[schemars(extend("x-unit" = "luma codes"))]
    pub threshold: u8,
    /// Longest side of the map in pixels: larger frames are reduced, by area, before anything is counted. 16..=32768. A map of flow has half
    /// the sides.
    #[schemars(range(min = 16, max = 32768), extend("x-unit" = "pixels"))]
    pub side: u32,
    /// Seconds of a step of the activity, 0.04..=3600. Steps of long videos become twice as long until the activity has at most 4,000,000 cells.
    #[schemars(range(min = 0.04, max = 3600.0), extend("x-unit" = "seconds"))]
    pub step: f64,
    /// For `flow`: so many pixels of the frame from one frame to the next are as hot as can be, 0.01..=1000.
    #[schemars(range(min = 0.01, max = 1000.0), extend("x-unit" = "pixels"))]
    pub flow_full: f64,
    /// For `color`: least hue (half degrees, 0..=179), saturation, value.
    pub color_low: [u8; 3],
    /// For `color`: largest hue, saturation, value; a hue below the least one goes through 0.
    pub color_high: [u8; 3],
    /// For `detections` and `saliency`: the model, by its name in the manifest.
    pub model: Option<String>,
    /// For `detections`: least score, 0..=1; the model's own where left out.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub score: Option<f64>,
    /// For `detections` and `saliency`: only these classes, by name or number; all where there are none (of `saliency` all but 0).
    pub classes: Vec<String>,
    /// For `detections` and `boxes`: what of a box is hot.
    pub mark: BoxMark,
    /// Models look at every so many frames, 1..=10000.
    #[schemars(range(min = 1, max = 10000), extend("x-unit" = "frames"))]
    pub every: u32,
    /// Faces add up to this many times the largest heat of the source, 0..=1000; 0 looks for none.
    #[schemars(range(min = 0.0, max = 1000.0), extend("x-unit" = "times"))]
    pub face_weight: f64,
    /// The model that finds faces, by its name in the manifest.
    pub face_model: Option<String>,
}

impl Default for HeatConfig {
    fn default() -> Self {
        Self {
            source: HeatKind::Motion,
            threshold: 10,
            side: 1920,
            step: 1.0,
            flow_full: 8.0,
            color_low: [0, 50, 50],
            color_high: [10, 255, 255],
            model: None,
            score: None,
            classes: Vec::new(),
            mark: BoxMark::Box,
            every: 1,
            face_weight: 0.0,
            face_model: None,
        }
    }
}

impl Settings for HeatConfig {
    fn check(&self) -> Result<()> {
        let config = |field: &str, message: String| Err(Error::Config { field: field.into(), message });
        check_ranges(self, "")?;
        if let Err(e) = (HsvRange { low: self.color_low, high: self.color_high }).check() {
            return config("color_low", e.to_string());
        }
        let looks = matches!(self.source, HeatKind::Detections | HeatKind::Saliency);
        if looks != self.model.is_some() {
            let message = if looks {
                format!("`{}` needs a model: `--model NAME`, as `frameloom models list` shows them", self.source.name())
            } else {
                format!("`{}` uses no model", self.source.name())
            };
            return config("model", message);
        }
        let boxes = matches!(self.source, HeatKind::Detections | HeatKind::Boxes);
        if self.mark != BoxMark::Box && !boxes {
            return config("mark", format!("is for `detections` and `boxes`, not for `{}`", self.source.name()));
        }
        if (self.face_weight > 0.0) != self.face_model.is_some() {
            let message = "a weight above 0 and a model that finds faces belong together";
            return config("face_weight", message.into());
        }
        Ok(())
    }
}

impl HeatConfig {
    /// What is added up per frame.
    pub const fn mode(&self) -> HeatMode {
        match self.source {
            HeatKind::Motion => HeatMode::CountOver { threshold: self.threshold },
            HeatKind::Change => HeatMode::SumAbs,
            _ => HeatMode::SumValues,
        }
    }

    /// Most that one frame adds to a pixel.
    pub(super) const fn full(&self) -> u32 {
        match self.source {
            HeatKind::Detections | HeatKind::Boxes => 1,
            _ => self.mode().full(),
        }
    }
}
