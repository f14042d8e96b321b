//! `chunk run --shard`.

use frameloom::Result;
use frameloom::core::Shard;
use frameloom::workflows::chunk::process::{ChunkPart, ProcessConfig};
use serde_json::json;

use crate::chunk_run_args::ChunkRunArgs;
use crate::commands::merge::Part;
use crate::output::{Output, printable};

/// Says what a part did, in its folder too.
pub(super) fn tell(
    args: &ChunkRunArgs,
    shard: Shard,
    config: &ProcessConfig,
    done: &ChunkPart,
    seconds: f64,
    out: &mut Output,
) -> Result<u8> {
    let whole = done.reasons.is_empty();
    let settings = json!({ "effect": args.effect, "run": config });
    Part::of_one(("chunk run", "chunks"), shard, done.units, &settings, whole)?.write(&args.output)?;
    done.reasons.iter().for_each(|reason| out.warn(reason));
    out.note(&format!(
        "part {shard}: {} of {} stretches ({seconds:.1} s); `frameloom merge` puts the parts together",
        done.mine, done.units
    ));
    out.text(&printable(&args.output.to_string_lossy()));
    let code = if whole { 0 } else { 3 };
    out.event(
        "result",
        json!({
            "folder": args.output.to_string_lossy(), "part": shard.to_string(), "stage": "chunks", "units": done.mine,
            "of_units": done.units, "reasons": done.reasons, "seconds": seconds, "exit": code,
        }),
    );
    Ok(code)
}
