//! `frameloom curate`: frames into a training set.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use frameloom::config::{Layers, Settings};
use frameloom::core::Observer;
use frameloom::gpu::{DeviceChoice, GpuOptions};
use frameloom::workflows::curate::{
    ANALYSIS, CurateConfig, CurateOptions, CurateOutcome, ExpandOptions, FrameMetrics, Input, Inputs, MergeOptions,
    Mix, Networks, Times, analyze, curate, decide, expand, explain, join, merge, read_ledger, read_run, tune,
    write_decisions,
};
use frameloom::{Error, Result};
use serde_json::{Value, json};

use crate::args::Global;
use crate::curate_args::{CurateArgs, CurateCommand, CurateInput, CurateSettings, Deciding, LayoutArg, SurplusArg};
use crate::output::{Output, printable};
use crate::progress::{Mode, Stages};
use crate::signals::Signals;

pub(crate) fn run(
    global: &Global,
    args: &CurateArgs,
    out: &mut Output,
    signals: &Signals,
    progress: Mode,
) -> Result<u8> {
    match &args.command {
        CurateCommand::Run { input, deciding, layout, trigger } => {
            let more = |layers: Layers| with_layouts(with_deciding(layers, deciding), layout, trigger.as_deref());
            whole(global, input, &more, Some(deciding), out, (signals, progress))
        }
        CurateCommand::Analyze { input } => whole(global, input, &|l| l, None, out, (signals, progress)),
        CurateCommand::Decide { from, output, settings, deciding } => {
            decide_again(from, output.as_deref().unwrap_or(from), (settings, deciding), out)
        }
        CurateCommand::Explain { run, frames } => say_why(run, frames, out),
        CurateCommand::Tune { run, settings } => propose(run, settings, out),
        CurateCommand::Merge { run, output, composites, trigger } => {
            out.event("start", json!({ "command": "curate merge", "input": run.to_string_lossy() }));
            let options = MergeOptions { composites: *composites, trigger: trigger.clone(), ..MergeOptions::default() };
            let merged = merge(run, output, &options)?;
            let count: usize = merged.strategies.values().sum();
            out.note(&format!("{count} pictures in {}", output.display()));
            if merged.without_caption > 0 {
                out.warn(&format!("{} pictures have no caption", merged.without_caption));
            }
            out.event("result", json!({ "folder": output.to_string_lossy(), "pictures": count, "merged": merged }));
            Ok(0)
        }
        CurateCommand::Join { parts, output } => {
            out.event("start", json!({ "command": "curate join", "parts": parts }));
            let joined = join(parts, output)?;
            out.note(&format!(
                "{} units of figures and {} frames with {} files taken over: {}",
                joined.measured,
                joined.made,
                joined.files,
                output.display()
            ));
            out.event("result", json!({ "folder": output.to_string_lossy(), "joined": joined }));
            Ok(0)
        }
        CurateCommand::Expand { curated, frames, frames_dir, output, window_size, no_copy_captions } => {
            out.event("start", json!({ "command": "curate expand", "input": curated.to_string_lossy() }));
            let frames = frames.as_ref().or(frames_dir.as_ref()).ok_or_else(|| Error::usage("wanted: FRAMES"))?;
            let options =
                ExpandOptions { window: *window_size, captions: !no_copy_captions, ..ExpandOptions::default() };
            let stats = expand(curated, frames, output, &options)?;
            out.note(&format!(
                "{} curated frames and {} neighbours in {}; {} neighbours are not there",
                stats.curated_count,
                stats.neighbors_added,
                output.display(),
                stats.missing_count
            ));
            out.event("result", json!({ "folder": output.to_string_lossy(), "stats": stats }));
            Ok(0)
        }
    }
}

fn with_deciding(layers: Layers, deciding: &Deciding) -> Layers {
    let surplus = deciding.surplus.map(SurplusArg::name);
    layers.flag("--keep", "decision.keep", deciding.keep).flag("--surplus", "decision.surplus", surplus)
}

fn with_layouts(layers: Layers, layout: &[LayoutArg], trigger: Option<&str>) -> Layers {
    let names: Vec<Value> = layout.iter().map(|l| Value::from(l.name())).collect();
    let names = (!names.is_empty()).then_some(Value::Array(names));
    layers.flag("--layout", "layouts.formats", names).flag("--trigger", "layouts.trigger", trigger)
}

/// Settings from files, environment and flags.
fn settings(args: &CurateSettings, more: &dyn Fn(Layers) -> Layers) -> Result<CurateConfig> {
    let mut config: CurateConfig = args.set.lay(more(layers(args)?)).resolve()?.settings;
    config.settle_needs(args.dataset_needs.is_some());
    Ok(config)
}

/// All layers of `curate run`.
pub(crate) fn run_layers(
    (args, deciding): (&CurateSettings, &Deciding),
    (every, layout, trigger): (Option<u32>, &[LayoutArg], Option<&str>),
) -> Result<Layers> {
    Ok(with_layouts(with_deciding(with_every(layers(args)?, every), deciding), layout, trigger))
}

fn with_every(layers: Layers, every: Option<u32>) -> Layers {
    layers.flag("--every", "video.every", every)
}

/// What all subcommands have in common.
fn layers(args: &CurateSettings) -> Result<Layers> {
    let mut layers = Layers::new();
    for file in [&args.decision_config, &args.strategy_config, &args.config].into_iter().flatten() {
        layers = layers.file(file)?;
    }
    layers = layers.environment("FRAMELOOM_CURATE_", std::env::vars_os())?;
    let needs = args.dataset_needs.as_deref().map(needs_of).transpose()?;
    Ok(layers.flag("--parity", "parity", args.parity.then_some(true)).flag("--dataset-needs", "dataset_needs", needs))
}

fn input_settings(args: &CurateInput, more: &dyn Fn(Layers) -> Layers) -> Result<CurateConfig> {
    settings(&args.settings, &|l| more(with_every(l, args.every)))
}

/// Whether the settings of a command are right.
pub(crate) fn check(args: &CurateArgs) -> Result<()> {
    match &args.command {
        CurateCommand::Run { input, deciding, layout, trigger } => {
            let more = |l: Layers| with_layouts(with_deciding(l, deciding), layout, trigger.as_deref());
            input_settings(input, &more).map(drop)
        }
        CurateCommand::Analyze { input } => input_settings(input, &|l| l).map(drop),
        CurateCommand::Decide { settings: given, deciding, .. } => {
            settings(given, &|l| with_deciding(l, deciding)).map(drop)
        }
        CurateCommand::Tune { settings: given, .. } => settings(given, &|l| l).map(drop),
        _ => Ok(()),
    }
}

/// The needs of a file, the others 0.
fn needs_of(path: &Path) -> Result<Value> {
    let bad = |message: String| Error::Config { field: "dataset_needs".into(), message };
    let text = std::fs::read_to_string(path).map_err(|e| Error::unreadable(path, &e))?;
    let given: Value =
        serde_json::from_str(&text).map_err(|e| bad(format!("must be JSON: {e} ({})", path.display())))?;
    let Value::Object(given) = given else {
        return Err(bad(format!("must be a table like {{\"occlusion\": 0.9}} ({})", path.display())));
    };
    let names = ["occlusion", "multi_character", "far_shot", "complex_bg"];
    let mut all: serde_json::Map<String, Value> = names.iter().map(|n| ((*n).to_owned(), Value::from(0.0))).collect();
    all.extend(given);
    Ok(Value::Object(all))
}

/// Decisions by hand: the file is one table, names of frames with strategies.
fn overrides(path: Option<&Path>) -> Result<BTreeMap<String, String>> {
    match path {
        Some(path) => Ok(Layers::new().file(path)?.resolve::<Flat>()?.settings.0),
        None => Ok(BTreeMap::new()),
    }
}

/// A table whose keys are all the user's.
#[derive(Debug, Clone, Default, serde::Serialize, serde::Deserialize)]
struct Flat(BTreeMap<String, String>);

impl Settings for Flat {
    const OPEN: &'static [&'static str] = &[""];

    fn check(&self) -> Result<()> {
        Ok(())
    }
}

#[cfg(feature = "onnx")]
fn networks(folders: &[PathBuf]) -> Result<Networks> {
    Networks::find(folders)
}

#[cfg(not(feature = "onnx"))]
fn networks(_: &[PathBuf]) -> Result<Networks> {
    Ok(Networks::default())
}

/// The adapter: `--device` before the settings' `processing.device`; the original calls a GPU `cuda`.
fn device(global: &Global, config: &CurateConfig) -> Result<DeviceChoice> {
    let given =
        if global.device == DeviceChoice::Auto { config.processing.device.parse()? } else { global.device.clone() };
    Ok(match given {
        DeviceChoice::Name(name) if name == "cuda" => DeviceChoice::Gpu,
        other => other,
    })
}

/// `curate run`, and without `deciding` `curate analyze`.
fn whole(
    global: &Global,
    args: &CurateInput,
    more: &dyn Fn(Layers) -> Layers,
    deciding: Option<&Deciding>,
    out: &mut Output,
    (signals, progress): (&Signals, Mode),
) -> Result<u8> {
    let started = std::time::Instant::now();
    let all = deciding.is_some();
    let config = input_settings(args, more)?;
    let limits = args.limits()?;
    let inputs = Inputs::of(&args.inputs, args.first()?, &limits)?;
    let overrides = overrides(deciding.and_then(|d| d.overrides.as_deref()))?;
    let pictures = inputs.all.iter().filter(|i| matches!(i, Input::Picture(_))).count();
    let videos = inputs.all.len() - pictures;
    let command = if all { "curate run" } else { "curate analyze" };
    out.event("start", json!({ "command": command, "pictures": pictures, "videos": videos, "settings": config }));
    for skipped in inputs.skipped.iter().take(10) {
        out.note(&format!("passed over: {} ({})", skipped.path.display(), skipped.reason));
    }
    if args.dry_run {
        let wanted: Vec<String> = config.wanted().iter().map(|(n, t)| format!("{n} {:.0} %", t * 100.0)).collect();
        let text = format!("{pictures} pictures, {videos} videos -> {}: {}", args.output.display(), wanted.join(", "));
        out.text(&printable(&text));
        out.event("result", json!({ "dry_run": true, "pictures": pictures, "videos": videos }));
        return Ok(0);
    }
    let networks = if config.parity { Networks::default() } else { networks(&args.models)? };
    let device = device(global, &config)?;
    let ctx = global.open(&args.memory.budget(GpuOptions { device, ..GpuOptions::default() }))?;
    if let Some(warning) = ctx.software_warning() {
        out.warn(&warning);
    }
    let options = CurateOptions {
        networks,
        decode: args.decoder.options(
            global,
            args.track,
            limits,
            args.isolate.isolation(false, args.memory.bytes())?,
            signals,
        ),
        restart: args.restart,
        overrides,
        only_decide: !all,
        shard: args.shard,
    };
    let total = (videos == 0).then_some(pictures as u64);
    let label = |stage: &str| if stage == "measure" { "measuring" } else { "making pictures" }.to_owned();
    let mut stages = Stages::new(progress, out, label);
    let mut told = |p: frameloom::core::Progress| stages.progress(p.towards(total));
    let mut times = None;
    let found = if all {
        curate(&ctx, &inputs, &args.output, &config, &options, &mut told).map(Some)
    } else {
        analyze(&ctx, &inputs, &args.output, &config, &options, &mut told).map(|a| {
            times = Some(a.times);
            None
        })
    };
    stages.finish();
    let seconds = started.elapsed().as_secs_f64();
    match found? {
        Some(outcome) => finish(&args.output, &outcome, seconds, out),
        None => analyzed(&args.output, times.unwrap_or_default(), seconds, out),
    }
}

/// Where the time of measuring went, in words.
fn where_time_went(t: &Times) -> String {
    let mut parts = Vec::new();
    if t.pictures > 0.0 {
        parts.push(format!("reading pictures {:.1} s", t.pictures));
    }
    if t.video_frames > 0 {
        let (frames, decode, all) = (t.video_frames, t.video_decode, t.video_all);
        parts.push(format!("{frames} frames of videos in {all:.1} s, their decoder at work for {decode:.1} s of it"));
    }
    parts.push(format!("kernels {:.1} s", t.figures));
    if t.networks > 0.005 {
        parts.push(format!("networks {:.1} s", t.networks));
    }
    parts.join(", ")
}

fn analyzed(folder: &Path, times: Times, seconds: f64, out: &mut Output) -> Result<u8> {
    let (entries, models) = read_run(folder)?;
    let failed: Vec<_> = entries.iter().filter_map(|e| e.error.as_ref().map(|why| (e.label(), why))).collect();
    for (frame, why) in failed.iter().take(20) {
        out.warn(&format!("{frame}: {why}"));
    }
    for notice in models.iter().filter_map(|m| m.notice.as_ref()) {
        out.note(notice);
    }
    let code = u8::from(!failed.is_empty()) * 3;
    let measured = entries.len() - failed.len();
    let (went, at) = (where_time_went(&times), folder.join(ANALYSIS));
    out.note(&format!("{measured} frames measured ({seconds:.1} s; {went}): {}", at.display()));
    out.event(
        "result",
        json!({
            "folder": folder.to_string_lossy(), "frames": entries.len(), "failed": failed.len(), "models": models,
            "times": times, "seconds": seconds, "exit": code,
        }),
    );
    Ok(code)
}

fn said(mix: &Mix, out: &mut Output) {
    for line in &mix.lines {
        let (name, frames) = (&line.strategy, line.frames);
        let share = if line.target > 0.0 {
            format!("{name:<18} {frames:>5} {:>6.1} % of {:>4.0} %", line.share * 100.0, line.target * 100.0)
        } else {
            format!("{name:<18} {frames:>5}  no share is wanted")
        };
        let why = if line.reached { String::new() } else { format!("  {}", line.why) };
        out.text(&printable(&format!("{share}{why}")));
    }
}

fn finish(folder: &Path, o: &CurateOutcome, seconds: f64, out: &mut Output) -> Result<u8> {
    for (frame, why) in o.failed.iter().take(20) {
        out.warn(&format!("{frame}: {why}"));
    }
    if o.failed.len() > 20 {
        out.warn(&format!("and {} more frames failed", o.failed.len() - 20));
    }
    for notice in o.models.iter().filter_map(|m| m.notice.as_ref()) {
        out.note(notice);
    }
    said(&o.mix, out);
    let stages: Vec<String> = o.seconds.iter().map(|(name, s)| format!("{name} {s:.1} s")).collect();
    out.note(&format!("measuring: {}", where_time_went(&o.times)));
    let page = o.page.clone().unwrap_or_else(|| folder.join("processing_report.json"));
    out.note(&format!(
        "{} frames: {} with pictures ({} kept), {} left out, {} failed ({}): {}",
        o.frames,
        o.successful,
        o.kept,
        o.left_out,
        o.failed.len(),
        stages.join(", "),
        page.display()
    ));
    let code = u8::from(!o.failed.is_empty()) * 3;
    out.event("result", json!({ "folder": folder.to_string_lossy(), "outcome": o, "seconds": seconds, "exit": code }));
    if o.successful == 0 && o.left_out == 0 {
        let (frame, why) =
            o.failed.first().map_or(("all of them", "nothing was left to use"), |(f, w)| (f.as_str(), w.as_str()));
        return Err(Error::InputCorrupt {
            path: frame.into(),
            reason: format!("none of {} frames could be used; the first one: {why}", o.frames),
        });
    }
    Ok(code)
}

/// `curate decide`.
fn decide_again(
    from: &Path,
    to: &Path,
    (args, deciding): (&CurateSettings, &Deciding),
    out: &mut Output,
) -> Result<u8> {
    let config = settings(args, &|l| with_deciding(l, deciding))?;
    let overrides = overrides(deciding.overrides.as_deref())?;
    out.event("start", json!({ "command": "curate decide", "input": from.to_string_lossy(), "settings": config }));
    let (entries, _) = read_run(from)?;
    let started = std::time::Instant::now();
    let decisions = decide(&entries, &config, &overrides)?;
    write_decisions(to, &entries, &decisions, &config)?;
    said(&decisions.mix, out);
    let ledger = to.join(ANALYSIS).join("ledger.jsonl");
    out.note(&format!(
        "{} frames decided on ({:.2} s): {}",
        entries.len(),
        started.elapsed().as_secs_f64(),
        ledger.display()
    ));
    out.event(
        "result",
        json!({ "folder": to.to_string_lossy(), "frames": entries.len(), "mix": decisions.mix.lines, "shots": decisions.shots }),
    );
    Ok(0)
}

/// `curate explain`.
fn say_why(run: &Path, frames: &[String], out: &mut Output) -> Result<u8> {
    out.event("start", json!({ "command": "curate explain", "input": run.to_string_lossy() }));
    let rows = read_ledger(&run.join(ANALYSIS).join("ledger.jsonl"))?;
    for frame in frames {
        let text = explain(&rows, frame)?;
        text.lines().for_each(|l| out.text(&printable(l)));
        let row =
            rows.iter().find(|r| ["name", "file"].iter().any(|k| r.get(k).and_then(Value::as_str) == Some(frame)));
        let blur = row.and_then(|row| blur_map(run, row));
        if let Some(path) = &blur {
            out.text(&format!("where it is sharp: {}", printable(&path.to_string_lossy())));
        }
        out.event("item", json!({ "frame": frame, "row": row, "blur_map": blur }));
    }
    out.event("result", json!({ "frames": frames.len() }));
    Ok(0)
}

/// The picture of where a frame is sharp, of a run that was executed.
fn blur_map(run: &Path, row: &Value) -> Option<PathBuf> {
    let said = |key| row.get(key).and_then(Value::as_str);
    let path = run.join(said("strategy")?).join("metadata").join(format!("{}_blur.png", said("name")?));
    path.is_file().then_some(path)
}

/// `curate tune`.
fn propose(run: &Path, args: &CurateSettings, out: &mut Output) -> Result<u8> {
    let config = settings(args, &|l| l)?;
    out.event("start", json!({ "command": "curate tune", "input": run.to_string_lossy() }));
    let (entries, _) = read_run(run)?;
    let frames: Vec<&FrameMetrics> = entries.iter().filter_map(|e| e.metrics.as_ref()).collect();
    if frames.is_empty() {
        return Err(Error::usage("the run has no frame that could be measured"));
    }
    let tuned = tune(&frames, &config);
    let t = &tuned.thresholds;
    out.text("thresholds:");
    for (name, value) in [
        ("simple_background", t.simple_background),
        ("good_lighting", t.good_lighting),
        ("low_occlusion", t.low_occlusion),
    ] {
        out.text(&format!("  {name}: {value}"));
    }
    out.text(&format!("  multi_character: {}", t.multi_character));
    out.text(&format!("  poor_quality: {}\n  low_sharpness: {}", t.poor_quality, t.low_sharpness));
    let shares: Vec<String> = tuned.shares.iter().map(|(n, s)| format!("{n} {:.1} %", s * 100.0)).collect();
    out.note(&format!(
        "the table alone is {:.1} points off the mix, with these thresholds {:.1}: {}",
        tuned.before * 50.0,
        tuned.after * 50.0,
        shares.join(", ")
    ));
    out.event("result", json!({ "tuned": tuned }));
    Ok(0)
}
