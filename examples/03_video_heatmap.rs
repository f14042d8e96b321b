//! Where does a video move? Decodes a clip, counts on the GPU how often each pixel changes, writes heat.png and heat.npy.
//!
//! `cargo run --example 03_video_heatmap [VIDEO] [FOLDER]`; without a video it encodes one with a moving square.
//! Shows encoding, decoding as a pipeline source, and state that stays on the device from batch to batch.

use std::io::Write;
use std::path::{Path, PathBuf};

use frameloom::core::{FrameDesc, FrameInfo, FrameLayout, HeatMode, PixelFormat, Rational, Size};
use frameloom::gpu::{GpuBuffer, GpuContext, GpuOptions, Recorder};
use frameloom::media::{DecodeOptions, Plane, VideoDecoder, VideoWriter, WriterOptions};
use frameloom::ops::heatmap::accumulate::{HeatAccumulator, HeatBound, HeatPlan};
use frameloom::ops::resize::PlaneSelect;
use frameloom::ops::resize::area::AreaPlan;
use frameloom::ops::{FramesBound, GpuFrames};
use frameloom::pipeline::{BatchView, BatchWork, Event, FrameSource, PipelineOptions, VideoSource, run};
use frameloom::report::{Colormap, PngFormat, encode_png, heat_rgb, write_npy};
use frameloom::store::{OsIo, commit};
use frameloom::{Error, Result};

/// Longest side of the picture on which motion is counted.
const SIDE: u32 = 320;

fn main() -> Result<()> {
    let mut args = std::env::args_os().skip(1).map(PathBuf::from);
    let made = tempfile::tempdir().map_err(|e| Error::storage("create", std::env::temp_dir(), e))?;
    let video = match args.next() {
        Some(given) => given,
        None => make_clip(&made.path().join("clip.mp4"))?,
    };
    let folder = args.next().unwrap_or_else(|| std::env::temp_dir().join("frameloom_video_heatmap"));
    std::fs::create_dir_all(&folder).map_err(|e| Error::storage("create", &folder, e))?;

    let decoder = VideoDecoder::open(&video, &DecodeOptions::default())?;
    let (source, end) = VideoSource::new(decoder);
    let source: Box<dyn FrameSource> = Box::new(source);
    let ctx = GpuContext::new(&GpuOptions::default())?;
    let mut heat = None;
    // At most one reduced picture a frame and two more, the map, and its copy at the end.
    let bytes = |_: &FrameLayout, batch: u32| u64::from(SIDE * SIDE) * u64::from(batch + 12);
    run(&ctx, &PipelineOptions::default(), vec![(source, Heat::default())], &bytes, |event| {
        match event {
            Event::Batch { .. } => {}
            Event::Last { output, .. } => heat = output,
            Event::End { report, .. } => {
                println!("{} frames measured", report.frames);
                report.result?;
            }
        }
        Ok(())
    })?;
    let end = end.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if let Some(verdict) = &end.verdict {
        println!("verdict: {:?}", verdict.status);
    }
    let (size, counts) = heat.ok_or_else(|| Error::usage("the video has no frames"))?;
    save(&folder, size, &counts)?;
    describe(size, &counts);
    println!("written: {} and heat.npy", folder.join("heat.png").display());
    Ok(())
}

/// Plans and buffers for frames of one shape. The map and the last picture stay on the device between batches.
struct Shape {
    area: AreaPlan,
    /// Reduced pictures: slot 0 holds the last one of the batch before.
    small: GpuFrames,
    last: GpuFrames,
    heat: HeatAccumulator,
    heat_bound: HeatBound,
    area_bound: Vec<Option<FramesBound>>,
}

#[derive(Default)]
struct Heat(Option<Shape>);

impl BatchWork for Heat {
    /// Only the end has a result: size and counts of the map.
    type Output = Option<(Size, Vec<u32>)>;

    fn begin(
        &mut self,
        ctx: &GpuContext,
        desc: &FrameDesc,
        layout: &FrameLayout,
        batch: u32,
        slots: usize,
    ) -> Result<()> {
        if self.0.is_some() {
            return Err(Error::usage("this example wants a video of one picture size"));
        }
        let size = desc.size.fit_within(SIDE);
        let small = GpuFrames::new(ctx, "small", PixelFormat::Gray8, size, batch + 1)?;
        let last = GpuFrames::new(ctx, "last", PixelFormat::Gray8, size, 1)?;
        let area = AreaPlan::new(ctx, (layout, PlaneSelect::FIRST), (small.layout(), PlaneSelect::FIRST))?;
        let heat =
            HeatAccumulator::new(ctx, &HeatPlan::new(ctx, small.layout(), HeatMode::CountOver { threshold: 10 })?)?;
        let heat_bound = heat.bind(ctx, &small, 1, batch)?;
        self.0 = Some(Shape { area, small, last, heat, heat_bound, area_bound: (0..slots).map(|_| None).collect() });
        Ok(())
    }

    fn result_bytes(&self, _: u32) -> u64 {
        0
    }

    fn record(
        &mut self,
        ctx: &GpuContext,
        batch: &BatchView<'_>,
        rec: &mut Recorder<'_>,
    ) -> Result<Vec<(GpuBuffer, u64, u64)>> {
        let bug = || Error::Bug("a batch before its shape".into());
        let Shape { area, small, last, heat, heat_bound, area_bound } = self.0.as_mut().ok_or_else(bug)?;
        let slot = area_bound.get_mut(batch.ring_slot).ok_or_else(bug)?;
        let area = match slot {
            Some(bound) => bound,
            empty => empty.insert(area.bind(ctx, batch.frames, 0, small, 1)?),
        };
        let (count, bytes) = (batch.infos.len() as u32, u64::from(small.layout().slot_bytes()));
        area.record(rec, count);
        if heat.frames() == 0 {
            // The first picture is compared with itself and adds nothing.
            rec.copy(small.buffer(), bytes, last.buffer(), 0, bytes);
        }
        rec.copy(last.buffer(), 0, small.buffer(), 0, bytes);
        heat.record(rec, heat_bound, count)?;
        rec.copy(small.buffer(), bytes * u64::from(count), last.buffer(), 0, bytes);
        Ok(Vec::new())
    }

    fn decode(&mut self, _: &[FrameInfo], _: &[u8]) -> Result<Self::Output> {
        Ok(None)
    }

    fn finish(&mut self, ctx: &GpuContext) -> Result<Option<Self::Output>> {
        let Some(shape) = &self.0 else { return Ok(None) };
        Ok(Some(Some((shape.small.layout().size, shape.heat.read(ctx)?))))
    }
}

fn save(folder: &Path, size: Size, counts: &[u32]) -> Result<()> {
    let values: Vec<f32> = counts.iter().map(|c| *c as f32).collect();
    let rgb = heat_rgb(&values, size, Colormap::Inferno, None)?;
    let path = folder.join("heat.png");
    let png = encode_png(size, PngFormat::Rgb8, &rgb).map_err(|e| Error::storage("encode", &path, e))?;
    // A name that is visible is a whole file: written beside, flushed, renamed.
    commit(&OsIo, &path, |to| to.write_all(&png))?;
    let shape = [size.height as usize, size.width as usize];
    commit(&OsIo, folder.join("heat.npy"), |mut to| write_npy(&mut to, &shape, counts))?;
    Ok(())
}

/// A small picture of the map in letters, and the box that holds the busiest pixels.
fn describe(size: Size, counts: &[u32]) {
    let most = counts.iter().copied().max().unwrap_or(0);
    let (columns, rows) = (64.min(size.width), 18.min(size.height));
    let mut cells = vec![0u32; (columns * rows) as usize];
    let mut hot: Option<[u32; 4]> = None;
    for (at, count) in (0u32..).zip(counts) {
        let (x, y) = (at % size.width, at / size.width);
        let cell = (y * rows / size.height) * columns + x * columns / size.width;
        if let Some(c) = cells.get_mut(cell as usize) {
            *c = (*c).max(*count);
        }
        if most > 0 && *count * 10 >= most * 9 {
            let [left, top, right, bottom] = hot.unwrap_or([x, y, x, y]);
            hot = Some([left.min(x), top.min(y), right.max(x), bottom.max(y)]);
        }
    }
    for row in cells.chunks(columns as usize) {
        let shade = |c: &u32| " .:-=+*#%@".chars().nth((c * 9).div_ceil(most.max(1)) as usize).unwrap_or('@');
        println!("  {}", row.iter().map(shade).collect::<String>());
    }
    match hot {
        Some([left, top, right, bottom]) => {
            println!(
                "most motion: columns {left} to {right}, rows {top} to {bottom} of {size}, up to {most} changes a pixel"
            );
        }
        None => println!("nothing moves"),
    }
}

/// Two seconds of a bright square that swings from side to side in the lower half.
fn make_clip(path: &Path) -> Result<PathBuf> {
    let size = Size::new(320, 180);
    let mut writer =
        VideoWriter::create(path, &WriterOptions::new(size, PixelFormat::I420, Rational { num: 1, den: 25 }), None)?;
    let chroma = vec![128u8; 160 * 90];
    for t in 0..50i64 {
        let left = (100.0 + 80.0 * (t as f64 * 0.25).sin()) as u32;
        let square = |x: u32, y: u32| (left..left + 40).contains(&x) && (110..150).contains(&y);
        let luma: Vec<u8> = (0..size.height)
            .flat_map(|y| (0..size.width).map(move |x| if square(x, y) { 220 } else { 40 + (x / 8) as u8 }))
            .collect();
        let planes = [(&luma, 320), (&chroma, 160), (&chroma, 160)].map(|(data, stride)| Plane { data, stride });
        writer.write_frame(&planes, t)?;
    }
    let done = writer.finish()?;
    println!("encoded {} frames with {} ({} bytes)", done.frames, done.encoder, done.bytes);
    Ok(path.to_path_buf())
}
