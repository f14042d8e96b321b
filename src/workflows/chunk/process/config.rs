//! Settings of a run.

use serde::{Deserialize, Serialize};

use super::effect::MaskLook;
use super::run::{Outside, ProcessOptions};
use crate::config::Settings;
use crate::error::{Error, Result};
use crate::pipeline::PipelineOptions;

/// Settings that can change a byte of the output. All of them are part of the run key and written with the output.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProcessConfig {
    /// Pixels over which a chunk fades towards its sides inside the frame, 1..=256.
    pub feather: u32,
    /// What is shown where no chunk is.
    pub outside: Outside,
    /// Seconds over which a chunk fades in and out, 0..=60.
    pub fade: f64,
    /// Frames as large as the effect makes tiles; otherwise tiles are brought back to their size.
    pub enlarge: bool,
    /// What a segmentation mask becomes.
    pub mask: MaskLook,
    /// The class of a segmentation, of models that know several.
    pub class: u16,
    /// Least score of a detection, 0..=1; what the model suggests when left out.
    pub score: Option<f64>,
    /// Largest intersection over union of two detections of a class in a frame, 0..=1.
    pub iou: f64,
    /// Outlines of active chunks, or of detections, drawn into the video.
    pub draw: bool,
    /// Whether audio is copied.
    pub audio: bool,
    /// Quality of the video, 0 (without loss) to 51.
    pub crf: f32,
    /// Only so many seconds from the first frame; all when left out.
    pub seconds: Option<f64>,
}

impl Default for ProcessConfig {
    fn default() -> Self {
        Self {
            feather: 16,
            outside: Outside::Keep,
            fade: 0.2,
            enlarge: false,
            mask: MaskLook::Mask,
            class: 0,
            score: None,
            iou: 0.5,
            draw: false,
            audio: true,
            crf: 18.0,
            seconds: None,
        }
    }
}

impl Settings for ProcessConfig {
    fn check(&self) -> Result<()> {
        let config = |field: &str, message: String| Err(Error::Config { field: field.into(), message });
        if !(1..=256).contains(&self.feather) {
            return config("feather", format!("must be 1 to 256 pixels, got {}", self.feather));
        }
        if !(0.0..=60.0).contains(&self.fade) {
            return config("fade", format!("must be 0 to 60 seconds, got {}", self.fade));
        }
        for (field, v) in [("score", self.score.unwrap_or(0.0)), ("iou", self.iou)] {
            if !(0.0..=1.0).contains(&v) {
                return config(field, format!("must be 0 to 1, got {v}"));
            }
        }
        if !(0.0..=51.0).contains(&self.crf) {
            return config("crf", format!("must be 0 to 51, got {}", self.crf));
        }
        if let Some(s) = self.seconds.filter(|s| !(s.is_finite() && *s > 0.0)) {
            return config("seconds", format!("must be above 0, got {s}"));
        }
        Ok(())
    }
}

impl ProcessConfig {
    /// The same as options of [`super::process_chunks`].
    pub fn options(&self, pipeline: &PipelineOptions) -> ProcessOptions {
        ProcessOptions {
            pipeline: pipeline.clone(),
            feather: self.feather,
            outside: self.outside,
            fade: self.fade,
            start: None,
            enlarged: self.enlarge,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_pass_and_nonsense_does_not() {
        let base = ProcessConfig::default();
        assert!(base.check().is_ok());
        for bad in [
            ProcessConfig { feather: 0, ..base.clone() },
            ProcessConfig { fade: f64::NAN, ..base.clone() },
            ProcessConfig { score: Some(1.5), ..base.clone() },
            ProcessConfig { iou: -0.1, ..base.clone() },
            ProcessConfig { crf: 60.0, ..base.clone() },
            ProcessConfig { seconds: Some(0.0), ..base.clone() },
        ] {
            assert!(bad.check().is_err(), "{bad:?}");
        }
    }
}
