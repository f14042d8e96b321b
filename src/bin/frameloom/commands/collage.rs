//! `frameloom collage`: a video rebuilt from the pictures of a pool.

use std::path::{Path, PathBuf};

use frameloom::config::{Effective, Layers};
use frameloom::core::Shard;
use frameloom::gpu::GpuContext;
use frameloom::media::DecodeOptions;
use frameloom::ops::RowSample;
use frameloom::pipeline::PipelineOptions;
use frameloom::workflows::collage::run::{
    CollageConfig, CollageOptions, CollageOutcome, CollageVideo, Comparison, MethodResult, claim_output, collage,
    collage_part, compare,
};
use frameloom::workflows::collage::{
    CollageSettings, DescriptorConfig, FeatureLayout, FeatureMethod, Networks, Pool, PoolConfig, Scan,
};
use frameloom::{Error, Result};
use serde_json::json;

use super::index::{context, options, prepare, update};
use super::merge::{Part, PartDone};
use crate::args::Global;
use crate::collage_args::{CollageArgs, CollageCommand, LayoutArg, known, layers, networks};
use crate::output::{Output, limits_from, printable};
use crate::progress::{Mode, Stages};
use crate::signals::Signals;

pub(crate) fn run(
    global: &Global,
    args: &CollageArgs,
    out: &mut Output,
    signals: &Signals,
    progress: Mode,
) -> Result<u8> {
    if let Some(command) = &args.command {
        return side_by_side(global, command, out, signals);
    }
    let (Some(video), Some(images)) = (args.video.as_deref(), args.images.as_deref()) else {
        return Err(Error::usage("wanted: a video and a folder of pictures"));
    };
    let started = std::time::Instant::now();
    let given: Effective<CollageSettings> = args.set.lay(settings_layers(args)?).resolve()?;
    let (untouched, settings) = (given.untouched("descriptor"), given.settings);
    if args.descriptor.force_mobilenet_export {
        out.note("--force-mobilenet-export: nothing to do, networks are read from the files that a models.toml lists");
    }
    let folder = folder(args, video);
    let limits = limits_from(&args.work.limits)?;
    let opening = DecodeOptions {
        track: args.track,
        hardware: args.hwaccel.as_str().into(),
        limits: limits.clone(),
        cancel: signals.cancel.clone(),
        isolation: args.isolate.isolation(false, args.work.memory.bytes())?,
        sharing: global.sharing.clone(),
        ..DecodeOptions::default()
    };
    let opened = CollageVideo::open(video, &opening)?;
    let mut config = settings.config(opened.tile_aspect(settings.output.tiles));
    config.check()?;
    let ready = images.join("index.json").is_file();
    let mut model = settings.descriptor.model.clone();
    if ready {
        // An index decides how pictures are described, where nothing else was asked for.
        config.descriptor = Pool::open(images)?.fit(&config.descriptor, untouched);
        model = model.or_else(|| config.descriptor.network.as_ref().map(|n| n.name.clone()));
    }
    let networks = networks(&mut config.descriptor, model.as_deref(), &args.work.models)?;
    out.event(
        "start",
        json!({
            "command": "collage", "input": video.to_string_lossy(), "images": images.to_string_lossy(),
            "descriptor": config.descriptor, "select": config.select,
        }),
    );
    if ready && args.index.is_some() {
        return Err(Error::usage("IMAGES is an index already; `--index` has no meaning then"));
    }
    if args.shard.is_some() && !ready {
        return Err(Error::Usage {
            message: format!("a part of a collage needs an index, and {} is none", images.display()),
            hint: Some(
                "make it once with `frameloom index build` (in parts, if you like), and give it to all parts".into(),
            ),
        });
    }
    if args.dry_run {
        return plan(args, (&opened, images), &config, &folder, ready, out);
    }
    claim_output(&folder)?;
    let ctx = context(global, &args.work.memory, out)?;
    let at = if ready { images.to_path_buf() } else { args.index.clone().unwrap_or_else(|| folder.join("index")) };
    let mut code = 0;
    if !ready {
        code = index(&ctx, (args, images), &at, &config, (&networks, signals), out, progress)?;
    }
    let pool = Pool::open(&at)?;
    if settings.search.is_none() {
        config.search = pool.search_spec()?;
    }
    prepare(&ctx, &pool, &config.search, out)?;
    let usual = CollageOptions::default();
    let options = CollageOptions {
        pipeline: PipelineOptions { batch: 16, cancel: signals.cancel.clone(), ..usual.pipeline },
        threads: args.work.threads.map_or(usual.threads, |n| n as usize),
        save_every: args.checkpoint_batch as usize,
        networks,
        limits,
        restart: args.restart,
    };
    if let Some(shard) = args.shard {
        return part(&ctx, opened, &pool, (&folder, shard), (&config, &options), out, progress);
    }
    let outcome = show(&ctx, opened, &pool, &folder, (&config, &options), out, progress)?;
    if !outcome.reasons.is_empty() {
        code = 3;
    }
    finish(&folder, &outcome, started.elapsed().as_secs_f64(), code, out);
    Ok(code)
}

/// Brings the index of the pictures up to date.
fn index(
    ctx: &GpuContext,
    (args, images): (&CollageArgs, &Path),
    at: &Path,
    config: &CollageConfig,
    (networks, signals): (&Networks, &Signals),
    out: &mut Output,
    progress: Mode,
) -> Result<u8> {
    let pool = PoolConfig { descriptor: config.descriptor.clone(), search: config.search.clone() };
    let options = options(&args.work, networks.clone(), signals)?;
    let mut scan = Scan::of(&[images.to_path_buf()], true, &options.limits)?;
    if args.demo {
        scan = scan.first(args.demo_images);
    }
    let report = update(ctx, at, scan, (&pool, &options), out, progress)?;
    out.note(&format!("{} pictures, {} of them described now", report.pictures, report.computed));
    Ok(if report.unusable.is_empty() { 0 } else { 3 })
}

fn show(
    ctx: &GpuContext,
    video: CollageVideo,
    pool: &Pool,
    folder: &Path,
    (config, options): (&CollageConfig, &CollageOptions),
    out: &mut Output,
    progress: Mode,
) -> Result<CollageOutcome> {
    let name = video.facts.name.clone();
    let label = |stage: &str| format!("{name}: {}", if stage == "match" { "matching" } else { "writing" });
    let mut stages = Stages::new(progress, out, label);
    let outcome = collage(ctx, video, pool, folder, config, options, &mut stages);
    stages.finish();
    outcome
}

/// A part: the nearest pictures of its frames.
fn part(
    ctx: &GpuContext,
    video: CollageVideo,
    pool: &Pool,
    (folder, shard): (&Path, Shard),
    (config, options): (&CollageConfig, &CollageOptions),
    out: &mut Output,
    progress: Mode,
) -> Result<u8> {
    let started = std::time::Instant::now();
    let label = format!("{}: matching", video.facts.name);
    let mut stages = Stages::new(progress, out, |_| label.clone());
    let done = collage_part(ctx, video, pool, folder, shard, config, options, &mut stages);
    stages.finish();
    let done = done?;
    let units = usize::try_from(done.units).unwrap_or(usize::MAX);
    let part = Part::of_one(("collage", "matches"), shard, units, &config.descriptor, done.reasons.is_empty())?;
    let done = PartDone {
        mine: done.mine,
        frames: Some(done.frames),
        reasons: &done.reasons,
        seconds: started.elapsed().as_secs_f64(),
        what: "units of the timeline matched",
        next: "puts the parts together",
    };
    part.tell(folder, &done, out)
}

fn finish(folder: &Path, o: &CollageOutcome, seconds: f64, code: u8, out: &mut Output) {
    for reason in &o.reasons {
        out.warn(reason);
    }
    for note in &o.notes {
        out.note(note);
    }
    let report = folder.join("report.html");
    let how = if o.cached { "kept, nothing had changed" } else { "written" };
    out.note(&format!(
        "{} frames matched with {} pictures, {} shown; {how} ({seconds:.1} s): {}",
        o.frames,
        o.used,
        o.shown,
        report.display()
    ));
    out.event(
        "result",
        json!({
            "folder": folder.to_string_lossy(), "report": report.to_string_lossy(), "frames": o.frames, "shown": o.shown,
            "pictures_used": o.used, "total_similarity": o.total_similarity, "video": o.video, "reasons": o.reasons,
            "notes": o.notes, "cached": o.cached, "resumed": o.resumed, "seconds": seconds, "exit": code,
        }),
    );
}

fn folder(args: &CollageArgs, video: &Path) -> PathBuf {
    args.out.clone().or_else(|| args.output.clone()).unwrap_or_else(|| {
        let mut name = video.file_stem().map_or_else(|| "video".into(), std::ffi::OsStr::to_os_string);
        name.push(".collage");
        name.into()
    })
}

/// Flags over environment over file.
pub(crate) fn settings_layers(args: &CollageArgs) -> Result<Layers> {
    let layers = layers(args.config.as_deref(), "FRAMELOOM_COLLAGE_")?;
    let layers = args.show.lay(args.selection.lay(args.search.lay(args.descriptor.lay(layers))));
    Ok(layers.flag("--demo-seconds", "output.seconds", args.demo.then_some(args.demo_seconds)))
}

/// `--dry-run`: what would be done.
fn plan(
    args: &CollageArgs,
    (video, images): (&CollageVideo, &Path),
    config: &CollageConfig,
    folder: &Path,
    ready: bool,
    out: &mut Output,
) -> Result<u8> {
    let facts = &video.facts;
    let count = if ready {
        Pool::open(images)?.pictures().len()
    } else {
        let found = Scan::of(&[images.to_path_buf()], true, &limits_from(&args.work.limits)?)?.files.len();
        if args.demo { found.min(args.demo_images) } else { found }
    };
    let dim = config.descriptor.dim()?;
    let spec = &config.search;
    let count = u32::try_from(count).unwrap_or(u32::MAX);
    let memory = spec.memory_of((count, dim as usize, RowSample::F32), true, false)?;
    let index_bytes = if ready { 0 } else { u64::from(count) * (u64::from(dim) * 4 + 200) };
    // Matches, thumbnails and results of a frame, measured; of the video only the encoder knows.
    let disk = index_bytes + facts.frames.unwrap_or(0) * 10_000;
    out.event(
        "item",
        json!({
            "input": facts.path.to_string_lossy(), "folder": folder.to_string_lossy(), "frames": facts.frames,
            "size": facts.size.to_string(), "aspect": video.aspect(), "pictures": count, "dim": dim,
            "mapped_bytes": memory.rows_mapped, "memory_bytes": memory.needed(), "disk_bytes": disk,
        }),
    );
    out.text(&printable(&format!(
        "{} -> {}: {} frames of {} against {count} pictures of {dim} numbers{}; searching maps {:.1} MB and holds {:.1} MB; \
         about {:.1} MB on disk beside the video",
        facts.path.display(),
        folder.display(),
        facts.frames.map_or_else(|| "unknown".into(), |f| f.to_string()),
        facts.size,
        if ready { ", indexed already" } else { "" },
        memory.rows_mapped as f64 / 1e6,
        memory.needed() as f64 / 1e6,
        disk as f64 / 1e6,
    )));
    out.event("result", json!({ "dry_run": true }));
    Ok(0)
}

/// `frameloom collage compare`.
fn side_by_side(global: &Global, command: &CollageCommand, out: &mut Output, signals: &Signals) -> Result<u8> {
    let CollageCommand::Compare {
        video,
        images,
        output,
        frames,
        demo_images,
        comparison_size,
        layout,
        spatial_grid,
        work,
    } = command;
    out.event("start", json!({ "command": "collage compare", "input": video.to_string_lossy(), "frames": frames }));
    let limits = limits_from(&work.limits)?;
    let opening = DecodeOptions { limits: limits.clone(), cancel: signals.cancel.clone(), ..DecodeOptions::default() };
    let aspect = CollageVideo::open(video, &opening)?.aspect();
    let config = CollageConfig::new(DescriptorConfig {
        aspect,
        comparison_size: *comparison_size,
        layout: if *layout == LayoutArg::Legacy { FeatureLayout::Legacy } else { FeatureLayout::Reduced },
        spatial_grid: *spatial_grid,
        ..DescriptorConfig::default()
    });
    config.check()?;
    let scan = Scan::of(std::slice::from_ref(images), true, &limits)?.first(*demo_images);
    // Methods whose networks are not there are left out, and named.
    let networks = known(&work.models)?;
    let base = |method| DescriptorConfig { method, ..config.descriptor.clone() };
    let mut methods: Vec<DescriptorConfig> = FeatureMethod::ALL.map(base).into();
    for method in FeatureMethod::NEURAL {
        let mut descriptor = DescriptorConfig { spatial_grid: 2, ..base(method) };
        match networks.complete(&mut descriptor, method.name()) {
            Ok(()) => methods.push(descriptor),
            Err(e) => out.note(&format!("without {method}: {e}")),
        }
    }
    let ctx = context(global, &work.memory, out)?;
    let usual = CollageOptions::default();
    let options = CollageOptions {
        pipeline: PipelineOptions { batch: 16, cancel: signals.cancel.clone(), ..usual.pipeline },
        threads: work.threads.map_or(usual.threads, |n| n as usize),
        networks,
        limits,
        ..usual
    };
    let what =
        Comparison { video, opening: &opening, scan: &scan, config: &config, methods: &methods, frames: *frames };
    out.text(&format!("{:<16} {:>8} {:>10} {:>10} {:>11}", "method", "numbers", "index s", "match s", "similarity"));
    let method = |_, r: MethodResult| {
        out.text(&format!(
            "{:<16} {:>8} {:>10.2} {:>10.2} {:>11.3}",
            r.method.name(),
            r.dim,
            r.index_seconds,
            r.match_seconds,
            r.similarity
        ));
        out.event("item", json!(r));
        Ok(())
    };
    let results = compare(&ctx, &what, output, &options, &mut ((), method))?;
    let page = output.join("comparison.html");
    out.note(&format!("written: {}", page.display()));
    out.event("result", json!({ "methods": results.len(), "report": page.to_string_lossy() }));
    Ok(0)
}
