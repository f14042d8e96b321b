//! Small objects in large frames: a detector on chunks where something moves, instead of the whole frame made small or a grid of tiles.
//!
//! `cargo run --example 10_sliced_detection [VIDEO MODELS DETECTOR]`: MODELS is a folder with a `models.toml`, DETECTOR a name in it. Without
//! arguments it encodes a clip of 1280x720 in which small boxes drive along lanes, two all the time and two from the second second on, and
//! takes a tiny graph of the tests, which finds one bright rectangle in each half of what it sees. Where every box is at any time is known
//! there, so that hits and errors can be counted.
//! Shows a heat map with activity, a plan, sliced detection with boxes merged in the frame, and what that costs and finds beside tiles over
//! the whole frame, and beside the whole frame made small.

use std::path::{Path, PathBuf};

use frameloom::core::{BoxF, Detection, PixelFormat, Rational, Size};
use frameloom::gpu::{GpuContext, GpuOptions};
use frameloom::infer::{Allow, ModelRegistry, SessionOptions, Task, VerifiedModel};
use frameloom::media::{DecodeOptions, Plane, VideoWriter, WriterOptions};
use frameloom::pipeline::PipelineOptions;
use frameloom::workflows::chunk::heat::{HeatConfig, heat_of};
use frameloom::workflows::chunk::plan::{PlanParams, plan};
use frameloom::workflows::chunk::process::{ChunkDetector, ChunkVideo, Placement, detect_chunks};
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
    let heat = heat_of(&ctx, &video, source, &HeatConfig::default(), &pipeline, &mut ())?;
    let params = PlanParams { sizes: vec![[SIDE, SIDE]], ..PlanParams::default() };
    let map = heat.map.resized(heat.frame)?;
    let planned = plan(&map, &params)?.scheduled(&map, &heat.activity)?;
    println!("{} frames of {}, {} chunks where something moves", heat.frames, heat.frame, planned.chunks.len());
    for c in &planned.chunks {
        let when: Vec<String> =
            c.active.iter().flat_map(|s| s.spans()).map(|[a, b]| format!("{a:.1}..{b:.1} s")).collect();
        println!("  chunk {}: {:?} x {:?}, active {}", c.chunk_id, c.x_range, c.y_range, when.join(", "));
    }

    let grid = Placement::tiling(heat.frame, Size::new(SIDE, SIDE), 64)?;
    let whole = Placement::tiling(heat.frame, heat.frame, 0)?;
    let mut runs = Vec::new();
    for (what, placement) in
        [("whole frame, made small", whole), ("grid of tiles", grid), ("chunks", Placement::of_plan(&planned)?)]
    {
        runs.push((what, detect(&ctx, &video, &model, &placement)?));
    }
    // What is right: known of the clip made here; of a video of yours what the grid finds.
    let truth: Vec<Vec<BoxF>> = match (args.is_empty(), runs.get(1)) {
        (false, Some((_, grid))) => grid.frames.iter().map(|f| f.iter().map(|d| d.rect).collect()).collect(),
        _ => (0..FRAMES).map(|t| boxes(t).collect()).collect(),
    };
    let wanted: usize = truth.iter().map(Vec::len).sum();
    println!("{:24} {:>6} {:>12} {:>18} {:>6} {:>8}", "", "tiles", "megapixels", "found", "wrong", "seconds");
    for (what, run) in &runs {
        let (mut found, mut all) = (0, 0);
        for (seen, truth) in run.frames.iter().zip(&truth) {
            found += matched(seen, truth);
            all += seen.len();
        }
        let (share, wrong) = (format!("{found} of {wanted}"), all - found);
        println!("{what:24} {:6} {:12.1} {share:>18} {wrong:6} {:8.2}", run.tiles, run.megapixels, run.seconds);
    }
    if let [_, (_, grid), (_, chunks)] = runs.as_slice() {
        println!("chunks: {:.0} % of the pixels of the grid", 100.0 * chunks.megapixels / grid.megapixels);
    }
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

/// Objects of `truth` that were found: at least half of both boxes in common, each box for one object.
fn matched(found: &[Detection], truth: &[BoxF]) -> usize {
    let mut free: Vec<&Detection> = found.iter().collect();
    let mut count = 0;
    for wanted in truth {
        if let Some(at) = free.iter().position(|f| f.rect.iou(wanted) >= 0.5) {
            free.swap_remove(at);
            count += 1;
        }
    }
    count
}

fn open(path: &Path) -> Result<ChunkVideo> {
    let options = DecodeOptions { threads: 2, ..DecodeOptions::default() };
    ChunkVideo::open(path, &options)
}

/// Frames of the clip.
const FRAMES: u32 = 75;

/// Where boxes are in frame `t`: two drive down side by side, two more drive up from frame 25 on.
fn boxes(t: u32) -> impl Iterator<Item = BoxF> {
    let at = |x: u32, y: u32| BoxF { x: x as f32, y: y as f32, width: 48.0, height: 40.0 };
    let down = [at(180, 60 + 3 * t), at(330, 90 + 3 * t)];
    let up = [at(900, 640 - 4 * t), at(1060, 610 - 4 * t)];
    down.into_iter().chain(up.into_iter().filter(move |_| t >= 25))
}

/// Three seconds of 1280x720.
fn make_clip(path: &Path) -> Result<PathBuf> {
    let size = Size::new(1280, 720);
    let options = WriterOptions::new(size, PixelFormat::I420, Rational { num: 1, den: 25 });
    let mut writer = VideoWriter::create(path, &options, None)?;
    let chroma = vec![128u8; 640 * 360];
    for t in 0..FRAMES {
        let mut luma = vec![40u8; 1280 * 720];
        for b in boxes(t) {
            let (left, top, width) = (b.x as usize, b.y as usize, b.width as usize);
            for row in luma.chunks_exact_mut(1280).skip(top).take(b.height as usize) {
                row.iter_mut().skip(left).take(width).for_each(|v| *v = 235);
            }
        }
        let planes = [(&luma, 1280), (&chroma, 640), (&chroma, 640)];
        let planes = planes.map(|(data, stride)| Plane { data: data.as_slice(), stride });
        writer.write_frame(&planes, i64::from(t))?;
    }
    writer.finish()?;
    Ok(path.to_path_buf())
}
