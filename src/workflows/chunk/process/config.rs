//! Settings of a run.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::effect::MaskLook;
use super::run::{Outside, ProcessOptions};
use crate::config::{Settings, check_ranges};
use crate::error::Result;
use crate::pipeline::PipelineOptions;

/// Settings that can change a byte of the output. All of them are part of the run key and written with the output.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ProcessConfig {
    /// Pixels over which a chunk fades towards its sides inside the frame, 1..=256.
    #[schemars(range(min = 1, max = 256), extend("x-unit" = "pixels"))]
    pub feather: u32,
    /// What is shown where no chunk is.
    pub outside: Outside,
    /// Seconds over which a chunk fades in and out, 0..=60.
    #[schemars(range(min = 0.0, max = 60.0), extend("x-unit" = "seconds"))]
    pub fade: f64,
    /// Frames as large as the effect makes tiles; otherwise tiles are brought back to their size.
    pub enlarge: bool,
    /// What a segmentation mask becomes.
    pub mask: MaskLook,
    /// The class of a segmentation, of models that know several.
    pub class: u16,
    /// Least score of a detection, 0..=1; what the model suggests when left out.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub score: Option<f64>,
    /// Largest intersection over union of two detections of a class in a frame, 0..=1.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub iou: f64,
    /// Outlines of active chunks, or of detections, drawn into the video.
    pub draw: bool,
    /// Whether audio is copied.
    pub audio: bool,
    /// Quality of the video, 0 (without loss) to 51.
    #[schemars(range(min = 0.0, max = 51.0))]
    pub crf: f32,
    /// Only so many seconds from the first frame; all when left out.
    #[schemars(extend("x-unit" = "seconds", "exclusiveMinimum" = 0))]
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
        check_ranges(self, "")
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
