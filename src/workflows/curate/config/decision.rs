//! When which strategy is chosen, and in which shares.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::wrong;
use crate::error::Result;

/// Limits of the figures, named as in the original's file.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Thresholds {
    /// Complexity below this is a simple background, 0..=1.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub simple_background: f64,
    /// Lighting above this is good, 0..=1.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub good_lighting: f64,
    /// Occlusion below this is low, 0..=1.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub low_occlusion: f64,
    /// From so many instances on there are several characters.
    #[schemars(range(min = 1), extend("x-unit" = "instances"))]
    pub multi_character: u32,
    /// Quality below this is poor, 0..=1.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub poor_quality: f64,
    /// Sharpness below this is low, 0..=1.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub low_sharpness: f64,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self {
            simple_background: 0.3,
            good_lighting: 0.7,
            low_occlusion: 0.2,
            multi_character: 2,
            poor_quality: 0.5,
            low_sharpness: 0.4,
        }
    }
}

/// Wanted shares of frames; relative to their sum over enabled strategies.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StrategyTargets {
    /// Frames kept as they are.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub keep_full: f64,
    /// Frames cut into character and background.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub segment: f64,
    /// Frames that get covered.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub create_occlusion: f64,
    /// Frames repaired, then cut.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub enhance_segment: f64,
}

impl Default for StrategyTargets {
    fn default() -> Self {
        Self { keep_full: 0.30, segment: 0.40, create_occlusion: 0.15, enhance_segment: 0.15 }
    }
}

/// What the data set lacks, 0 (nothing) to 1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DatasetNeeds {
    /// Covered characters. Above 0.5 frames may be covered on purpose.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub occlusion: f64,
    /// Frames with several characters: favours keeping and cutting them.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub multi_character: f64,
    /// Far shots: favours keeping them whole.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub far_shot: f64,
    /// Complex backgrounds: lets busier frames be kept whole.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub complex_bg: f64,
}

impl Default for DatasetNeeds {
    fn default() -> Self {
        Self { occlusion: 0.8, multi_character: 0.9, far_shot: 0.7, complex_bg: 0.6 }
    }
}

impl DatasetNeeds {
    /// Nothing is needed.
    pub const NONE: Self = Self { occlusion: 0.0, multi_character: 0.0, far_shot: 0.0, complex_bg: 0.0 };
}

/// How frames get their strategies.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Engine {
    /// All frames at once: the best assignment that meets the wanted shares.
    Assignment,
    /// Each frame alone, by the original's table. Parity always does this.
    Table,
}

/// What happens to frames that a strategy has too many of, where no other takes them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Surplus {
    /// They stay: no frame is lost, the mix is off.
    Keep,
    /// The worst are left out, as few as possible, until every share is within `tolerance` of its target.
    Drop,
}

/// How frames are decided on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DecisionConfig {
    /// Which rule.
    pub engine: Engine,
    /// How far a figure may miss a threshold for a frame to take a strategy for the sake of the mix, 0..=1. Poor and blurred frames are
    /// never kept whole, however large this is; blurred ones may be cut out as they are, as in the original, where their quality allows.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub slack: f64,
    /// What becomes of frames over their strategy's share.
    pub surplus: Surplus,
    /// How far a share may be from its target and still count as reached, 0..=1.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub tolerance: f64,
    /// Bits of 64 in which the perceptual hashes of near-duplicates differ at most; the best of them stays. Below 0: none is dropped, whatever
    /// embeddings say.
    #[schemars(range(min = -1, max = 32), extend("x-unit" = "bits"))]
    pub near_duplicate_bits: i32,
    /// Cosine of two frames' embeddings from which they are near-duplicates too, -1..=1; 2: never.
    #[schemars(range(min = -1.0, max = 2.0))]
    pub near_duplicate_cosine: f64,
    /// Frames with less contrast than this are left out: there is nothing in them, 0..=1.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub min_contrast: f64,
    /// So many frames are taken at most, the best ones with their shots balanced; 0: all.
    #[schemars(extend("x-unit" = "frames"))]
    pub keep: u32,
    /// Wanted shares of close-ups, medium, full-body and far shots, for `keep`.
    #[schemars(inner(range(min = 0.0, max = 1.0)))]
    pub shot_targets: [f64; 4],
}

impl Default for DecisionConfig {
    fn default() -> Self {
        Self {
            engine: Engine::Assignment,
            slack: 0.25,
            surplus: Surplus::Keep,
            tolerance: 0.03,
            near_duplicate_bits: 6,
            near_duplicate_cosine: 0.98,
            min_contrast: 0.02,
            keep: 0,
            shot_targets: [0.30, 0.25, 0.25, 0.20],
        }
    }
}

impl DecisionConfig {
    pub(super) fn check(&self) -> Result<()> {
        if self.shot_targets.iter().sum::<f64>() <= 0.0 {
            return Err(wrong("decision.shot_targets", "must be four shares, one of them above 0, got none above 0"));
        }
        Ok(())
    }
}
