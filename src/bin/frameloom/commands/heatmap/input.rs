//! What `heatmap` works on: who looks at the frames, what of it all belongs to the key of a run, and how it runs.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use frameloom::core::{Limits, Rational};
use frameloom::gpu::GpuContext;
use frameloom::media::{DecodeHint, FolderFrames, ListOptions, list_images};
use frameloom::pipeline::{FolderSource, PipelineOptions, VideoEnd};
use frameloom::store::Fingerprint;
use frameloom::workflows::analyze::AnalyzeInput;
use frameloom::workflows::chunk::heat::{
    FaceFrames, HeatConfig, HeatKind, HeatOptions, Watching, pair_frames, read_boxes,
};
use frameloom::{Error, Result};

use crate::chunk_args::HeatmapArgs;
use crate::signals::Signals;

pub(super) fn options(args: &HeatmapArgs, signals: &Signals) -> HeatOptions {
    let pipeline = PipelineOptions { batch: args.batch, cancel: signals.cancel.clone(), ..PipelineOptions::default() };
    HeatOptions { pipeline, restart: args.restart, ..HeatOptions::default() }
}

/// Why a video is not whole, asked at its end.
pub(super) fn reasons_at(end: &Arc<Mutex<VideoEnd>>) -> impl Fn() -> Vec<String> + use<> {
    let end = Arc::clone(end);
    move || {
        let end = end.lock().unwrap_or_else(PoisonError::into_inner).clone();
        end.verdict.map(|v| v.reasons).unwrap_or_default()
    }
}

/// What belongs to the key of a run beside its settings: the content of all that it reads.
pub(super) fn content(
    args: &HeatmapArgs,
    config: &HeatConfig,
    input: &AnalyzeInput,
    signals: &Signals,
) -> Result<Vec<(&'static str, String)>> {
    let mut content = vec![("input", input.fingerprint.clone()), ("track", args.track.to_string())];
    if let Some(boxes) = &args.boxes {
        content.push(("boxes", Fingerprint::of_file(boxes, &signals.cancel)?.to_string()));
    }
    if let Some(folder) = &args.frames {
        let mut all = String::new();
        for file in list_images(folder, ListOptions::default(), &Limits::default())?.files {
            let name = file.file_name().unwrap_or_default().to_string_lossy();
            all.push_str(&format!("{name} {}\n", Fingerprint::of_file(&file, &signals.cancel)?));
        }
        content.push(("frames", Fingerprint::of_bytes(all.as_bytes()).to_string()));
    }
    content.extend(network_content(args, config)?);
    Ok(content)
}

/// The content of the networks that look at the frames.
#[cfg(feature = "onnx")]
fn network_content(args: &HeatmapArgs, config: &HeatConfig) -> Result<Vec<(&'static str, String)>> {
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
fn network_content(_: &HeatmapArgs, _: &HeatConfig) -> Result<Vec<(&'static str, String)>> {
    Ok(Vec::new())
}

/// Who looks at the frames, where the settings ask for somebody.
pub(super) fn watching(ctx: &GpuContext, args: &HeatmapArgs, config: &HeatConfig, limits: &Limits) -> Result<Watching> {
    let mut watching = Watching::default();
    if config.source == HeatKind::Boxes {
        let path = args.boxes.as_ref().ok_or_else(|| Error::usage("`boxes` needs a file: --boxes FILE"))?;
        watching.source = Some(read_boxes(path, config.score.unwrap_or(0.0))?);
    } else if args.boxes.is_some() {
        return Err(Error::usage("--boxes is for --source boxes"));
    }
    if args.frames.is_some() && config.face_weight == 0.0 {
        return Err(Error::usage("--frames is for faces: give --face-weight and --face-model too"));
    }
    if let Some(folder) = &args.frames {
        let list = |folder: &Path| list_images(folder, ListOptions::default(), limits).map(|l| l.files);
        let pairs = pair_frames(&list(&args.input)?, &list(folder)?);
        let (places, files): (Vec<u64>, Vec<PathBuf>) = pairs.into_iter().unzip();
        let rate = Rational { num: 25, den: 1 };
        let frames = FolderFrames::new(files, rate, 0, limits.clone(), DecodeHint::default())?;
        let source = FolderSource::new(frames, Vec::new(), Arc::new(Mutex::new(VideoEnd::default())));
        watching.face_frames = Some(FaceFrames { source: Box::new(source), places });
    }
    networks(ctx, args, config, &mut watching)?;
    Ok(watching)
}

#[cfg(feature = "onnx")]
fn networks(ctx: &GpuContext, args: &HeatmapArgs, config: &HeatConfig, watching: &mut Watching) -> Result<()> {
    use frameloom::infer::ModelRegistry;
    use frameloom::workflows::chunk::heat::ModelWatch;
    if config.model.is_none() && config.face_model.is_none() {
        return Ok(());
    }
    let registry = ModelRegistry::find(&args.models)?;
    if config.model.is_some() {
        watching.source = Some(Box::new(ModelWatch::for_source(ctx, &registry, config)?));
    }
    if config.face_model.is_some() {
        watching.faces = Some(Box::new(ModelWatch::for_faces(ctx, &registry, config)?));
    }
    Ok(())
}

#[cfg(not(feature = "onnx"))]
fn networks(_: &GpuContext, _: &HeatmapArgs, config: &HeatConfig, _: &mut Watching) -> Result<()> {
    if config.model.is_some() || config.face_model.is_some() {
        return Err(Error::usage("this build has no networks (feature `onnx`)"));
    }
    Ok(())
}
