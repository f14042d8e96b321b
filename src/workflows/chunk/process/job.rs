//! A video in, its processed video or its detections out, in a folder that a killed run leaves ready for the next one.

use std::io::Write as _;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::config::ProcessConfig;
#[cfg(feature = "onnx")]
use super::detect::ChunkDetector;
use super::effect::ChunkEffect;
use super::parts::Parts;
use super::placement::Placement;
use super::video::{ChunkVideo, Stream};
use super::work::Job;
use crate::config::to_toml;
use crate::core::Observer;
use crate::error::{Error, Result, StateError};
use crate::gpu::GpuContext;
use crate::media::AudioCopy;
use crate::pipeline::PipelineOptions;
use crate::store::{OsIo, RunKey, StateDir, UnitLog, commit, commit_json, output_folder};
use crate::workflows::VideoFacts;
use crate::workflows::encode::Encoded;
use crate::workflows::reporter::{Reporter, stoppable};

pub(super) const UNIT: &str = "chunks";
pub(super) const STATE: &str = ".state";
/// Within the state folder: units that are done, and the files of parts that are not joined yet.
pub(super) const JOURNAL: &str = "journal";
pub(super) const PARTS: &str = "parts";
/// What is told of frames that are done.
pub(super) const PROCESS: (&str, &str) = ("process", "frames");
/// Whose outputs a folder holds.
pub(super) const OWNER: &str = "chunk run";

/// What is done to the chunks.
#[non_exhaustive]
pub enum ChunkWork<'a> {
    /// Tiles become tiles: a video comes out.
    Tiles(&'a mut dyn ChunkEffect),
    /// Objects are found: `detections.jsonl` comes out, and a video when they are drawn.
    #[cfg(feature = "onnx")]
    Detect(&'a mut ChunkDetector),
}

impl std::fmt::Debug for ChunkWork<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Tiles(_) => "Tiles",
            #[cfg(feature = "onnx")]
            Self::Detect(_) => "Detect",
        })
    }
}

/// Which effect it is, for the run key: its name, and what identifies its content (the hash of a model, the version of a runtime).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EffectId {
    /// As it was asked for.
    pub name: String,
    /// What it is made of.
    pub content: String,
}

/// What is done, and where.
#[derive(Debug)]
pub struct ChunkTask<'a, 'w> {
    /// Where the chunks lie.
    pub placement: &'a Placement,
    /// What is done to them.
    pub work: ChunkWork<'w>,
    /// Which effect that is.
    pub effect: &'a EffectId,
}

/// How a run goes. None of it changes a byte of the output.
#[derive(Debug, Clone, Default)]
pub struct ChunkOptions {
    /// Batches, deadlines, cancellation.
    pub pipeline: PipelineOptions,
    /// Forget what an earlier run in the folder did.
    pub restart: bool,
}

impl ChunkOptions {
    /// The same with a token of the call alone.
    pub(super) fn stoppable(&self) -> Self {
        Self { pipeline: stoppable(&self.pipeline), restart: self.restart }
    }
}

/// Result of a run.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChunkOutcome {
    /// Why it is not whole: damage of the video. Empty: complete.
    pub reasons: Vec<String>,
    /// Assumptions and substitutions.
    pub notes: Vec<String>,
    /// Frames.
    pub frames: u64,
    /// Tiles that were processed.
    pub tiles: u64,
    /// Their pixels.
    pub pixels: u64,
    /// Pixels of all frames.
    pub frame_pixels: u64,
    /// Objects found, in all frames.
    pub detections: u64,
    /// The video's file name, if one was written.
    pub video: Option<String>,
    /// Whether a whole output of an earlier run was kept.
    #[serde(skip)]
    pub cached: bool,
}

/// Makes `folder` the output folder of [`process_video`], before a long time is spent on what comes first.
///
/// # Errors
/// [`StateError::OtherCommand`] where it holds the outputs of another command; [`StateError::Busy`]; [`Error::Storage`].
pub fn claim_output(folder: &Path) -> Result<()> {
    StateDir::acquire_for(&OsIo, folder.join(STATE), OWNER).map(drop)
}

/// Does `task` to `video`, into `folder`: `NAME_chunks.mp4`, or `detections.jsonl` (as `frameloom track` reads it), and
/// `summary.json` and `config.toml`. `observer` hears of frames done, in the stage `process`.
///
/// Killed at any moment, the same call goes on behind the last whole part of 250 frames and ends with the same bytes; frames before are decoded
/// again, and processed again by effects that remember ([`ChunkEffect::remembers`]). A whole output is kept.
///
/// # Errors
/// [`Error::Config`]; [`StateError`] when the folder holds the output of something else; those of [`super::process_chunks`], of
/// encoding and storage.
pub fn process_video(
    ctx: &GpuContext,
    video: ChunkVideo,
    task: ChunkTask<'_, '_>,
    folder: &Path,
    config: &ProcessConfig,
    options: &ChunkOptions,
    observer: &mut dyn Observer,
) -> Result<ChunkOutcome> {
    let io = OsIo;
    let ChunkTask { placement, work, effect } = task;
    let options = &options.stoppable();
    let mut reporter = Reporter::new(observer, &options.pipeline.cancel);
    let progress = &mut reporter.stage(PROCESS, video.facts.expected(config.seconds), 0);
    let (state, mut units) = enter(ctx, (&video.facts, placement, effect), folder, (config, options))?;
    if let Some(done) = units.done(UNIT) {
        let outcome: ChunkOutcome = serde_json::from_value(done.meta.clone())
            .map_err(|e| StateError::Corrupt { path: state.join(JOURNAL), reason: format!("its unit record: {e}") })?;
        return Ok(ChunkOutcome { cached: true, ..outcome });
    }
    let parts = Parts::open(state.join(PARTS))?;
    let ChunkVideo { facts, source, end, limits } = video;
    let until = config.seconds.map(|s| s + facts.start);
    let audio =
        (config.audio && facts.audio > 0).then(|| AudioCopy { limits, until, ..AudioCopy::new(&facts.path, 0) });
    let (stream, spec) = (Stream::new(source, config.seconds), Job::spec(&facts, folder, config, audio));
    let mut job = Job { ctx, placement, config, options, spec, stream, shard: None };
    let (count, head) = job.make((work, &parts, &mut units), progress)?;
    options.pipeline.cancel.check()?;
    if count == 0 {
        return Err(Error::InputCorrupt { path: facts.path, reason: "no frame could be decoded".into() });
    }
    let made = parts.all(&units, count)?;
    let sum = |of: &dyn Fn(&super::parts::PartRecord) -> u64| made.iter().map(of).sum::<u64>();
    let end = end.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
    // A video of which only a part was asked for was not read to its end.
    let reasons = end.verdict.filter(|_| config.seconds.is_none()).map(|v| v.reasons).unwrap_or_default();
    let (mut files, mut notes, mut name) = (Vec::new(), Vec::new(), None);
    if let Some(Encoded { file, notes: said }) = parts.join(&job.spec, &made, &options.pipeline.cancel)? {
        name = file.path.file_name().map(|n| n.to_string_lossy().into_owned());
        files.push(file);
        notes = said;
    }
    if let Some(head) = head {
        files.push(parts.join_lines(&folder.join("detections.jsonl"), &head, &made)?);
    }
    notes.extend(end.notes);
    let outcome = ChunkOutcome {
        reasons,
        notes,
        frames: sum(&|p| p.frames),
        tiles: sum(&|p| p.tiles),
        pixels: sum(&|p| p.pixels),
        frame_pixels: sum(&|p| p.frame_pixels),
        detections: sum(&|p| p.detections),
        video: name,
        cached: false,
    };
    let summary = json!({
        "schema": "chunk.run", "schema_version": 1, "frameloom": env!("CARGO_PKG_VERSION"),
        "input": { "name": facts.name, "fingerprint": facts.fingerprint, "track": facts.track },
        "effect": effect, "chunks": placement.chunks.len(), "outcome": outcome, "settings": config,
    });
    let settings = to_toml(config)?;
    files.push(commit(&io, folder.join("config.toml"), |w| w.write_all(settings.as_bytes()))?);
    files.push(commit_json(&io, folder.join("summary.json"), &summary)?);
    units.finish(UNIT, &files, &outcome)?;
    parts.forget();
    drop(state);
    Ok(outcome)
}

/// Makes `folder` the output folder of a run, with its units.
pub(super) fn enter(
    ctx: &GpuContext,
    (facts, placement, effect): (&VideoFacts, &Placement, &EffectId),
    folder: &Path,
    (config, options): (&ProcessConfig, &ChunkOptions),
) -> Result<(StateDir, UnitLog)> {
    crate::config::Settings::check(config)?;
    let io = OsIo;
    output_folder(&io, folder)?;
    let state = StateDir::acquire_for(&io, folder.join(STATE), OWNER)?;
    let journal = state.join(JOURNAL);
    if options.restart {
        match std::fs::remove_file(&journal) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(Error::storage("remove", &journal, e)),
            _ => {}
        }
    }
    let key = run_key(ctx, facts, placement, effect, config)?;
    let units = UnitLog::open(&io, &journal, folder, &key)?;
    Ok((state, units))
}

fn run_key(
    ctx: &GpuContext,
    facts: &VideoFacts,
    placement: &Placement,
    effect: &EffectId,
    config: &ProcessConfig,
) -> Result<RunKey> {
    let mut kernels = blake3::Hasher::new();
    for k in crate::gpu::kernel_sources() {
        kernels.update(k.name.as_bytes()).update(k.text.as_bytes());
    }
    let caps = ctx.caps();
    let chunks: Vec<_> = placement.chunks.iter().map(|c| &c.chunk).collect();
    let chunks = serde_json::to_vec(&chunks).map_err(|e| Error::Bug(format!("chunks as JSON: {e}")))?;
    RunKey::builder()
        .field("workflow", "chunk")
        .field("version", env!("CARGO_PKG_VERSION"))
        .field("kernels", kernels.finalize().to_hex())
        .field("adapter", format!("{} ({})", caps.name, caps.driver))
        .field("input", &facts.fingerprint)
        .field("track", facts.track)
        .field("plan", blake3::hash(&chunks).to_hex())
        .field("plan.halo", placement.halo)
        .fields("effect", effect)
        .fields("run", config)
        .finish()
}
