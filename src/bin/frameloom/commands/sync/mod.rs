//! `frameloom sync`: how late the sound of videos is, and its repair.

mod batch;
mod fix;
mod part;

use std::path::{Path, PathBuf};
use std::time::Instant;

use frameloom::config::to_json;
use frameloom::core::{ByteBudget, Observer};
use frameloom::gpu::{GpuContext, GpuOptions};
use frameloom::pipeline::{PipelineOptions, resident};
use frameloom::workflows::sync::run::{
    SyncConfig, SyncModelFiles, SyncModels, SyncOpen, SyncOptions, SyncOutcome, SyncVideo, VideoSummary, sync,
};
use frameloom::workflows::sync::{SyncVerdict, by_time};
use frameloom::{Error, Result};
use serde_json::json;

use super::merge::{Part, PartUnit};
use crate::args::Global;
use crate::output::{Output, error_json, printable};
use crate::progress::{Mode, Stages};
use crate::signals::Signals;
use crate::sync_args::{SyncArgs, SyncCommand, WorkArgs};

pub(crate) fn run(global: &Global, args: &SyncArgs, out: &mut Output, signals: &Signals, mode: Mode) -> Result<u8> {
    match &args.command {
        Some(SyncCommand::Fix(a)) => fix::run(global, a, out, signals, mode),
        Some(SyncCommand::Batch(a)) => batch::run(global, a, out, signals, mode),
        None => analyse(global, args, out, signals, mode),
    }
}

/// Device, networks and settings of a command.
struct Shop {
    ctx: GpuContext,
    config: SyncConfig,
    files: SyncModelFiles,
    opening: SyncOpen,
    pipeline: PipelineOptions,
    restart: bool,
    face_videos: bool,
    annotate: bool,
    verbose: bool,
    // What the process held before the first frame.
    _base: frameloom::core::BudgetPermit,
}

impl Shop {
    fn new(global: &Global, config: SyncConfig, work: &WorkArgs, out: &mut Output, signals: &Signals) -> Result<Self> {
        let opening = opening(global, work, signals)?;
        let files = SyncModelFiles::find(&work.models, &work.names(), &config)?;
        let budget = ByteBudget::new("host", work.memory_limit << 20);
        let ctx = global.open(&GpuOptions { device: global.device.clone(), budget, ..GpuOptions::default() })?;
        let base = ctx.pool().budget().try_acquire(resident().map_or(0, |r| r.anonymous))?;
        if let Some(warning) = ctx.software_warning() {
            out.warn(&warning);
        }
        let pipeline =
            PipelineOptions { batch: work.batch, cancel: signals.cancel.clone(), ..PipelineOptions::default() };
        let WorkArgs { restart, verbose, face_videos, annotate, .. } = *work;
        Ok(Self { ctx, config, files, opening, pipeline, restart, face_videos, annotate, verbose, _base: base })
    }

    /// Analyses one video into `folder`.
    fn analyse(
        &self,
        models: &mut SyncModels,
        (input, folder): (&Path, &Path),
        restart: bool,
        out: &mut Output,
        mode: Mode,
    ) -> Result<SyncOutcome> {
        let video = SyncVideo::open(input, &self.opening)?;
        let options = self.options(restart);
        watched(input, out, mode, |step| sync(&self.ctx, &video, models, folder, &self.config, &options, step))
    }

    fn options(&self, restart: bool) -> SyncOptions {
        let Self { face_videos, annotate, .. } = *self;
        SyncOptions { pipeline: self.pipeline.clone(), restart, face_videos, annotate }
    }
}

/// Runs `work` with a bar for each stage of a video.
fn watched<T>(
    input: &Path,
    out: &mut Output,
    mode: Mode,
    work: impl FnOnce(&mut dyn Observer) -> Result<T>,
) -> Result<T> {
    let name = input.file_name().unwrap_or(input.as_os_str()).to_string_lossy().into_owned();
    let mut stages = Stages::new(mode, out, |stage| format!("{name}: {stage}"));
    let result = work(&mut stages);
    stages.finish();
    result
}

fn opening(global: &Global, work: &WorkArgs, signals: &Signals) -> Result<SyncOpen> {
    let isolation = work.isolate.isolation(false, work.memory_limit << 20)?;
    let decode = work.decode.options(global, work.track, isolation, signals)?;
    Ok(SyncOpen { decode, audio_track: work.audio_track })
}

/// `<stem><suffix>` in the working folder.
fn named_after(input: &Path, suffix: &str) -> PathBuf {
    let mut name = input.file_stem().map_or_else(|| "video".into(), std::ffi::OsStr::to_os_string);
    name.push(suffix);
    name.into()
}

/// Where outputs go: `-o` itself for one video, a folder each below it for several; without `-o`, `<stem>.sync`.
fn folders(inputs: &[PathBuf], output: Option<&Path>) -> Vec<PathBuf> {
    let mut taken = std::collections::HashSet::new();
    inputs
        .iter()
        .map(|input| match output {
            Some(out) if inputs.len() == 1 => out.to_path_buf(),
            _ => {
                let suffix = if output.is_some() { "" } else { ".sync" };
                (1..)
                    .map(|n| if n == 1 { suffix.to_owned() } else { format!("_{n}{suffix}") })
                    .map(|s| output.unwrap_or(Path::new("")).join(named_after(input, &s)))
                    .find(|p| taken.insert(p.clone()))
                    .unwrap_or_default()
            }
        })
        .collect()
}

fn analyse(global: &Global, args: &SyncArgs, out: &mut Output, signals: &Signals, mode: Mode) -> Result<u8> {
    let config = args.settings.resolve()?;
    let all = args.videos();
    // Folders are named after all videos, whatever part of them is done here; of one video every part does some of its time.
    let folders = folders(&all, args.output.as_deref());
    let several = args.part.shard.filter(|_| all.len() > 1);
    let mine = all.iter().cloned().zip(folders).enumerate().filter(|(at, _)| several.is_none_or(|s| s.has(*at)));
    let (places, (inputs, folders)): (Vec<usize>, (Vec<PathBuf>, Vec<PathBuf>)) = mine.unzip();
    out.event("start", json!({ "command": "sync", "inputs": inputs.len(), "settings": config }));
    if args.dry_run {
        return plan(global, args, &config, &inputs, &folders, signals, out);
    }
    let shop = Shop::new(global, config, &args.work, out, signals)?;
    let mut models = shop.files.load(&shop.ctx, None)?;
    if let (Some(shard), None, [input], [folder]) = (args.part.shard, several, &inputs[..], &folders[..]) {
        return part::one(&shop, &mut models, (input, folder, shard), out, mode);
    }
    let (mut failed, mut partial) = (0usize, 0usize);
    let mut last = None;
    let mut units: Vec<PartUnit> = Vec::new();
    for (at, (input, folder)) in places.into_iter().zip(inputs.iter().zip(&folders)) {
        signals.cancel.check()?;
        let started = Instant::now();
        let mut ended = |status: &str| units.push(part::unit(at, folder, args.output.as_deref(), status));
        match shop.analyse(&mut models, (input, folder), shop.restart, out, mode) {
            Ok(outcome) => {
                partial += usize::from(!outcome.reasons.is_empty());
                ended(if outcome.reasons.is_empty() { "complete" } else { "partial" });
                say(input, folder, &outcome, started.elapsed().as_secs_f64(), shop.verbose, out)?;
            }
            Err(e) => {
                failed += 1;
                let fatal = matches!(e, Error::Cancelled | Error::Gpu(_) | Error::Bug(_));
                if fatal || all.len() == 1 {
                    return Err(e);
                }
                ended("failed");
                out.event("item", json!({ "input": input.to_string_lossy(), "error": error_json(&e) }));
                out.note(&format!("failed[{}]: {e}", e.code()));
                last = Some(e);
            }
        }
    }
    if let (Some(shard), Some(output)) = (several, &args.output) {
        Part::new("sync", shard, all.len(), &shop.config, units)?.write(output)?;
    }
    if let Some(e) = last.filter(|_| failed == inputs.len()) {
        return Err(e);
    }
    let code = if failed + partial > 0 { 3 } else { 0 };
    out.event("result", json!({ "inputs": inputs.len(), "partial": partial, "failed": failed, "exit": code }));
    Ok(code)
}

/// A line about a verdict.
fn sentence(o: &SyncOutcome) -> String {
    let ms = o.audio_late_ms.unwrap_or(0.0);
    let frames = format!("{:.1} frames of 25 a second", (ms / 40.0).abs());
    let what = match o.verdict {
        SyncVerdict::InSync => format!("in sync ({ms:+.0} ms)"),
        SyncVerdict::AudioLate => format!("audio late by {ms:.0} ms ({frames})"),
        SyncVerdict::AudioEarly => format!("audio early by {:.0} ms ({frames})", -ms),
        SyncVerdict::CannotTell => {
            let why = o.verdict_reasons.first().map_or("no reason given", String::as_str);
            return format!("cannot tell: {why}");
        }
    };
    let more = [
        o.drift_ppm.map(|p| format!("drift {p:+.1} ppm")),
        (!o.jumps.is_empty()).then(|| format!("{} edits", o.jumps.len())),
    ];
    let more: String = more.into_iter().flatten().map(|m| format!(", {m}")).collect();
    format!("{what}, probability {:.2}{more}", o.probability)
}

/// Reports one video.
fn say(input: &Path, folder: &Path, o: &SyncOutcome, seconds: f64, verbose: bool, out: &mut Output) -> Result<()> {
    let report = folder.join("report.html");
    // Of a run that went on, the part that it did itself is not known in seconds of video.
    let speed = (!o.cached && o.resumed == 0).then(|| o.seconds / seconds.max(1e-9));
    out.event(
        "item",
        json!({
            "input": input.to_string_lossy(), "folder": folder.to_string_lossy(), "report": report.to_string_lossy(),
            "outcome": o, "cached": o.cached, "resumed": o.resumed, "processing_time": seconds, "times_real_time": speed,
            "speed": (!o.cached).then_some(o.speed), "networks_share": (!o.cached).then(|| o.speed.networks_share()),
        }),
    );
    out.text(&printable(&format!("{}: {}", input.display(), sentence(o))));
    for jump in &o.jumps {
        out.note(&format!("  from {:.1} s on the sound is {:+.0} ms later", jump.seconds, jump.by * 1e3));
    }
    for reason in o.reasons.iter().chain(o.verdict_reasons.iter().skip(1)) {
        out.note(&format!("  {reason}"));
    }
    for note in &o.notes {
        out.note(&format!("  note: {note}"));
    }
    if verbose {
        details(folder, out)?;
    }
    let how = if o.cached {
        "kept, nothing had changed".to_owned()
    } else {
        let fast = speed.map(|s| format!(", {s:.1} times as fast as it plays")).unwrap_or_default();
        format!("{seconds:.1} s{fast}, {:.0} % of it in the networks", o.speed.networks_share() * 100.0)
    };
    out.note(&format!(
        "{} frames, {} tracks of faces, {} persons, {} of {} chunks accepted; {how}: {}",
        o.frames,
        o.tracks,
        o.persons,
        o.accepted,
        o.chunks,
        report.display()
    ));
    Ok(())
}

/// `-v`: chunk by chunk.
fn details(folder: &Path, out: &mut Output) -> Result<()> {
    let path = folder.join("processing_summary.json");
    let bytes = std::fs::read(&path).map_err(|e| Error::storage("read", &path, e))?;
    let summary: VideoSummary = serde_json::from_slice(&bytes).map_err(|e| Error::Bug(format!("summary: {e}")))?;
    for c in &summary.results {
        let why =
            if c.rejection_reason.is_empty() { String::new() } else { format!(" ({})", c.rejection_reason.join(", ")) };
        out.note(&format!(
            "  {} {:.1} to {:.1} s: {}{why}, {} tracks",
            c.reference, c.start_seconds, c.end_seconds, c.quality_status, c.face_tracks
        ));
        for t in &c.all_tracks {
            out.note(&format!(
                "    track {}: {:+.0} ms late, confidence {:.2}, probability {:.2}",
                t.track, t.audio_late_ms, t.confidence, t.probability
            ));
        }
    }
    Ok(())
}

/// `--dry-run`.
fn plan(
    global: &Global,
    args: &SyncArgs,
    config: &SyncConfig,
    inputs: &[PathBuf],
    folders: &[PathBuf],
    signals: &Signals,
    out: &mut Output,
) -> Result<u8> {
    /// Bytes of state and tables a frame, measured on the GRID clips.
    const FRAME_BYTES: u64 = 250;
    let opening = opening(global, &args.work, signals)?;
    for (input, folder) in inputs.iter().zip(folders) {
        let video = SyncVideo::open(input, &opening)?;
        let frames = video.expected();
        let seconds = video.info.duration.unwrap_or(0.0);
        let chunks = if seconds > 0.0 {
            by_time(seconds, config.chunk_duration, config.overlap, config.tails())?.len()
        } else {
            0
        };
        out.event(
            "item",
            json!({
                "input": input.to_string_lossy(), "folder": folder.to_string_lossy(), "frames": frames, "seconds": seconds,
                "size": video.size.to_string(), "chunks": chunks, "audio": video.has_sound(),
                "disk_bytes": frames.map(|f| f * FRAME_BYTES + (1 << 20)),
            }),
        );
        out.text(&printable(&format!(
            "{} -> {}: {} frames of {}, {chunks} chunks, {}; two passes over the pictures",
            input.display(),
            folder.display(),
            frames.map_or_else(|| "unknown".into(), |f| f.to_string()),
            video.size,
            if video.has_sound() { "with sound" } else { "WITHOUT sound" },
        )));
    }
    if args.work.verbose {
        out.note(&to_json(config)?);
    }
    out.event("result", json!({ "inputs": inputs.len(), "dry_run": true }));
    Ok(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outputs_never_share_a_folder() {
        let of = |inputs: &[&str], output: Option<&str>| {
            folders(&inputs.iter().map(PathBuf::from).collect::<Vec<_>>(), output.map(Path::new))
        };
        assert_eq!(of(&["a/x.mp4"], None), [PathBuf::from("x.sync")]);
        assert_eq!(of(&["a/x.mp4"], Some("out")), [PathBuf::from("out")]);
        assert_eq!(of(&["a/x.mp4", "b/x.mkv"], Some("out")), [PathBuf::from("out/x"), PathBuf::from("out/x_2")]);
        assert_eq!(of(&["a/x.mp4", "b/x.mkv"], None), [PathBuf::from("x.sync"), PathBuf::from("x_2.sync")]);
    }
}
