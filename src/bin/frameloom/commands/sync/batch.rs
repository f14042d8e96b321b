//! `frameloom sync batch`: all videos of a folder.

use frameloom::Result;
use frameloom::workflows::sync::run::{BatchOptions, BatchResult, BatchSummary, sync_batch, videos_in};
use serde_json::json;

use super::{Shop, named_after, sentence};
use crate::args::Global;
use crate::commands::merge::{Part, PartUnit};
use crate::output::{Output, printable};
use crate::progress::{Mode, Progress};
use crate::signals::Signals;
use crate::sync_args::{BatchArgs, batch_folder};

pub(super) fn run(global: &Global, args: &BatchArgs, out: &mut Output, signals: &Signals, mode: Mode) -> Result<u8> {
    let config = args.settings.resolve()?;
    let from = batch_folder(args)?;
    let videos = videos_in(from)?;
    let folder = args.output.clone().unwrap_or_else(|| named_after(from, ".sync"));
    out.event("start", json!({ "command": "sync batch", "inputs": videos.len(), "settings": config }));
    if args.syncnet_dir.is_some() {
        out.warn("`--syncnet_dir` is not needed: the networks are those of --models");
    }
    let shop = Shop::new(global, config, &args.work, out, signals)?;
    let mut opening = shop.opening.clone();
    opening.decode.threads =
        args.work.decode.decoder.threads.unwrap_or_else(|| (opening.decode.threads / args.max_workers).max(1));
    let options = BatchOptions {
        workers: args.max_workers as usize,
        open: opening,
        run: shop.options(shop.restart),
        shard: args.part.shard,
    };
    let mine = (0..videos.len()).filter(|at| args.part.shard.is_none_or(|s| s.has(*at))).count();
    let mut bar = Progress::of(mode, "batch", Some(mine as u64), "videos");
    let mut units: Vec<PartUnit> = Vec::new();
    let end = |at: usize, r: BatchResult| {
        bar.add(1, out);
        tell(&r, out);
        units.push(PartUnit { at, folder: r.reference_name.clone(), status: status(&r).into(), entry: json!(r) });
        Ok(())
    };
    let summary = sync_batch(&shop.ctx, &shop.files, &videos, &folder, &shop.config, &options, &mut ((), end));
    bar.finish();
    let summary = summary?;
    if let Some(shard) = args.part.shard {
        units.sort_by_key(|u| u.at);
        Part::new("sync batch", shard, videos.len(), &shop.config, units)?.write(&folder)?;
    }
    let partial = summary.results.iter().any(|r| status(r) == "partial");
    let code = match () {
        () if summary.failed == summary.total_chunks && mine > 0 => 5,
        () if summary.failed > 0 || partial => 3,
        () => 0,
    };
    let at = folder.join(if args.part.shard.is_some() { "shard.json" } else { BatchSummary::FILE });
    out.note(&format!(
        "{} videos: {} with faces, {} without, {} failed: {}",
        summary.total_chunks,
        summary.successful,
        summary.no_faces,
        summary.failed,
        at.display()
    ));
    out.event(
        "result",
        json!({
            "folder": folder.to_string_lossy(), "summary": at.to_string_lossy(), "total_chunks": summary.total_chunks,
            "successful": summary.successful, "no_faces": summary.no_faces, "failed": summary.failed, "exit": code,
        }),
    );
    Ok(code)
}

/// How a video ended, in the words of parts.
fn status(r: &BatchResult) -> &'static str {
    match &r.outcome {
        None => "failed",
        Some(outcome) if outcome.reasons.is_empty() => "complete",
        Some(_) => "partial",
    }
}

fn tell(r: &BatchResult, out: &mut Output) {
    out.event("item", json!(r));
    let what = match (&r.outcome, &r.error) {
        (Some(o), _) => sentence(o),
        (None, Some(e)) => format!("{}: {e}", r.status),
        (None, None) => r.status.clone(),
    };
    out.text(&printable(&format!("{}: {what}", r.chunk_path)));
}
