//! `frameloom track`: what moves through videos.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use frameloom::config::{Effective, Format, Layers, to_json};
use frameloom::core::{ByteBudget, FrameLayout, PixelFormat};
use frameloom::gpu::{GpuContext, GpuOptions};
use frameloom::media::{DecodeOptions, probe};
use frameloom::pipeline::PipelineOptions;
use frameloom::store::{Fingerprint, OsIo, commit_json};
use frameloom::workflows::track::detections::Detections;
#[cfg(feature = "onnx")]
use frameloom::workflows::track::run::TrackSlices;
use frameloom::workflows::track::run::{
    DetectionsFile, StreamJob, TrackConfig, TrackDetector, TrackOptions, TrackOutcome, TrackVideo, ZonesText,
    seen_settings, track_again, track_streams,
};
use frameloom::{Error, Result};
use serde_json::{Value, json};

use super::merge::{Part, PartUnit};
use crate::args::Global;
use crate::guard::Guard;
use crate::output::{Output, error_json, printable};
use crate::progress::{Mode, Progress, Stages};
use crate::signals::Signals;
use crate::track_args::{Clamped, ReportArgs, TrackArgs, TrackCommand, WorkArgs, clamp};

pub(crate) fn run(global: &Global, args: &TrackArgs, out: &mut Output, signals: &Signals, mode: Mode) -> Result<u8> {
    match &args.command {
        Some(TrackCommand::Report(a)) => again(global, a, out, signals, mode),
        None => look(global, args, out, signals, mode),
    }
}

/// Kernels, the model of the background, tables that are not written yet.
const RESERVE: u64 = 24 << 20;

fn context(global: &Global, options: &GpuOptions, out: &mut Output) -> Result<GpuContext> {
    let ctx = global.open(options)?;
    if let Some(warning) = ctx.software_warning() {
        out.warn(&warning);
    }
    Ok(ctx)
}

fn running(work: &WorkArgs, used: &Clamped, signals: &Signals) -> TrackOptions {
    TrackOptions {
        pipeline: PipelineOptions { batch: used.batch, cancel: signals.cancel.clone(), ..PipelineOptions::default() },
        restart: work.restart,
        memory_limit_mb: used.memory_mb,
        watch: None,
        notes: used.notes.clone(),
    }
}

fn zones(path: Option<&Path>) -> Result<ZonesText> {
    path.map_or_else(|| Ok(ZonesText::default()), ZonesText::read)
}

/// Which video tracks of a file: a list of numbers, or all.
fn tracks(text: &str, path: &Path, available: usize) -> Result<Vec<usize>> {
    if text.trim() == "all" {
        return Ok((0..available).collect());
    }
    let mut found = Vec::new();
    for part in text.split(',') {
        let number: i64 = part.trim().parse().map_err(|_| Error::Usage {
            message: format!("`--track` must be `all` or numbers such as 0,2, got `{text}`"),
            hint: Some("tracks are counted from 0 among the video tracks; `frameloom probe` lists them".into()),
        })?;
        let Ok(index) = usize::try_from(number) else {
            return Err(Error::Usage {
                message: format!("`--track` counts from 0, got {number}"),
                hint: Some(format!("there are {available} video tracks: {}", path.display())),
            });
        };
        if index >= available {
            return Err(Error::TrackInvalid { path: path.to_path_buf(), kind: "video", index, available });
        }
        if !found.contains(&index) {
            found.push(index);
        }
    }
    Ok(found)
}

/// A stream, or why it could not be opened.
struct Stream {
    name: String,
    input: PathBuf,
    folder: PathBuf,
    video: Result<TrackVideo>,
}

/// All streams of the command with their folders.
fn streams(args: &TrackArgs, open: &DecodeOptions) -> Result<Vec<Stream>> {
    let inputs = args.videos();
    let groups: Vec<Vec<PathBuf>> =
        if args.join { vec![inputs] } else { inputs.into_iter().map(|i| vec![i]).collect() };
    let alone = groups.len() == 1;
    let mut found = Vec::new();
    for group in groups {
        let Some(first) = group.first().cloned() else { continue };
        let chosen = probe(&first, &open.limits).and_then(|i| tracks(&args.track, &first, i.video_tracks_count.max(1)));
        let stem = first.file_stem().map_or_else(|| "video".into(), |s| s.to_string_lossy().into_owned());
        let chosen = match chosen {
            Ok(chosen) => chosen,
            // A wrong list is the command's fault, whatever the other inputs are.
            Err(e @ Error::Usage { .. }) => return Err(e),
            Err(e) if alone => return Err(e),
            Err(e) => {
                found.push(Stream { name: stem, input: first, folder: PathBuf::new(), video: Err(e) });
                continue;
            }
        };
        let several = chosen.len() > 1 || args.track.trim() == "all";
        for track in chosen {
            let name = if several { format!("{stem}_track{track}") } else { stem.clone() };
            let video = TrackVideo::open(&group, track, open);
            found.push(Stream { name, input: first.clone(), folder: PathBuf::new(), video });
        }
    }
    let many = found.len() > 1;
    let mut taken = std::collections::HashSet::new();
    for stream in &mut found {
        stream.folder = match &args.output {
            Some(out) if !many => out.clone(),
            output => {
                let suffix = if output.is_some() { "" } else { ".track" };
                let base = output.clone().unwrap_or_default();
                (1..)
                    .map(|n| if n == 1 { stream.name.clone() } else { format!("{}_{n}", stream.name) })
                    .map(|name| base.join(format!("{name}{suffix}")))
                    .find(|p| taken.insert(p.clone()))
                    .unwrap_or_default()
            }
        };
    }
    Ok(found)
}

fn look(global: &Global, args: &TrackArgs, out: &mut Output, signals: &Signals, mode: Mode) -> Result<u8> {
    let config = args.settings.resolve()?;
    let used = clamp(args.work.batch_size, args.work.memory_limit);
    let guard = Guard::new(&args.guard, "track", true, used.memory_mb, out)?;
    let open = args.work.decode.options(global, 0, guard.isolation.clone(), signals)?;
    let zones = zones(args.zones.as_deref())?;
    let streams = streams(args, &open)?;
    let whole = streams.len();
    if args.detections.is_some() && (streams.len() != 1 || !config.is_motion()) {
        return Err(Error::usage("`--detections` takes the place of a detector, for one stream"));
    }
    // Folders are named after all streams, whatever part of them is done here.
    let mine = |at: &usize| args.part.shard.is_none_or(|s| s.has(*at));
    let (numbers, streams): (Vec<usize>, Vec<Stream>) =
        streams.into_iter().enumerate().filter(|(at, _)| mine(at)).unzip();
    out.event("start", json!({ "command": "track", "streams": streams.len(), "settings": config }));
    used.notes.iter().for_each(|note| out.warn(note));
    if args.dry_run {
        return plan(&streams, &config, &used, out);
    }
    let options = guard.budgets(GpuOptions { device: global.device.clone(), ..GpuOptions::default() });
    let ctx = context(global, &options, out)?;
    let _base = guard.admit(&ctx, RESERVE)?;
    let (config, detector) = detector(global, args, config, (&streams, &open))?;
    let mut run = running(&args.work, &used, signals);
    run.watch = Some(Arc::clone(&guard.memory));
    if detector.stands_in() {
        let note = "a network stands in for a real one: what it sees means nothing";
        out.warn(note);
        run.notes.push(note.into());
    }
    let mut ends: Vec<Option<Result<TrackOutcome>>> = Vec::new();
    let (mut jobs, mut places) = (Vec::new(), Vec::new());
    let mut heads = Vec::new();
    for (i, stream) in streams.into_iter().enumerate() {
        let Stream { name, input, folder, video } = stream;
        heads.push((name, input, folder.clone()));
        ends.push(None);
        match video {
            Ok(video) => {
                guard.metrics.begin(&folder.to_string_lossy(), video.expected);
                jobs.push(StreamJob { video, folder });
                places.push(i);
            }
            Err(e) if heads.len() == 1 && jobs.is_empty() && places.is_empty() && args.videos().len() == 1 => {
                return Err(e);
            }
            Err(e) => {
                if let Some(end) = ends.get_mut(i) {
                    *end = Some(Err(e));
                }
            }
        }
    }
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let workers = args.jobs.map_or(cores, |n| n as usize).clamp(1, jobs.len().max(1));
    let passes = if config.annotate { 2 } else { 1 };
    let total: Option<u64> = jobs.iter().map(|j| j.video.expected.map(|n| n * passes)).sum();
    let label = match heads.as_slice() {
        [(name, ..)] => name.clone(),
        many => format!("{} streams", many.len()),
    };
    let started = Instant::now();
    let mut bar = Progress::new(mode, &label, total).watching(&guard.memory);
    let frames = |p: frameloom::core::Progress| {
        bar.add(p.done, out);
        if let Some(job) = jobs.get(p.input).filter(|_| p.stage == "look") {
            guard.metrics.add(&job.folder.to_string_lossy(), p.done);
        }
    };
    let end = |i: usize, result: Result<TrackOutcome>| {
        if let Some(job) = jobs.get(i) {
            let how = match &result {
                Ok(o) if o.reasons.is_empty() => "complete",
                Ok(_) => "partial",
                Err(_) => "failed",
            };
            guard.metrics.end(&job.folder.to_string_lossy(), how);
        }
        if let Some(end) = places.get(i).and_then(|at| ends.get_mut(*at)) {
            *end = Some(result);
        }
        Ok(())
    };
    track_streams(&ctx, &jobs, &detector, &zones, &config, &run, workers, &mut (frames, end))?;
    bar.finish();
    let memory = guard.report(&ctx, out);
    let part = (numbers.as_slice(), whole, &config);
    tell(args, &heads, part, ends, (started.elapsed().as_secs_f64(), memory), out)
}

/// What was asked to look at frames, and the settings with its name.
fn detector(
    global: &Global,
    args: &TrackArgs,
    mut config: TrackConfig,
    (streams, open): (&[Stream], &DecodeOptions),
) -> Result<(TrackConfig, Arc<TrackDetector>)> {
    if let Some(path) = &args.detections {
        let video = streams.first().and_then(|s| s.video.as_ref().ok());
        // Formats without times count frames; the times are those of the video.
        let rate = video.and_then(TrackVideo::fps).unwrap_or(25.0);
        let detections = Detections::read(path, rate)?;
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let fingerprint = Fingerprint::of_file(path, &open.cancel)?.to_string();
        config.detector = format!("file {name}");
        let file = DetectionsFile { name, fingerprint, detections };
        return Ok((config, Arc::new(TrackDetector::File(Arc::new(file)))));
    }
    if config.is_motion() {
        return Ok((config, Arc::new(TrackDetector::Motion)));
    }
    let found = model(global, &config, &args.work.models)?;
    Ok((config, found))
}

#[cfg(feature = "onnx")]
fn model(global: &Global, config: &TrackConfig, folders: &[PathBuf]) -> Result<Arc<TrackDetector>> {
    use frameloom::infer::{Allow, ModelRegistry, SessionOptions, Task};
    use frameloom::workflows::track::run::TrackModel;

    let (registry, session) = (ModelRegistry::find(folders)?, SessionOptions::default());
    let model = registry.load_for(Task::Detect, &config.detector, Allow::Pinned)?;
    let looks = config.appearance.as_ref().map(|name| registry.load(name, Allow::Pinned)).transpose()?;
    let slices = config.slices.as_deref().map(slices).transpose()?;
    // By their content and by what the manifest says of them.
    let looks_key = looks.as_ref().map(|l| format!("{} {:?} {}", l.sha256, l.entry, config.high));
    let parts = slices.as_ref().map(TrackSlices::content);
    let key = format!("track {} {:?} {looks_key:?} {parts:?}", model.sha256, model.entry);
    global.warm.network(&key, || {
        let mut found = TrackModel::open(&model, &session)?;
        if let Some(looks) = &looks {
            found = found.with_appearance(looks, config.high, &session)?;
        }
        if let Some(slices) = slices {
            found = found.with_slices(slices);
        }
        Ok(TrackDetector::Model(Box::new(found)))
    })
}

/// Tiles of a size, or the chunks of a plan.
#[cfg(feature = "onnx")]
fn slices(text: &str) -> Result<TrackSlices> {
    use frameloom::core::CancelToken;
    use frameloom::workflows::chunk::read_plan;

    if let Some(grid) = TrackSlices::grid(text)? {
        return Ok(grid);
    }
    let path = Path::new(text);
    let plan = Arc::new(read_plan(path)?);
    Ok(TrackSlices::Plan { plan, id: Fingerprint::of_file(path, &CancelToken::new())?.to_string() })
}

#[cfg(not(feature = "onnx"))]
fn model(_: &Global, config: &TrackConfig, _: &[PathBuf]) -> Result<Arc<TrackDetector>> {
    let name = &config.detector;
    Err(Error::usage(format!("this build has no networks (feature `onnx`), so no detector `{name}`")))
}

/// Reports all streams, and writes `streams.json` where they share a folder.
fn tell(
    args: &TrackArgs,
    heads: &[(String, PathBuf, PathBuf)],
    (numbers, total, config): (&[usize], usize, &TrackConfig),
    ends: Vec<Option<Result<TrackOutcome>>>,
    (seconds, memory): (f64, Value),
    out: &mut Output,
) -> Result<u8> {
    let (mut failed, mut partial, mut last) = (0usize, 0usize, None);
    let mut list: Vec<Value> = Vec::new();
    let mut units: Vec<PartUnit> = Vec::new();
    for ((name, input, folder), end) in heads.iter().zip(ends) {
        let end = end.unwrap_or_else(|| Err(Error::Bug(format!("stream {name} has no end"))));
        let mut entry = json!({ "stream": name, "input": input.to_string_lossy(), "folder": folder.to_string_lossy() });
        let mut status = "complete";
        match end {
            Ok(outcome) => {
                if !outcome.reasons.is_empty() {
                    status = "partial";
                }
                partial += usize::from(!outcome.reasons.is_empty());
                if let Some(entry) = entry.as_object_mut() {
                    entry.insert("report".into(), folder.join("report.html").to_string_lossy().into());
                    entry.insert("outcome".into(), json!(outcome));
                    entry.insert("cached".into(), outcome.cached.into());
                    entry.insert("reused".into(), outcome.reused.into());
                    entry.insert("resumed".into(), outcome.resumed.into());
                }
                say(name, folder, &outcome, out);
            }
            Err(e) if total == 1 => return Err(e),
            Err(e) => {
                status = "failed";
                failed += 1;
                if let Some(entry) = entry.as_object_mut() {
                    entry.insert("error".into(), error_json(&e));
                }
                out.note(&format!("{name}: failed[{}]: {e}", e.code()));
                last = Some(e);
            }
        }
        out.event("item", entry.clone());
        if let Some(at) = numbers.get(list.len()).copied() {
            let folder = args.output.as_ref().and_then(|o| folder.strip_prefix(o).ok()).unwrap_or(folder.as_path());
            let (folder, status) = (folder.to_string_lossy().into_owned(), status.to_owned());
            units.push(PartUnit { at, folder, status, entry: entry.clone() });
        }
        list.push(entry);
    }
    if let (Some(shard), Some(output)) = (args.part.shard, &args.output) {
        Part::new("track", shard, total, config, units)?.write(output)?;
    }
    if let Some(e) = last.filter(|_| failed == heads.len()) {
        return Err(e);
    }
    if let Some(folder) = args.output.as_ref().filter(|_| total > 1 && args.part.shard.is_none()) {
        commit_json(&OsIo, folder.join("streams.json"), &list)?;
    }
    let code = if failed + partial > 0 { 3 } else { 0 };
    out.event(
        "result",
        json!({
            "streams": heads.len(), "partial": partial, "failed": failed, "processing_time": seconds, "exit": code,
            "memory": memory,
        }),
    );
    Ok(code)
}

/// Reports one stream.
fn say(name: &str, folder: &Path, o: &TrackOutcome, out: &mut Output) {
    let classes: Vec<String> = o.by_class.iter().map(|(c, n)| format!("{n} {c}")).collect();
    // One class without a name of its own says nothing.
    let named = o.by_class.keys().any(|c| c != "object");
    let classes = if named { format!(" ({})", classes.join(", ")) } else { String::new() };
    out.text(&printable(&format!("{name}: {} objects{classes} in {:.1} s, {} events", o.objects, o.seconds, o.events)));
    for (zone, entries) in &o.entries {
        out.text(&printable(&format!("  {zone}: {entries} entries")));
    }
    for (line, [right, left]) in &o.crossings {
        out.text(&printable(&format!("  {line}: {right} to the right, {left} to the left")));
    }
    let name = |(name, ids): (&String, &Vec<u64>)| {
        let ids: Vec<String> = ids.iter().map(u64::to_string).collect();
        format!("{name} ({})", ids.join(", "))
    };
    if !o.identities.is_empty() {
        let names: Vec<String> = o.identities.iter().map(name).collect();
        out.text(&printable(&format!("  known: {}", names.join(", "))));
    }
    for reason in &o.reasons {
        out.note(&format!("  {reason}"));
    }
    for note in &o.notes {
        out.note(&format!("  note: {note}"));
    }
    let how = match (o.cached, o.reused) {
        (true, _) => "kept, nothing had changed",
        (_, true) => "tracked again, no picture looked at",
        _ => "written",
    };
    out.note(&format!(
        "{} frames, {} looked at, {} detections; {how}: {}",
        o.frames,
        o.looked,
        o.detections,
        folder.join("report.html").display()
    ));
}

/// `--dry-run`.
fn plan(streams: &[Stream], config: &TrackConfig, used: &Clamped, out: &mut Output) -> Result<u8> {
    /// Bytes of tables a frame, about, with five objects in it; measured on a street scene.
    const FRAME_BYTES: u64 = 1600;
    for stream in streams {
        let video = match &stream.video {
            Ok(video) => video,
            Err(e) => {
                out.event("item", json!({ "stream": stream.name, "error": error_json(e) }));
                out.note(&format!("{}: failed[{}]: {e}", stream.name, e.code()));
                continue;
            }
        };
        let per_second = video.seconds.zip(config.fps).map(|(s, f)| (s * f).ceil() as u64);
        let frames = video.expected.map(|n| per_second.map_or(n.div_ceil(u64::from(config.every)), |p| p.min(n)));
        let looked = frames.map(|n| n.div_ceil(u64::from(config.detect_every)));
        let slot = FrameLayout::of(PixelFormat::I420, video.size).map_or(0, |l| u64::from(l.slot_bytes()));
        let ring = 3 * u64::from(used.batch) * slot;
        let decoder = video.decoder_bytes;
        let stills = u64::from(config.stills) * 60_000;
        out.event(
            "item",
            json!({
                "stream": stream.name, "input": stream.input.to_string_lossy(), "folder": stream.folder.to_string_lossy(),
                "track": video.track, "tracks": video.tracks(), "size": video.size.to_string(), "frames": frames,
                "looked_at_frames": looked, "detector": config.detector, "frames_in_flight": used.batch,
                "frame_bytes": ring, "decoder_bytes": decoder, "disk_bytes": frames.map(|f| f * FRAME_BYTES + stills),
            }),
        );
        let text = |n: Option<u64>| n.map_or_else(|| "unknown".into(), |n| n.to_string());
        out.text(&printable(&format!(
            "{} -> {}: {} frames of {}, {} looked at by {}; up to {:.1} MB of frames in flight, {:.1} MB in the decoder, of {} MB{}",
            stream.name,
            stream.folder.display(),
            text(frames),
            video.size,
            text(looked),
            config.detector,
            ring as f64 / 1e6,
            decoder as f64 / 1e6,
            used.memory_mb,
            if config.annotate { "; a second pass writes a video" } else { "" }
        )));
    }
    let failed = streams.iter().filter(|s| s.video.is_err()).count();
    out.event("result", json!({ "streams": streams.len(), "failed": failed, "dry_run": true }));
    Ok(if failed > 0 { 3 } else { 0 })
}

/// Settings for tracking again what the run in `args.from` saw. Those of the looking are known from there: who gives one of them must give the
/// same.
fn settings_of_run(args: &ReportArgs) -> Result<TrackConfig> {
    let seen = to_json(&seen_settings(&args.from, &TrackConfig::default())?)?;
    let base = Layers::new().text(args.from.join("source.json"), Format::Json, &seen)?;
    let given = args.settings.effective(base)?;
    let used = seen_settings(&args.from, &given.settings)?;
    let value = |c: &TrackConfig| serde_json::to_value(c).map_err(|e| Error::Bug(format!("settings as JSON: {e}")));
    check_same(&given, &value(&given.settings)?, &value(&used)?, "")?;
    Ok(used)
}

/// Refuses the first setting at or below `field` that is another one than it was.
fn check_same(given: &Effective<TrackConfig>, is: &Value, was: &Value, field: &str) -> Result<()> {
    if let (Value::Object(is), Value::Object(was)) = (is, was) {
        for (key, is) in is {
            let below = if field.is_empty() { key.clone() } else { format!("{field}.{key}") };
            check_same(given, is, was.get(key).unwrap_or(&Value::Null), &below)?;
        }
        return Ok(());
    }
    if is == was {
        return Ok(());
    }
    let place = given.origin(field);
    let message = format!(
        "belongs to what the run saw; run `frameloom track` again to change it: it was {was}, got {is} ({place})"
    );
    Err(Error::Config { field: field.into(), message })
}

/// `track report`.
fn again(global: &Global, args: &ReportArgs, out: &mut Output, signals: &Signals, mode: Mode) -> Result<u8> {
    let config = settings_of_run(args)?;
    let used = clamp(args.work.batch_size, args.work.memory_limit);
    let open = args.work.decode.options(global, 0, None, signals)?;
    let zones = zones(args.zones.as_deref())?;
    let folder = args.output.as_ref().unwrap_or(&args.from);
    out.event("start", json!({ "command": "track report", "from": args.from.to_string_lossy(), "settings": config }));
    let started = Instant::now();
    let budget = ByteBudget::new("host", used.memory_mb << 20);
    let options = GpuOptions { device: global.device.clone(), budget, ..GpuOptions::default() };
    let ctx = context(global, &options, out)?;
    let run = running(&args.work, &used, signals);
    let name = args.from.file_name().unwrap_or(args.from.as_os_str()).to_string_lossy().into_owned();
    let mut stages = Stages::new(mode, out, |_| name.clone());
    let outcome = track_again(&ctx, &args.from, &open, &zones, folder, &config, &run, &mut stages);
    stages.finish();
    let outcome = outcome?;
    say(&name, folder, &outcome, out);
    let code = if outcome.reasons.is_empty() { 0 } else { 3 };
    out.event(
        "result",
        json!({
            "from": args.from.to_string_lossy(), "folder": folder.to_string_lossy(), "outcome": outcome,
            "cached": outcome.cached, "processing_time": started.elapsed().as_secs_f64(), "exit": code,
        }),
    );
    Ok(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_tracks_are_checked_against_what_is_there() {
        let of = |text: &str| tracks(text, Path::new("v.mkv"), 3);
        assert_eq!(of("all").ok(), Some(vec![0, 1, 2]));
        assert_eq!(of("0, 2,0").ok(), Some(vec![0, 2]));
        assert!(matches!(of("3"), Err(Error::TrackInvalid { index: 3, available: 3, .. })));
        for wrong in ["-1", "x", "", "0,-1"] {
            assert!(matches!(of(wrong), Err(Error::Usage { .. })), "{wrong}");
        }
    }
}
