//! `frameloom chunk run` and `frameloom proxy`.

mod part;

use std::path::Path;

use frameloom::config::Layers;
use frameloom::core::{ByteBudget, Observer, Size};
use frameloom::gpu::{GpuContext, GpuOptions};
use frameloom::media::DecodeOptions;
use frameloom::media::filter::filter_version;
use frameloom::pipeline::PipelineOptions;
use frameloom::store::OsIo;
use frameloom::workflows::chunk::heat::{HeatConfig, HeatFound, heat_of};
use frameloom::workflows::chunk::plan::{ChunkPlan, PlanParams, plan, plan_moving};
use frameloom::workflows::chunk::process::{
    ChunkOptions, ChunkOutcome, ChunkPart, ChunkTask, ChunkVideo, ChunkWork, EffectId, FilterEffect, Identity,
    Placement, Preview, ProcessConfig, ProxyConfig, claim_output, process_part, process_video, write_preview,
    write_proxy,
};
use frameloom::workflows::chunk::{read_plan, write_plan};
use frameloom::{Error, Result};
use serde_json::json;

use crate::args::Global;
use crate::chunk_run_args::{ChunkRunArgs, OpenArgs, ProxyArgs};
use crate::output::{Output, printable};
use crate::progress::{Mode, Progress};
use crate::signals::Signals;

fn opening(global: &Global, args: &OpenArgs, signals: &Signals) -> Result<DecodeOptions> {
    let isolation = args.isolate.isolation(false, args.memory_limit << 20)?;
    args.decode.options(global, args.track, isolation, signals)
}

fn context(global: &Global, args: &OpenArgs, out: &mut Output) -> Result<GpuContext> {
    let budget = ByteBudget::new("host", args.memory_limit << 20);
    let ctx = global.open(&GpuOptions { device: global.device.clone(), budget, ..GpuOptions::default() })?;
    if let Some(warning) = ctx.software_warning() {
        out.warn(&warning);
    }
    Ok(ctx)
}

fn pipeline(args: &OpenArgs, signals: &Signals) -> PipelineOptions {
    PipelineOptions { batch: args.batch, cancel: signals.cancel.clone(), ..PipelineOptions::default() }
}

fn layers(config: Option<&Path>, prefix: &str) -> Result<Layers> {
    let layers = match config {
        Some(path) => Layers::new().file(path)?,
        None => Layers::new(),
    };
    layers.environment(prefix, std::env::vars_os())
}

/// What the `--effect` asks for.
pub(crate) enum Asked<'a> {
    Identity,
    Filter(&'a str),
    Model(&'a str),
}

pub(crate) fn asked(text: &str) -> Asked<'_> {
    match text.strip_prefix("filter:") {
        Some(graph) => Asked::Filter(graph),
        None if text == "identity" => Asked::Identity,
        None => Asked::Model(text),
    }
}

/// Flags over environment over file, of `chunk run`.
pub(crate) fn run_layers(args: &ChunkRunArgs) -> Result<Layers> {
    Ok(layers(args.config.as_deref(), "FRAMELOOM_CHUNK_RUN_")?
        .flag("--feather", "feather", args.feather)
        .flag("--outside", "outside", args.outside.map(|o| o.name()))
        .flag("--fade", "fade", args.fade)
        .flag("--enlarge", "enlarge", args.enlarge.then_some(true))
        .flag("--mask", "mask", args.mask.map(|m| m.name()))
        .flag("--class", "class", args.class)
        .flag("--score", "score", args.score)
        .flag("--iou", "iou", args.iou)
        .flag("--draw", "draw", args.draw.then_some(true))
        .flag("--no-audio", "audio", args.no_audio.then_some(false))
        .flag("--crf", "crf", args.crf)
        .flag("--seconds", "seconds", args.seconds))
}

pub(crate) fn run(global: &Global, args: &ChunkRunArgs, out: &mut Output, signals: &Signals, mode: Mode) -> Result<u8> {
    let config: ProcessConfig = args.set.lay(run_layers(args)?).resolve()?.settings;
    let started = std::time::Instant::now();
    let video = ChunkVideo::open(&args.input, &opening(global, &args.open, signals)?)?;
    out.event(
        "start",
        json!({
            "command": "chunk run", "input": args.input.to_string_lossy(), "effect": args.effect, "settings": config,
        }),
    );
    let given = args.plan.as_deref().map(read_plan).transpose()?;
    if args.dry_run {
        return cost(args, &video, given.as_ref(), &config, out);
    }
    if args.part.shard.is_some() && given.is_none() {
        return Err(Error::Usage {
            message: "a part needs a plan, the same for all parts".into(),
            hint: Some(
                "make it once with `frameloom heatmap` and `frameloom chunk plan`, and give it with --plan".into(),
            ),
        });
    }
    claim_output(&args.output)?;
    let ctx = context(global, &args.open, out)?;
    let plan = match given {
        Some(plan) => plan,
        None => planned(global, &ctx, args, &video, (out, mode), signals)?,
    };
    let placement = Placement::of_plan(&plan)?;
    let label = format!("{}: {}", video.facts.name, args.effect);
    let mut bar = Progress::new(mode, &label, video.facts.expected(config.seconds));
    let options = ChunkOptions { pipeline: pipeline(&args.open, signals), restart: args.restart };
    let go = |work: ChunkWork<'_>, content: String| {
        let effect = EffectId { name: args.effect.clone(), content };
        let task = ChunkTask { placement: &placement, work, effect: &effect };
        let (folder, mut step) = (&args.output, bar.counting(out));
        match args.part.shard {
            Some(shard) => process_part(&ctx, video, task, folder, shard, &config, &options, &mut step).map(Done::Part),
            None => process_video(&ctx, video, task, folder, &config, &options, &mut step).map(Done::Whole),
        }
    };
    let outcome = match asked(&args.effect) {
        Asked::Identity => go(ChunkWork::Tiles(&mut Identity), String::new()),
        Asked::Filter(graph) => {
            let mut effect = FilterEffect::new(graph)?;
            go(ChunkWork::Tiles(&mut effect), filter_version())
        }
        Asked::Model(name) => model(&ctx, name, (args, &config), go),
    };
    bar.finish();
    let seconds = started.elapsed().as_secs_f64();
    match (outcome?, args.part.shard) {
        (Done::Part(done), Some(shard)) => part::tell(args, shard, &config, &done, seconds, out),
        (Done::Whole(outcome), _) => Ok(finish(&args.output, &outcome, seconds, out)),
        (Done::Part(_), None) => Err(Error::Bug("a part that was not asked for".into())),
    }
}

/// What was done.
enum Done {
    Whole(ChunkOutcome),
    Part(ChunkPart),
}

#[cfg(feature = "onnx")]
fn model(
    ctx: &GpuContext,
    name: &str,
    (args, config): (&ChunkRunArgs, &ProcessConfig),
    go: impl FnOnce(ChunkWork<'_>, String) -> Result<Done>,
) -> Result<Done> {
    use frameloom::infer::{Allow, ModelRegistry, SessionOptions, Task, load_runtime};
    use frameloom::workflows::chunk::process::{ChunkDetector, ModelEffect};

    let model = ModelRegistry::find(&args.models)?.load(name, Allow::Pinned)?;
    let content = format!("{} {}", model.sha256, load_runtime()?.version);
    let session = SessionOptions::default();
    match model.entry.task {
        Task::Detect => {
            let mut detector = ChunkDetector::open(ctx, &model, &session)?;
            go(ChunkWork::Detect(&mut detector), content)
        }
        _ => {
            let mut effect = ModelEffect::open(ctx, &model, &session, config.class, config.mask)?;
            go(ChunkWork::Tiles(&mut effect), content)
        }
    }
}

#[cfg(not(feature = "onnx"))]
fn model(
    _: &GpuContext,
    name: &str,
    _: (&ChunkRunArgs, &ProcessConfig),
    _: impl FnOnce(ChunkWork<'_>, String) -> Result<Done>,
) -> Result<Done> {
    Err(Error::usage(format!("this build has no networks (feature `onnx`), so no effect `{name}`")))
}

/// Squares of a third and of half the longer side, and of no less than the planner has room for.
fn sizes(frame: Size) -> Vec<[u32; 2]> {
    let longer = frame.width.max(frame.height);
    [3, 2].map(|n| (longer / n).next_multiple_of(8).max(64)).map(|side| [side, side]).into()
}

/// Heat of what the detector of the effect sees when it looks at whole frames twice a second; `None` for other effects.
#[cfg(feature = "onnx")]
fn objects(
    ctx: &GpuContext,
    args: &ChunkRunArgs,
    video: ChunkVideo,
    options: &PipelineOptions,
    observer: &mut dyn Observer,
) -> Result<Option<HeatFound>> {
    use frameloom::infer::{ModelRegistry, Task};
    use frameloom::workflows::chunk::heat::{BoxMark, HeatKind, ModelWatch, Watching, watched_heat};

    let Asked::Model(name) = asked(&args.effect) else { return Ok(None) };
    let registry = ModelRegistry::find(&args.models)?;
    if registry.get(name)?.entry.task != Task::Detect {
        return Ok(None);
    }
    let every = (video.facts.fps.unwrap_or(25.0) / 2.0).round().clamp(1.0, 10_000.0) as u32;
    let (model, source, mark) = (Some(name.to_owned()), HeatKind::Detections, BoxMark::Middle);
    let config = HeatConfig { source, model, mark, every, step: 0.5, ..HeatConfig::default() };
    let watch = ModelWatch::for_source(ctx, &registry, &config)?;
    let watching = Watching { source: Some(Box::new(watch)), ..Watching::default() };
    watched_heat(ctx, &args.input, video.into_source(), watching, &config, options, observer).map(Some)
}

#[cfg(not(feature = "onnx"))]
fn objects(
    _: &GpuContext,
    _: &ChunkRunArgs,
    _: ChunkVideo,
    _: &PipelineOptions,
    _: &mut dyn Observer,
) -> Result<Option<HeatFound>> {
    Ok(None)
}

/// A plan where something is worth it, written into the folder.
fn planned(
    global: &Global,
    ctx: &GpuContext,
    args: &ChunkRunArgs,
    video: &ChunkVideo,
    (out, mode): (&mut Output, Mode),
    signals: &Signals,
) -> Result<ChunkPlan> {
    let options = pipeline(&args.open, signals);
    let mut bar = Progress::new(mode, &format!("{}: heat map", video.facts.name), video.facts.frames);
    let again = || ChunkVideo::open(&args.input, &opening(global, &args.open, signals)?);
    let mut found = objects(ctx, args, again()?, &options, &mut bar.counting(out))?;
    if found.as_ref().is_some_and(|f| f.subject.is_none()) {
        out.note("the detector sees nothing in whole frames: chunks go where it moves");
        found = None;
    }
    let found = match found {
        Some(found) => found,
        None => {
            let (source, config) = (again()?.into_source(), HeatConfig::default());
            heat_of(ctx, &args.input, source, &config, &options, &mut bar.counting(out))?
        }
    };
    bar.finish();
    let sizes = if args.sizes.is_empty() { sizes(found.frame) } else { args.sizes.clone() };
    let map = found.map.resized(found.frame)?;
    let plan = match found.subject {
        Some(size) => {
            let preset = PlanParams::for_objects(size);
            // Sizes that hold an object whole, if some do.
            let room = preset.overlap + 2 * preset.factor + preset.subject.into_iter().max().unwrap_or(0);
            let roomy: Vec<[u32; 2]> = sizes.iter().copied().filter(|[w, h]| *w.min(h) >= room).collect();
            let sizes = if roomy.is_empty() || !args.sizes.is_empty() { sizes } else { roomy };
            plan_moving(&map, &found.activity, &PlanParams { sizes, ..preset }.with_room())?
        }
        None => plan(&map, &PlanParams { sizes, ..PlanParams::default() })?.scheduled(&map, &found.activity)?,
    };
    let folder = args.output.join("plan");
    std::fs::create_dir_all(&folder).map_err(|e| Error::storage("create the output folder", &folder, e))?;
    write_plan(&OsIo, &folder, &format!("Chunks for {}", video.facts.name), &map, Some(&found.activity), &plan)?;
    out.note(&format!(
        "{} chunks cover {:.2} % of the heat: {}",
        plan.chunks.len(),
        plan.active_coverage * 100.0,
        folder.join("plan.png").display()
    ));
    Ok(plan)
}

/// The plan drawn on the frames of a video.
pub(crate) fn preview(
    (video, seconds): (&Path, f64),
    plan: &ChunkPlan,
    path: &Path,
    (out, mode): (&mut Output, Mode),
    signals: &Signals,
) -> Result<Preview> {
    let options = DecodeOptions { cancel: signals.cancel.clone(), ..DecodeOptions::default() };
    let video = ChunkVideo::open(video, &options)?;
    let mut bar = Progress::new(mode, &format!("{}: preview", video.facts.name), video.facts.expected(Some(seconds)));
    let placement = Placement::of_plan(plan)?;
    let made = write_preview(video, &placement, path, Some(seconds), &mut bar.counting(out));
    bar.finish();
    made
}

/// `--dry-run`.
fn cost(
    args: &ChunkRunArgs,
    video: &ChunkVideo,
    plan: Option<&ChunkPlan>,
    config: &ProcessConfig,
    out: &mut Output,
) -> Result<u8> {
    let frames = video.facts.expected(config.seconds);
    let facts = &video.facts;
    let about = match (plan, facts.fps) {
        (Some(plan), fps) => {
            let placement = Placement::of_plan(plan)?;
            if placement.frame != facts.size {
                let message = format!("the plan was made for frames of {}, these are {}", placement.frame, facts.size);
                return Err(Error::Usage { message, hint: Some("plan anew with a heat map of this video".into()) });
            }
            let length = frames.zip(fps).map_or(f64::INFINITY, |(n, fps)| n as f64 / fps);
            let span = [facts.start, facts.start + length];
            let share = |c: &frameloom::workflows::chunk::plan::Chunk| match (&c.active, length.is_finite()) {
                (Some(s), true) => s.seconds_within(span) / length.max(1e-9),
                _ => 1.0,
            };
            let per_frame: f64 = plan.chunks.iter().map(|c| share(c) * c.pixels() as f64).sum();
            let tiles: f64 = plan.chunks.iter().map(share).sum::<f64>() * frames.unwrap_or(0) as f64;
            let of_frame = per_frame / facts.size.area().max(1) as f64;
            out.event(
                "item",
                json!({
                    "input": args.input.to_string_lossy(), "folder": args.output.to_string_lossy(), "frames": frames,
                    "chunks": plan.chunks.len(), "tiles": tiles.round(), "pixels_per_frame": per_frame.round(),
                    "share_of_frame": of_frame, "tile_bytes": placement.pixels() * 8 * u64::from(args.open.batch),
                }),
            );
            format!(
                "{} chunks, about {tiles:.0} tiles, {per_frame:.0} pixels a frame on average ({:.1} % of the frame)",
                plan.chunks.len(),
                of_frame * 100.0
            )
        }
        (None, _) => {
            out.event("item", json!({ "input": args.input.to_string_lossy(), "frames": frames, "chunks": null }));
            "a heat map and a plan first (one more pass over the video); their cost is known then".into()
        }
    };
    out.text(&printable(&format!(
        "{} -> {}: {} frames of {}, effect {}: {about}",
        args.input.display(),
        args.output.display(),
        frames.map_or_else(|| "unknown".into(), |f| f.to_string()),
        facts.size,
        args.effect
    )));
    out.event("result", json!({ "dry_run": true }));
    Ok(0)
}

fn finish(folder: &Path, o: &ChunkOutcome, seconds: f64, out: &mut Output) -> u8 {
    for reason in &o.reasons {
        out.warn(reason);
    }
    for note in &o.notes {
        out.note(note);
    }
    let share = 100.0 * o.pixels as f64 / o.frame_pixels.max(1) as f64;
    let how = if o.cached { "kept, nothing had changed" } else { "written" };
    out.note(&format!(
        "{} frames, {} tiles, {share:.1} % of the pixels processed; {how} ({seconds:.1} s)",
        o.frames, o.tiles
    ));
    let code = if o.reasons.is_empty() { 0 } else { 3 };
    out.event(
        "result",
        json!({
            "folder": folder.to_string_lossy(), "video": o.video, "frames": o.frames, "tiles": o.tiles, "pixels": o.pixels,
            "frame_pixels": o.frame_pixels, "detections": o.detections, "reasons": o.reasons, "notes": o.notes,
            "cached": o.cached, "seconds": seconds, "exit": code,
        }),
    );
    let shown = o.video.as_deref().unwrap_or("detections.jsonl");
    out.text(&printable(&folder.join(shown).to_string_lossy()));
    code
}

/// Flags over environment over file, of `proxy`.
pub(crate) fn proxy_layers(args: &ProxyArgs) -> Result<Layers> {
    Ok(layers(args.config.as_deref(), "FRAMELOOM_PROXY_")?
        .flag("--scale", "scale", args.scale)
        .flag("--multiple", "multiple", args.multiple)
        .flag("--audio", "audio", args.audio.then_some(true))
        .flag("--crf", "crf", args.crf))
}

pub(crate) fn proxy(global: &Global, args: &ProxyArgs, out: &mut Output, signals: &Signals, mode: Mode) -> Result<u8> {
    let config: ProxyConfig = args.set.lay(proxy_layers(args)?).resolve()?.settings;
    let video = ChunkVideo::open(&args.input, &opening(global, &args.open, signals)?)?;
    out.event("start", json!({ "command": "proxy", "input": args.input.to_string_lossy(), "settings": config }));
    let ctx = context(global, &args.open, out)?;
    let mut bar = Progress::new(mode, &video.facts.name, video.facts.frames);
    let pipeline = pipeline(&args.open, signals);
    let report = write_proxy(&ctx, video, &args.output, &config, &pipeline, &mut bar.counting(out));
    bar.finish();
    let report = report?;
    report.reasons.iter().for_each(|reason| out.warn(reason));
    report.notes.iter().for_each(|note| out.note(note));
    let [width, height] = report.size;
    out.note(&format!("{} frames of {width}x{height}, {:.1} MB", report.frames, report.bytes as f64 / 1e6));
    let code = if report.reasons.is_empty() { 0 } else { 3 };
    out.event("result", json!({ "proxy": report, "exit": code }));
    out.text(&printable(&report.path.to_string_lossy()));
    Ok(code)
}
