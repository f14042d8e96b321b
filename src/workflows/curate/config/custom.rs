//! Strategies of the user's own: conditions over figures, and steps.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::metrics::FrameMetrics;
use super::wrong;
use crate::error::Result;

/// How a figure compares with a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Relation {
    /// Below.
    #[serde(rename = "<")]
    Below,
    /// Below or equal.
    #[serde(rename = "<=")]
    AtMost,
    /// Above.
    #[serde(rename = ">")]
    Above,
    /// Above or equal.
    #[serde(rename = ">=")]
    AtLeast,
}

impl Relation {
    /// How it is written.
    pub const fn sign(self) -> &'static str {
        match self {
            Self::Below => "<",
            Self::AtMost => "<=",
            Self::Above => ">",
            Self::AtLeast => ">=",
        }
    }

    /// Whether `figure` stands so to `value`.
    pub fn holds(self, figure: f64, value: f64) -> bool {
        match self {
            Self::Below => figure < value,
            Self::AtMost => figure <= value,
            Self::Above => figure > value,
            Self::AtLeast => figure >= value,
        }
    }

    /// How far `figure` is on the right side of `value`; negative on the wrong one.
    pub fn margin(self, figure: f64, value: f64) -> f64 {
        match self {
            Self::Below | Self::AtMost => value - figure,
            Self::Above | Self::AtLeast => figure - value,
        }
    }
}

/// A condition over one figure.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// Name of the figure.
    #[schemars(extend("enum" = FrameMetrics::NAMES))]
    pub metric: String,
    /// Comparison.
    pub is: Relation,
    /// With this.
    pub value: f64,
}

/// What a custom strategy does to a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// As in `enhance_segment`.
    Upscale,
    /// As in `enhance_segment`.
    Denoise,
    /// As in `enhance_segment`.
    FaceEnhance,
    /// As in `enhance_segment`.
    Sharpen,
    /// Cut the character out; the result has its mask as alpha.
    Segment,
    /// A side out of focus.
    EdgeBlur,
    /// A half-transparent dark area.
    Overlay,
    /// A rectangle filled with the mean colour.
    Erase,
}

/// A strategy by configuration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CustomStrategy {
    /// Whether it is used at all.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// Frames that it is for: all conditions must hold.
    pub when: Vec<Condition>,
    /// What is done, in order; nothing: the frame is written as it is.
    #[serde(default)]
    pub steps: Vec<Step>,
    /// Wanted share of frames, 0..=1, as in `strategy_targets`.
    #[serde(default)]
    #[schemars(range(min = 0.0, max = 1.0))]
    pub target: f64,
    /// What captions begin with.
    #[serde(default)]
    pub caption_prefix: String,
}

const fn yes() -> bool {
    true
}

/// A name of a strategy is that of a folder, which must not be one of ours.
pub(super) fn check_name(field: &str, name: &str) -> Result<()> {
    let plain = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let taken = super::super::STRATEGIES.contains(&name) || super::LAYOUTS.contains(&name) || name == "analysis";
    if plain && !taken {
        Ok(())
    } else {
        Err(wrong(field, format!("must be a name of its own of letters, digits and `_`, got `{name}`")))
    }
}

impl CustomStrategy {
    pub(super) fn check(&self, name: &str) -> Result<()> {
        let at = |field: &str| format!("custom_strategies.{name}.{field}");
        check_name(&at("name"), name)?;
        for (i, c) in self.when.iter().enumerate() {
            if !FrameMetrics::NAMES.contains(&c.metric.as_str()) {
                let known = FrameMetrics::NAMES.join(", ");
                return Err(wrong(
                    at(&format!("when[{i}].metric")),
                    format!("must be one of {known}, got `{}`", c.metric),
                ));
            }
        }
        Ok(())
    }
}
