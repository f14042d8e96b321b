//! Map: frames to figures. Every unit is a record of a journal, so that a run which was stopped goes on, and one with other thresholds
//! measures nothing again.

mod meter;
mod pictures;
mod reduce;
mod videos;

pub(super) use videos::{Picked, open_video};

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::config::CurateConfig;
use super::inputs::{Input, Inputs, Names};
use super::metrics::FrameEntry;
use super::models::{ModelUse, Networks, Opener};
use crate::core::{CancelToken, Limits};
use crate::error::{Error, Result};
use crate::gpu::GpuContext;
use crate::ops::GpuFrames;
use crate::store::{RunKey, StoreIo, UnitLog};
use meter::{Looking, Meter};

/// All frames with their figures.
#[derive(Debug, Clone, PartialEq)]
pub struct Analysis {
    /// Pictures in order of the inputs, then frames of videos.
    pub entries: Vec<FrameEntry>,
    /// What looked at them.
    pub models: Vec<ModelUse>,
    /// Time that measuring took; not part of any result.
    pub elapsed: Duration,
}

/// Frames of packed RGBA at the size at which frames are measured.
pub(super) fn at_measured_size(ctx: &GpuContext, frames: GpuFrames, pixels: u32) -> Result<GpuFrames> {
    match reduce::reduced(frames.layout().size, pixels) {
        Some(size) => reduce::Reduce::new(ctx, frames.layout(), size)?.run(ctx, &frames, frames.slots()),
        None => Ok(frames),
    }
}

/// What the journal knows, and how to work.
pub(super) struct Recorded<'a> {
    log: Option<&'a mut UnitLog>,
    pub(super) workers: usize,
    pub(super) batch: usize,
    pub(super) limits: &'a Limits,
    pub(super) cancel: &'a CancelToken,
}

/// Content of a record.
#[derive(Debug, Serialize, Deserialize)]
struct Meta {
    entries: Vec<FrameEntry>,
}

impl Recorded<'_> {
    fn entries(&self, unit: &str) -> Option<Vec<FrameEntry>> {
        let record = self.log.as_ref()?.done(unit)?;
        serde_json::from_value::<Meta>(record.meta.clone()).ok().map(|m| m.entries)
    }

    fn put(&mut self, unit: &str, entries: &[FrameEntry]) -> Result<()> {
        match &mut self.log {
            Some(log) => log.finish(unit, &[], &Meta { entries: entries.to_vec() }),
            None => Ok(()),
        }
    }
}

/// Everything that can change a figure.
fn key(ctx: &GpuContext, config: &CurateConfig, models: &[ModelUse]) -> Result<RunKey> {
    let mut kernels = blake3::Hasher::new();
    for k in crate::gpu::kernel_sources() {
        kernels.update(k.name.as_bytes()).update(k.text.as_bytes());
    }
    let caps = ctx.caps();
    let models: Vec<String> = models.iter().map(|m| format!("{} {:?}", m.task, m.sha256)).collect();
    RunKey::builder()
        .field("workflow", "curate analysis")
        .field("version", env!("CARGO_PKG_VERSION"))
        .field("kernels", kernels.finalize().to_hex())
        .field("adapter", format!("{} ({})", caps.name, caps.driver))
        .field("parity", config.parity)
        .field("models", models.join(", "))
        .field("min_instance_size", config.strategies.segment.min_instance_size)
        .fields("analysis", &config.analysis)
        .fields("video", &config.video)
        .finish()
}

/// How to work; nothing of it changes a result.
#[derive(Debug, Clone, Copy)]
pub(super) struct Working<'a> {
    pub(super) networks: &'a Networks,
    pub(super) limits: &'a Limits,
    pub(super) cancel: &'a CancelToken,
}

/// Measures `inputs`. With `state`, a folder for the journal, what was measured before with the same settings is kept.
///
/// A frame that cannot be read is an entry with `error`.
///
/// # Errors
/// The device, the journal, models, `Cancelled`.
pub(super) fn measure(
    ctx: &GpuContext,
    inputs: &Inputs,
    config: &CurateConfig,
    working: Working<'_>,
    state: Option<(&dyn StoreIo, &Path)>,
    progress: &mut dyn FnMut(u64),
) -> Result<Analysis> {
    let started = Instant::now();
    let mut opener = Opener::new(working.networks, config);
    let looking = Looking::open(&mut opener, ctx)?;
    let models = opener.uses;
    let mut log = match state {
        Some((io, folder)) => Some(open_log(io, folder, &key(ctx, config, &models)?)?),
        None => None,
    };
    let mut recorded = Recorded {
        log: log.as_mut(),
        workers: config.processing.num_workers as usize,
        batch: config.processing.batch_size as usize,
        limits: working.limits,
        cancel: working.cancel,
    };
    let mut meter = Meter::new(ctx, config, looking);
    let mut names = Names::default();
    let mut entries = Vec::new();
    // Pictures that follow each other are measured together; a video stands in its place.
    let mut pictures: Vec<(String, PathBuf)> = Vec::new();
    for input in &inputs.all {
        if let Input::Picture(path) = input {
            pictures.push((names.take(path, None), path.clone()));
        }
    }
    entries.extend(pictures::measure_pictures(ctx, &pictures, &mut meter, &mut recorded, progress)?);
    for input in &inputs.all {
        let Input::Video(path) = input else { continue };
        match videos::measure_video(ctx, path, &mut meter, (config, &mut recorded), &mut names, progress) {
            Ok(found) => entries.extend(found),
            Err(e @ (Error::InputNotFound { .. } | Error::InputUnsupported { .. } | Error::InputCorrupt { .. })) => {
                entries.push(failed(&mut names, path, &e));
            }
            Err(e) => return Err(e),
        }
    }
    Ok(Analysis { entries, models, elapsed: started.elapsed() })
}

fn failed(names: &mut Names, path: &Path, e: &Error) -> FrameEntry {
    FrameEntry {
        name: names.take(path, None),
        place: super::metrics::FramePlace { path: path.to_path_buf(), frame: None, seconds: None },
        content: String::new(),
        metrics: None,
        error: Some(e.to_string()),
    }
}

/// The journal of figures; one of other settings is begun anew: figures are made again faster than anybody could say what to do.
fn open_log(io: &dyn StoreIo, folder: &Path, key: &RunKey) -> Result<UnitLog> {
    let path = folder.join("analysis");
    match UnitLog::open(io, &path, folder, key) {
        Err(Error::State(crate::StateError::KeyMismatch { .. })) => {
            std::fs::remove_file(&path).map_err(|e| Error::storage("remove", &path, e))?;
            UnitLog::open(io, &path, folder, key)
        }
        other => other,
    }
}
