//! Settings of `analyze`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::{Settings, check_ranges};
use crate::error::{Error, Result};

/// Settings that can change a byte of the output. All of them are part of the run key and written with the output.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AnalyzeConfig {
    /// A pixel is dark at or below this share (0..=1) of the way from black to white.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub dark: f64,
    /// A pixel is bright at or above this share (0..=1) of the way from black to white.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub bright: f64,
    /// A pixel of the reduced picture has moved when its luma code changed by more than this.
    #[schemars(extend("x-unit" = "luma codes"))]
    pub motion_threshold: u8,
    /// Longest side in pixels of the reduced picture on which motion and histogram are measured.
    #[schemars(range(min = 16, max = 4096), extend("x-unit" = "pixels"))]
    pub motion_side: u32,
    /// Pictures of each kind in the report; 0 for none.
    #[schemars(range(min = 0, max = 24))]
    pub thumbnails: u32,
    /// Longest side of a picture in the report, in pixels.
    #[schemars(range(min = 16, max = 1024), extend("x-unit" = "pixels"))]
    pub thumbnail_side: u32,
}

impl Default for AnalyzeConfig {
    fn default() -> Self {
        Self { dark: 0.1, bright: 0.9, motion_threshold: 10, motion_side: 480, thumbnails: 6, thumbnail_side: 192 }
    }
}

impl Settings for AnalyzeConfig {
    fn check(&self) -> Result<()> {
        check_ranges(self, "")?;
        if self.dark >= self.bright {
            let message = format!("must be below `bright` ({}), got {}", self.bright, self.dark);
            return Err(Error::Config { field: "dark".into(), message });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_pass_and_nonsense_does_not() {
        assert!(AnalyzeConfig::default().check().is_ok());
        for bad in [
            AnalyzeConfig { dark: f64::NAN, ..Default::default() },
            AnalyzeConfig { dark: 0.9, bright: 0.1, ..Default::default() },
            AnalyzeConfig { motion_side: 0, ..Default::default() },
            AnalyzeConfig { thumbnail_side: 9999, ..Default::default() },
        ] {
            assert!(bad.check().is_err(), "{bad:?}");
        }
    }
}
