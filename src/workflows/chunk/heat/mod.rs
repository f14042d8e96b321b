//! Heat maps of frames: one pass, counted on the GPU in integers, so that batches and adapters never change a number.

mod steps;
mod work;

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::plan::HeatMap;
use crate::config::Settings;
use crate::core::{HeatMode, Size};
use crate::error::{Error, Result};
use crate::gpu::GpuContext;
use crate::pipeline::{Event, FrameSource, PipelineOptions, run};

pub use work::{HeatFound, HeatWork, heat_bytes};

/// What makes a pixel hot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HeatKind {
    /// Share of the frames in which its luma changed by more than the threshold.
    Motion,
    /// Mean change of its luma from frame to frame, as a share of 255.
    Change,
    /// Mean of its luma over 255: the exact mean of masks.
    Masks,
}

/// Settings of a heat map.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HeatConfig {
    /// What makes a pixel hot.
    pub source: HeatKind,
    /// For `motion`: a change of up to this many luma codes is none.
    pub threshold: u8,
    /// Longest side of the map in pixels: larger frames are reduced, by area, before anything is counted. 16..=32768.
    pub side: u32,
    /// Seconds of a step of the activity, 0.04..=3600. Steps of long videos become twice as long until the activity fits into
    /// [`crate::workflows::chunk::ActivityGrid::MAX_CELLS`].
    pub step: f64,
}

impl Default for HeatConfig {
    fn default() -> Self {
        Self { source: HeatKind::Motion, threshold: 10, side: 1920, step: 1.0 }
    }
}

impl Settings for HeatConfig {
    fn check(&self) -> Result<()> {
        let config = |field: &str, message: String| Err(Error::Config { field: field.into(), message });
        if !(16..=32_768).contains(&self.side) {
            return config("side", format!("must be in 16..=32768 pixels, got {}", self.side));
        }
        if !(0.04..=3600.0).contains(&self.step) {
            return config("step", format!("must be in 0.04..=3600 seconds, got {}", self.step));
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
            HeatKind::Masks => HeatMode::SumValues,
        }
    }
}

/// The heat map of all frames of `source`. `progress` hears of each batch. `path` is for messages.
///
/// # Errors
/// [`Error::InputCorrupt`] without a frame, [`Error::InputUnsupported`] when the size changes on the way; those of source and device.
pub fn heat_of(
    ctx: &GpuContext,
    path: &Path,
    source: Box<dyn FrameSource>,
    config: &HeatConfig,
    options: &PipelineOptions,
    progress: &mut dyn FnMut(u64),
) -> Result<HeatFound> {
    config.check()?;
    let mut found = None;
    let bytes = |layout: &_, batch| heat_bytes(layout, batch, config);
    run(ctx, options, vec![(source, HeatWork::new(config, path))], &bytes, |event| {
        match event {
            Event::Batch { infos, .. } => progress(infos.len() as u64),
            Event::Last { output, .. } => found = output,
            Event::End { report, .. } => report.result?,
        }
        Ok(())
    })?;
    options.cancel.check()?;
    found.ok_or_else(|| Error::InputCorrupt { path: path.to_path_buf(), reason: "no frame could be decoded".into() })
}

/// Counters as shares 0..=1. Zero-safe: without a frame to compare with, nothing is hot.
fn shares(counts: &[u32], size: Size, full: u64) -> Result<HeatMap> {
    let full = full.max(1) as f64;
    HeatMap::new(size, counts.iter().map(|c| (f64::from(*c) / full) as f32).collect())
}
