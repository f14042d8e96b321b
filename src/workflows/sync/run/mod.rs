//! A whole video: how late its sound is, over time, and who speaks.
//!
//! ```text
//! video ──► faces, cuts of every frame ──► journal ──► shots, tracks ──► what the estimator sees in them ──► journal
//!                                                                                                        │
//!      offsets, curve, summary, report ◄── drift, edits, speakers ◄── windows, chunks, tracks ◄── levels of the sound
//! ```
//! Frames stay on the device; memory is boxes and a few numbers a frame, whatever the length. Both passes go by units of some seconds: a run that
//! was stopped goes on with the unit that it was in, and units may be shared out among parts of a run (`part.rs`). Offsets are positive where the
//! sound is late, in seconds; `offsets.txt` and the fields of the scripts around SyncNet keep their own sign and unit: frames of 25 a second,
//! positive where the sound is early.

mod batch;
mod chunks;
mod config;
mod edits;
mod estimator;
mod lip;
mod log;
mod models;
mod outputs;
mod page;
mod paint;
mod part;
mod passes;
mod people;
mod persons;
mod shots;
mod speed;
mod summary;
mod syncnet;
mod tell;
mod thumbs;
mod units;
mod video;
mod videos;
mod views;
mod who;

use std::path::Path;

use serde::{Deserialize, Serialize};

pub use batch::{BatchOptions, BatchResult, BatchSummary, sync_batch, videos_in};
pub use config::{EstimatorKind, Preset, SyncConfig};
pub use estimator::{Estimator, SeenFace};
pub use log::Look;
pub use models::{SyncModelFiles, SyncModelNames, SyncModels};
pub use part::{SyncPart, join_sync, sync_part};
pub use speed::SyncSpeed;
pub use summary::{ChunkResult, QualityFilters, TrackOffset, VideoSummary};
pub use tell::{ChunkTold, Overall, PersonTold, Results, Speech, Told, TrackTold};
pub use video::{SyncOpen, SyncVideo};

use super::lip_motion::SyncVerdict;
use super::timeline::{OffsetJump, OffsetSegment};
use crate::config::Settings as _;
use crate::core::Observer;
use crate::error::{Error, Result, StateError};
use crate::gpu::GpuContext;
use crate::pipeline::PipelineOptions;
use crate::store::{OsIo, RunKey, StateDir, StoreIo, UnitLog, clean_temps, forget, output_folder};
use crate::workflows::reporter::{Reporter, stoppable};
use log::SyncLog;
use outputs::{Finished, write_outputs};
use passes::Passes;
use speed::Clock;
use tell::Telling;
use units::Units;
use videos::Videos;

const UNIT: &str = "sync";
const FACE_VIDEOS: &str = "face videos";
const ANNOTATED: &str = "annotated video";
const STATE: &str = ".state";
/// Journal of what both passes found, in the state folder.
const SEEN: &str = "seen";

/// What is told of frames in which faces and cuts were found.
const FACES: (&str, &str) = ("faces", "frames");
/// What is told of frames in which lips were looked at.
const LIPS: (&str, &str) = ("lips", "frames");

/// How a run goes, and what it writes beside the usual. None of it changes a byte of a file.
#[derive(Debug, Clone, Default)]
pub struct SyncOptions {
    /// Batches, deadlines, cancellation.
    pub pipeline: PipelineOptions,
    /// Forget what an earlier run in the folder found.
    pub restart: bool,
    /// Write a video of the face of each track, `faces/track_0000.mp4`, as the estimator sees it; with its sound.
    pub face_videos: bool,
    /// Write the whole video with boxes, confidences and offsets drawn on it, `annotated.mp4`.
    pub annotate: bool,
}

/// Result of a run.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SyncOutcome {
    /// Verdict on the whole.
    pub verdict: SyncVerdict,
    /// Why it cannot be told, and what else a reader should know.
    pub verdict_reasons: Vec<String>,
    /// Milliseconds that the sound is late; negative where it is early.
    pub audio_late_ms: Option<f64>,
    /// Probability of the offset.
    pub probability: f64,
    /// Drift in parts per million, where one can be told from none.
    pub drift_ppm: Option<f64>,
    /// Time of the first decoded frame on the container's clock, in seconds: time 0 of `jumps` and `segments`.
    pub first_frame_seconds: f64,
    /// Edits, in seconds from the first frame.
    pub jumps: Vec<OffsetJump>,
    /// Stretches between edits, in seconds from the first frame; what a repair goes by.
    pub segments: Vec<OffsetSegment>,
    /// Frames that were looked at.
    pub frames: u64,
    /// Seconds of the video.
    pub seconds: f64,
    /// Tracks of faces.
    pub tracks: u64,
    /// Persons that they belong to.
    pub persons: u64,
    /// Chunks, and those accepted.
    pub chunks: u64,
    /// See `chunks`.
    pub accepted: u64,
    /// Why the video or its sound is not whole. Empty: complete.
    pub reasons: Vec<String>,
    /// Assumptions and substitutions.
    pub notes: Vec<String>,
    /// Whether a whole output of an earlier run was kept.
    #[serde(skip)]
    pub cached: bool,
    /// Frames that an interrupted run had looked at.
    #[serde(skip)]
    pub resumed: u64,
    /// Where the time of this run went.
    #[serde(skip)]
    pub speed: SyncSpeed,
}

/// Analyses `video` and writes what was found into `folder`. `observer` hears of frames, in the stage `faces` while faces and cuts
/// are found and `lips` while lips are looked at.
///
/// Killed at any moment, the same call goes on and ends with the same bytes. With other settings of judging what was seen is used again.
///
/// # Errors
/// [`Error::Config`]; [`StateError`] when the folder holds the state of something else; those of decoding, storage, networks and the device. A
/// video without sound or faces is no error but a verdict.
pub fn sync(
    ctx: &GpuContext,
    video: &SyncVideo,
    models: &mut SyncModels,
    folder: &Path,
    config: &SyncConfig,
    options: &SyncOptions,
    observer: &mut dyn Observer,
) -> Result<SyncOutcome> {
    let SyncOptions { pipeline: options, restart, face_videos, annotate } = options;
    let options = &stoppable(options);
    let mut reporter = Reporter::new(observer, &options.cancel);
    config.check()?;
    let io = OsIo;
    let state = enter(folder, *restart)?;
    let journal = state.join("journal");
    let units_of = Units::new(video.usual(), None);
    let seen_key = seen_key(ctx, video, models, (config, units_of))?;
    let key = seen_key.clone().fields("config", config).finish()?;
    let seen_key = seen_key.finish()?;
    let mut units = open_units(&journal, folder, &key)?;
    // Asked for, and not there yet.
    let missing = |asked: &bool, unit: &str| *asked && units.done(unit).is_none();
    let (face_videos, annotate) = (missing(face_videos, FACE_VIDEOS), missing(annotate, ANNOTATED));
    let kept: Option<SyncOutcome> = match units.done(UNIT) {
        Some(done) => Some(
            serde_json::from_value(done.meta.clone())
                .map_err(|e| StateError::Corrupt { path: journal, reason: format!("its unit record: {e}") })?,
        ),
        None => None,
    };
    if let Some(outcome) = kept.clone().filter(|_| !face_videos && !annotate) {
        return Ok(SyncOutcome { cached: true, ..outcome });
    }
    let mut log = SyncLog::open(&state.join(SEEN), &seen_key)?;
    let resumed = log.known();
    let mut clock = Clock::new(models.running());
    let passes = Passes { ctx, video, config, options, units: units_of };
    if log.all_frames().is_none() {
        passes.frames(models, &mut log, &mut reporter.stage(FACES, video.expected(), resumed))?;
    }
    let faces_lap = clock.lap(models.running());
    let frames = log.all_frames().ok_or_else(|| Error::Bug("a first pass with holes".into()))?;
    let who = who::who(&frames, config)?;
    let total = frames.len() as u64;
    passes.looks(models, (&who.tracks, &frames), &mut log, &mut reporter.stage(LIPS, Some(total), 0))?;
    let seen = log.all_looks();
    let lips_lap = clock.lap(models.running());
    let persons = persons::persons(&who.tracks, &views::sums(&seen.vectors, who.tracks.len()), config.same_person);
    let (sound, damaged) = video.levels()?;
    let estimator = models.estimator.as_ref();
    let cancel = &options.cancel;
    let telling =
        Telling { config, estimator, frames: &frames, who: &who, persons: &persons, sound: sound.as_ref(), cancel };
    let results = telling.run(&seen.looks)?;
    let end = log.end.clone().ok_or_else(|| Error::Bug("a first pass without an end".into()))?;
    let mut reasons = end.reasons;
    if damaged > 0 {
        reasons.push(format!("the sound is damaged in {damaged} places"));
    }
    let finished = Finished {
        video,
        config,
        estimator,
        results: &results,
        who: &who,
        frames: total,
        reasons,
        notes: end.notes,
        thumbs: &seen.thumbs,
        adapter: ctx.caps(),
        networks: models.networks(),
        chunks_journal: state.join("chunks"),
    };
    let outcome = match kept {
        Some(outcome) => outcome,
        None => {
            let (files, outcome) = write_outputs(&io, folder, &finished)?;
            units.finish(UNIT, &files, &outcome)?;
            outcome
        }
    };
    let scale = estimator.confidence_scale();
    let videos = Videos { ctx, video, options, frames: &frames, who: &who, results: &results, scale };
    if face_videos {
        units.finish(FACE_VIDEOS, &videos.faces(&io, folder)?, &())?;
    }
    if annotate {
        units.finish(ANNOTATED, &[videos.annotated(&io, folder)?], &())?;
    }
    drop(state);
    let speed = clock.end(faces_lap, lips_lap);
    Ok(SyncOutcome { resumed, speed, ..outcome })
}

/// Makes `folder` the output folder of this command, without unfinished files; with `restart` without what earlier runs found.
fn enter(folder: &Path, restart: bool) -> Result<StateDir> {
    let io = OsIo;
    output_folder(&io, folder)?;
    let state = StateDir::acquire_for(&io, folder.join(STATE), "sync")?;
    for name in chunks::FOLDERS.into_iter().chain([videos::FOLDER]) {
        let inner = folder.join(name);
        if inner.is_dir() {
            clean_temps(io.open_dir(&inner).map_err(|e| Error::storage("open", &inner, e))?.as_ref())?;
        }
    }
    if restart {
        for name in [SEEN, "journal", "chunks"] {
            forget(state.join(name))?;
        }
    }
    Ok(state)
}

/// What both passes over the pictures depend on.
fn seen_key(
    ctx: &GpuContext,
    video: &SyncVideo,
    models: &SyncModels,
    (config, units): (&SyncConfig, Units),
) -> Result<crate::store::RunKeyBuilder> {
    let mut kernels = blake3::Hasher::new();
    for k in crate::gpu::kernel_sources() {
        kernels.update(k.name.as_bytes()).update(k.text.as_bytes());
    }
    let caps = ctx.caps();
    let networks: Vec<String> = models.networks().into_iter().map(|(name, hash)| format!("{name} {hash}")).collect();
    Ok(RunKey::builder()
        .field("workflow", "sync")
        .field("version", env!("CARGO_PKG_VERSION"))
        .field("kernels", kernels.finalize().to_hex())
        .field("adapter", format!("{} ({})", caps.name, caps.driver))
        .field("input", &video.fingerprint)
        .field("track", video.open.decode.track)
        .field("audio_track", video.open.audio_track)
        .field("networks", networks.join(", "))
        .field("unit", units.size())
        .fields("seen", &config.seeing()))
}

/// The journal of outputs. That of other settings of judging is replaced: outputs are made anew from what was seen.
fn open_units(journal: &Path, folder: &Path, key: &RunKey) -> Result<UnitLog> {
    match UnitLog::open(&OsIo, journal, folder, key) {
        Err(Error::State(StateError::KeyMismatch { fields, .. }))
            if fields.iter().all(|f| f.starts_with("config.")) =>
        {
            forget(journal)?;
            UnitLog::open(&OsIo, journal, folder, key)
        }
        other => other,
    }
}
