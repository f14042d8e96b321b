//! `frameloom heatmap` and `frameloom chunk plan`.

mod input;
mod part;

use std::path::Path;

use frameloom::config::{Format, Layers};
use frameloom::core::{ByteBudget, Limits, Size};
use frameloom::gpu::GpuOptions;
use frameloom::media::{DecodeHint, decode_image};
use frameloom::pipeline::resident;
use frameloom::store::{OsIo, output_folder};
use frameloom::workflows::analyze::{OpenOptions, open_input};
use frameloom::workflows::chunk::heat::{BoxMark, HeatConfig, HeatInput, HeatOutcome, heat_video};
use frameloom::workflows::chunk::plan::{
    HeatMap, PlanParams, Segmentation, plan, plan_moving, plan_original, plan_segments,
};
use frameloom::workflows::chunk::{read_activity, read_heat, read_sidecar, write_plan};
use frameloom::{Error, Result};
use serde_json::json;

use self::input::{content, options, reasons_at, watching};
use crate::args::Global;
use crate::chunk_args::{ChunkPlanArgs, HeatmapArgs, SegmentsArgs};
use crate::output::{Output, printable};
use crate::progress::{Mode, Progress};
use crate::signals::Signals;

fn layers(config: Option<&Path>, prefix: &str) -> Result<Layers> {
    layers_over(Layers::new(), config, prefix)
}

/// The same over a preset.
fn layers_over(preset: Layers, config: Option<&Path>, prefix: &str) -> Result<Layers> {
    let layers = match config {
        Some(path) => preset.file(path)?,
        None => preset,
    };
    layers.environment(prefix, std::env::vars_os())
}

fn list<T: serde::Serialize>(values: &[T]) -> Option<serde_json::Value> {
    (!values.is_empty()).then(|| json!(values))
}

/// The output folder, without unfinished files of runs that were killed: these commands keep no state that would sweep them out.
pub(crate) fn folder(path: &Path) -> Result<()> {
    output_folder(&OsIo, path)
}

/// Flags over environment over file, of `heatmap`.
pub(crate) fn heat_layers(args: &HeatmapArgs) -> Result<Layers> {
    Ok(layers(args.config.as_deref(), "FRAMELOOM_HEATMAP_")?
        .flag("--source", "source", args.source.map(|s| s.name()))
        .flag("--threshold", "threshold", args.threshold)
        .flag("--side", "side", args.side)
        .flag("--step", "step", args.step)
        .flag("--flow-full", "flow_full", args.flow_full)
        .flag("--color-low", "color_low", args.color_low.map(|c| json!(c)))
        .flag("--color-high", "color_high", args.color_high.map(|c| json!(c)))
        .flag("--model", "model", args.model.clone())
        .flag("--score", "score", args.score)
        .flag("--classes", "classes", list(&args.classes))
        .flag("--mark", "mark", args.mark.map(|m| m.name()))
        .flag("--every", "every", args.every)
        .flag("--face-weight", "face_weight", args.face_weight)
        .flag("--face-model", "face_model", args.face_model.clone()))
}

pub(crate) fn run(global: &Global, args: &HeatmapArgs, out: &mut Output, signals: &Signals, mode: Mode) -> Result<u8> {
    let config: HeatConfig = args.set.lay(heat_layers(args)?).resolve()?.settings;
    let isolation = args.isolate.isolation(false, args.memory_limit << 20)?;
    let decode = args.decode.options(global, args.track, isolation, signals)?;
    let opening = OpenOptions { decode, ..OpenOptions::default() };
    out.event("start", json!({ "command": "heatmap", "settings": config }));
    let budget = ByteBudget::new("host", args.memory_limit << 20);
    let ctx = global.open(&GpuOptions { device: global.device.clone(), budget, ..GpuOptions::default() })?;
    if let Some(warning) = ctx.software_warning() {
        out.warn(&warning);
    }
    let input = open_input(&args.input, &args.output, &opening)?;
    let held = resident().map_or(0, |r| r.anonymous) + (8 << 20) + input.source_bytes;
    let _base = ctx.pool().budget().try_acquire(held)?;
    let label = args.input.file_name().unwrap_or(args.input.as_os_str()).to_string_lossy().into_owned();
    let declared = input.info.as_ref().and_then(|i| i.expected_frames(args.track));
    let watching = watching(&ctx, args, &config, &opening.decode.limits)?;
    let content = content(args, &config, &input, signals)?;
    let reasons = reasons_at(&input.end);
    let what = HeatInput { path: &args.input, source: input.source, content, reasons: &reasons };
    let options = options(args, signals);
    if let Some(shard) = args.part.shard {
        let bar = Progress::new(mode, &label, declared.map(|n| n / u64::from(shard.count())));
        return part::run(&ctx, (what, watching), (&args.output, shard), &config, &options, (out, bar));
    }
    let started = std::time::Instant::now();
    let mut bar = Progress::new(mode, &label, declared);
    let done = heat_video(&ctx, what, watching, &args.output, &config, &options, &mut bar.counting(out));
    bar.finish();
    let HeatOutcome { frames, reasons, cached, resumed, .. } = done?;
    for reason in &reasons {
        out.warn(reason);
    }
    let seconds = started.elapsed().as_secs_f64();
    let speed = frames.saturating_sub(resumed) as f64 / seconds.max(1e-9);
    out.note(&match (cached, resumed) {
        (true, _) => format!("{frames} frames, kept from an earlier run"),
        (_, 0) => format!("{frames} frames, {seconds:.1} s, {speed:.0} frames/s"),
        _ => format!("{frames} frames, {seconds:.1} s, {speed:.0} frames/s, gone on with behind frame {resumed}"),
    });
    let code = if reasons.is_empty() { 0 } else { 3 };
    let written = args.output.join("heat.npy");
    out.event(
        "result",
        json!({
            "heat": written.to_string_lossy(), "frames": frames, "seconds": seconds, "cached": cached, "resumed": resumed,
            "stats": read_sidecar(&written)?.map(|s| s.stats), "reasons": reasons, "exit": code,
        }),
    );
    out.text(&printable(&written.to_string_lossy()));
    Ok(code)
}

/// Settings of a plan for objects, of the size that the heat map says unless one is given.
/// What is larger than a chunk has room for is cut to that: no chunk holds it whole.
fn objects(heat: &Path, size: Option<[u32; 2]>, sizes: &[[u32; 2]]) -> Result<String> {
    let said = read_sidecar(heat)?;
    let middles = said.as_ref().is_some_and(|s| s.settings.mark == BoxMark::Middle);
    let measured = said.and_then(|s| s.subject).filter(|_| middles);
    let size = size.or(measured).ok_or_else(|| Error::Usage {
        message: format!("`{}` does not say how large objects are", heat.display()),
        hint: Some("give it, as in --objects=40x90, or make the map with `--source detections --mark middle`".into()),
    })?;
    let mut preset = if middles { PlanParams::for_objects(size) } else { PlanParams::for_moving_objects(size) };
    if !sizes.is_empty() {
        preset.sizes = sizes.to_vec();
    }
    let PlanParams { coverage, threshold, overlap, subject: [w, h], lead_in, hold, segment, .. } = preset.with_room();
    let segment = segment.unwrap_or(1.0);
    Ok(format!(
        "coverage = {coverage:?}\nthreshold = {threshold:?}\noverlap = {overlap}\nsubject = [{w}, {h}]\nlead_in = {lead_in:?}\n\
         hold = {hold:?}\nsegment = {segment:?}\n"
    ))
}

/// Flags over environment over file over a preset, of `chunk plan`.
pub(crate) fn plan_layers(args: &ChunkPlanArgs) -> Result<Layers> {
    let preset = match args.objects {
        Some(size) => Layers::new().text("--objects", Format::Toml, &objects(&args.heat, size, &args.sizes)?)?,
        None => Layers::new(),
    };
    Ok(layers_over(preset, args.config.as_deref(), "FRAMELOOM_CHUNK_PLAN_")?
        .flag("--sizes", "sizes", list(&args.sizes))
        .flag("--factor", "factor", args.factor)
        .flag("--rotate", "rotate", args.rotate)
        .flag("--coverage", "coverage", args.coverage)
        .flag("--threshold", "threshold", args.threshold)
        .flag("--overlap", "overlap", args.overlap)
        .flag("--halo", "halo", args.halo)
        .flag("--subject", "subject", args.subject.map(|s| json!(s)))
        .flag("--scales", "scales", list(&args.scales))
        .flag("--region", "regions", list(&args.regions))
        .flag("--exclude", "exclude", list(&args.exclude))
        .flag("--lead-in", "lead_in", args.lead_in)
        .flag("--hold", "hold", args.hold)
        .flag("--segment", "segment", args.segment))
}

pub(crate) fn run_plan(args: &ChunkPlanArgs, out: &mut Output, signals: &Signals, mode: Mode) -> Result<u8> {
    let params: PlanParams = args.set.lay(plan_layers(args)?).resolve()?.settings;
    out.event("start", json!({ "command": "chunk plan", "settings": params }));
    let map = read_heat(&args.heat, args.frame.map(|[w, h]| Size::new(w, h)))?;
    let map = match &args.mask {
        None => map,
        Some(path) => {
            let mask = decode_image(path, &Limits::default(), DecodeHint::default())?;
            let bright = |[r, g, b, _]: &[u8; 4]| ((u32::from(*r) + 2 * u32::from(*g) + u32::from(*b)) / 4) as u8;
            map.masked(mask.size, &mask.rgba.as_chunks::<4>().0.iter().map(bright).collect::<Vec<u8>>())?
        }
    };
    let started = std::time::Instant::now();
    // Activity of frames of another size would say nothing about these.
    let activity = read_activity(&args.heat)?.filter(|a| !args.original && a.frame() == map.size());
    let plan = match &activity {
        _ if args.original => plan_original(&map, &params)?,
        Some(activity) if params.segment.is_some() => plan_moving(&map, activity, &params)?,
        None if params.segment.is_some() => {
            let message = "needs the activity of the heat map, which `frameloom heatmap` writes beside it".into();
            return Err(Error::Config { field: "segment".into(), message });
        }
        Some(activity) => plan(&map, &params)?.scheduled(&map, activity)?,
        None => plan(&map, &params)?,
    };
    let seconds = started.elapsed().as_secs_f64();
    folder(&args.output)?;
    let name = args.heat.file_name().unwrap_or(args.heat.as_os_str()).to_string_lossy().into_owned();
    write_plan(&OsIo, &args.output, &format!("Chunks for {name}"), &map, activity.as_ref(), &plan)?;
    out.note(&format!(
        "{} chunks cover {:.2} % of the heat with {:.1} % of the pixels of the frame and {:.1} % of those of a grid",
        plan.chunks.len(),
        plan.active_coverage * 100.0,
        (1.0 - plan.cost.saving_against_frame) * 100.0,
        (1.0 - plan.cost.saving_against_grid) * 100.0,
    ));
    if let Some(video) = &args.preview {
        let path = args.output.join("preview.mp4");
        let made = super::chunk_run::preview((video, args.preview_seconds), &plan, &path, (&mut *out, mode), signals)?;
        out.note(&format!("{} frames with the plan drawn on them: {}", made.frames, made.path.display()));
    }
    let written = args.output.join("chunks.json");
    out.event(
        "result",
        json!({
            "plan": written.to_string_lossy(), "chunks": plan.chunks.len(), "active_coverage": plan.active_coverage,
            "timed_coverage": plan.timed_coverage, "stats": plan.stats, "cost": plan.cost, "seconds": seconds, "exit": 0,
        }),
    );
    out.text(&printable(&written.to_string_lossy()));
    Ok(0)
}

pub(crate) fn run_segments(args: &SegmentsArgs, out: &mut Output) -> Result<u8> {
    let frame = Size::new(args.frame[0], args.frame[1]);
    let how = match (args.how.auto, args.how.strips, args.how.grid) {
        (Some(size), ..) => Segmentation::Auto(size),
        (_, Some(count), _) => Segmentation::Strips(count),
        (.., count) => Segmentation::Grid(count.unwrap_or(0)),
    };
    out.event("start", json!({ "command": "chunk segments", "frame": args.frame, "how": how }));
    let plan = plan_segments(frame, how, args.factor, args.original)?;
    let even = HeatMap::new(frame, vec![1.0; frame.area() as usize])?;
    folder(&args.output)?;
    write_plan(&OsIo, &args.output, &format!("Segments of {frame}"), &even, None, &plan)?;
    let (chunks, coverage) = (plan.chunks.len(), plan.active_coverage);
    out.note(&format!("{chunks} segments cover {:.2} % of the frame", coverage * 100.0));
    let written = args.output.join("chunks.json");
    let plan = written.to_string_lossy();
    out.event("result", json!({ "plan": plan, "chunks": chunks, "coverage": coverage, "exit": 0 }));
    out.text(&printable(&plan));
    Ok(0)
}
