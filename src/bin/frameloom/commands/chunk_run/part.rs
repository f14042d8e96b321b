//! `chunk run --shard`.

use frameloom::Result;
use frameloom::core::Shard;
use frameloom::workflows::chunk::process::{ChunkPart, ProcessConfig};
use serde_json::json;

use crate::chunk_run_args::ChunkRunArgs;
use crate::commands::merge::{Part, PartDone};
use crate::output::Output;

/// Says what a part did, in its folder too.
pub(super) fn tell(
    args: &ChunkRunArgs,
    shard: Shard,
    config: &ProcessConfig,
    done: &ChunkPart,
    seconds: f64,
    out: &mut Output,
) -> Result<u8> {
    let settings = json!({ "effect": args.effect, "run": config });
    let part = Part::of_one(("chunk run", "chunks"), shard, done.units, &settings, done.reasons.is_empty())?;
    let done = PartDone {
        mine: done.mine as u64,
        frames: None,
        reasons: &done.reasons,
        seconds,
        what: "stretches",
        next: "puts the parts together",
    };
    part.tell(&args.output, &done, out)
}
