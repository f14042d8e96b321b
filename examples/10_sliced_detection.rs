//! Small objects in large frames: a detector on chunks where something moves, instead of the whole frame made small or a grid of tiles.
//!
//! `cargo run --example 10_sliced_detection [VIDEO MODELS DETECTOR]`: MODELS is a folder with a `models.toml`, DETECTOR a name in it. Without
//! arguments it encodes a large clip in which two small squares wander, and takes a tiny graph of the tests that finds bright rectangles.
//! Shows a heat map with activity, a plan, sliced detection with boxes merged in the frame, and what that saves against tiles over the
//! whole frame.

use std::path::{Path, PathBuf};

use frameloom::core::{CancelToken, Detection, Limits, PixelFormat, Rational, Size};
use frameloom::gpu::{GpuContext, GpuOptions};
use frameloom::infer::{Allow, ModelRegistry, SessionOptions, Task, VerifiedModel};
use frameloom::media::{HardwareDecode, Plane, VideoWriter, WriterOptions};
use frameloom::pipeline::PipelineOptions;
use frameloom::workflows::chunk::heat::{HeatConfig, heat_of};
use frameloom::workflows::chunk::plan::{PlanParams, plan};
use frameloom::workflows::chunk::process::{ChunkDetector, ChunkVideo, Placement, VideoOptions, detect_chunks};
use frameloom::{Error, Result};

/// Side of a chunk in pixels, and of a tile of the grid it is compared with.
const SIDE: u32 = 320;

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let made = tempfile::tempdir().map_err(|e| Error::storage("create", std::env::temp_dir(), e))?;
    let (video, models, name) = match args.as_slice() {
        [video, models, name] => (PathBuf::from(video), PathBuf::from(models), name.as_str()),
        [] => (
            make_clip(&made.path().join("clip.mp4"))?,
            PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/models")),
            "yolox-like",
        ),
        _ => return Err(Error::usage("wanted: no arguments, or VIDEO MODELS DETECTOR")),
    };
    let ctx = GpuContext::new(&GpuOptions::default())?;
    let model = ModelRegistry::open(&[models])?.load_for(Task::Detect, name, Allow::Pinned)?;

    // Where does it move, and when?
    let pipeline = PipelineOptions::default();
    let source = open(&video)?.into_source();
    let heat = heat_of(&ctx, &video, source, &HeatConfig::default(), &pipeline, &mut |_| ())?;
    let params = PlanParams { sizes: vec![[SIDE, SIDE]], ..PlanParams::default() };
    let map = heat.map.resized(heat.frame)?;
    let planned = plan(&map, &params)?.scheduled(&map, &heat.activity)?;
    println!("{} frames of {}, {} chunks where something moves", heat.frames, heat.frame, planned.chunks.len());
    for c in &planned.chunks {
        let when: Vec<String> =
            c.active.iter().flat_map(|s| s.spans()).map(|[a, b]| format!("{a:.1}..{b:.1} s")).collect();
        println!("  chunk {}: {:?} x {:?}, active {}", c.chunk_id, c.x_range, c.y_range, when.join(", "));
    }

    let sliced = detect(&ctx, &video, &model, &Placement::of_plan(&planned)?)?;
    let tiled = detect(&ctx, &video, &model, &Placement::tiling(heat.frame, Size::new(SIDE, SIDE), 64)?)?;
    let again: usize = sliced.frames.iter().zip(&tiled.frames).map(|(s, t)| matched(s, t)).sum();
    let wanted: usize = tiled.frames.iter().map(Vec::len).sum();
    for (what, run) in [("chunks", &sliced), ("grid of tiles", &tiled)] {
        let boxes: usize = run.frames.iter().map(Vec::len).sum();
        println!("{what}: {} tiles, {:.1} megapixels, {boxes} boxes, {:.2} s", run.tiles, run.megapixels, run.seconds);
    }
    println!(
        "chunks find {again} of {wanted} boxes of the grid with {:.0} % of its pixels",
        100.0 * sliced.megapixels / tiled.megapixels
    );
    Ok(())
}

/// What came of one run.
struct Run {
    frames: Vec<Vec<Detection>>,
    tiles: u64,
    megapixels: f64,
    seconds: f64,
}

fn detect(ctx: &GpuContext, video: &Path, model: &VerifiedModel, placement: &Placement) -> Result<Run> {
    let mut detector = ChunkDetector::open(ctx, model, &SessionOptions::default())?;
    let mut frames = Vec::new();
    let begun = std::time::Instant::now();
    let source = open(video)?.into_source();
    let report =
        detect_chunks(ctx, source, placement, &mut detector, &PipelineOptions::default(), false, &mut |frame| {
            frames.push(frame.detections.to_vec());
            Ok(())
        })?;
    report.source.result?;
    let seconds = begun.elapsed().as_secs_f64();
    Ok(Run { frames, tiles: report.tiles, megapixels: report.pixels as f64 / 1e6, seconds })
}

/// Boxes of `wanted` that `found` has too: the same class, at least half of both in common.
fn matched(found: &[Detection], wanted: &[Detection]) -> usize {
    let has = |w: &&Detection| found.iter().any(|f| f.class == w.class && f.rect.iou(&w.rect) >= 0.5);
    wanted.iter().filter(has).count()
}

fn open(path: &Path) -> Result<ChunkVideo> {
    let options = VideoOptions {
        track: 0,
        threads: 2,
        hardware: HardwareDecode::Off,
        limits: Limits::default(),
        cancel: CancelToken::new(),
    };
    ChunkVideo::open(path, &options)
}

/// Two seconds of 1280x720: one small square wanders all the time, another in the second second only.
fn make_clip(path: &Path) -> Result<PathBuf> {
    let size = Size::new(1280, 720);
    let options = WriterOptions::new(size, PixelFormat::I420, Rational { num: 1, den: 25 });
    let mut writer = VideoWriter::create(path, &options, None)?;
    let chroma = vec![128u8; 640 * 360];
    for t in 0..50u32 {
        let luma: Vec<u8> = (0..size.height)
            .flat_map(|y| (0..size.width).map(move |x| (x, y)))
            .map(|(x, y)| {
                let inside = |left: u32, top: u32| (left..left + 48).contains(&x) && (top..top + 48).contains(&y);
                if inside(200 + 2 * t, 140 + t) || (t >= 25 && inside(900 - 2 * (t - 25), 520)) { 235 } else { 40 }
            })
            .collect();
        let planes = [(&luma, 1280), (&chroma, 640), (&chroma, 640)];
        let planes = planes.map(|(data, stride)| Plane { data: data.as_slice(), stride });
        writer.write_frame(&planes, i64::from(t))?;
    }
    writer.finish()?;
    Ok(path.to_path_buf())
}
