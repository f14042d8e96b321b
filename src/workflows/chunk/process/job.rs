//! A video in, its processed video or its detections out, in a folder that a killed run leaves ready for the next one.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::config::ProcessConfig;
#[cfg(feature = "onnx")]
use super::detect::{ChunkDetector, detect_chunks};
use super::draw::{COLORS, draw_outline};
use super::effect::ChunkEffect;
use super::placement::Placement;
use super::run::{ProcessReport, process_chunks};
use super::video::{ChunkVideo, UntilSource, VideoFacts, file_spec};
use crate::config::to_toml;
#[cfg(feature = "onnx")]
use crate::core::BoxRect;
use crate::core::{FrameDesc, FrameInfo, FrameLayout, Rect};
use crate::error::{Error, Result, StateError};
use crate::gpu::GpuContext;
use crate::media::AudioCopy;
use crate::pipeline::{FrameSource, PipelineOptions};
use crate::store::{Committed, OsIo, RunKey, StateDir, StoreIo, UnitLog, clean_temps, commit, commit_json};
use crate::workflows::encode::{Encoded, FileSpec, Finished, encode};

const UNIT: &str = "chunks";
const STATE: &str = ".state";

/// What is done to the chunks.
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

/// What a run may use. None of it changes a byte of the output.
#[derive(Debug, Clone, Default)]
pub struct JobOptions {
    /// Batches, deadlines, cancellation.
    pub pipeline: PipelineOptions,
    /// Forget what an earlier run in the folder did.
    pub restart: bool,
}

/// Result of a run.
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

/// Processes the chunks of `placement` in `video` into `folder`: `NAME_chunks.mp4`, or `detections.jsonl` (as `frameloom track` reads it), and
/// `summary.json` and `config.toml`. `progress` hears of frames done.
///
/// The video is one unit: killed at any moment, the same call does it anew and ends with the same bytes; a whole output is kept.
///
/// # Errors
/// [`Error::Config`]; [`StateError`] when the folder holds the output of something else; those of [`process_chunks`], of
/// encoding and storage.
pub fn process_video(
    ctx: &GpuContext,
    video: ChunkVideo,
    placement: &Placement,
    (work, effect): (ChunkWork<'_>, &EffectId),
    folder: &Path,
    (config, options): (&ProcessConfig, &JobOptions),
    progress: &mut dyn FnMut(u64),
) -> Result<ChunkOutcome> {
    crate::config::Settings::check(config)?;
    let io = OsIo;
    io.create_dir_all(folder).map_err(|e| Error::storage("create the output folder", folder, e))?;
    let state = StateDir::acquire(&io, folder.join(STATE))?;
    let dir = io.open_dir(folder).map_err(|e| Error::storage("open", folder, e))?;
    clean_temps(dir.as_ref())?;
    let journal = state.join("journal");
    if options.restart {
        match std::fs::remove_file(&journal) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(Error::storage("remove", &journal, e)),
            _ => {}
        }
    }
    let key = run_key(ctx, &video.facts, placement, effect, config)?;
    let mut units = UnitLog::open(&io, &journal, folder, &key)?;
    if let Some(done) = units.done(UNIT) {
        let outcome: ChunkOutcome = serde_json::from_value(done.meta.clone())
            .map_err(|e| StateError::Corrupt { path: journal, reason: format!("its unit record: {e}") })?;
        return Ok(ChunkOutcome { cached: true, ..outcome });
    }
    let ChunkVideo { facts, source, end, limits } = video;
    let until = config.seconds.map(|s| s + facts.start);
    let job = Job { ctx, placement, config, options, facts: &facts, folder };
    let audio =
        (config.audio && facts.audio > 0).then(|| AudioCopy { limits, until, ..AudioCopy::new(&facts.path, 0) });
    let source = Box::new(UntilSource { inner: source, seconds: config.seconds, first: None });
    let mut made = match work {
        ChunkWork::Tiles(effect) => job.tiles(source, effect, audio, progress)?,
        #[cfg(feature = "onnx")]
        ChunkWork::Detect(detector) => job.detect(source, detector, audio, progress)?,
    };
    let report = made.report;
    if report.frames == 0 {
        return Err(Error::InputCorrupt { path: facts.path, reason: "no frame could be decoded".into() });
    }
    let end = end.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
    // A video of which only a part was asked for was not read to its end.
    let reasons = end.verdict.filter(|_| config.seconds.is_none()).map(|v| v.reasons).unwrap_or_default();
    made.notes.extend(end.notes);
    let outcome = ChunkOutcome {
        reasons,
        notes: made.notes,
        frames: report.frames,
        tiles: report.tiles,
        pixels: report.pixels,
        frame_pixels: report.frame_pixels,
        detections: made.detections,
        video: made.video,
        cached: false,
    };
    let summary = json!({
        "schema": "chunk.run", "schema_version": 1, "frameloom": env!("CARGO_PKG_VERSION"),
        "input": { "name": facts.name, "fingerprint": facts.fingerprint, "track": facts.track },
        "effect": effect, "chunks": placement.chunks.len(), "outcome": outcome, "settings": config,
    });
    let settings = to_toml(config)?;
    made.files.push(commit(&io, folder.join("config.toml"), |w| w.write_all(settings.as_bytes()))?);
    made.files.push(commit_json(&io, folder.join("summary.json"), &summary)?);
    units.finish(UNIT, &made.files, &outcome)?;
    drop(state);
    Ok(outcome)
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

struct Job<'a> {
    ctx: &'a GpuContext,
    placement: &'a Placement,
    config: &'a ProcessConfig,
    options: &'a JobOptions,
    facts: &'a VideoFacts,
    folder: &'a Path,
}

struct Made {
    report: ProcessReport,
    files: Vec<Committed>,
    notes: Vec<String>,
    video: Option<String>,
    detections: u64,
}

impl Made {
    fn new(report: ProcessReport, encoded: Option<Encoded>) -> Self {
        let mut made = Self { report, files: Vec::new(), notes: Vec::new(), video: None, detections: 0 };
        if let Some(Encoded { file, notes }) = encoded {
            made.video = file.path.file_name().map(|n| n.to_string_lossy().into_owned());
            made.files.push(file);
            made.notes = notes;
        }
        made
    }
}

impl Job<'_> {
    fn spec(&self, audio: Option<AudioCopy>) -> FileSpec {
        let stem = Path::new(&self.facts.name).file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let path: PathBuf = self.folder.join(format!("{stem}_chunks.mp4"));
        file_spec(path, self.facts, self.config.crf, audio)
    }

    fn tiles(
        &self,
        source: Box<dyn FrameSource>,
        effect: &mut dyn ChunkEffect,
        audio: Option<AudioCopy>,
        progress: &mut dyn FnMut(u64),
    ) -> Result<Made> {
        let options = self.config.options(&self.options.pipeline);
        let factor = if self.config.enlarge { effect.scale()? } else { 1 };
        let (report, encoded) = encode(&self.spec(audio), |hand_on| {
            process_chunks(self.ctx, source, self.placement, effect, &options, &mut |frame| {
                let mut bytes = frame.bytes.to_vec();
                if self.config.draw {
                    self.outlines((&frame.desc, &frame.layout), &mut bytes, (frame.chunks, &frame.info), factor);
                }
                hand_on(Finished { desc: frame.desc, info: frame.info, layout: frame.layout, bytes })?;
                progress(1);
                Ok(())
            })
            .and_then(whole)
        })?;
        Ok(Made::new(report, encoded))
    }

    /// Outlines of chunks, each in the colour of its number.
    fn outlines(
        &self,
        (desc, layout): (&FrameDesc, &FrameLayout),
        bytes: &mut [u8],
        (chunks, info): (&[u32], &FrameInfo),
        factor: u32,
    ) {
        let time = super::run::seconds(info);
        for chunk in self.placement.chunks.iter().filter(|c| chunks.contains(&c.id())) {
            let Rect { x, y, width, height } = chunk.rect_at(time, self.placement.frame);
            let rect = Rect { x: x * factor, y: y * factor, width: width * factor, height: height * factor };
            draw_outline((layout, &mut *bytes), desc.color, rect, thickness(layout), color(chunk.id()));
        }
    }

    #[cfg(feature = "onnx")]
    fn detect(
        &self,
        source: Box<dyn FrameSource>,
        detector: &mut ChunkDetector,
        audio: Option<AudioCopy>,
        progress: &mut dyn FnMut(u64),
    ) -> Result<Made> {
        let config = self.config;
        detector.merge.iou = config.iou as f32;
        if let Some(score) = config.score {
            detector.options.score = score as f32;
        }
        let head = json!({ "schema": "track.detections", "version": 1, "classes": detector.classes() });
        let mut lines = format!("{head}\n");
        let mut found = 0;
        let pipeline = &self.options.pipeline;
        let run = |hand_on: &mut dyn FnMut(Finished) -> Result<()>| {
            detect_chunks(self.ctx, source, self.placement, detector, pipeline, config.draw, &mut |frame| {
                found += frame.detections.len() as u64;
                let round = |v: f32| (f64::from(v) * 1e4).round() / 1e4;
                let item = |d: &crate::core::Detection| {
                    let r = d.rect;
                    let rect = [r.x, r.y, r.width, r.height].map(round);
                    json!({ "box": rect, "score": round(d.score), "class": d.class })
                };
                let items: Vec<_> = frame.detections.iter().map(item).collect();
                let time = super::run::seconds(&frame.info);
                lines.push_str(&json!({ "frame": frame.info.index, "time": time, "detections": items }).to_string());
                lines.push('\n');
                if let Some((layout, bytes)) = frame.frame {
                    self.outlines((&frame.desc, &layout), bytes, (frame.chunks, &frame.info), 1);
                    for d in frame.detections {
                        let clipped = d.rect.clip(frame.desc.size).to_pixels();
                        let rgb = color(d.class + 3);
                        draw_outline(
                            (&layout, &mut *bytes),
                            frame.desc.color,
                            pixels(clipped),
                            thickness(&layout),
                            rgb,
                        );
                    }
                    let bytes = bytes.to_vec();
                    hand_on(Finished { desc: frame.desc, info: frame.info, layout, bytes })?;
                }
                progress(1);
                Ok(())
            })
            .and_then(whole)
        };
        let mut made = if config.draw {
            let (report, encoded) = encode(&self.spec(audio), run)?;
            Made::new(report, encoded)
        } else {
            Made::new(run(&mut |_| Ok(()))?, None)
        };
        made.detections = found;
        let path = self.folder.join("detections.jsonl");
        made.files.push(commit(&OsIo, path, |w| w.write_all(lines.as_bytes()))?);
        Ok(made)
    }
}

/// A box inside of its picture.
#[cfg(feature = "onnx")]
fn pixels(r: BoxRect) -> Rect {
    Rect { x: r.x.max(0).unsigned_abs(), y: r.y.max(0).unsigned_abs(), width: r.width, height: r.height }
}

/// A run whose source ended well: half a video gets no name.
fn whole(mut report: ProcessReport) -> Result<ProcessReport> {
    std::mem::replace(&mut report.source.result, Ok(()))?;
    Ok(report)
}

fn thickness(layout: &FrameLayout) -> u32 {
    (layout.size.height / 240).max(1) * 2
}

fn color(number: u32) -> [u8; 3] {
    COLORS.get(number as usize % COLORS.len()).copied().unwrap_or([255; 3])
}
