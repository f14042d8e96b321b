//! `sync --shard`: parts of one video, and of a list of videos.

use std::path::Path;
use std::time::Instant;

use frameloom::Result;
use frameloom::core::Shard;
use frameloom::workflows::sync::run::{SyncModels, SyncVideo, sync_part};
use serde_json::{Value, json};

use super::{Shop, watched};
use crate::commands::merge::{Part, PartUnit};
use crate::output::{Output, printable};
use crate::progress::Mode;

/// A video of a list that has ended.
pub(super) fn unit(at: usize, folder: &Path, output: Option<&Path>, status: &str) -> PartUnit {
    let inner = output.and_then(|o| folder.strip_prefix(o).ok()).unwrap_or(folder);
    PartUnit { at, folder: inner.to_string_lossy().into_owned(), status: status.to_owned(), entry: Value::Null }
}

/// A part of one video: its share of the pass that is next in the folder.
pub(super) fn one(
    shop: &Shop,
    models: &mut SyncModels,
    (input, folder, shard): (&Path, &Path, Shard),
    out: &mut Output,
    mode: Mode,
) -> Result<u8> {
    let started = Instant::now();
    let video = SyncVideo::open(input, &shop.opening)?;
    let options = shop.options(shop.restart);
    let done = watched(input, out, mode, |step| {
        sync_part(&shop.ctx, &video, models, folder, shard, &shop.config, &options, step)
    })?;
    let whole = done.reasons.is_empty();
    let units = usize::try_from(done.units).unwrap_or(usize::MAX);
    Part::of_one(("sync", done.stage), shard, units, &shop.config, whole)?.write(folder)?;
    let seconds = started.elapsed().as_secs_f64();
    done.reasons.iter().for_each(|reason| out.note(&format!("  {reason}")));
    out.note(&format!(
        "{}: part {shard}, {} of {} units of {} ({seconds:.1} s); `frameloom merge` puts the parts together",
        input.display(),
        done.mine,
        done.units,
        done.stage
    ));
    out.text(&printable(&folder.to_string_lossy()));
    let code = if whole { 0 } else { 3 };
    out.event(
        "result",
        json!({
            "folder": folder.to_string_lossy(), "part": shard.to_string(), "stage": done.stage, "units": done.mine,
            "of_units": done.units, "frames": done.frames, "reasons": done.reasons, "processing_time": seconds, "exit": code,
        }),
    );
    Ok(code)
}
