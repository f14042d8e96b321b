//! Detections without a model: what differs from the background moves.
//!
//! The GPU reduces every frame to a small grey picture ([`MotionWork`]); only that is read back. On it the host keeps a background model and
//! joins what stands out to boxes ([`MotionDetector`]). Works for a camera that stands still; a class is not known, all are class 0.

mod background;
mod components;
mod work;

pub use background::MotionDetector;
pub use work::{MotionOutput, MotionWork, motion_bytes, motion_detections};

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// Settings of the motion detector.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MotionParams {
    /// Longest side of the reduced picture in pixels, 16..=2048. Frames are divided by a whole number, so that it may be less.
    pub side: u32,
    /// Standard deviations by which a pixel must differ from the background, 1..=20.
    pub deviations: f64,
    /// Least difference in luma codes, 1..=255, however quiet a pixel is.
    pub least: f64,
    /// Seconds in which the background takes over what changed, 0.1..=3600.
    pub memory: f64,
    /// How much slower it takes over what stands out, 1..=1000: so long someone may stand without dissolving.
    pub patience: f64,
    /// Pixels of the reduced picture over which parts are joined, 0..=32.
    pub join: u32,
    /// Least share of the picture that an object covers, 0..=1.
    pub min_area: f64,
    /// Share of the picture above which a change is one of light or camera, 0..=1: no detections then, and the background begins anew.
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
    /// [`Error::Config`].
    pub fn check(&self, prefix: &str) -> Result<()> {
        for (name, value, low, high) in [
            ("side", f64::from(self.side), 16.0, 2048.0),
            ("deviations", self.deviations, 1.0, 20.0),
            ("least", self.least, 1.0, 255.0),
            ("memory", self.memory, 0.1, 3600.0),
            ("patience", self.patience, 1.0, 1000.0),
            ("join", f64::from(self.join), 0.0, 32.0),
            ("min_area", self.min_area, 0.0, 1.0),
            ("max_area", self.max_area, 0.0, 1.0),
        ] {
            if !(low..=high).contains(&value) {
                let message = format!("must be in {low}..={high}, got {value}");
                return Err(Error::Config { field: format!("{prefix}{name}"), message });
            }
        }
        Ok(())
    }
}
