//! Map: frames to figures. Every unit is a record of a journal, so that a run which was stopped goes on, and one with other thresholds
//! measures nothing again.

mod meter;
mod pictures;
mod reduce;
mod videos;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::config::CurateConfig;
use super::inputs::{Input, Inputs, Names};
use super::metrics::FrameEntry;
use super::models::{ModelUse, Networks, Opener};
use super::shard::Shard;
use crate::error::{Error, Result};
use crate::gpu::GpuContext;
use crate::media::DecodeOptions;
use crate::ops::GpuFrames;
use crate::store::{RunKey, StoreIo, UnitLog};
use meter::{Looking, Meter};

/// All frames with their figures.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq)]
pub struct Analysis {
    /// Pictures in order of the inputs, then frames of videos.
    pub entries: Vec<FrameEntry>,
    /// What looked at them.
    pub models: Vec<ModelUse>,
    /// Time that measuring took; not part of any result.
    pub elapsed: Duration,
    /// Where it went.
    pub times: Times,
}

/// Where the time of measuring went, in seconds. Stages work side by side, so that their sum is more than the time on the clock.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Times {
    /// On the clock.
    pub all: f64,
    /// Reading and decoding pictures, on the clock of the threads that do it.
    pub pictures: f64,
    /// Frames of videos that were decoded.
    pub video_frames: u64,
    /// How long their decoders were at work, on cores that kernels may share.
    pub video_decode: f64,
    /// On the clock, for videos.
    pub video_all: f64,
    /// Kernels: reducing and measuring.
    pub figures: f64,
    /// Networks, with the tensors that they take.
    pub networks: f64,
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
    pub(super) decode: &'a DecodeOptions,
    pub(super) shard: Option<Shard>,
    pub(super) times: Times,
}

/// Content of a record.
#[derive(Debug, Serialize, Deserialize)]
struct Meta {
    entries: Vec<FrameEntry>,
    /// Further records with more of them.
    #[serde(default, skip_serializing_if = "is_none")]
    parts: usize,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "what serde asks for")]
const fn is_none(parts: &usize) -> bool {
    *parts == 0
}

/// Entries of a record: a long video has more than fit into one.
const IN_A_RECORD: usize = 64;

impl Recorded<'_> {
    fn meta(&self, unit: &str) -> Option<Meta> {
        let record = self.log.as_ref()?.done(unit)?;
        serde_json::from_value::<Meta>(record.meta.clone()).ok()
    }

    fn entries(&self, unit: &str) -> Option<Vec<FrameEntry>> {
        let Meta { mut entries, parts } = self.meta(unit)?;
        for part in 0..parts {
            entries.extend(self.meta(&format!("{unit}#{part}"))?.entries);
        }
        Some(entries)
    }

    /// The unit's own record comes last: parts without it are nothing.
    fn put(&mut self, unit: &str, entries: &[FrameEntry]) -> Result<()> {
        let Some(log) = &mut self.log else { return Ok(()) };
        let parts: Vec<&[FrameEntry]> =
            if entries.len() > IN_A_RECORD { entries.chunks(IN_A_RECORD).collect() } else { Vec::new() };
        for (at, part) in parts.iter().enumerate() {
            log.finish(&format!("{unit}#{at}"), &[], &Meta { entries: part.to_vec(), parts: 0 })?;
        }
        let own = if parts.is_empty() { entries.to_vec() } else { Vec::new() };
        log.finish(unit, &[], &Meta { entries: own, parts: parts.len() })
    }
}

/// Everything that can change a figure.
fn key(ctx: &GpuContext, track: usize, config: &CurateConfig, models: &[ModelUse]) -> Result<RunKey> {
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
        .field("track", track)
        .field("models", models.join(", "))
        .field("min_instance_size", config.strategies.segment.min_instance_size)
        .fields("analysis", &config.analysis)
        .fields("video", &config.video)
        .finish()
}

/// How to work; of it the track alone changes a result.
#[derive(Debug, Clone, Copy)]
pub(super) struct Working<'a> {
    pub(super) networks: &'a Networks,
    pub(super) decode: &'a DecodeOptions,
    /// The part of the units that is done.
    pub(super) shard: Option<Shard>,
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
        Some((io, folder)) => Some(open_log(io, folder, &key(ctx, working.decode.track, config, &models)?)?),
        None => None,
    };
    let mut recorded = Recorded {
        log: log.as_mut(),
        workers: config.processing.num_workers as usize,
        batch: config.processing.batch_size as usize,
        decode: working.decode,
        shard: working.shard,
        times: Times::default(),
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
    let videos = inputs.all.iter().filter(|i| matches!(i, Input::Video(_)));
    let shard = working.shard;
    for (_, input) in videos.enumerate().filter(|(at, _)| shard.is_none_or(|s| s.has(*at))) {
        let path = input.path();
        match videos::measure_video(ctx, path, &mut meter, (config, &mut recorded), &mut names, progress) {
            Ok(found) => entries.extend(found),
            Err(e @ (Error::InputNotFound { .. } | Error::InputUnsupported { .. } | Error::InputCorrupt { .. })) => {
                entries.push(failed(&mut names, path, &e));
            }
            Err(e) => return Err(e),
        }
    }
    let (elapsed, spent) = (started.elapsed(), meter.spent());
    let times = Times {
        all: elapsed.as_secs_f64(),
        figures: spent.figures.as_secs_f64(),
        networks: spent.networks.as_secs_f64(),
        ..recorded.times
    };
    Ok(Analysis { entries, models, elapsed, times })
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

#[cfg(test)]
mod tests {
    use super::super::metrics::FramePlace;
    use super::super::metrics::tests::metrics;
    use super::*;
    use crate::store::OsIo;
    use crate::workflows::curate::{Embedding, FrameMetrics};

    #[test]
    fn a_long_video_is_recorded_whole() {
        let dir = tempfile::tempdir().unwrap();
        let vector: Vec<f32> = (0..4096).map(|i| ((i * 37) % 101) as f32 - 50.0).collect();
        let entries: Vec<FrameEntry> = (0..500u64)
            .map(|i| FrameEntry {
                name: format!("film_{i}"),
                place: FramePlace { path: "film.mp4".into(), frame: Some(i), seconds: None },
                content: format!("film#{i}"),
                metrics: Some(FrameMetrics { embedding: Embedding::new(&vector), ..metrics(0.3, 0.7, 0.5) }),
                error: None,
            })
            .collect();
        let key = RunKey::builder().field("x", 1).finish().unwrap();
        let decode = DecodeOptions::default();
        let with = |act: &mut dyn FnMut(&mut Recorded<'_>)| {
            let mut log = UnitLog::open(&OsIo, dir.path().join("log"), dir.path(), &key).unwrap();
            let times = Times::default();
            let (shard, log) = (None, Some(&mut log));
            act(&mut Recorded { log, workers: 1, batch: 1, decode: &decode, shard, times });
        };
        with(&mut |r| r.put("video/film", &entries).unwrap());
        with(&mut |r| r.put("pictures/0", &entries[..3]).unwrap());
        with(&mut |r| {
            assert!(r.entries("video/film").unwrap() == entries && r.entries("pictures/0").unwrap() == entries[..3]);
            assert!(r.entries("video/other").is_none());
        });
    }
}
