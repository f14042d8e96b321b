//! `heatmap --shard`: parts of one input.

use std::path::Path;
use std::time::Instant;

use frameloom::Result;
use frameloom::core::Shard;
use frameloom::gpu::GpuContext;
use frameloom::workflows::chunk::heat::{HeatConfig, HeatInput, HeatOptions, Watching, heat_part};

use crate::commands::merge::{Part, PartDone};
use crate::output::Output;
use crate::progress::Progress;

pub(super) fn run(
    ctx: &GpuContext,
    (input, watching): (HeatInput<'_>, Watching),
    (output, shard): (&Path, Shard),
    config: &HeatConfig,
    options: &HeatOptions,
    (out, mut bar): (&mut Output, Progress),
) -> Result<u8> {
    let started = Instant::now();
    let done = heat_part(ctx, input, watching, output, shard, config, options, &mut bar.counting(out));
    bar.finish();
    let done = done?;
    let units = usize::try_from(done.units).unwrap_or(usize::MAX);
    let part = Part::of_one(("heatmap", "heat"), shard, units, config, done.reasons.is_empty())?;
    let done = PartDone {
        mine: done.mine,
        frames: Some(done.frames),
        reasons: &done.reasons,
        seconds: started.elapsed().as_secs_f64(),
        what: "stretches",
        next: "makes the map of all parts",
    };
    part.tell(output, &done, out)
}
