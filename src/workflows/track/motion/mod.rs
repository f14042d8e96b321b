//! Detections without a model: what differs from the background moves.
//!
//! The GPU reduces every frame to a small grey picture ([`MotionWork`]); only that is read back. On it the host keeps a background model and
//! joins what stands out to boxes ([`MotionDetector`]). Works for a camera that stands still; a class is not known, all are class 0.

mod background;
mod components;
mod work;

pub use background::MotionDetector;
pub use work::{MotionOutput, MotionWork, motion_bytes, motion_detections};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::check_ranges;
use crate::error::Result;

/// Settings of the motion detector.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct MotionParams {
    /// Longest side of the reduced picture in pixels, 16..=2048. Frames are divided by a whole number, so that it may be less.
    #[schemars(range(min = 16, max = 2048), extend("x-unit" = "pixels"))]
    pub side: u32,
    /// Standard deviations by which a pixel must differ from the background, 1..=20.
    #[schemars(range(min = 1.0, max = 20.0))]
    pub deviations: f64,
    /// Least difference in luma codes, 1..=255, however quiet a pixel is.
    #[schemars(range(min = 1.0, max = 255.0), extend("x-unit" = "luma codes"))]
    pub least: f64,
    /// Seconds in which the background takes over what changed, 0.1..=3600.
    #[schemars(range(min = 0.1, max = 3600.0), extend("x-unit" = "seconds"))]
    pub memory: f64,
    /// How much slower it takes over what stands out, 1..=1000: so long someone may stand without dissolving.
    #[schemars(range(min = 1.0, max = 1000.0), extend("x-unit" = "times"))]
    pub patience: f64,
    /// Pixels of the reduced picture over which parts are joined, 0..=32.
    #[schemars(range(min = 0, max = 32), extend("x-unit" = "pixels"))]
    pub join: u32,
    /// Least share of the picture that an object covers, 0..=1.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub min_area: f64,
    /// Share of the picture above which a change is one of light or camera, 0..=1: no detections then, and the background begins anew.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub max_area: f64,
}

impl Default for MotionParams {
    fn default() -> Self {
        Self {
            side: 320,
            deviations: 4.0,
            least: 12.0,
            memory: 4.0,
            patience: 10.0,
            join: 2,
            min_area: 0.0004,
            max_area: 0.6,
        }
    }
}

impl MotionParams {
    /// Checks ranges; `prefix` stands before the names of settings in messages.
    ///
    /// # Errors
    /// [`crate::Error::Config`].
    pub fn check(&self, prefix: &str) -> Result<()> {
        check_ranges(self, prefix)
    }
}
