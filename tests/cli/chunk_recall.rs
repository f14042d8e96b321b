//! How much of what a detector finds with tiles over the whole frame it finds with chunks alone, on real videos with a real network.

use std::path::{Path, PathBuf};

use frameloom::core::{Detection, Size};
use frameloom::gpu::{GpuContext, GpuOptions};
use frameloom::infer::{Allow, ModelRegistry, SessionOptions, Task};
use frameloom::media::DecodeOptions;
use frameloom::pipeline::{FrameSource, PipelineOptions, SourceFrame};
use frameloom::workflows::chunk::process::{ChunkDetector, ChunkVideo, Placement, detect_chunks};

use crate::support::*;

/// Scores of boxes shake with the crop. A box that the tiling has at its least score, 0.3, is found where chunks have it at this one.
const SCORE: f32 = 0.2;
/// YOLOX calls persons so.
const PERSON: u32 = 0;

/// The first of so many frames of a video, and so on: neighbours show nearly the same.
struct Every(Box<dyn FrameSource>, u64);

impl FrameSource for Every {
    fn next(&mut self, deliver: &mut dyn FnMut(&dyn SourceFrame) -> frameloom::Result<()>) -> frameloom::Result<bool> {
        let more = self.0.next(deliver)?;
        for _ in 1..self.1 {
            self.0.next(&mut |_| Ok(()))?;
        }
        Ok(more)
    }
}

/// A folder with the detector and the manifest.
fn models(data: &Path, folder: &Path) -> PathBuf {
    let out = folder.join("models");
    std::fs::create_dir(&out).unwrap();
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/data_models.toml");
    std::fs::copy(manifest, out.join("models.toml")).unwrap();
    std::fs::copy(data.join("onnx/yolox_nano_416.onnx"), out.join("yolox_nano_416.onnx")).unwrap();
    out
}

struct Seen {
    frames: Vec<Vec<Detection>>,
    pixels: u64,
    frame_pixels: u64,
}

fn persons(ctx: &GpuContext, (video, every): (&Path, u64), models: &Path, placement: &Placement, score: f32) -> Seen {
    let model = ModelRegistry::open(&[models.to_path_buf()])
        .unwrap()
        .load_for(Task::Detect, "yolox-nano", Allow::Pinned)
        .unwrap();
    let mut detector = ChunkDetector::open(ctx, &model, &SessionOptions::default()).unwrap();
    detector.options.score = score;
    let options = DecodeOptions { threads: 2, ..DecodeOptions::default() };
    let source = ChunkVideo::open(video, &options).unwrap().into_source();
    let mut frames = Vec::new();
    let source = Box::new(Every(source, every));
    let options = PipelineOptions::default();
    let report = detect_chunks(ctx, source, placement, &mut detector, &options, false, &mut |frame| {
        frames.push(frame.detections.iter().filter(|d| d.class == PERSON).copied().collect());
        Ok(())
    })
    .unwrap();
    report.source.result.unwrap();
    Seen { frames, pixels: report.pixels, frame_pixels: report.frame_pixels }
}

/// Boxes of `wanted` that `found` has at `score` or more, half of both in common, each for one.
fn recall(found: &Seen, wanted: &Seen, score: f32) -> (usize, usize) {
    let (mut hits, mut all) = (0, 0);
    for (found, wanted) in found.frames.iter().zip(&wanted.frames) {
        let mut free: Vec<&Detection> = found.iter().filter(|d| d.score >= score).collect();
        for w in wanted {
            all += 1;
            let best = (0..free.len()).max_by(|a, b| free[*a].rect.iou(&w.rect).total_cmp(&free[*b].rect.iou(&w.rect)));
            if let Some(at) = best.filter(|at| free[*at].rect.iou(&w.rect) >= 0.5) {
                free.swap_remove(at);
                hits += 1;
            }
        }
    }
    (hits, all)
}

/// The same without what stands in its place for more than 15 of 100 frames: motion says nothing of it.
fn moving(seen: &Seen) -> Seen {
    let there = |d: &Detection, frame: &Vec<Detection>| frame.iter().any(|o| o.rect.iou(&d.rect) >= 0.7);
    let moves = |d: &&Detection| seen.frames.iter().filter(|f| there(d, f)).count() * 100 <= seen.frames.len() * 15;
    let frames = seen.frames.iter().map(|f| f.iter().filter(moves).copied().collect()).collect();
    Seen { frames, ..*seen }
}

#[test]
fn chunks_find_what_tiles_find_with_half_of_the_pixels() {
    let Some(data) = real_data("chunks_find_what_tiles_find_with_half_of_the_pixels") else { return };
    let dir = tempfile::tempdir().unwrap();
    let models = models(&data, dir.path());
    let models_text = models.to_str().unwrap();
    let ctx = GpuContext::new(&GpuOptions::default()).unwrap();
    // A tile, and how large persons are: tiles overlap by as much, so that each person lies whole in one of them. In the first video the
    // network takes things that never move for persons; in the second one there is one person at a time, or none. Maps and plans are those of
    // the first seconds, and of so many frames one is looked at.
    for (name, frame, tile, person, things, (seconds, every)) in [
        ("vtest_480x360", Size::new(480, 360), 240, [32, 72], true, ("30", 6)),
        ("intel_one-by-one-person", Size::new(768, 432), 416, [200, 232], false, ("22", 3)),
    ] {
        let video = beginning(&data.join("video").join(name).with_extension("mp4"), seconds, dir.path());
        let tiling = Placement::tiling(frame, Size::new(tile, tile), person[1]).unwrap();
        let tiled = persons(&ctx, (&video, every), &models, &tiling, 0.3);
        for (kind, heat, plan) in [
            (
                "yolox",
                "--source detections --model yolox-nano --classes person --mark middle --every 5 --step 0.5",
                "--objects".to_owned(),
            ),
            ("motion", "--step 0.5", format!("--objects={}x{}", person[0], person[1])),
        ] {
            let folder = dir.path().join(format!("{name}_{kind}"));
            let (maps, plans) = (folder.join("heat"), folder.join("plan"));
            let call = |line: &str, paths: [&Path; 2]| {
                let mut args: Vec<&str> = line.split(' ').collect();
                args.extend([paths[0].to_str().unwrap(), "-o", paths[1].to_str().unwrap()]);
                if line.contains("yolox-nano") {
                    args.extend(["--models", models_text]);
                }
                let o = frameloom().args(&args).output().unwrap();
                assert_eq!(code(&o), 0, "{args:?}: {}", stderr(&o));
            };
            call(&format!("heatmap {heat}"), [&video, &maps]);
            call(&format!("chunk plan {plan} --sizes {tile}x{tile}"), [&maps.join("heat.npy"), &plans]);
            let placement = Placement::read(&plans.join("chunks.json")).unwrap();
            let seen = persons(&ctx, (&video, every), &models, &placement, SCORE);
            let moved = moving(&tiled);
            let wanted = if things && kind == "motion" { &moved } else { &tiled };
            let ((hits, all), (same, _)) = (recall(&seen, wanted, SCORE), recall(&seen, wanted, 0.3));
            let (found, share) = (hits as f64 / all as f64, seen.pixels as f64 / tiled.pixels as f64);
            eprintln!(
                "{name} {kind}: {:.1} % of {all} boxes ({:.1} % at the same score), {:.1} % of the pixels of the tiling, {:.1} % of the frame",
                100.0 * found,
                100.0 * same as f64 / all as f64,
                100.0 * share,
                100.0 * seen.pixels as f64 / seen.frame_pixels as f64,
            );
            assert!(all >= 40 && found >= 0.97 && share <= 0.5, "{name} {kind}: {found} {share}");
        }
    }
}
