//! `frameloom heatmap` and `frameloom chunk plan`.

use std::path::Path;

use frameloom::config::Layers;
use frameloom::core::{ByteBudget, Size};
use frameloom::gpu::{GpuContext, GpuOptions};
use frameloom::media::HardwareDecode;
use frameloom::pipeline::{PipelineOptions, resident};
use frameloom::store::OsIo;
use frameloom::workflows::analyze::{OpenOptions, open_input};
use frameloom::workflows::chunk::heat::{HeatConfig, heat_of};
use frameloom::workflows::chunk::plan::{PlanParams, plan, plan_original};
use frameloom::workflows::chunk::{read_activity, read_heat, write_heat, write_plan};
use frameloom::{Error, Result};
use serde_json::json;

use crate::args::Global;
use crate::chunk_args::{ChunkPlanArgs, HeatmapArgs};
use crate::output::{Output, limits_from, printable};
use crate::progress::{Mode, Progress};
use crate::signals::Signals;

fn layers(config: Option<&Path>, prefix: &str) -> Result<Layers> {
    let layers = match config {
        Some(path) => Layers::new().file(path)?,
        None => Layers::new(),
    };
    layers.environment(prefix, std::env::vars_os())
}

fn folder(path: &Path) -> Result<()> {
    std::fs::create_dir_all(path).map_err(|e| Error::storage("create the output folder", path, e))
}

pub(crate) fn run(global: &Global, args: &HeatmapArgs, out: &mut Output, signals: &Signals, mode: Mode) -> Result<u8> {
    let config: HeatConfig = layers(args.config.as_deref(), "FRAMELOOM_HEATMAP_")?
        .flag("--source", "source", args.source.map(|s| s.name()))
        .flag("--threshold", "threshold", args.threshold)
        .flag("--side", "side", args.side)
        .flag("--step", "step", args.step)
        .resolve()?
        .settings;
    let cores = std::thread::available_parallelism().map_or(1, usize::from) as u32;
    let opening = OpenOptions {
        track: args.track,
        threads: args.threads.unwrap_or(cores.min(8)),
        hardware: HardwareDecode::Off,
        limits: limits_from(&args.limits)?,
        fps: 25,
        cancel: signals.cancel.clone(),
    };
    out.event("start", json!({ "command": "heatmap", "settings": config }));
    let budget = ByteBudget::new("host", args.memory_limit << 20);
    let ctx = GpuContext::new(&GpuOptions { device: global.device.clone(), budget, ..GpuOptions::default() })?;
    if let Some(warning) = ctx.software_warning() {
        out.warn(&warning);
    }
    let input = open_input(&args.input, &args.output, &opening)?;
    let held = resident().map_or(0, |r| r.anonymous) + (8 << 20) + input.source_bytes;
    let _base = ctx.pool().budget().try_acquire(held)?;
    let label = args.input.file_name().unwrap_or(args.input.as_os_str()).to_string_lossy().into_owned();
    let declared = input.info.as_ref().and_then(|i| i.video_streams.get(args.track)).and_then(|s| s.nb_frames_declared);
    let mut progress = Progress::new(mode, &label, declared);
    let options = PipelineOptions { batch: args.batch, cancel: signals.cancel.clone(), ..PipelineOptions::default() };
    let started = std::time::Instant::now();
    let found = heat_of(&ctx, &args.input, input.source, &config, &options, &mut |frames| progress.add(frames, out));
    progress.finish();
    let found = found?;
    folder(&args.output)?;
    write_heat(&OsIo, &args.output, &found, &config)?;
    let end = input.end.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
    let reasons = end.verdict.map(|v| v.reasons).unwrap_or_default();
    for reason in &reasons {
        out.warn(reason);
    }
    let seconds = started.elapsed().as_secs_f64();
    out.note(&format!(
        "{} frames, {:.1} s, {:.0} frames/s",
        found.frames,
        seconds,
        found.frames as f64 / seconds.max(1e-9)
    ));
    let code = if reasons.is_empty() { 0 } else { 3 };
    let written = args.output.join("heat.npy");
    out.event(
        "result",
        json!({
            "heat": written.to_string_lossy(), "frames": found.frames, "seconds": seconds, "stats": found.map.stats(),
            "reasons": reasons, "exit": code,
        }),
    );
    out.text(&printable(&written.to_string_lossy()));
    Ok(code)
}

pub(crate) fn run_plan(args: &ChunkPlanArgs, out: &mut Output) -> Result<u8> {
    fn list<T: serde::Serialize>(values: &[T]) -> Option<serde_json::Value> {
        (!values.is_empty()).then(|| json!(values))
    }
    let params: PlanParams = layers(args.config.as_deref(), "FRAMELOOM_CHUNK_")?
        .flag("--sizes", "sizes", list(&args.sizes))
        .flag("--factor", "factor", args.factor)
        .flag("--rotate", "rotate", args.rotate)
        .flag("--coverage", "coverage", args.coverage)
        .flag("--threshold", "threshold", args.threshold)
        .flag("--overlap", "overlap", args.overlap)
        .flag("--halo", "halo", args.halo)
        .flag("--scales", "scales", list(&args.scales))
        .flag("--region", "regions", list(&args.regions))
        .flag("--exclude", "exclude", list(&args.exclude))
        .flag("--lead-in", "lead_in", args.lead_in)
        .flag("--hold", "hold", args.hold)
        .resolve()?
        .settings;
    out.event("start", json!({ "command": "chunk plan", "settings": params }));
    let map = read_heat(&args.heat, args.frame.map(|[w, h]| Size::new(w, h)))?;
    let started = std::time::Instant::now();
    let plan = if args.original { plan_original(&map, &params)? } else { plan(&map, &params)? };
    // Activity of frames of another size would say nothing about these.
    let activity = read_activity(&args.heat)?.filter(|a| !args.original && a.frame() == map.size());
    let plan = match &activity {
        Some(activity) => plan.scheduled(activity)?,
        None => plan,
    };
    let seconds = started.elapsed().as_secs_f64();
    folder(&args.output)?;
    write_plan(&OsIo, &args.output, &map, &plan)?;
    out.note(&format!(
        "{} chunks cover {:.2} % of the heat with {:.1} % of the pixels of the frame and {:.1} % of those of a grid",
        plan.chunks.len(),
        plan.active_coverage * 100.0,
        (1.0 - plan.cost.saving_against_frame) * 100.0,
        (1.0 - plan.cost.saving_against_grid) * 100.0,
    ));
    let written = args.output.join("chunks.json");
    out.event(
        "result",
        json!({
            "plan": written.to_string_lossy(), "chunks": plan.chunks.len(), "active_coverage": plan.active_coverage,
            "stats": plan.stats, "cost": plan.cost, "seconds": seconds, "exit": 0,
        }),
    );
    out.text(&printable(&written.to_string_lossy()));
    Ok(0)
}
