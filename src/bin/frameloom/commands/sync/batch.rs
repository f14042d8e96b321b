//! `frameloom sync batch`: all videos of a folder.

use frameloom::Result;
use frameloom::workflows::sync::run::{BatchOptions, BatchResult, SyncRun, sync_batch, videos_in};
use serde_json::json;

use super::{Shop, named_after, sentence};
use crate::args::Global;
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
    opening.threads = args.work.threads.unwrap_or_else(|| (opening.threads / args.max_workers).max(1));
    let options = BatchOptions {
        workers: args.max_workers as usize,
        open: opening,
        run: SyncRun {
            pipeline: shop.pipeline.clone(),
            restart: shop.restart,
            face_videos: shop.face_videos,
            annotate: shop.annotate,
        },
    };
    let mut bar = Progress::of(mode, "batch", Some(videos.len() as u64), "videos");
    let summary = sync_batch(&shop.ctx, &shop.files, &videos, &folder, &shop.config, &options, &mut |r| {
        bar.add(1, out);
        tell(r, out);
    });
    bar.finish();
    let summary = summary?;
    let partial = summary.results.iter().filter_map(|r| r.outcome.as_ref()).any(|o| !o.reasons.is_empty());
    let code = match () {
        () if summary.failed == summary.total_chunks => 5,
        () if summary.failed > 0 || partial => 3,
        () => 0,
    };
    let at = folder.join("batch_processing_summary.json");
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

fn tell(r: &BatchResult, out: &mut Output) {
    out.event("item", json!(r));
    let what = match (&r.outcome, &r.error) {
        (Some(o), _) => sentence(o),
        (None, Some(e)) => format!("{}: {e}", r.status),
        (None, None) => r.status.clone(),
    };
    out.text(&printable(&format!("{}: {what}", r.chunk_path)));
}
