//! Heat maps of frames: one pass, counted in integers, so that batches and adapters never change a number.
//!
//! ```text
//! frames ─► luma, colour range, flow, a function of the caller ─► map on the GPU ─┐
//!        └► networks: objects, faces, masks; boxes of a file ─► integer sums ─────┴► HeatFound: map + activity
//! ```

mod bells;
mod boxes;
mod config;
mod front;
mod grey;
mod masks;
mod middles;
mod pair;
mod pass;
mod run;
mod shape;
mod shard;
mod steps;
mod stretches;
mod sums;
#[cfg(feature = "onnx")]
mod watch;
mod work;

use std::path::Path;

use super::activity::ActivityGrid;
use super::plan::HeatMap;
use crate::core::{Observer, Size};
use crate::error::{Error, Result};
use crate::gpu::GpuContext;
use crate::pipeline::{Event, FrameSource, PipelineOptions, run};
use crate::workflows::reporter::{Reporter, stoppable};

pub use boxes::read_boxes;
pub use config::{BoxMark, HeatConfig, HeatKind};
pub use front::HeatFn;
pub use pair::pair_frames;
pub use pass::{FaceFrames, HeatSight, HeatWatch, Watching, watched_heat};
pub use run::{HeatOptions, HeatOutcome, heat_video};
pub use shard::{HeatInput, HeatPart, heat_part, join_heat};
pub use sums::HeatSums;
#[cfg(feature = "onnx")]
pub use watch::ModelWatch;
pub use work::{HeatWork, heat_bytes};

/// A heat map and what it was made of.
#[non_exhaustive]
#[derive(Debug)]
pub struct HeatFound {
    /// The map.
    pub map: HeatMap,
    /// Size of the frames.
    pub frame: Size,
    /// Number of frames.
    pub frames: u64,
    /// When it was hot where.
    pub activity: ActivityGrid,
    /// Width and height in pixels of the frame that 95 of 100 boxes do not exceed, where there were some.
    pub subject: Option<[u32; 2]>,
}

/// A map under construction.
#[derive(Debug)]
struct Heated {
    frame: Size,
    map: Size,
    values: Vec<f32>,
    frames: u64,
    /// Frames that could add something.
    added: u64,
    steps: steps::Steps,
    subject: Option<[u32; 2]>,
}

impl Heated {
    fn found(self) -> Result<HeatFound> {
        let map = HeatMap::new(self.map, self.values)?;
        let Self { frame, frames, subject, .. } = self;
        Ok(HeatFound { map, frame, frames, activity: self.steps.finish()?, subject })
    }
}

/// What is told of frames that were looked at.
const MEASURE: (&str, &str) = ("measure", "frames");

/// The heat map of all frames of `source`. `observer` hears of each batch, in the stage `measure`. `path` is for messages.
///
/// # Errors
/// [`Error::Config`] for a source that needs more than frames, see [`watched_heat`] and [`custom_heat`]; [`Error::InputCorrupt`] without a
/// frame, [`Error::InputUnsupported`] when the size changes on the way; those of source and device.
pub fn heat_of(
    ctx: &GpuContext,
    path: &Path,
    source: Box<dyn FrameSource>,
    config: &HeatConfig,
    options: &PipelineOptions,
    observer: &mut dyn Observer,
) -> Result<HeatFound> {
    let options = stoppable(options);
    let mut reporter = Reporter::new(observer, &options.cancel);
    measured(ctx, path, source, config, None, (&options, &mut reporter.stage(MEASURE, None, 0)))
}

/// The heat map of what `make` marks in the frames of `source`, see [`HeatFn`]: the mean of its pictures. Of `config`, `side` and `step`
/// count.
///
/// # Errors
/// Those of `make`, and as [`heat_of`].
pub fn custom_heat<'f>(
    ctx: &GpuContext,
    path: &Path,
    source: Box<dyn FrameSource>,
    make: Box<HeatFn<'f>>,
    config: &HeatConfig,
    options: &PipelineOptions,
    observer: &mut dyn Observer,
) -> Result<HeatFound> {
    let options = stoppable(options);
    let mut reporter = Reporter::new(observer, &options.cancel);
    let config = HeatConfig { source: HeatKind::Custom, ..config.clone() };
    measured(ctx, path, source, &config, Some(make), (&options, &mut reporter.stage(MEASURE, None, 0)))
}

fn measured(
    ctx: &GpuContext,
    path: &Path,
    source: Box<dyn FrameSource>,
    config: &HeatConfig,
    make: Option<Box<HeatFn<'_>>>,
    (options, progress): (&PipelineOptions, &mut dyn FnMut(u64)),
) -> Result<HeatFound> {
    crate::config::Settings::check(config)?;
    if !config.source.is_measured() || config.face_weight > 0.0 {
        let message = format!("`{}` needs someone who looks at the frames: a model, or boxes", config.source.name());
        return Err(Error::Config { field: "source".into(), message });
    }
    let sums = measured_sums(ctx, path, source, config, make, (options, progress))?;
    sums.ok_or_else(|| without_frames(path))?.found(config)
}

/// The sums of what kernels measure in all frames of `source`; `None` without a frame.
fn measured_sums(
    ctx: &GpuContext,
    path: &Path,
    source: Box<dyn FrameSource + '_>,
    config: &HeatConfig,
    make: Option<Box<HeatFn<'_>>>,
    (options, progress): (&PipelineOptions, &mut dyn FnMut(u64)),
) -> Result<Option<HeatSums>> {
    let mut found = None;
    let bytes = |layout: &_, batch| heat_bytes(layout, batch, config);
    run(ctx, options, vec![(source, HeatWork::new(config, path, make))], &bytes, |event| {
        match event {
            Event::Batch { infos, .. } => progress(infos.len() as u64),
            Event::Last { output, .. } => found = output,
            Event::End { report, .. } => report.result?,
        }
        Ok(())
    })?;
    options.cancel.check()?;
    Ok(found)
}

fn without_frames(path: &Path) -> Error {
    Error::InputCorrupt { path: path.to_path_buf(), reason: "no frame could be decoded".into() }
}
