//! Settings of `curate`: the two files of the original system, and what this one adds.
//!
//! A file may hold any part: `thresholds`, `strategy_targets`, `dataset_needs` (the original's `decision_thresholds.yaml`), `strategies`,
//! `model_paths`, `processing` (its `strategy_configs.yaml`), and `analysis`, `decision`, `video`, `captions`, `layouts`,
//! `custom_strategies`. Unknown keys are errors that point at the line.

mod custom;
mod decision;
mod strategies;

pub use custom::{Condition, CustomStrategy, Relation, Step};
pub use decision::{DatasetNeeds, DecisionConfig, Engine, StrategyTargets, Surplus, Thresholds};
pub use strategies::{
    CaptionConfig, CreateOcclusion, EnhanceSegment, EnhanceStep, KeepFull, OcclusionType, Position, Processing,
    Segment, Strategies,
};

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::strategy::OwnStrategies;
use crate::config::{Settings, check_ranges};
use crate::error::{Error, Result};

/// How frames are measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AnalysisConfig {
    /// Frames with more pixels are measured at a reduced size of about this many, so that figures do not depend on the resolution; 0: at
    /// full size. Parity always measures at full size.
    #[schemars(extend("x-unit" = "pixels"))]
    pub pixels: u32,
    /// Detector that counts instances: a name of the model list, `auto` (the first one there is) or `none`.
    pub detect_model: String,
    /// Face detector, for the shot type; likewise.
    pub face_model: String,
    /// Network that describes frames, for near-duplicates; likewise. Without one perceptual hashes do it alone.
    pub embed_model: String,
    /// Class whose detections are instances.
    pub instance_class: String,
}

impl Default for AnalysisConfig {
    fn default() -> Self {
        Self {
            pixels: 512 * 512,
            detect_model: "auto".into(),
            face_model: "auto".into(),
            embed_model: "auto".into(),
            instance_class: "person".into(),
        }
    }
}

/// Which frames of a video are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum VideoPick {
    /// The first one of every window.
    Nth,
    /// The sharpest one of every window; a cut ends a window.
    Sharpest,
}

/// Frames of videos.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct VideoConfig {
    /// Frames of a window, at least 1: one frame of each is taken.
    #[schemars(range(min = 1), extend("x-unit" = "frames"))]
    pub every: u32,
    /// Which.
    pub pick: VideoPick,
    /// Mean change of the grey thumbnail, 0..=255, that is a cut.
    #[schemars(range(min = 0.0, max = 255.0), extend("x-unit" = "grey codes"))]
    pub cut: f64,
}

impl Default for VideoConfig {
    fn default() -> Self {
        Self { every: 25, pick: VideoPick::Sharpest, cut: 20.0 }
    }
}

/// Folders for trainers, written beside the seed's tree.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LayoutConfig {
    /// Which: `kohya`, `webdataset`, `coco`, `imagefolder`, `parquet`.
    #[schemars(extend("items" = { "type": "string", "enum": LAYOUTS }))]
    pub formats: Vec<String>,
    /// Repeats of each picture in a kohya data set, at least 1.
    #[schemars(range(min = 1))]
    pub num_repeats: u32,
    /// Bucket resolution that the kohya file names, in pixels.
    #[schemars(range(min = 64), extend("x-unit" = "pixels"))]
    pub resolution: u32,
    /// Samples of a WebDataset shard, at least 1.
    #[schemars(range(min = 1), extend("x-unit" = "samples"))]
    pub shard_samples: u32,
    /// Word that trainers tie to the character; begins captions of layouts.
    pub trigger: String,
    /// Leave `_composite` pictures out: they are the frames themselves.
    pub skip_composite: bool,
}

impl Default for LayoutConfig {
    fn default() -> Self {
        Self {
            formats: Vec::new(),
            num_repeats: 10,
            resolution: 1024,
            shard_samples: 1000,
            trigger: String::new(),
            skip_composite: true,
        }
    }
}

/// Names that [`LayoutConfig::formats`] takes.
pub const LAYOUTS: [&str; 5] = ["kohya", "webdataset", "coco", "imagefolder", "parquet"];

/// All settings that can change a byte of the output.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct CurateConfig {
    /// Reproduce the original system, its defects included: figures, decisions, files, report.
    pub parity: bool,
    /// When a strategy is chosen.
    pub thresholds: Thresholds,
    /// Wanted shares of frames.
    pub strategy_targets: StrategyTargets,
    /// What the data set lacks.
    pub dataset_needs: DatasetNeeds,
    /// What each strategy does.
    pub strategies: Strategies,
    /// Files of models by the names that strategies use. A file must be listed in a `models.toml`.
    pub model_paths: BTreeMap<String, String>,
    /// How the work is done.
    pub processing: Processing,
    /// How frames are measured.
    pub analysis: AnalysisConfig,
    /// How frames are decided on.
    pub decision: DecisionConfig,
    /// Frames of videos.
    pub video: VideoConfig,
    /// Captions beyond templates.
    pub captions: CaptionConfig,
    /// Layouts for trainers.
    pub layouts: LayoutConfig,
    /// Strategies of the user's own, in the order of their names, before the four built-in ones.
    pub custom_strategies: BTreeMap<String, CustomStrategy>,
    /// Strategies of the program's own, behind those of `custom_strategies`: no file can name them.
    #[serde(skip)]
    pub own_strategies: OwnStrategies,
}

/// An error of the setting `field`.
pub(super) fn wrong(field: impl Into<String>, message: impl Into<String>) -> Error {
    Error::Config { field: field.into(), message: message.into() }
}

/// `value` must lie within 0..=1.
pub(super) fn share(field: &str, value: f64) -> Result<()> {
    if (0.0..=1.0).contains(&value) { Ok(()) } else { Err(wrong(field, format!("must be 0 to 1, got {value}"))) }
}

impl Settings for CurateConfig {
    const OPEN: &'static [&'static str] = &["model_paths", "custom_strategies"];

    fn check(&self) -> Result<()> {
        check_ranges(self, "")?;
        self.strategies.check()?;
        self.decision.check()?;
        if self.analysis.pixels != 0 && self.analysis.pixels < 64 * 64 {
            return Err(wrong("analysis.pixels", format!("must be 0 or at least 4096, got {}", self.analysis.pixels)));
        }
        if let Some(bad) = self.layouts.formats.iter().find(|f| !LAYOUTS.contains(&f.as_str())) {
            return Err(wrong("layouts.formats", format!("must be some of {}, got `{bad}`", LAYOUTS.join(", "))));
        }
        for (name, strategy) in &self.custom_strategies {
            strategy.check(name)?;
        }
        let mut names: BTreeSet<&str> = self.custom_strategies.keys().map(String::as_str).collect();
        for own in self.own_strategies.iter() {
            let at = |field: &str| format!("own_strategies.{}.{field}", own.name());
            custom::check_name(&at("name"), own.name())?;
            if !names.insert(own.name()) {
                return Err(wrong(at("name"), "must be a name of its own: another strategy has it"));
            }
            share(&at("target"), own.target())?;
        }
        if self.parity && !(self.custom_strategies.is_empty() && self.own_strategies == OwnStrategies::default()) {
            return Err(wrong("custom_strategies", "must be empty with parity: the original has none"));
        }
        let (strategies, most) = (self.wanted().len(), super::decide::MOST);
        if strategies > most {
            return Err(wrong(
                "custom_strategies",
                format!("must leave at most {most} strategies enabled, got {strategies}"),
            ));
        }
        let targets: f64 = self.wanted().iter().map(|(_, t)| t).sum();
        if self.decision.engine == Engine::Assignment && targets <= 0.0 {
            return Err(wrong("strategy_targets", "must give an enabled strategy a share above 0"));
        }
        Ok(())
    }
}

impl CurateConfig {
    /// Names of enabled strategies with their wanted shares, which sum to 1: custom ones first, those in code, then the four.
    pub fn wanted(&self) -> Vec<(String, f64)> {
        let custom = self.custom_strategies.iter().filter(|(_, c)| c.enabled).map(|(n, c)| (n.clone(), c.target));
        let (s, t) = (&self.strategies, &self.strategy_targets);
        let own = [
            (super::KEEP_FULL, s.keep_full.enabled, t.keep_full),
            (super::SEGMENT, s.segment.enabled, t.segment),
            (super::CREATE_OCCLUSION, s.create_occlusion.enabled, t.create_occlusion),
            (super::ENHANCE_SEGMENT, s.enhance_segment.enabled, t.enhance_segment),
        ];
        let own = own.into_iter().filter(|(_, enabled, _)| *enabled).map(|(n, _, target)| (n.to_owned(), target));
        let code = self.own_strategies.iter().map(|s| (s.name().to_owned(), s.target()));
        let all: Vec<(String, f64)> = custom.chain(code).chain(own).collect();
        let sum: f64 = all.iter().map(|(_, t)| t).sum();
        all.into_iter().map(|(n, t)| (n, if sum > 0.0 { t / sum } else { 0.0 })).collect()
    }

    /// Parity takes needs from `--dataset-needs` alone, as the original does: without that file there are none.
    pub fn settle_needs(&mut self, given: bool) {
        if self.parity && !given {
            self.dataset_needs = DatasetNeeds::NONE;
        }
    }

    /// Names of all strategies that have a folder.
    pub fn folders(&self) -> Vec<String> {
        let own = super::STRATEGIES.iter().map(|s| (*s).to_owned());
        let code = self.own_strategies.iter().map(|s| s.name().to_owned());
        own.chain(self.custom_strategies.keys().cloned()).chain(code).collect()
    }

    /// Wanted share of a strategy that is none of the four; nothing for those, and for one that is not enabled.
    pub(super) fn target_of_own(&self, name: &str) -> Option<f64> {
        let custom = self.custom_strategies.get(name).filter(|c| c.enabled).map(|c| c.target);
        custom.or_else(|| self.own_strategies.get(name).map(super::strategy::Strategy::target))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Format, Layers};

    #[test]
    fn the_two_files_of_the_original_are_read_whole_and_slips_are_named() {
        let decision = "thresholds: {simple_background: 0.2, multi_character: 3}\nstrategy_targets: {segment: 0.5}\ndataset_needs: {far_shot: 0.1}\n";
        let strategies =
            "strategies:\n  segment: {mask_dilation: 9}\nmodel_paths: {lama: \"x.onnx\"}\nprocessing: {device: cpu}\n";
        let both = Layers::new().text("d.yaml", Format::Yaml, decision).unwrap();
        let both = both.text("s.yaml", Format::Yaml, strategies).unwrap();
        let c = both.resolve::<CurateConfig>().unwrap().settings;
        assert_eq!((c.thresholds.simple_background, c.thresholds.multi_character), (0.2, 3));
        assert_eq!((c.strategy_targets.segment, c.dataset_needs.far_shot), (0.5, 0.1));
        assert_eq!((c.strategies.segment.mask_dilation, c.processing.device.as_str()), (9, "cpu"));
        assert_eq!(c.model_paths.get("lama").map(String::as_str), Some("x.onnx"));
        let slip = "strategies:\n  segment:\n    mask_dilatation: 9\n";
        let e = Layers::new().text("s.yaml", Format::Yaml, slip).unwrap().resolve::<CurateConfig>().unwrap_err();
        assert!(e.to_string().contains("mask_dilation") && e.to_string().contains("s.yaml:3"), "{e}");
    }

    #[test]
    fn shares_are_of_enabled_strategies() {
        let mut c = CurateConfig::default();
        c.strategies.segment.enabled = false;
        let wanted = c.wanted();
        assert!((wanted.iter().map(|w| w.1).sum::<f64>() - 1.0).abs() < 1e-12);
        assert!((wanted[0].1 - 0.5).abs() < 1e-12 && wanted.len() == 3);
        c.thresholds.good_lighting = 1.5;
        assert!(c.check().is_err());
    }
}
