//! `heatmap --shard`: parts of one input.

use std::time::Instant;

use frameloom::Result;
use frameloom::core::Shard;
use frameloom::gpu::GpuContext;
use frameloom::pipeline::PipelineOptions;
use frameloom::store::Fingerprint;
use frameloom::workflows::analyze::AnalyzeInput;
use frameloom::workflows::chunk::heat::{HeatConfig, HeatInput, Watching, heat_part};

use crate::chunk_args::HeatmapArgs;
use crate::commands::merge::{Part, PartDone};
use crate::output::Output;
use crate::progress::{Mode, Progress};
use crate::signals::Signals;

pub(super) fn run(
    ctx: &GpuContext,
    (args, shard): (&HeatmapArgs, Shard),
    config: &HeatConfig,
    (input, watching): (AnalyzeInput, Watching),
    (out, mode): (&mut Output, Mode),
    signals: &Signals,
) -> Result<u8> {
    let started = Instant::now();
    let mut content = vec![("input", input.fingerprint.clone()), ("track", args.track.to_string())];
    if let Some(boxes) = &args.boxes {
        content.push(("boxes", Fingerprint::of_file(boxes, &signals.cancel)?.to_string()));
    }
    content.extend(networks(args, config)?);
    let label = args.input.file_name().unwrap_or(args.input.as_os_str()).to_string_lossy().into_owned();
    let declared = input.info.as_ref().and_then(|i| i.expected_frames(args.track));
    let mut bar = Progress::new(mode, &label, declared.map(|n| n / u64::from(shard.count())));
    let options = PipelineOptions { batch: args.batch, cancel: signals.cancel.clone(), ..PipelineOptions::default() };
    let end = input.end;
    let reasons = || {
        let end = end.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
        end.verdict.map(|v| v.reasons).unwrap_or_default()
    };
    let what = HeatInput { path: &args.input, source: input.source, content, reasons: &reasons };
    let done = heat_part(ctx, what, watching, &args.output, shard, config, &options, &mut bar.counting(out));
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
    part.tell(&args.output, &done, out)
}

/// The content of the networks that look at the frames.
#[cfg(feature = "onnx")]
fn networks(args: &HeatmapArgs, config: &HeatConfig) -> Result<Vec<(&'static str, String)>> {
    use frameloom::infer::{Allow, ModelRegistry};
    let named = [("network", &config.model), ("face_network", &config.face_model)];
    let named = named.into_iter().filter_map(|(field, name)| Some((field, name.as_ref()?)));
    let named: Vec<(&'static str, &String)> = named.collect();
    if named.is_empty() {
        return Ok(Vec::new());
    }
    let registry = ModelRegistry::find(&args.models)?;
    let one = |(field, name): (&'static str, &String)| Ok((field, registry.load(name, Allow::Pinned)?.sha256));
    named.into_iter().map(one).collect()
}

#[cfg(not(feature = "onnx"))]
fn networks(_: &HeatmapArgs, _: &HeatConfig) -> Result<Vec<(&'static str, String)>> {
    Ok(Vec::new())
}
