//! All methods side by side: the same frames and pictures, compared in every way there is.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

use serde::Serialize;

use super::super::config::{DescriptorConfig, FeatureMethod};
use super::super::pool::{Pool, PoolOptions, Scan, build_pool};
use super::label::Canvas;
use super::{CollageConfig, CollageOptions, CollageVideo, collage, sheet};
use crate::core::{OutcomeObserver, Progress, Rational, Size};
use crate::error::{Error, Result};
use crate::gpu::GpuContext;
use crate::media::{DecodeOptions, encode_jpeg};
use crate::report::{HtmlTable, ImageItem, Note, Page, Tone};
use crate::store::{OsIo, StoreIo, commit, commit_json};

/// What one method did.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MethodResult {
    /// The method.
    pub method: FeatureMethod,
    /// Numbers of a descriptor.
    pub dim: u32,
    /// Pictures that were described now; the others were known.
    pub described: usize,
    /// Seconds for the index.
    pub index_seconds: f64,
    /// Seconds for decoding, matching and writing the samples.
    pub match_seconds: f64,
    /// Mean likeness of the frames and their pictures. Comparable within a method only.
    pub similarity: f64,
}

/// What is compared.
#[derive(Debug, Clone)]
pub struct Comparison<'a> {
    /// The video.
    pub video: &'a Path,
    /// How it is opened.
    pub opening: &'a DecodeOptions,
    /// The pictures.
    pub scan: &'a Scan,
    /// Settings; the descriptor is exchanged.
    pub config: &'a CollageConfig,
    /// What is compared by.
    pub methods: &'a [DescriptorConfig],
    /// Frames, evenly over the video.
    pub frames: u32,
}

/// Finds the best picture of each frame by every method, and writes `comparison.jpg` (a row a frame: the frame, then the picture of each
/// method), `comparison.json` and `comparison.html` into `folder`, beside what each method's own run writes. `observer` hears of each method as of an
/// input: what [`build_pool`] and [`collage`] say, and what it did.
///
/// # Errors
/// As [`build_pool`] and [`collage`]; [`Error::Config`] for no frames.
pub fn compare(
    ctx: &GpuContext,
    what: &Comparison<'_>,
    folder: &Path,
    options: &CollageOptions,
    observer: &mut dyn OutcomeObserver<MethodResult>,
) -> Result<Vec<MethodResult>> {
    if what.frames == 0 {
        return Err(Error::Config { field: "frames".into(), message: "must be at least 1, got 0".into() });
    }
    let io = OsIo;
    io.create_dir_all(folder).map_err(|e| Error::storage("create the output folder", folder, e))?;
    let mut results = Vec::new();
    let mut columns: Vec<Vec<(Size, Vec<u8>)>> = Vec::new();
    for (input, descriptor) in what.methods.iter().enumerate() {
        let (descriptor, method) = (descriptor.clone(), descriptor.method);
        let video = CollageVideo::open(what.video, what.opening)?;
        let at = folder.join(method.name());
        let began = Instant::now();
        let build = PoolOptions {
            threads: options.threads,
            networks: options.networks.clone(),
            limits: options.limits.clone(),
            cancel: options.pipeline.cancel.clone(),
            ..PoolOptions::default()
        };
        let mut step = |p: Progress| observer.progress(p.of_input(input));
        let report =
            build_pool(ctx, what.scan.clone(), &at.join("index"), &descriptor.clone().into(), &build, &mut step)?;
        let index_seconds = began.elapsed().as_secs_f64();
        let began = Instant::now();
        let config = CollageConfig {
            descriptor,
            rate: Some(rate(&video, what.frames)),
            video: false,
            frames: false,
            samples: what.frames,
            sample_interval: 1,
            ..what.config.clone()
        };
        let again = CollageOptions { restart: true, ..options.clone() };
        let outcome = collage(ctx, video, &Pool::open(at.join("index"))?, &at, &config, &again, &mut step)?;
        let result = MethodResult {
            method,
            dim: config.descriptor.dim()?,
            described: report.computed,
            index_seconds,
            match_seconds: began.elapsed().as_secs_f64(),
            similarity: outcome.total_similarity / outcome.frames.max(1) as f64,
        };
        observer.outcome(input, result.clone())?;
        results.push(result);
        columns.push(samples(&at.join("comparison_samples"))?);
    }
    let jpeg = table(&results, &columns)?;
    commit(&io, folder.join("comparison.jpg"), |w| w.write_all(&jpeg))?;
    commit_json(&io, folder.join("comparison.json"), &results)?;
    page(what, &results, &jpeg).write(&io, folder.join("comparison.html"))?;
    Ok(results)
}

/// So many frames per second that the whole video has about `frames`.
fn rate(video: &CollageVideo, frames: u32) -> Rational {
    let facts = &video.facts;
    let seconds = facts.frames.zip(facts.fps).map_or(1.0, |(n, fps)| n as f64 / fps).clamp(0.001, 1e6);
    let thousandths = (f64::from(frames) / seconds * 1000.0).round().clamp(1.0, 1e6);
    Rational { num: thousandths as i32, den: 1000 }
}

/// The samples of a run, in order.
fn samples(folder: &Path) -> Result<Vec<(Size, Vec<u8>)>> {
    let storage = |e| Error::storage("read", folder, e);
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder).map_err(storage)?.filter_map(|e| Some(e.ok()?.path())).collect();
    files.sort();
    let read = |path: &PathBuf| sheet::pixels(&std::fs::read(path).map_err(|e| Error::storage("read", path, e))?);
    files.iter().map(read).collect()
}

/// Frame and pictures of all methods, half as large as the samples.
fn table(results: &[MethodResult], columns: &[Vec<(Size, Vec<u8>)>]) -> Result<Vec<u8>> {
    const GAP: u32 = 6;
    const HEAD: u32 = 26;
    let first = columns.first().and_then(|c| c.first()).map(|(size, _)| *size);
    let Size { width, height } = first.unwrap_or(Size::new(4, 2));
    let cell = Size::new(width / 4, height / 2);
    let rows = columns.iter().map(Vec::len).min().unwrap_or(0) as u32;
    let count = results.len() as u32 + 1;
    let all = Size::new(count * (cell.width + GAP) + GAP, rows * (cell.height + GAP) + HEAD + GAP);
    let mut canvas = Canvas::new(all, [24, 24, 26]);
    let left = |column: u32| GAP + column * (cell.width + GAP);
    canvas.text("frame", (left(0), 2), 2, [230, 230, 230]);
    for (column, result) in (1..).zip(results) {
        canvas.text(result.method.name(), (left(column), 2), 2, [60, 230, 60]);
    }
    for (column, samples) in (0u32..).zip(columns) {
        for (row, (size, rgba)) in (0u32..).zip(samples).take(rows as usize) {
            let top = HEAD + row * (cell.height + GAP);
            if column == 0 {
                canvas.draw(&halved(rgba, *size, 0), cell, (left(0), top));
            }
            canvas.draw(&halved(rgba, *size, size.width / 2), cell, (left(column + 1), top));
        }
    }
    encode_jpeg(all, &canvas.rgba, 90)
}

/// Half the size of the half of a sample that begins at column `from`: the mean of two by two.
fn halved(rgba: &[u8], size: Size, from: u32) -> Vec<u8> {
    let at = |x: u32, y: u32, c: usize| rgba.get(((y * size.width + x) * 4) as usize + c).copied().map_or(0, u32::from);
    let mut out = Vec::new();
    for y in 0..size.height / 2 {
        for x in 0..size.width / 4 {
            for c in 0..4 {
                let (x, y) = (from + 2 * x, 2 * y);
                out.push(((at(x, y, c) + at(x + 1, y, c) + at(x, y + 1, c) + at(x + 1, y + 1, c) + 2) / 4) as u8);
            }
        }
    }
    out
}

fn page(what: &Comparison<'_>, results: &[MethodResult], jpeg: &[u8]) -> Page {
    let name = what.video.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let mut table = HtmlTable::new("Methods")
        .text("method")
        .number("numbers", "")
        .number("index", "s")
        .number("match", "s")
        .number("similarity", "");
    for r in results {
        table = table.row([
            r.method.name().to_owned(),
            r.dim.to_string(),
            format!("{:.2}", r.index_seconds),
            format!("{:.2}", r.match_seconds),
            format!("{:.3}", r.similarity),
        ]);
    }
    Page::new(name)
        .subtitle(format!("{} frames against {} pictures by every method", what.frames, what.scan.files.len()))
        .table(table)
        .notes([Note::new(
            Tone::Neutral,
            "Similarities are comparable within a method, not between methods. Seconds are those of this machine and run; an index that was there \
             already costs nothing.",
        )])
        .images([ImageItem::jpeg(jpeg, "left: the frames; then the best picture by each method").wide()])
        .footer("frameloom", env!("CARGO_PKG_VERSION"))
}
