//! `frameloom analyze`: opens inputs, runs the workflow, reports.

use std::collections::HashSet;
use std::ffi::OsString;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use frameloom::config::Layers;
use frameloom::core::{Observer, OutcomeObserver, Shard};
use frameloom::gpu::GpuOptions;
use frameloom::media::{Isolation, probe};
use frameloom::pipeline::{OnError, PipelineOptions};
use frameloom::workflows::analyze::{
    AnalyzeConfig, AnalyzeInput, AnalyzeOptions, OpenOptions, Outcome, OutcomeStatus, analyze, open_input,
};
use frameloom::{Error, Result};
use serde_json::json;

use super::merge::{Part, PartUnit};
use crate::args::{AnalyzeArgs, Global, OnErrorArg};
use crate::guard::Guard;
use crate::output::{Output, error_json};
use crate::progress::{Mode, Progress};
use crate::signals::Signals;

/// One input and where its outputs go.
#[derive(Debug, Clone)]
struct Job {
    input: PathBuf,
    folder: PathBuf,
}

/// Where outputs go: `-o` itself for one input, a folder per input below it for several; without `-o`, `<stem>.frameloom`.
fn jobs(args: &AnalyzeArgs) -> Vec<Job> {
    let mut taken = HashSet::new();
    args.inputs
        .iter()
        .map(|input| {
            let stem = input.file_stem().map_or_else(|| OsString::from("input"), OsString::from);
            let folder = match &args.output {
                Some(out) if args.inputs.len() == 1 => out.clone(),
                Some(out) => unused(&mut taken, |n| out.join(numbered(&stem, n, ""))),
                None => unused(&mut taken, |n| PathBuf::from(numbered(&stem, n, ".frameloom"))),
            };
            Job { input: input.clone(), folder }
        })
        .collect()
}

fn numbered(stem: &OsString, n: usize, suffix: &str) -> OsString {
    let mut name = stem.clone();
    if n > 1 {
        name.push(format!("_{n}"));
    }
    name.push(suffix);
    name
}

fn unused(taken: &mut HashSet<PathBuf>, name: impl Fn(usize) -> PathBuf) -> PathBuf {
    let mut n = 1;
    loop {
        let candidate = name(n);
        if taken.insert(candidate.clone()) {
            return candidate;
        }
        n += 1;
    }
}

/// What of `jobs` this part does, and their numbers, where it is a part.
fn part(args: &AnalyzeArgs, jobs: Vec<Job>) -> (Option<Vec<usize>>, Vec<Job>) {
    let Some(shard) = args.part.shard else { return (None, jobs) };
    let mine = jobs.into_iter().enumerate().filter(|(at, _)| shard.has(*at));
    let (units, jobs) = mine.unzip();
    (Some(units), jobs)
}

/// Says in the folder of a part what it did.
fn tell_part(
    (units, jobs): (&[usize], &[Job]),
    outcomes: &[Outcome],
    (shard, total, config): (Shard, usize, &AnalyzeConfig),
    output: &Path,
) -> Result<()> {
    let unit = |(at, job): (&usize, &Job)| {
        let status = outcomes.iter().find(|o| o.folder == job.folder).map(|o| state(o.status).to_owned())?;
        let folder = job.folder.strip_prefix(output).unwrap_or(&job.folder).to_string_lossy().into_owned();
        Some(PartUnit { at: *at, folder, status, entry: serde_json::Value::Null })
    };
    let done: Option<Vec<PartUnit>> = units.iter().zip(jobs).map(unit).collect();
    // Stopped at a failure: no part that is done.
    let Some(done) = done else { return Ok(()) };
    Part::new("analyze", shard, total, config, done)?.write(output)
}

struct Watch<'a> {
    out: &'a mut Output,
    mode: Mode,
    /// The inputs that are being measured, in the order of the call.
    inputs: Vec<PathBuf>,
    current: Vec<(PathBuf, Progress)>,
    started: Vec<(PathBuf, std::time::Instant)>,
    outcomes: Vec<Outcome>,
    /// With one input its failure is the command's own, said at the end.
    single: bool,
    guard: &'a Guard,
}

impl Observer for Watch<'_> {
    fn progress(&mut self, p: frameloom::core::Progress) -> ControlFlow<()> {
        if let Some(path) = self.inputs.get(p.input) {
            self.guard.metrics.add(&path.to_string_lossy(), p.done);
            if let Some((_, bar)) = self.current.iter_mut().find(|(at, _)| at == path) {
                bar.add(p.done, self.out);
            }
        }
        ControlFlow::Continue(())
    }
}

impl OutcomeObserver<Outcome> for Watch<'_> {
    fn outcome(&mut self, _: usize, outcome: Outcome) -> Result<()> {
        self.end(outcome);
        Ok(())
    }
}

impl Watch<'_> {
    /// An input has ended.
    fn end(&mut self, outcome: Outcome) {
        if let Some(at) = self.current.iter().position(|(p, _)| *p == outcome.path) {
            self.current.remove(at).1.finish();
        }
        let seconds = self.started.iter().find(|(p, _)| *p == outcome.path).map(|(_, t)| t.elapsed().as_secs_f64());
        self.guard.metrics.end(&outcome.path.to_string_lossy(), state(outcome.status));
        self.say(&outcome, seconds);
        self.outcomes.push(outcome);
    }
}

const fn state(status: OutcomeStatus) -> &'static str {
    match status {
        OutcomeStatus::Complete => "complete",
        OutcomeStatus::Partial => "partial",
        OutcomeStatus::Unverifiable => "unverifiable",
        OutcomeStatus::Failed => "failed",
    }
}

impl Watch<'_> {
    fn say(&mut self, o: &Outcome, seconds: Option<f64>) {
        let stages: Vec<_> = o
            .stages
            .iter()
            .map(|s| {
                json!({
                    "stage": s.name, "items": s.items, "busy_seconds": s.busy.as_secs_f64(),
                    "waiting_seconds": s.waiting.as_secs_f64(), "max_queue": s.max_queue,
                    "p50_millis": s.quantile(0.5).as_secs_f64() * 1e3, "p95_millis": s.quantile(0.95).as_secs_f64() * 1e3,
                })
            })
            .collect();
        self.out.event(
            "item",
            json!({
                "input": o.path.to_string_lossy(), "status": o.status, "cached": o.cached, "resumed": o.resumed, "frames": o.frames,
                "reasons": o.reasons, "missing": o.missing, "error": o.error.as_ref().map(error_json),
                "folder": o.folder.to_string_lossy(), "seconds": seconds, "stages": stages,
                "report": (o.status != OutcomeStatus::Failed).then(|| o.report().to_string_lossy().into_owned()),
            }),
        );
        let name = o.path.display();
        if o.status == OutcomeStatus::Failed {
            if let Some(e) = o.error.as_ref().filter(|_| !self.single) {
                self.out.note(&format!("failed[{}]: {e}", e.code()));
                if let Some(hint) = e.hint() {
                    self.out.note(&format!("  hint: {hint}"));
                }
            }
            return;
        }
        let how = if o.cached {
            "kept from an earlier run".to_owned()
        } else {
            let fresh = (o.frames - o.resumed.min(o.frames)) as f64;
            let speed = seconds.map(|s| format!("{:.1} s, {:.0} frames/s", s, fresh / s.max(1e-9))).unwrap_or_default();
            if o.resumed > 0 { format!("{speed}, gone on with behind frame {}", o.resumed) } else { speed }
        };
        let word = match o.status {
            OutcomeStatus::Complete => "complete",
            OutcomeStatus::Partial => "PARTIAL",
            OutcomeStatus::Unverifiable => "unverifiable",
            OutcomeStatus::Failed => "failed",
        };
        self.out.note(&format!("{name}: {word}, {} frames, {how}", o.frames));
        for reason in &o.reasons {
            self.out.note(&format!("  {reason}"));
        }
        self.out.text(&crate::output::printable(&o.report().to_string_lossy()));
    }
}

pub(crate) fn run(global: &Global, args: &AnalyzeArgs, out: &mut Output, signals: &Signals, mode: Mode) -> Result<u8> {
    let config: AnalyzeConfig = args.set.lay(layers(args)?).resolve()?.settings;
    let guard = Guard::new(&args.guard, "analyze", false, args.memory_limit, out)?;
    let decode = args.decode.options(global, args.track, guard.isolation.clone(), signals)?;
    let opening = OpenOptions { decode, fps: args.fps };
    // Folders are named after all inputs, whatever part of them is done here.
    let (units, jobs) = part(args, jobs(args));
    out.event("start", json!({ "command": "analyze", "inputs": jobs.len(), "settings": config }));
    if args.dry_run {
        return plan(args, &jobs, &opening, out);
    }
    let ctx = global.open(&guard.budgets(GpuOptions { device: global.device.clone(), ..GpuOptions::default() }))?;
    let _base = guard.admit(&ctx, RESERVE)?;
    if let Some(warning) = ctx.software_warning() {
        out.warn(&warning);
    }
    let pipeline = PipelineOptions {
        batch: args.batch,
        on_error: if args.on_error == OnErrorArg::Stop { OnError::Stop } else { OnError::Skip },
        cancel: signals.cancel.clone(),
        ..PipelineOptions::default()
    };
    let options = AnalyzeOptions { pipeline, restart: args.restart, ..AnalyzeOptions::default() };
    let mut watch = Watch {
        out,
        mode,
        inputs: Vec::new(),
        current: Vec::new(),
        started: Vec::new(),
        outcomes: Vec::new(),
        single: units.is_none() && jobs.len() == 1,
        guard: &guard,
    };
    for group in jobs.chunks(args.jobs as usize) {
        signals.cancel.check()?;
        let mut inputs = Vec::new();
        watch.inputs.clear();
        for job in group {
            watch.started.push((job.input.clone(), std::time::Instant::now()));
            match open_input(&job.input, &job.folder, &opening) {
                Ok(input) => {
                    let label = job.input.file_name().unwrap_or(job.input.as_os_str()).to_string_lossy().into_owned();
                    let progress = Progress::new(watch.mode, &label, expected(&input)).watching(&guard.memory);
                    watch.current.push((job.input.clone(), progress));
                    guard.metrics.begin(&job.input.to_string_lossy(), expected(&input));
                    watch.inputs.push(job.input.clone());
                    inputs.push(input);
                }
                Err(e) => watch.end(Outcome::failed(&job.input, &job.folder, e)),
            }
        }
        analyze(&ctx, inputs, &config, &options, &mut watch)?;
        let failed = watch.outcomes.iter().any(|o| o.status == OutcomeStatus::Failed);
        if args.on_error == OnErrorArg::Stop && failed {
            break;
        }
    }
    let outcomes = watch.outcomes;
    if let (Some(units), Some(shard), Some(output)) = (units, args.part.shard, &args.output) {
        tell_part((&units, &jobs), &outcomes, (shard, args.inputs.len(), &config), output)?;
    }
    let memory = guard.report(&ctx, out);
    finish(outcomes, jobs.len(), args, &memory, out)
}

/// Flags over environment over file.
pub(crate) fn layers(args: &AnalyzeArgs) -> Result<Layers> {
    let layers = match &args.config {
        Some(path) => Layers::new().file(path)?,
        None => Layers::new(),
    };
    Ok(layers
        .environment("FRAMELOOM_ANALYZE_", std::env::vars_os())?
        .flag("--dark", "dark", args.dark)
        .flag("--bright", "bright", args.bright)
        .flag("--motion-threshold", "motion_threshold", args.motion_threshold)
        .flag("--motion-side", "motion_side", args.motion_side)
        .flag("--thumbnails", "thumbnails", args.thumbnails)
        .flag("--thumbnail-side", "thumbnail_side", args.thumbnail_side))
}

/// Compiled kernels, rows not yet written, curves and thumbnails; measured 10 to 20 MB.
const RESERVE: u64 = 24 << 20;

fn finish(
    mut outcomes: Vec<Outcome>,
    wanted: usize,
    args: &AnalyzeArgs,
    memory: &serde_json::Value,
    out: &mut Output,
) -> Result<u8> {
    let count = |s: OutcomeStatus| outcomes.iter().filter(|o| o.status == s).count();
    let (failed, partial) = (count(OutcomeStatus::Failed), count(OutcomeStatus::Partial));
    let unverifiable = count(OutcomeStatus::Unverifiable);
    if failed > 0 && failed == outcomes.len() {
        let first = outcomes.iter_mut().find_map(|o| o.error.take());
        return Err(first.unwrap_or_else(|| Error::Bug("a failure without an error".into())));
    }
    let strict = args.on_error == OnErrorArg::Strict && unverifiable > 0;
    let code = if failed > 0 || partial > 0 || strict || outcomes.len() < wanted { 3 } else { 0 };
    out.event(
        "result",
        json!({
            "inputs": wanted, "complete": count(OutcomeStatus::Complete), "partial": partial, "unverifiable": unverifiable,
            "failed": failed, "not_started": wanted - outcomes.len().min(wanted), "exit": code,
            "memory": memory,
        }),
    );
    if wanted > 1 {
        out.note(&format!(
            "{wanted} inputs: {} complete, {partial} partial, {unverifiable} unverifiable, {failed} failed",
            count(OutcomeStatus::Complete)
        ));
    }
    Ok(code)
}

/// Frames that the container declares or that its duration suggests; for the progress bar only.
fn expected(input: &AnalyzeInput) -> Option<u64> {
    input.info.as_ref()?.expected_frames(input.track)
}

/// `--dry-run`: what would be done, from what the containers declare.
fn plan(args: &AnalyzeArgs, jobs: &[Job], opening: &OpenOptions, out: &mut Output) -> Result<u8> {
    /// Bytes of a row of the tables, in all three formats together, measured on real videos.
    const ROW_BYTES: u64 = 700;
    let mut first_error = None;
    for job in jobs {
        if job.input.is_dir() {
            out.text(&format!("{}: a folder of pictures -> {}", job.input.display(), job.folder.display()));
            continue;
        }
        match probe(&job.input, &opening.decode.limits) {
            Ok(info) => {
                let stream = info.video_streams.get(args.track);
                let frames = stream.and_then(|s| {
                    s.nb_frames_declared.or_else(|| Some((s.duration.or(info.duration)? * s.fps?).round() as u64))
                });
                let size = stream.map(|s| opening.decode.size_of(s));
                let layout = stream.and_then(|s| opening.decode.layout_of(s));
                let ring = layout.map_or(0, |l| u64::from(l.slot_bytes())) * u64::from(args.batch) * 3;
                let decoder = stream.map_or(0, |s| s.decoder_bytes(opening.decode.threads));
                let shared =
                    opening.decode.isolation.as_ref().zip(layout).map_or(0, |(i, l)| Isolation::shared_bytes(i, &l));
                let disk = frames.map(|f| f * ROW_BYTES + (1 << 20));
                out.event(
                    "item",
                    json!({
                        "input": job.input.to_string_lossy(), "folder": job.folder.to_string_lossy(), "frames": frames,
                        "size": size.map(|s| s.to_string()), "ring_bytes": ring, "decoder_bytes": decoder, "shared_bytes": shared,
                        "disk_bytes": disk,
                    }),
                );
                out.text(&format!(
                    "{} -> {}: {} frames of {}, upload ring {:.0} MB and decoder {:.0} MB (limit {} MB), about {:.1} MB on disk",
                    crate::output::printable(&job.input.to_string_lossy()),
                    crate::output::printable(&job.folder.to_string_lossy()),
                    frames.map_or_else(|| "unknown".to_owned(), |f| f.to_string()),
                    size.map_or_else(|| "unknown size".to_owned(), |s| s.to_string()),
                    ring as f64 / 1e6,
                    (decoder + shared) as f64 / 1e6,
                    args.memory_limit,
                    disk.unwrap_or(1 << 20) as f64 / 1e6,
                ));
            }
            Err(e) => {
                out.warn(&e.to_string());
                first_error.get_or_insert(e);
            }
        }
    }
    if let Some(e) = first_error {
        return Err(e);
    }
    out.event("result", json!({ "inputs": jobs.len(), "dry_run": true }));
    Ok(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    fn folders(line: &[&str]) -> Vec<PathBuf> {
        let cli = crate::args::Cli::try_parse_from([&["frameloom", "analyze"], line].concat()).expect("valid");
        match cli.command {
            crate::args::Command::Analyze(a) => jobs(&a).into_iter().map(|j| j.folder).collect(),
            _ => Vec::new(),
        }
    }

    #[test]
    fn outputs_never_share_a_folder() {
        assert_eq!(folders(&["a/x.mp4"]), [PathBuf::from("x.frameloom")]);
        assert_eq!(folders(&["a/x.mp4", "-o", "out"]), [PathBuf::from("out")]);
        assert_eq!(folders(&["a/x.mp4", "b/x.mkv", "-o", "out"]), [PathBuf::from("out/x"), PathBuf::from("out/x_2")]);
        assert_eq!(folders(&["a/x.mp4", "b/x.mkv"]), [PathBuf::from("x.frameloom"), PathBuf::from("x_2.frameloom")]);
    }
}
