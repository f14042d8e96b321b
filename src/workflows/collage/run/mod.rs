//! A video in, its collage out.
//!
//! ```text
//! video ──► frames of the timeline ──► descriptors ──► nearest pictures ──► journal   (kept: an interrupted run goes on there)
//!                                                                              │
//!      video, single pictures, samples, sheets, credits, report ◄── rendered ◄─┴── selection over all frames
//! ```

mod choose;
mod compare;
mod config;
mod eye;
mod label;
mod matching;
mod mosaic;
mod outputs;
mod page;
mod part;
mod render;
mod sheet;
mod source;
mod timeline;
mod video;
mod write;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

pub use compare::{Comparison, MethodResult, compare};
pub use config::CollageConfig;
pub use part::{CollagePart, collage_part, join_collage};
pub use timeline::{Timeline, UsedFrame, parse_rate};
pub use video::CollageVideo;

use super::config::DescriptorConfig;
use super::network::Networks;
use super::pool::Pool;
use crate::core::{Limits, Observer};
use crate::error::{Error, Result, StateError};
use crate::gpu::GpuContext;
use crate::index::IndexOptions;
use crate::pipeline::PipelineOptions;
use crate::store::{OsIo, RunKey, RunKeyBuilder, StateDir, StoreIo, UnitLog, clean_temps, forget};
use crate::workflows::VideoFacts;
use crate::workflows::reporter::{Reporter, stoppable};
use matching::{MatchLog, Matching, unit_frames};
use source::{Places, SampledSource};
use write::Writing;

const UNIT: &str = "collage";
const STATE: &str = ".state";
/// Whose outputs a folder holds.
const OWNER: &str = "collage";
/// Journal of what was matched, in the state folder.
const MATCHES: &str = "matches";

/// How a run goes, and how often it saves. None of it changes a byte of the output.
#[derive(Debug, Clone)]
pub struct CollageOptions {
    /// Batches, deadlines, cancellation.
    pub pipeline: PipelineOptions,
    /// Threads that decode pictures.
    pub threads: usize,
    /// Matched frames between two savings, rounded up to whole searches of 64 frames.
    pub save_every: usize,
    /// Where a method that needs a network takes it from.
    pub networks: Networks,
    /// Limits for pictures of the pool.
    pub limits: Limits,
    /// Forget what an earlier run in the folder found.
    pub restart: bool,
}

impl Default for CollageOptions {
    fn default() -> Self {
        Self {
            pipeline: PipelineOptions::default(),
            threads: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            save_every: 10,
            networks: Networks::default(),
            limits: Limits::default(),
            restart: false,
        }
    }
}

/// What is told of frames whose nearest pictures are found.
const MATCH: (&str, &str) = ("match", "frames");

impl CollageOptions {
    /// The same with a token of the call alone.
    fn stoppable(&self) -> Self {
        Self { pipeline: stoppable(&self.pipeline), ..self.clone() }
    }
}

/// Result of a run.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CollageOutcome {
    /// Why it is not whole: damage of the video, pictures that could not be shown. Empty: complete.
    pub reasons: Vec<String>,
    /// Assumptions and substitutions.
    pub notes: Vec<String>,
    /// Frames that were matched.
    pub frames: u64,
    /// Pictures of the output video.
    pub shown: u64,
    /// Pictures of the pool that were used.
    pub used: u64,
    /// Sum of the likeness of all frames and their pictures.
    pub total_similarity: f64,
    /// The video's file name, if one was written.
    pub video: Option<String>,
    /// Whether a whole output of an earlier run was kept.
    #[serde(skip)]
    pub cached: bool,
    /// Frames whose matches an interrupted run had found.
    #[serde(skip)]
    pub resumed: u64,
}

/// An error that names the settings in which the pool's descriptor differs from the one that is wanted.
fn same_descriptor(pool: &DescriptorConfig, wanted: &DescriptorConfig) -> Result<()> {
    if pool == wanted {
        return Ok(());
    }
    let fields = |config| serde_json::to_value(config).unwrap_or_default();
    let (pool, wanted) = (fields(pool), fields(wanted));
    let differing: Vec<String> = wanted
        .as_object()
        .into_iter()
        .flatten()
        .filter_map(|(name, value)| {
            let has = pool.get(name).unwrap_or(&serde_json::Value::Null);
            (has != value).then(|| format!("{name} is {has} there and {value} here"))
        })
        .collect();
    Err(Error::Usage {
        message: format!("the index describes pictures in another way than the run wants: {}", differing.join(", ")),
        hint: Some(
            "build an index with the settings of the run, or give the folder of pictures and one is built".into(),
        ),
    })
}

/// Makes the collage of `video` from the pictures of `pool` in `folder`. `observer` hears of frames, in the stage `match` while
/// their nearest pictures are looked for and `write` while pictures and video are written.
///
/// Killed at any moment, the same call goes on and ends with the same bytes. With other settings of selection or output the matches that
/// the folder holds are used again.
///
/// # Errors
/// [`Error::Config`], [`Error::Usage`] for a pool that was described in another way than wanted or cannot serve the rules;
/// [`StateError`] when the folder holds matches of something else; those of decoding, storage and the device.
pub fn collage(
    ctx: &GpuContext,
    video: CollageVideo,
    pool: &Pool,
    folder: &Path,
    config: &CollageConfig,
    options: &CollageOptions,
    observer: &mut dyn Observer,
) -> Result<CollageOutcome> {
    config.check()?;
    let options = &options.stoppable();
    let mut reporter = Reporter::new(observer, &options.pipeline.cancel);
    same_descriptor(pool.descriptor(), &config.descriptor)?;
    let io = OsIo;
    let CollageVideo { facts, source, end } = video;
    let state = enter(folder, options.restart)?;
    let journal = state.join("journal");
    let base = run_key(ctx, &facts, pool, config)?;
    let match_key = base.clone().finish()?;
    let mut log = MatchLog::open(&state.join(MATCHES), &match_key)?;
    let key = base.fields("show", &config.showing()).finish()?;
    let mut units = open_units(&journal, folder, &key)?;
    if let Some(done) = units.done(UNIT) {
        let outcome: CollageOutcome = serde_json::from_value(done.meta.clone())
            .map_err(|e| StateError::Corrupt { path: journal, reason: format!("its unit record: {e}") })?;
        return Ok(CollageOutcome { cached: true, ..outcome });
    }
    let index_options = IndexOptions { gpu: Some(ctx), threads: None };
    let (index, _) = pool.index(&config.search, &index_options)?;
    let timeline = Timeline::new(facts.time_base, config.rate, config.seconds)?;
    let resumed = (log.known() / config.per_frame()) as u64;
    let per_frame = config.per_frame();
    let size = unit_frames(per_frame);
    let places = Places { shard: None, size, done: log.done(size, per_frame) };
    if !log.is_whole(per_frame, &places) {
        let sampled = SampledSource::new(source, timeline.clone(), places.clone());
        let matching = Matching {
            ctx,
            index: index.as_ref(),
            config,
            options: &options.pipeline,
            networks: &options.networks,
            video_end: &end,
            expected: facts.frames,
            save_every: options.save_every.max(1),
        };
        matching.run(&mut log, sampled, &mut reporter.stage(MATCH, expected(&facts, config), resumed))?;
    }
    log.check_whole(&state.join(MATCHES), per_frame, &places)?;
    let found = log.all();
    let Some(match_end) = &found.end else { return Err(Error::Bug("matching without an end".into())) };
    if found.frames.is_empty() {
        return Err(Error::InputCorrupt { path: facts.path, reason: "no frame could be decoded".into() });
    }
    let selection = choose::choose(index.as_ref(), &found, config)?;
    let chosen = outputs::Chosen {
        frames: &found.frames,
        selection: &selection,
        pictures: pool.pictures(),
        end: match_end,
        tiles: config.tiles,
    };
    let writing = Writing {
        ctx,
        io: &io,
        folder,
        facts: &facts,
        config,
        options,
        chosen: &chosen,
        matches: &found,
        timeline: &timeline,
        search: index.spec().to_string(),
    };
    let (reasons, notes) = (match_end.reasons.clone(), match_end.notes.clone());
    let progress = &mut reporter.stage(("write", "frames"), Some(chosen.len() as u64), 0);
    let (files, outcome) = writing.run(reasons, notes, progress)?;
    units.finish(UNIT, &files, &outcome)?;
    drop(state);
    Ok(CollageOutcome { resumed, ..outcome })
}

/// Matched frames to expect.
fn expected(facts: &VideoFacts, config: &CollageConfig) -> Option<u64> {
    let (frames, fps) = (facts.frames?, facts.fps?);
    let share = config.rate.map_or(1.0, |r| (r.as_f64() / fps).min(1.0));
    let seconds = config.seconds.map_or(f64::INFINITY, |s| s * fps);
    Some(((frames as f64).min(seconds) * share).ceil() as u64)
}

/// Makes `folder` the output folder of [`collage`], before a long time is spent on an index of pictures.
///
/// # Errors
/// [`StateError::OtherCommand`] where it holds the outputs of another command; [`StateError::Busy`]; [`Error::Storage`].
pub fn claim_output(folder: &Path) -> Result<()> {
    claim(folder).map(drop)
}

fn claim(folder: &Path) -> Result<StateDir> {
    OsIo.create_dir_all(folder).map_err(|e| Error::storage("create the output folder", folder, e))?;
    StateDir::acquire_for(&OsIo, folder.join(STATE), OWNER)
}

/// Makes `folder` the output folder of this command, without unfinished files; with `restart` without what earlier runs found.
fn enter(folder: &Path, restart: bool) -> Result<StateDir> {
    let state = claim(folder)?;
    let dir = OsIo.open_dir(folder).map_err(|e| Error::storage("open", folder, e))?;
    clean_temps(dir.as_ref())?;
    if restart {
        for name in [MATCHES, "journal"] {
            forget(state.join(name))?;
        }
    }
    Ok(state)
}

/// What matches depend on.
fn run_key(ctx: &GpuContext, facts: &VideoFacts, pool: &Pool, config: &CollageConfig) -> Result<RunKeyBuilder> {
    let mut kernels = blake3::Hasher::new();
    for k in crate::gpu::kernel_sources() {
        kernels.update(k.name.as_bytes()).update(k.text.as_bytes());
    }
    let caps = ctx.caps();
    Ok(RunKey::builder()
        .field("workflow", "collage")
        .field("version", env!("CARGO_PKG_VERSION"))
        .field("kernels", kernels.finalize().to_hex())
        .field("adapter", format!("{} ({})", caps.name, caps.driver))
        .field("input", &facts.fingerprint)
        .field("track", facts.track)
        .field("pool", pool.id().to_hex())
        .fields("match", &config.matching()))
}

/// The journal of outputs. That of other settings is replaced: its outputs are made anew.
fn open_units(journal: &Path, folder: &Path, key: &RunKey) -> Result<UnitLog> {
    match UnitLog::open(&OsIo, journal, folder, key) {
        Err(Error::State(StateError::KeyMismatch { .. })) => {
            forget(journal)?;
            UnitLog::open(&OsIo, journal, folder, key)
        }
        other => other,
    }
}

/// Where an output of `folder` is.
fn inside(folder: &Path, name: &str) -> PathBuf {
    folder.join(name)
}
