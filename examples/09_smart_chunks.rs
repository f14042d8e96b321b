//! Where and when is it worth to compute? Heat maps of a video, chunks over them, and what they save.
//!
//! `cargo run --example 09_smart_chunks [VIDEO] [OUTPUT] [WxH]`: OUTPUT is a folder, WxH the size of a chunk. Without VIDEO it makes a
//! clip of its own: a square that comes from the left, and one that blinks in a corner.
//! Shows the same pass over a video with two sources of heat, motion and a function of the caller on the GPU (edges, which stand for whatever
//! a network of yours would mark), a plan whose chunks know when they are active, and one whose chunks follow their subject.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::path::{Path, PathBuf};

use frameloom::core::{PixelFormat, Rational, Size};
use frameloom::gpu::{GpuContext, GpuOptions};
use frameloom::media::{DecodeOptions, Plane, VideoDecoder, VideoWriter, WriterOptions};
use frameloom::ops::edges::sobel::plan_magnitude;
use frameloom::pipeline::{PipelineOptions, VideoSource};
use frameloom::store::OsIo;
use frameloom::workflows::chunk::heat::{HeatConfig, HeatFound, custom_heat, heat_of};
use frameloom::workflows::chunk::plan::{ChunkPlan, PlanParams, plan, plan_moving};
use frameloom::workflows::chunk::{write_heat, write_plan};
use frameloom::{Error, Result};

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let made = tempfile::tempdir().map_err(|e| Error::storage("create", std::env::temp_dir(), e))?;
    let video = match args.first() {
        Some(given) => PathBuf::from(given),
        None => make_clip(&made.path().join("clip.mp4"))?,
    };
    let out = args.get(1).map_or_else(|| std::env::temp_dir().join("frameloom_smart_chunks"), PathBuf::from);
    let wanted = || Error::Usage { message: "the size of a chunk looks like 160x160".into(), hint: None };
    let side = |s: &str| s.parse::<u32>().map_err(|_| wanted());
    let chunk = match args.get(2) {
        Some(text) => text.split_once('x').ok_or_else(wanted).and_then(|(w, h)| Ok([side(w)?, side(h)?]))?,
        None => [160, 160],
    };
    let ctx = GpuContext::new(&GpuOptions::default())?;

    // Where it moves: counted on the GPU, frame by frame, with the activity per half second in the same pass.
    let config = HeatConfig { step: 0.5, ..HeatConfig::default() };
    let options = PipelineOptions::default();
    let motion = heat_of(&ctx, &video, open(&video)?, &config, &options, &mut ())?;
    told("motion", &motion);

    // What you mark yourself: any kernels that write a grey picture, here the strength of edges.
    let mut bound = HashMap::new();
    let edges = custom_heat(
        &ctx,
        &video,
        open(&video)?,
        Box::new(move |ctx, batch, rec, marks| {
            // The device works on it after this returns, so what is bound is kept: once per slot of the ring.
            let sobel = match bound.entry(batch.ring_slot) {
                Entry::Occupied(kept) => kept.into_mut(),
                Entry::Vacant(free) => {
                    let plan = plan_magnitude(ctx, batch.frames.layout())?;
                    free.insert(plan.bind(ctx, (batch.frames, 0), (marks, 0))?)
                }
            };
            sobel.record(rec, batch.infos.len() as u32);
            Ok(())
        }),
        &config,
        &options,
        &mut (),
    )?;
    told("edges", &edges);

    // Chunks that stay, active only while something is hot in them.
    let size = motion.frame;
    let map = motion.map.resized(size)?;
    let params = PlanParams { sizes: vec![chunk], overlap: 8, ..PlanParams::default() };
    let still = plan(&map, &params)?.scheduled(&map, &motion.activity)?;
    said("chunks that stay", &still);

    // Chunks that follow their subject from second to second.
    let params = PlanParams { segment: Some(1.0), ..params };
    let moving = plan_moving(&map, &motion.activity, &params)?;
    said("chunks that follow", &moving);
    for time in [1.0, 2.0, 3.0, 4.0] {
        let places: Vec<String> = moving.active_at(time).map(|(_, r)| format!("{},{}", r.x, r.y)).collect();
        println!("  at {time} s: {}", if places.is_empty() { "nothing to do".into() } else { places.join("  ") });
    }

    for (name, plan) in [("still", &still), ("moving", &moving)] {
        let folder = out.join(name);
        std::fs::create_dir_all(&folder).map_err(|e| Error::storage("create", &folder, e))?;
        write_heat(&OsIo, &folder, &motion, &config)?;
        write_plan(&OsIo, &folder, name, &map, Some(&motion.activity), plan)?;
        println!("{}", folder.join("report.html").display());
    }
    Ok(())
}

fn open(video: &Path) -> Result<Box<VideoSource>> {
    Ok(Box::new(VideoSource::new(VideoDecoder::open(video, &DecodeOptions::default())?).0))
}

fn told(name: &str, found: &HeatFound) {
    let stats = found.map.stats();
    println!(
        "{name}: {} frames, mean {:.4}, largest {:.3}, {:.1} % of the pixels above 0.1; {} cells hot in {} steps",
        found.frames,
        stats.mean_activity,
        stats.max_activity,
        stats.activity_ratio * 100.0,
        found.activity.cells().len(),
        found.activity.steps().len()
    );
}

fn said(name: &str, plan: &ChunkPlan) {
    println!(
        "{name}: {} chunks cover {:.1} % of the heat ({:.1} % at its time) with {:.1} % of the pixels of the frame",
        plan.chunks.len(),
        plan.active_coverage * 100.0,
        plan.timed_coverage.unwrap_or(0.0) * 100.0,
        (1.0 - plan.cost.saving_against_frame) * 100.0
    );
}

/// Five seconds: a square walks to the right for the first three, one blinks at the lower right in the last.
fn make_clip(path: &Path) -> Result<PathBuf> {
    let size = Size::new(640, 360);
    let options = WriterOptions::new(size, PixelFormat::Gray8, Rational { num: 1, den: 25 });
    let mut writer = VideoWriter::create(path, &options, None)?;
    for t in 0..125u32 {
        let walker = 40 + t.min(75) * 3;
        let blinks = t >= 100 && t / 3 % 2 == 0;
        let pixel = |i: u32| {
            let (x, y) = (i % size.width, i / size.width);
            let walks = (walker..walker + 48).contains(&x) && (80..128).contains(&y);
            let blinks = blinks && (560..600).contains(&x) && (300..340).contains(&y);
            if walks || blinks { 220 } else { 60 + (x / 40 + y / 40) as u8 % 2 * 8 }
        };
        let gray: Vec<u8> = (0..size.width * size.height).map(pixel).collect();
        writer.write_frame(&[Plane { data: &gray, stride: size.width as usize }], i64::from(t))?;
    }
    writer.finish()?;
    Ok(path.to_path_buf())
}
