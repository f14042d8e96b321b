//! Heat maps and plans of real videos, with real networks.

use std::path::{Path, PathBuf};

use frameloom::core::Rect;
use frameloom::gpu::{GpuContext, GpuOptions};
use frameloom::infer::ModelRegistry;
use frameloom::media::{DecodeOptions, VideoDecoder};
use frameloom::pipeline::{PipelineOptions, VideoSource, batches};
use frameloom::workflows::chunk::heat::{HeatConfig, HeatSight, HeatWatch, ModelWatch};
use frameloom::workflows::chunk::plan::ChunkPlan;
use frameloom::workflows::chunk::read_plan;

use crate::support::*;

/// A folder of the real models with their manifest.
fn models(data: &Path, folder: &Path) -> PathBuf {
    let out = folder.join("models");
    std::fs::create_dir(&out).unwrap();
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/data_models.toml");
    std::fs::copy(manifest, out.join("models.toml")).unwrap();
    for name in ["yolox_nano_416.onnx", "yunet_n_dynamic.onnx"] {
        std::fs::copy(data.join("onnx").join(name), out.join(name)).unwrap();
    }
    out
}

fn call(args: &[String]) {
    let o = frameloom().args(args).output().unwrap();
    assert_eq!(code(&o), 0, "{args:?}: {}", stderr(&o));
}

fn strings(args: &[&str]) -> Vec<String> {
    args.iter().map(|s| (*s).to_owned()).collect()
}

/// The plan over the heat of a video.
fn planned(video: &Path, folder: &Path, heat: &[&str], plan: &[&str]) -> ChunkPlan {
    let text = |p: &Path| p.to_str().unwrap().to_owned();
    let (maps, plans) = (folder.join("heat"), folder.join("plan"));
    call(&[strings(&["heatmap", &text(video), "-o", &text(&maps)]), strings(heat)].concat());
    call(&[strings(&["chunk", "plan", &text(&maps.join("heat.npy")), "-o", &text(&plans)]), strings(plan)].concat());
    read_plan(&plans.join("chunks.json")).unwrap()
}

#[test]
fn real_videos_need_fewer_pixels_than_a_grid() {
    let Some(data) = real_data("real_videos_need_fewer_pixels_than_a_grid") else { return };
    let dir = tempfile::tempdir().unwrap();
    let models = models(&data, dir.path());
    let models = models.to_str().unwrap();
    // Half of a minute and more of each: several people come and go.
    for (name, size) in [("vtest_480x360", "128x128"), ("intel_one-by-one-person", "192x192")] {
        let video = beginning(&data.join("video").join(name).with_extension("mp4"), "48", dir.path());
        for (kind, heat) in [
            ("motion", strings(&["--source", "motion"])),
            (
                "yolox",
                strings(&[
                    "--source",
                    "detections",
                    "--model",
                    "yolox-nano",
                    "--classes",
                    "person",
                    "--every",
                    "5",
                    "--models",
                    models,
                ]),
            ),
        ] {
            let folder = dir.path().join(format!("{name}_{kind}"));
            let heat: Vec<&str> = heat.iter().map(String::as_str).collect();
            let plan = planned(&video, &folder, &heat, &["--sizes", size]);
            let frame = plan.frame_size();
            assert!(!plan.chunks.is_empty() && plan.active_coverage >= 0.99, "{name} {kind}");
            for c in &plan.chunks {
                assert!(c.rect().fits(frame) && c.active.as_ref().is_some_and(|s| s.seconds() > 0.0));
                for ([a, b], side) in [(c.x_range, frame.width), (c.y_range, frame.height)] {
                    assert!(a.is_multiple_of(8) || b == side, "{c:?}");
                }
            }
            let (cost, held) = (plan.cost, plan.timed_coverage.unwrap());
            eprintln!(
                "{name} {kind}: {} chunks, {:.1} % of the frame were all active, {:.1} % in the mean, {:.1} % of a grid, {:.1} % of the heat at its time",
                plan.chunks.len(),
                100.0 * cost.pixels as f64 / cost.frame_pixels as f64,
                100.0 * (1.0 - cost.saving_against_frame),
                100.0 * (1.0 - cost.saving_against_grid),
                100.0 * held,
            );
            assert!(held >= 0.9 && cost.saving_against_grid > 0.5, "{name} {kind}: {held} {cost:?}");
        }
    }
}

/// Whether a face lies in a chunk, its centre a sixth of the chunk off the edges that are not those of the frame.
fn well_inside(face: &frameloom::core::BoxF, chunk: Rect, frame: frameloom::core::Size) -> bool {
    let along = |from: f32, to: f32, start: u32, side: u32, margin: u32, frame: u32| {
        let (low, high) = (start as f32, (start + side) as f32);
        let middle = (from + to) / 2.0;
        let inside = from.max(0.0) >= low && to.min(frame as f32) <= high;
        let off_low = start == 0 || middle >= low + margin as f32;
        let off_high = start + side == frame || middle <= high - margin as f32;
        inside && off_low && off_high
    };
    let margin = (chunk.width / 6).min(chunk.height / 6);
    along(face.x, face.right(), chunk.x, chunk.width, margin, frame.width)
        && along(face.y, face.bottom(), chunk.y, chunk.height, margin, frame.height)
}

#[test]
fn every_face_lies_well_inside_a_chunk() {
    let Some(data) = real_data("every_face_lies_well_inside_a_chunk") else { return };
    let dir = tempfile::tempdir().unwrap();
    let models = models(&data, dir.path());
    let video = data.join("video/intel_prev_head-pose-face-detection-female-and-male.mp4");
    let heat = ["--face-model", "yunet-n", "--face-weight", "3", "--models", models.to_str().unwrap()];
    let plan = planned(&video, &dir.path().join("faces"), &heat, &["--sizes", "160x160", "--coverage", "0.995"]);
    let frame = plan.frame_size();
    let ctx = GpuContext::new(&GpuOptions::default()).unwrap();
    let registry = ModelRegistry::open(&[models]).unwrap();
    let config = HeatConfig { face_model: Some("yunet-n".into()), face_weight: 3.0, ..HeatConfig::default() };
    let mut watch = ModelWatch::for_faces(&ctx, &registry, &config).unwrap();
    let (source, _) = VideoSource::new(VideoDecoder::open(&video, &DecodeOptions::default()).unwrap());
    let (mut faces, mut outside) = (0, Vec::new());
    let ((), report) = batches(&ctx, &PipelineOptions::default(), Box::new(source), &|_, _| 1 << 24, |all| {
        while let Some(batch) = all.next_batch()? {
            for (at, sight) in watch.watch(&batch, frame)? {
                let (HeatSight::Boxes(boxes), info) = (sight, batch.infos()[at]) else { panic!("no boxes") };
                let time = info.seconds().unwrap();
                for face in boxes {
                    faces += 1;
                    if !plan.active_at(time).any(|(_, rect)| well_inside(&face, rect, frame)) {
                        outside.push((info.index, face));
                    }
                }
            }
        }
        Ok(())
    })
    .unwrap();
    report.result.unwrap();
    let share = 1.0 - plan.cost.saving_against_frame;
    eprintln!(
        "{faces} faces in {} frames, {} chunks, {:.1} % of the pixels",
        report.frames,
        plan.chunks.len(),
        share * 100.0
    );
    assert!(faces > 50 && share < 0.9, "{faces} {share}");
    assert!(outside.is_empty(), "{} of {faces}: {:?}", outside.len(), &outside[..outside.len().min(5)]);
}
