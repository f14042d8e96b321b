//! `frameloom index`: makes, changes, shows and searches the index of a picture pool.

use std::path::{Path, PathBuf};

use frameloom::config::Layers;
use frameloom::core::{Observer, Shard};
use frameloom::gpu::{GpuContext, GpuOptions};
use frameloom::index::{IndexOptions, IndexOrigin, IndexSpec, recall_at, sample_rows};
use frameloom::media::Skipped;
use frameloom::ops::RowSample;
use frameloom::workflows::collage::{
    DescriptorConfig, IndexSettings, Networks, Pool, PoolConfig, PoolOptions, PoolPart, PoolReport, Scan, build_pool,
    pool_part,
};
use frameloom::{Error, Result};
use serde_json::json;

use super::merge::Part;
use crate::args::Global;
use crate::collage_args::{DescriptorArgs, SearchArgs, known, layers, networks, written};
use crate::guard::MemoryArgs;
use crate::index_args::{IndexArgs, IndexCommand, IndexWork};
use crate::output::{Output, limits_from, printable};
use crate::progress::{Mode, Stages};
use crate::signals::Signals;

/// Queries that recall is measured with.
const RECALL_QUERIES: u32 = 200;

pub(crate) fn run(
    global: &Global,
    args: &IndexArgs,
    out: &mut Output,
    signals: &Signals,
    progress: Mode,
) -> Result<u8> {
    match &args.command {
        IndexCommand::Build {
            inputs,
            output,
            config,
            descriptor,
            aspect,
            search,
            set,
            flat,
            restart,
            part,
            dry_run,
            work,
        } => {
            let layers = build_layers(config.as_deref(), (descriptor, *aspect, search))?;
            let wanted = set.lay(layers).resolve::<IndexSettings>()?.settings;
            let mut descriptor = wanted.descriptor.config(wanted.aspect, false);
            let networks = networks(&mut descriptor, wanted.descriptor.model.as_deref(), &work.models)?;
            out.event("start", json!({ "command": "index build", "inputs": inputs.len(), "settings": descriptor }));
            let config = PoolConfig { descriptor, search: wanted.search.unwrap_or_default() };
            let options = PoolOptions { restart: *restart, ..options(work, networks, signals)? };
            let scan = Scan::of(inputs, !flat, &options.limits)?;
            if *dry_run {
                return plan(&scan, &config.descriptor, &config.search, output, out);
            }
            let (ctx, how) = (context(global, &work.memory, out)?, (&config, &options));
            match part.shard {
                Some(shard) => describe(&ctx, (output, shard), &scan, how, out, progress),
                None => build(&ctx, output, scan, how, out, progress),
            }
        }
        IndexCommand::Add { index, inputs, work } => {
            out.event("start", json!({ "command": "index add", "inputs": inputs.len() }));
            change(global, index, work, out, (signals, progress), |pool, limits| pool.with(inputs, true, limits))
        }
        IndexCommand::Remove { index, inputs, work } => {
            out.event("start", json!({ "command": "index remove", "inputs": inputs.len() }));
            change(global, index, work, out, (signals, progress), |pool, _| pool.without(inputs))
        }
        IndexCommand::Info { index, all, verify } => info(index, *all, *verify, out),
        IndexCommand::Search { index, pictures, k, search, models, memory } => {
            out.event("start", json!({ "command": "index search", "inputs": pictures.len(), "k": k }));
            let pool = Pool::open(index)?;
            let spec = search.spec().map_or_else(|| pool.search_spec(), Ok)?;
            let ctx = context(global, memory, out)?;
            find(&ctx, (&pool, models), &spec, pictures, *k, out)
        }
    }
}

/// Flags over environment over file, of `index build`.
pub(crate) fn build_layers(
    config: Option<&Path>,
    (descriptor, aspect, search): (&DescriptorArgs, Option<[u32; 2]>, &SearchArgs),
) -> Result<Layers> {
    let layers = search.lay(descriptor.lay(layers(config, "FRAMELOOM_INDEX_")?));
    Ok(layers.flag("--aspect", "aspect", aspect.map(written)))
}

/// The device, with a warning when it is a software adapter.
pub(crate) fn context(global: &Global, memory: &MemoryArgs, out: &mut Output) -> Result<GpuContext> {
    let options = GpuOptions { device: global.device.clone(), ..GpuOptions::default() };
    let ctx = global.open(&memory.budget(options))?;
    if let Some(warning) = ctx.software_warning() {
        out.warn(&warning);
    }
    Ok(ctx)
}

/// How the index is built; the index of a collage too.
pub(crate) fn options(work: &IndexWork, networks: Networks, signals: &Signals) -> Result<PoolOptions> {
    let (usual, limits) = (PoolOptions::default(), limits_from(&work.limits)?);
    let threads = work.threads.map_or(usual.threads, |n| n as usize);
    Ok(PoolOptions { threads, batch: work.batch, networks, limits, cancel: signals.cancel.clone(), ..usual })
}

/// The networks that an index needs.
pub(crate) fn networks_of(pool: &Pool, folders: &[PathBuf]) -> Result<Networks> {
    if pool.descriptor().method.is_neural() { known(folders) } else { Ok(Networks::default()) }
}

fn change(
    global: &Global,
    folder: &Path,
    work: &IndexWork,
    out: &mut Output,
    (signals, progress): (&Signals, Mode),
    files: impl FnOnce(&Pool, &frameloom::core::Limits) -> Result<Scan>,
) -> Result<u8> {
    let pool = Pool::open(folder)?;
    let networks = networks_of(&pool, &work.models)?;
    let config = PoolConfig { descriptor: pool.descriptor().clone(), search: pool.search_spec()? };
    let options = options(work, networks, signals)?;
    let scan = files(&pool, &options.limits)?;
    drop(pool);
    let ctx = context(global, &work.memory, out)?;
    build(&ctx, folder, scan, (&config, &options), out, progress)
}

fn build(
    ctx: &GpuContext,
    folder: &Path,
    scan: Scan,
    (config, options): (&PoolConfig, &PoolOptions),
    out: &mut Output,
    progress: Mode,
) -> Result<u8> {
    let started = std::time::Instant::now();
    let report = update(ctx, folder, scan, (config, options), out, progress)?;
    let pool = Pool::open(folder)?;
    let recall = prepare(ctx, &pool, &config.search, out)?;
    let seconds = started.elapsed().as_secs_f64();
    let code = if report.unusable.is_empty() { 0 } else { 3 };
    out.note(&format!(
        "{} pictures in {}: {} described, {} known, {} cannot be used ({seconds:.1} s)",
        report.pictures,
        folder.display(),
        report.computed,
        report.reused,
        report.unusable.len()
    ));
    out.event(
        "result",
        json!({
            "folder": folder.to_string_lossy(), "pictures": report.pictures, "computed": report.computed,
            "reused": report.reused, "unusable": report.unusable.len(), "skipped": report.skipped.len(),
            "unchanged": report.unchanged, "changed_settings": report.changed, "dim": pool.rows().dim(),
            "recall": recall, "seconds": seconds, "exit": code,
        }),
    );
    Ok(code)
}

/// A part of a build: rows, and no index yet.
fn describe(
    ctx: &GpuContext,
    (folder, shard): (&Path, Shard),
    scan: &Scan,
    (config, options): (&PoolConfig, &PoolOptions),
    out: &mut Output,
    progress: Mode,
) -> Result<u8> {
    let started = std::time::Instant::now();
    let done = counted(folder, progress, out, |step| pool_part(ctx, scan, folder, shard, config, options, step))?;
    let PoolPart { units, report, .. } = done;
    let whole = report.unusable.is_empty();
    // What is searched matters to the build that goes on; parts are of one run when they describe in the same way.
    Part::of_one(("index build", "pictures"), shard, units, &config.descriptor, whole)?.write(folder)?;
    say("cannot be used", &report.unusable, out);
    let (pictures, computed, reused) = (report.pictures, report.computed, report.reused);
    let seconds = started.elapsed().as_secs_f64();
    out.note(&format!(
        "part {shard}: {pictures} pictures, {computed} described, {reused} known ({seconds:.1} s); `frameloom merge` puts the parts \
         together"
    ));
    out.text(&printable(&folder.to_string_lossy()));
    let code = if whole { 0 } else { 3 };
    out.event(
        "result",
        json!({
            "folder": folder.to_string_lossy(), "part": shard.to_string(), "stage": "pictures", "of_units": units,
            "pictures": pictures, "computed": computed, "reused": reused, "unusable": report.unusable.len(),
            "skipped": report.skipped.len(), "seconds": seconds, "exit": code,
        }),
    );
    Ok(code)
}

/// Runs `work` with a bar that counts pictures.
fn counted<T>(
    folder: &Path,
    progress: Mode,
    out: &mut Output,
    work: impl FnOnce(&mut dyn Observer) -> Result<T>,
) -> Result<T> {
    let label = folder.file_name().unwrap_or(folder.as_os_str()).to_string_lossy().into_owned();
    let mut stages = Stages::new(progress, out, |_| label.clone());
    let result = work(&mut stages);
    stages.finish();
    result
}

/// Brings an index up to date and says what was found on the way.
pub(crate) fn update(
    ctx: &GpuContext,
    folder: &Path,
    scan: Scan,
    (config, options): (&PoolConfig, &PoolOptions),
    out: &mut Output,
    progress: Mode,
) -> Result<PoolReport> {
    let report = counted(folder, progress, out, |step| build_pool(ctx, scan, folder, config, options, step))?;
    if !report.changed.is_empty() {
        out.warn(&format!("the index was made with other settings and is made anew ({})", report.changed.join(", ")));
    }
    for (kind, list) in [("cannot be used", &report.unusable), ("passed over", &report.skipped)] {
        say(kind, list, out);
    }
    Ok(report)
}

/// Names the first of `list`; all are in the events.
fn say(kind: &str, list: &[Skipped], out: &mut Output) {
    for one in list {
        out.event("item", json!({ "path": one.path.to_string_lossy(), "status": kind, "reason": one.reason }));
    }
    for one in list.iter().take(5) {
        out.note(&format!("{kind}: {} ({})", one.path.display(), one.reason));
    }
    if list.len() > 5 {
        out.note(&format!("{kind}: and {} more", list.len() - 5));
    }
}

/// Builds what searches and, where it does not look at everything, measures how much it finds.
pub(crate) fn prepare(ctx: &GpuContext, pool: &Pool, spec: &IndexSpec, out: &mut Output) -> Result<Option<f64>> {
    let options = IndexOptions { gpu: Some(ctx), threads: None };
    let (index, origin) = pool.index(spec, &options)?;
    if let IndexOrigin::Built { reason } = &origin {
        out.note(&format!("built `{}` ({reason})", index.spec()));
    }
    if index.is_exact() {
        return Ok(None);
    }
    let queries = sample_rows(pool.rows(), RECALL_QUERIES.min(pool.rows().len()), 1);
    let recall = recall_at(index.as_ref(), &queries, 10.min(pool.rows().len() as usize), &options)?;
    out.note(&format!(
        "`{}` finds {:.1} % of the 10 nearest, measured on {} pictures",
        index.spec(),
        recall.mean * 100.0,
        recall.queries
    ));
    Ok(Some(recall.mean))
}

fn plan(scan: &Scan, descriptor: &DescriptorConfig, search: &IndexSpec, folder: &Path, out: &mut Output) -> Result<u8> {
    let (count, dim) = (u32::try_from(scan.files.len()).unwrap_or(u32::MAX), descriptor.dim()?);
    let bytes: u64 = scan.files.iter().map(|f| f.bytes).sum();
    let memory = search.memory_of((count, dim as usize, RowSample::F32), true, false)?;
    let disk = u64::from(count) * (u64::from(dim) * 4 + 200) + memory.index;
    // Rows that are new are held until they are written; pictures wait in a budget of their own.
    let building = u64::from(count) * u64::from(dim) * 4 + (160 << 20);
    out.event(
        "item",
        json!({
            "folder": folder.to_string_lossy(), "pictures": count, "bytes": bytes, "skipped": scan.skipped.len(), "dim": dim,
            "memory_bytes": memory.needed(), "mapped_bytes": memory.rows_mapped, "disk_bytes": disk,
            "building_bytes": building,
        }),
    );
    out.text(&format!(
        "{}: {count} pictures ({:.1} MB to read), {} other entries; {dim} numbers each, {:.1} MB on disk; \
         building holds at most {:.1} MB, searching maps {:.1} MB and holds {:.1} MB",
        printable(&folder.to_string_lossy()),
        bytes as f64 / 1e6,
        scan.skipped.len(),
        disk as f64 / 1e6,
        building as f64 / 1e6,
        memory.rows_mapped as f64 / 1e6,
        memory.needed() as f64 / 1e6,
    ));
    out.event("result", json!({ "dry_run": true, "pictures": count }));
    Ok(0)
}

fn info(folder: &Path, all: bool, verify: bool, out: &mut Output) -> Result<u8> {
    let pool = Pool::open(folder)?;
    out.event("start", json!({ "command": "index info" }));
    if verify {
        pool.rows().verify()?;
    }
    let d = pool.descriptor();
    let [w, h] = d.aspect;
    out.text(&format!(
        "{} pictures, {} that cannot be used; {} numbers each ({}{}, {w}:{h} at {} px), searched by `{}`{}",
        pool.pictures().len(),
        pool.unusable().len(),
        pool.rows().dim(),
        d.method,
        if d.parity { ", parity" } else { "" },
        d.comparison_size,
        pool.search_spec()?,
        if verify { "; the vectors are whole" } else { "" },
    ));
    if all {
        for p in pool.pictures() {
            out.text(&printable(&p.path));
            out.event("item", json!({ "path": p.path, "bytes": p.bytes, "blake3": p.blake3 }));
        }
    }
    for p in pool.unusable() {
        let why = p.error.as_deref().unwrap_or_default();
        out.text(&printable(&format!("cannot be used: {} ({why})", p.path)));
        out.event("item", json!({ "path": p.path, "error": why }));
    }
    out.event(
        "result",
        json!({
            "pictures": pool.pictures().len(), "unusable": pool.unusable().len(), "dim": pool.rows().dim(), "descriptor": d,
            "search": pool.search_spec()?.to_string(), "id": pool.id().to_hex().to_string(),
        }),
    );
    Ok(0)
}

fn find(
    ctx: &GpuContext,
    (pool, models): (&Pool, &[PathBuf]),
    spec: &IndexSpec,
    pictures: &[PathBuf],
    k: u32,
    out: &mut Output,
) -> Result<u8> {
    let (index, _) = pool.index(spec, &IndexOptions { gpu: Some(ctx), threads: None })?;
    let limits = frameloom::core::Limits::default();
    let networks = networks_of(pool, models)?;
    let (mut failed, mut first) = (0, None);
    for picture in pictures {
        let found = pool
            .describe(ctx, std::slice::from_ref(picture), &networks, &limits)
            .and_then(|query| pool.search(index.as_ref(), &query, k as usize));
        let found = match found {
            Ok(found) => found.into_iter().flatten().collect::<Vec<_>>(),
            Err(e @ (Error::InputNotFound { .. } | Error::InputCorrupt { .. } | Error::InputUnsupported { .. })) => {
                out.warn(&e.to_string());
                failed += 1;
                first.get_or_insert(e);
                continue;
            }
            Err(e) => return Err(e),
        };
        if pictures.len() > 1 {
            out.text(&printable(&format!("{}:", picture.display())));
        }
        for m in &found {
            out.text(&printable(&format!("{:.4}  {}", m.score, m.path)));
        }
        let list: Vec<_> = found.iter().map(|m| json!([m.path, m.score])).collect();
        out.event("item", json!({ "input": picture.to_string_lossy(), "top_matches": list }));
    }
    match first {
        Some(e) if failed == pictures.len() => Err(e),
        _ => {
            let code = if failed > 0 { 3 } else { 0 };
            out.event("result", json!({ "inputs": pictures.len(), "failed": failed, "exit": code }));
            Ok(code)
        }
    }
}
