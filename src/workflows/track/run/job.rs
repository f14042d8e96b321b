//! One video into one folder.

use std::io::Write as _;
use std::path::Path;
use std::time::Instant;

use super::super::recognise;
use super::super::zones::ZonesFile;
use super::annotate::{Annotating, check_memory};
use super::blueprint::{Background, background, blueprint};
use super::config::TrackConfig;
use super::counts::steps;
use super::eye::TrackDetector;
use super::follow::{FollowSpent, Followed, follow};
use super::log::LookLog;
use super::occupancy::occupancy;
use super::page::Telling;
use super::pictures::heat_png;
use super::result::{How, Spent, result};
use super::seen::{Looking, MemoryWatch, Seen, SeenFacts, SeenSpent};
use super::source::TrackVideo;
use super::tables::{lives, read_seen, write_detections, write_tables};
use super::{ANNOTATE, LOOK, TrackOptions, TrackOutcome};
use crate::config::{Settings as _, to_toml};
use crate::core::Observer;
use crate::error::{Error, Result, StateError};
use crate::gpu::GpuContext;
use crate::media::DecodeOptions;
use crate::report::write_npy;
use crate::store::{
    Committed, OsIo, RunKey, RunKeyBuilder, StateDir, UnitLog, commit, commit_json, forget, output_folder,
};
use crate::workflows::reporter::Reporter;

const SEEN: &str = "detections";
const UNIT: &str = "track";
const STATE: &str = ".state";

/// Zones with the text that they were read from, which is part of the run key.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ZonesText {
    /// Zones and lines.
    pub file: ZonesFile,
    /// The text; empty without zones.
    pub text: String,
}

impl ZonesText {
    /// Reads a file of zones and lines.
    ///
    /// # Errors
    /// [`Error::InputNotFound`]; [`Error::LimitExceeded`] over a mebibyte; [`Error::Config`], which names the place.
    pub fn read(path: &Path) -> Result<Self> {
        let missing = |e: std::io::Error| Error::unreadable(path, &e);
        let bytes = std::fs::metadata(path).map_err(missing)?.len();
        if bytes > 1 << 20 {
            let what = "the file of zones in bytes".into();
            return Err(Error::LimitExceeded { name: "zones", what, value: bytes, limit: 1 << 20 });
        }
        let text = std::fs::read_to_string(path).map_err(missing)?;
        Ok(Self { file: ZonesFile::parse(&text, path)?, text })
    }
}

/// Tracks what moves in `video` and writes all outputs into `folder`. `observer` hears of frames, in the stage `look` while they are
/// decoded and looked at and `annotate` while the annotated video is written.
///
/// Killed at any moment, the same call goes on (networks) or does the pass over the pictures anew (the motion detector, whose background
/// is not kept), and ends with the same bytes. With another tracker, other thresholds or zones what was seen is used again.
///
/// # Errors
/// [`Error::Config`]; [`StateError`] when the folder holds the state of something else; those of decoding, storage, networks and the
/// device. A video that is not whole is no error: [`TrackOutcome::reasons`] says why.
pub fn track_video(
    ctx: &GpuContext,
    video: &TrackVideo,
    detector: &TrackDetector,
    zones: &ZonesText,
    folder: &Path,
    config: &TrackConfig,
    options: &TrackOptions,
    observer: &mut dyn Observer,
) -> Result<TrackOutcome> {
    let started = Instant::now();
    let run = &options.stoppable();
    let mut reporter = Reporter::new(observer, &run.pipeline.cancel);
    config.check()?;
    let below = background(ctx, config, &zones.file)?;
    recognise::check(&config.recognise)?;
    if config.annotate {
        check_memory(ctx, video, &run.pipeline)?;
    }
    let mut desk = Desk::open(ctx, folder, run)?;
    let key = key_of(ctx)
        .field("inputs", video.fingerprints.join(" "))
        .field("track", video.track)
        .field("detector", detector.content())
        .fields("seen", &config.seeing())
        .finish()?;
    let mut seen_units = UnitLog::open(&desk.io, desk.state.join("seen"), folder, &key)?;
    if let Some(done) = seen_units.done(SEEN) {
        let facts: SeenFacts = serde_json::from_value(done.meta.clone()).map_err(|e| StateError::Corrupt {
            path: desk.state.join("seen"),
            reason: format!("its unit record: {e}"),
        })?;
        let mut units = desk.outputs(&facts, (config, zones, below.as_ref()))?;
        if let Some(kept) = desk.kept(&units)? {
            return Ok(kept);
        }
        let seen = read_seen(folder, facts)?;
        let made = Made { seen: &seen, video: Some(video), started, reused: true, resumed: 0 };
        return desk.finish(&made, (config, zones, below.as_ref()), &mut units, &mut reporter);
    }
    let looking = Looking { ctx, video, detector, config, options: &run.pipeline };
    let looks = desk.state.join("looks");
    let mut log = detector.is_network().then(|| LookLog::open(&looks, &key)).transpose()?;
    let resumed = log.as_ref().map_or(0, |l| l.looked.len() as u64);
    let (spent, memory) = (&mut desk.looked, &mut desk.memory);
    let seen = looking.run(log.as_mut(), spent, memory, &mut reporter.stage(LOOK, video.expected, 0))?;
    let files = desk.keep_seen(&seen)?;
    seen_units.finish(SEEN, &files, &seen.facts)?;
    drop(log);
    forget(&looks)?;
    let mut units = desk.outputs(&seen.facts, (config, zones, below.as_ref()))?;
    let made = Made { seen: &seen, video: Some(video), started, reused: false, resumed };
    desk.finish(&made, (config, zones, below.as_ref()), &mut units, &mut reporter)
}

/// What the run in `from` looked at.
fn facts_of(from: &Path) -> Result<SeenFacts> {
    let source = from.join("source.json");
    if !source.is_file() {
        let reason = "it is not a folder that `frameloom track` wrote".into();
        return Err(Error::InputNotFound { path: from.to_path_buf(), reason });
    }
    let bytes = std::fs::read(&source).map_err(|e| Error::unreadable(&source, &e))?;
    serde_json::from_slice(&bytes).map_err(|e| Error::InputCorrupt { path: source.clone(), reason: e.to_string() })
}

/// The settings of `config`, with those that say what was looked at as the run in `from` had them: [`track_again`] uses these, whatever is
/// asked for.
///
/// # Errors
/// [`Error::InputNotFound`] when `from` holds no run; [`Error::InputCorrupt`].
pub fn seen_settings(from: &Path, config: &TrackConfig) -> Result<TrackConfig> {
    Ok(facts_of(from)?.settings(config))
}

/// Makes the outputs of the run in `from` anew into `folder`, which may be the same: with another tracker, other thresholds, other zones.
/// The video is opened, as `open` says, only for [`TrackConfig::annotate`]. The settings that say what was looked at are those of that run, as
/// [`seen_settings`] gives them.
/// `observer` hears of frames of the annotated video, in the stage `annotate`.
///
/// # Errors
/// [`Error::InputNotFound`] when `from` holds no run; else as [`track_video`].
pub fn track_again(
    ctx: &GpuContext,
    from: &Path,
    open: &DecodeOptions,
    zones: &ZonesText,
    folder: &Path,
    config: &TrackConfig,
    options: &TrackOptions,
    observer: &mut dyn Observer,
) -> Result<TrackOutcome> {
    let started = Instant::now();
    let run = &options.stoppable();
    let mut reporter = Reporter::new(observer, &run.pipeline.cancel);
    let facts = facts_of(from)?;
    let config = facts.settings(config);
    config.check()?;
    let below = background(ctx, &config, &zones.file)?;
    let mut desk = Desk::open(ctx, folder, run)?;
    let mut units = desk.outputs(&facts, (&config, zones, below.as_ref()))?;
    if let Some(kept) = desk.kept(&units)? {
        return Ok(kept);
    }
    let seen = read_seen(from, facts)?;
    let video = if config.annotate {
        let paths: Vec<_> = seen.facts.inputs.iter().map(Into::into).collect();
        let video = TrackVideo::open(&paths, seen.facts.track, open)?;
        if video.fingerprints != seen.facts.fingerprints {
            return Err(Error::InputUnsupported {
                path: video.path().to_path_buf(),
                what: "a video that is another one now than the one that was looked at".into(),
                hint: Some("leave out --annotate, or run `frameloom track` on it again".into()),
            });
        }
        Some(video)
    } else {
        None
    };
    let made = Made { seen: &seen, video: video.as_ref(), started, reused: true, resumed: 0 };
    desk.finish(&made, (&config, zones, below.as_ref()), &mut units, &mut reporter)
}

/// What all outputs depend on besides the input.
fn key_of(ctx: &GpuContext) -> RunKeyBuilder {
    let mut kernels = blake3::Hasher::new();
    for k in crate::gpu::kernel_sources() {
        kernels.update(k.name.as_bytes()).update(k.text.as_bytes());
    }
    let caps = ctx.caps();
    RunKey::builder()
        .field("workflow", "track")
        .field("version", env!("CARGO_PKG_VERSION"))
        .field("kernels", kernels.finalize().to_hex())
        .field("adapter", format!("{} ({})", caps.name, caps.driver))
}

/// What was seen, and how.
struct Made<'a> {
    seen: &'a Seen,
    video: Option<&'a TrackVideo>,
    started: Instant,
    reused: bool,
    resumed: u64,
}

/// A run folder that is being worked in.
struct Desk<'a> {
    ctx: &'a GpuContext,
    io: OsIo,
    folder: &'a Path,
    run: &'a TrackOptions,
    state: StateDir,
    looked: SeenSpent,
    memory: MemoryWatch,
}

impl<'a> Desk<'a> {
    fn open(ctx: &'a GpuContext, folder: &'a Path, run: &'a TrackOptions) -> Result<Self> {
        let io = OsIo;
        let memory = MemoryWatch::start();
        output_folder(&io, folder)?;
        let state = StateDir::acquire_for(&io, folder.join(STATE), "track")?;
        if run.restart {
            for name in ["seen", "looks", "journal"] {
                forget(state.join(name))?;
            }
        }
        Ok(Self { ctx, io, folder, run, state, looked: SeenSpent::default(), memory })
    }

    /// The journal of outputs. That of other settings of tracking is replaced: outputs are made anew from what was seen.
    fn outputs(
        &self,
        facts: &SeenFacts,
        (config, zones, below): (&TrackConfig, &ZonesText, Option<&Background>),
    ) -> Result<UnitLog> {
        let key = key_of(self.ctx)
            .field("inputs", facts.fingerprints.join(" "))
            .field("track", facts.track)
            .field("detector", &facts.detector_content)
            .field("zones", blake3::hash(zones.text.as_bytes()).to_hex())
            .field("blueprint", below.map_or("", |b| b.id.as_str()))
            .fields("config", config)
            .finish()?;
        let journal = self.state.join("journal");
        match UnitLog::open(&self.io, &journal, self.folder, &key) {
            Err(Error::State(StateError::KeyMismatch { fields, .. }))
                if fields.iter().all(|f| f == "zones" || f == "blueprint" || f.starts_with("config.")) =>
            {
                forget(&journal)?;
                UnitLog::open(&self.io, &journal, self.folder, &key)
            }
            other => other,
        }
    }

    /// Whole outputs of an earlier run.
    fn kept(&self, units: &UnitLog) -> Result<Option<TrackOutcome>> {
        let Some(done) = units.done(UNIT) else { return Ok(None) };
        let outcome: TrackOutcome = serde_json::from_value(done.meta.clone()).map_err(|e| StateError::Corrupt {
            path: self.state.join("journal"),
            reason: format!("its unit record: {e}"),
        })?;
        Ok(Some(TrackOutcome { cached: true, reused: true, ..outcome }))
    }

    fn keep_seen(&self, seen: &Seen) -> Result<Vec<Committed>> {
        let (io, folder) = (&self.io, self.folder);
        let mut files = write_detections(io, folder, seen)?;
        let stills = folder.join("stills");
        if !seen.pictures.is_empty() {
            output_folder(io, &stills)?;
        }
        for (still, jpeg) in seen.facts.stills.iter().zip(&seen.pictures) {
            files.push(commit(io, folder.join(&still.file), |w| w.write_all(jpeg))?);
        }
        files.push(commit_json(io, folder.join("source.json"), &seen.facts)?);
        Ok(files)
    }

    /// Tracks and writes everything.
    fn finish(
        &mut self,
        made: &Made<'_>,
        (config, zones, below): (&TrackConfig, &ZonesText, Option<&Background>),
        units: &mut UnitLog,
        reporter: &mut Reporter<'_>,
    ) -> Result<TrackOutcome> {
        let cancel = &self.run.pipeline.cancel;
        cancel.check()?;
        let (ctx, folder, seen) = (self.ctx, self.folder, made.seen);
        let mut spent = FollowSpent::default();
        let followed = follow(seen, &zones.file, config, &mut spent)?;
        let (mut outcome, mut files) = (outcome(seen, &followed, self.run), Vec::new());
        let annotated = Instant::now();
        if let Some(video) = made.video.filter(|_| config.annotate) {
            let annotating = Annotating { ctx, video, config, options: &self.run.pipeline, seen, followed: &followed };
            let stem = video.path().file_stem().map_or_else(|| "video".into(), |s| s.to_string_lossy().into_owned());
            let path = folder.join(format!("{stem}_processed.mp4"));
            let encoded = annotating.write(&path, &mut reporter.stage(ANNOTATE, Some(outcome.frames), 0))?;
            cancel.check()?;
            if let Some(e) = encoded {
                outcome.video = e.file.path.file_name().map(|n| n.to_string_lossy().into_owned());
                outcome.notes.extend(e.notes);
                files.push(e.file);
            }
        }
        let annotating = annotated.elapsed();
        let written = Instant::now();
        let steps = steps(seen, &followed, config.step);
        let lives = lives(&followed);
        let settings = to_toml(config)?;
        files.push(commit(&self.io, folder.join("config.toml"), |w| w.write_all(settings.as_bytes()))?);
        files.extend(write_tables(&self.io, folder, seen, (&followed, &steps, &lives))?);
        let maps = occupancy(ctx, seen, &followed, config.point)?;
        for map in &maps {
            let name = map.class.map_or_else(|| "heat".into(), |c| format!("heat_{c}"));
            let shape = [map.size.height as usize, map.size.width as usize];
            let npy = folder.join(format!("{name}.npy"));
            files.push(commit(&self.io, npy, |mut w| write_npy(&mut w, &shape, &map.values))?);
            let png = heat_png(map)?;
            files.push(commit(&self.io, folder.join(format!("{name}.png")), |w| w.write_all(&png))?);
        }
        let plan = blueprint(ctx, seen, &followed, (config, below))?;
        if let Some(png) = &plan {
            files.push(commit(&self.io, folder.join("blueprint.png"), |w| w.write_all(png))?);
        }
        let telling = Telling {
            seen,
            followed: &followed,
            config,
            outcome: &outcome,
            steps: &steps,
            lives: &lives,
            maps: &maps,
            plan: plan.as_deref(),
            adapter: ctx.caps(),
        };
        files.push(telling.page()?.write(&self.io, folder.join("report.html"))?);
        self.memory.sample();
        let spent = Spent {
            detecting: self.looked.detecting,
            frames: self.looked.frames,
            memory: self.looked.memory,
            tracking: spent.tracking,
            watching: spent.watching,
            writing: written.elapsed(),
            annotating,
            whole: made.started.elapsed(),
            asking: self.looked.asking,
            recognising: self.looked.recognising,
        };
        let how = How {
            folder,
            spent,
            memory: self.memory,
            tree_peak: self.run.watch.as_ref().map(|w| w.peak().total()),
            batch: self.run.pipeline.batch,
            memory_limit_mb: self.run.memory_limit_mb,
            reused: made.reused,
            adapter: ctx.caps(),
            device_peak: ctx.pool().stats().peak_bytes,
            calls: self.looked.calls,
        };
        let object = result(&seen.facts, &followed, config, &outcome, &how);
        files.push(commit_json(&self.io, folder.join("result.json"), &object)?);
        units.finish(UNIT, &files, &outcome)?;
        Ok(TrackOutcome { reused: made.reused, resumed: made.resumed, ..outcome })
    }
}

fn outcome(seen: &Seen, followed: &Followed, run: &TrackOptions) -> TrackOutcome {
    let (facts, zones) = (&seen.facts, &followed.end.zones);
    let mut by_class = std::collections::BTreeMap::new();
    for t in &followed.end.tracks {
        *by_class.entry(facts.class_name(t.class)).or_default() += 1;
    }
    let mut identities: std::collections::BTreeMap<String, Vec<u64>> = std::collections::BTreeMap::new();
    for (id, named) in &followed.names {
        identities.entry(named.name.clone()).or_default().push(*id);
    }
    let ends = seen.frames.first().zip(seen.frames.last());
    TrackOutcome {
        frames: seen.frames.len() as u64,
        decoded: facts.decoded_frames,
        looked: seen.frames.iter().filter(|f| f.time.looked).count() as u64,
        seconds: ends.map_or(0.0, |(a, b)| b.time.seconds - a.time.seconds),
        detections: followed.detections,
        objects: followed.end.tracks.len() as u64,
        by_class,
        identities,
        events: followed.events.len() as u64,
        entries: zones
            .file()
            .zones
            .iter()
            .map(|z| z.id.clone())
            .zip(zones.totals().iter().map(|t| t.entries))
            .collect(),
        crossings: zones
            .file()
            .lines
            .iter()
            .map(|l| l.id.clone())
            .zip(zones.crossings().iter().map(|t| [t.left_to_right, t.right_to_left]))
            .collect(),
        video: None,
        reasons: facts.reasons.clone(),
        notes: facts.notes.iter().chain(&run.notes).cloned().collect(),
        cached: false,
        reused: false,
        resumed: 0,
    }
}
