//! Which object is like which? Video -> detector -> crops -> embeddings -> exact nearest neighbours; pixels stay on the GPU.
//!
//! `cargo run --example 04_onnx_pipeline [VIDEO MODELS DETECTOR EMBEDDER]`: MODELS is a folder with a `models.toml`, the other two are names
//! in it. Without arguments it encodes a clip in which coloured squares change places, and takes two tiny graphs of the tests, which find
//! bright rectangles and describe colours: no trained networks, but the same path.
//! Shows a registry, sessions, a stream of held batches, crops from the very frame that was looked at, and an index in GPU memory.

use std::path::{Path, PathBuf};

use frameloom::core::{BoxF, Metric, PixelFormat, Rational, Size};
use frameloom::gpu::{GpuContext, GpuOptions};
use frameloom::infer::tasks::detect::Detector;
use frameloom::infer::tasks::embed::Embedder;
use frameloom::infer::{Allow, ModelRegistry, OnnxSession, SessionOptions, Task, TensorModel};
use frameloom::media::{DecodeOptions, Plane, VideoDecoder, VideoWriter, WriterOptions};
use frameloom::ops::resize::crop_resize::CropBox;
use frameloom::ops::search::RowStore;
use frameloom::ops::search::top_k::{TopKParams, top_k};
use frameloom::ops::{GpuRows, RowSample, RowsLayout};
use frameloom::pipeline::vision::{PictureModel, TensorStageOptions, stream};
use frameloom::pipeline::{PipelineOptions, VideoSource};
use frameloom::{Error, Result};

/// Boxes that go through the second network at once.
const CROPS: usize = 16;

/// An object in a frame.
struct Seen {
    frame: u64,
    label: String,
    rect: BoxF,
}

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let made = tempfile::tempdir().map_err(|e| Error::storage("create", std::env::temp_dir(), e))?;
    let (video, models, detector, embedder) = match args.as_slice() {
        [video, models, detector, embedder] => {
            (PathBuf::from(video), PathBuf::from(models), detector.as_str(), embedder.as_str())
        }
        [] => (
            make_clip(&made.path().join("clip.mp4"))?,
            PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/models")),
            "yolox-like",
            "embed",
        ),
        _ => return Err(Error::usage("wanted: no arguments, or VIDEO MODELS DETECTOR EMBEDDER")),
    };
    let ctx = GpuContext::new(&GpuOptions::default())?;
    let registry = ModelRegistry::open(&[models])?;
    let (mut detect, boxes) = open(&ctx, &registry, Task::Detect, detector, Detector::new)?;
    let (mut embed, vectors) = open(&ctx, &registry, Task::Embed, embedder, Embedder::new)?;

    let mut seen = Vec::new();
    let mut rows = Vec::new();
    let (source, _end) = VideoSource::new(VideoDecoder::open(&video, &DecodeOptions::default())?);
    let report = stream(&ctx, &PipelineOptions::default(), Box::new(source), &mut detect, |found| {
        let size = found.batch.desc().size;
        let (mut crops, mut objects) = (Vec::new(), Vec::new());
        for (slot, detections) in
            (found.first..).zip(boxes.decode(&found.run.outputs, found.run.places, boxes.options())?)
        {
            let frame = found.batch.infos().get(slot as usize).map_or(0, |i| i.index);
            for d in detections {
                let rect = d.rect.clip(size);
                crops.push(CropBox { slot, rect: rect.to_pixels() });
                objects.push(Seen {
                    frame,
                    label: boxes.classes().and_then(|c| c.name(d.class)).unwrap_or("object").to_owned(),
                    rect,
                });
            }
        }
        // The frames are still where the detector saw them: their crops go to the second network in one dispatch.
        let tensors = embed.submit(found.batch.frames(), found.batch.desc().color, &crops)?;
        let mut objects = objects.into_iter();
        embed.finish(tensors, &[], |run| {
            for (vector, object) in vectors.decode(&run.outputs, run.places.len())?.into_iter().zip(&mut objects) {
                // A crop without content (all black) has no direction; it is like nothing.
                if let Some(vector) = vector {
                    rows.push(vector);
                    seen.push(object);
                }
            }
            Ok(())
        })
    })?;
    report.result?;
    println!("{} frames, {} objects", report.frames, seen.len());
    compare(&ctx, &seen, &rows)
}

/// Loads a model for a task, and the adapter that reads what it gives.
fn open<A>(
    ctx: &GpuContext,
    registry: &ModelRegistry,
    task: Task,
    name: &str,
    adapter: impl FnOnce(
        &frameloom::infer::ModelEntry,
        &[frameloom::infer::IoInfo],
        &[frameloom::infer::IoInfo],
    ) -> Result<A>,
) -> Result<(PictureModel<OnnxSession>, A)> {
    let model = registry.load_for(task, name, Allow::Pinned)?;
    let entry = model.entry.clone();
    println!("{name}: {:?}, {}{}", entry.task, entry.licence, if entry.stand_in { ", a stand-in" } else { "" });
    let session = OnnxSession::open(&model, &SessionOptions::default())?;
    let adapter = adapter(&entry, session.inputs(), session.outputs())?;
    let picture = entry.picture.unwrap_or_default();
    Ok((PictureModel::new(ctx, session, &picture, CROPS, TensorStageOptions::default())?, adapter))
}

/// For the first object of each class and each second of the clip: the one that is most like it in another second.
fn compare(ctx: &GpuContext, seen: &[Seen], rows: &[Vec<f32>]) -> Result<()> {
    let Some(dim) = rows.first().map(Vec::len) else {
        println!("nothing was found to compare");
        return Ok(());
    };
    let layout = RowsLayout::new(RowSample::F32, u32::try_from(dim).unwrap_or(u32::MAX))?;
    let all = GpuRows::from_host(ctx, "objects", layout, &rows.concat())?;
    let mut store = RowStore::new(ctx, layout)?;
    store.append(ctx, &rows.concat())?;
    let k = store.len().min(64);
    let nearest = top_k(ctx, &store, &all, TopKParams { metric: Metric::InnerProduct, k, score_bytes: 1 << 24 })?;
    let mut told = std::collections::BTreeSet::new();
    for (object, neighbors) in seen.iter().zip(&nearest) {
        let second = object.frame / 25;
        if !told.insert((second, object.label.clone())) {
            continue;
        }
        let other = neighbors.iter().find_map(|n| {
            let other = seen.get(n.id as usize)?;
            (other.frame / 25 != second).then_some((other, n.score))
        });
        let at = |o: &Seen| format!("{} at {:.0},{:.0} in frame {}", o.label, o.rect.x, o.rect.y, o.frame);
        match other {
            Some((other, score)) => println!("{} is most like {} (cosine {score:.3})", at(object), at(other)),
            None => println!("{} is like nothing in another second", at(object)),
        }
    }
    Ok(())
}

/// Two seconds: a red and a blue square, which change sides after the first.
fn make_clip(path: &Path) -> Result<PathBuf> {
    let size = Size::new(320, 180);
    let options = WriterOptions::new(size, PixelFormat::I420, Rational { num: 1, den: 25 });
    let mut writer = VideoWriter::create(path, &options, None)?;
    for t in 0..50u32 {
        // Limited-range BT.601: red is 81, 90, 240, blue is 41, 240, 110.
        let (left, right) = if t < 25 { ([81, 90, 240], [41, 240, 110]) } else { ([41, 240, 110], [81, 90, 240]) };
        let sample = |plane: usize, x: u32, y: u32| {
            let inside = |from: u32| (from..from + 48).contains(&x) && (60..108).contains(&y);
            match (inside(20 + t), inside(200 + t)) {
                (true, _) => left.get(plane).copied().unwrap_or(16),
                (_, true) => right.get(plane).copied().unwrap_or(16),
                _ => {
                    if plane == 0 {
                        30
                    } else {
                        128
                    }
                }
            }
        };
        let plane = |index: usize, step: usize| -> Vec<u8> {
            (0..size.height)
                .step_by(step)
                .flat_map(|y| (0..size.width).step_by(step).map(move |x| (x, y)))
                .map(|(x, y)| sample(index, x, y))
                .collect()
        };
        let planes = [(plane(0, 1), 320), (plane(1, 2), 160), (plane(2, 2), 160)];
        let views: Vec<Plane<'_>> = planes.iter().map(|(data, stride)| Plane { data, stride: *stride }).collect();
        writer.write_frame(&views, i64::from(t))?;
    }
    let done = writer.finish()?;
    println!("encoded {} frames with {} ({} bytes)", done.frames, done.encoder, done.bytes);
    Ok(path.to_path_buf())
}
