//! Settings of `analyze`.

use serde::{Deserialize, Serialize};

use crate::config::Settings;
use crate::error::{Error, Result};

/// Settings that can change a byte of the output. All of them are part of the run key and written with the output.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AnalyzeConfig {
    /// A pixel is dark at or below this share (0..=1) of the way from black to white.
    pub dark: f64,
    /// A pixel is bright at or above this share (0..=1) of the way from black to white.
    pub bright: f64,
    /// A pixel of the reduced picture has moved when its luma code changed by more than this.
    pub motion_threshold: u8,
    /// Longest side in pixels of the reduced picture on which motion and histogram are measured.
    pub motion_side: u32,
    /// Pictures of each kind in the report; 0 for none.
    pub thumbnails: u32,
    /// Longest side of a picture in the report, in pixels.
    pub thumbnail_side: u32,
}

impl Default for AnalyzeConfig {
    fn default() -> Self {
        Self { dark: 0.1, bright: 0.9, motion_threshold: 10, motion_side: 480, thumbnails: 6, thumbnail_side: 192 }
    }
}

impl Settings for AnalyzeConfig {
    fn check(&self) -> Result<()> {
        let config = |field: &str, message: String| Err(Error::Config { field: field.into(), message });
        for (field, v) in [("dark", self.dark), ("bright", self.bright)] {
            if !(0.0..=1.0).contains(&v) {
                return config(field, format!("must be a share in 0..=1, got {v}"));
            }
        }
        if self.dark >= self.bright {
            return config("dark", format!("must be below `bright` ({}), got {}", self.bright, self.dark));
        }
        if !(16..=4096).contains(&self.motion_side) {
            return config("motion_side", format!("must be in 16..=4096 pixels, got {}", self.motion_side));
        }
        if self.thumbnails > 24 {
            return config("thumbnails", format!("must be in 0..=24, got {}", self.thumbnails));
        }
        if !(16..=1024).contains(&self.thumbnail_side) {
            return config("thumbnail_side", format!("must be in 16..=1024 pixels, got {}", self.thumbnail_side));
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
