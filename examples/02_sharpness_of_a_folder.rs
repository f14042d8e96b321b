//! Ranks the pictures of a folder by sharpness (variance of the Laplacian).
//!
//! `cargo run --example 02_sharpness_of_a_folder [FOLDER]`; without a folder it makes one sharp picture and blurs it.
//! Shows the pipeline: a source on its own thread, a `BatchWork` on the GPU thread, results in order on this thread.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use frameloom::core::{FrameDesc, FrameInfo, FrameLayout, Limits, LumaSums, PixelFormat, Rational, Size};
use frameloom::gpu::{GpuBuffer, GpuContext, GpuOptions, Recorder};
use frameloom::media::{DecodeHint, FolderFrames, ListOptions, list_images};
use frameloom::ops::color::gray_from_rgb::GrayFromRgbPlan;
use frameloom::ops::stats::luma::{LumaParams, LumaStatsBound, LumaStatsPlan};
use frameloom::ops::{FramesBound, GpuFrames};
use frameloom::pipeline::{BatchView, BatchWork, Event, FolderSource, FrameSource, PipelineOptions, run};
use frameloom::reference::pattern::Pattern;
use frameloom::report::{PngFormat, encode_png};
use frameloom::store::{OsIo, commit};
use frameloom::{Error, Result};

fn main() -> Result<()> {
    let made = tempfile::tempdir().map_err(|e| Error::storage("create", std::env::temp_dir(), e))?;
    let folder = match std::env::args_os().nth(1) {
        Some(given) => PathBuf::from(given),
        None => {
            make_pictures(made.path())?;
            made.path().to_path_buf()
        }
    };
    let limits = Limits::default();
    let list = list_images(&folder, ListOptions::default(), &limits)?;
    let names: Vec<String> =
        list.files.iter().map(|p| p.file_name().unwrap_or_default().to_string_lossy().into_owned()).collect();
    let frames = FolderFrames::new(list.files, Rational { num: 25, den: 1 }, 0, limits, DecodeHint::default())?;
    let end = Arc::default();
    let source: Box<dyn FrameSource> = Box::new(FolderSource::new(frames, list.skipped, Arc::clone(&end)));

    let ctx = GpuContext::new(&GpuOptions::default())?;
    let mut ranking = BTreeMap::new();
    // Grey pictures of a batch are all that the work allocates besides small results.
    let bytes = |layout: &FrameLayout, batch| u64::from(layout.slot_bytes()) / 4 * u64::from(batch) + (1 << 20);
    run(&ctx, &PipelineOptions::default(), vec![(source, Sharpness::default())], &bytes, |event| {
        match event {
            Event::Batch { infos, output, .. } => ranking.extend(infos.iter().map(|i| i.index).zip(output)),
            Event::Last { .. } => {}
            Event::End { report, .. } => report.result?,
        }
        Ok(())
    })?;

    let mut ranking: Vec<(u64, f64)> = ranking.into_iter().collect();
    ranking.sort_by(|a, b| b.1.total_cmp(&a.1));
    println!("{:>10}  picture", "sharpness");
    for (index, sharpness) in ranking {
        println!("{sharpness:>10.1}  {}", names.get(index as usize).map_or("?", String::as_str));
    }
    // Pictures that could not be decoded are named, never dropped silently.
    let end = end.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    for reason in end.verdict.iter().flat_map(|v| &v.reasons) {
        println!("{:>10}  {reason}", "-");
    }
    Ok(())
}

/// Plans for pictures of one size, and what is bound for each slot of the upload ring.
#[derive(Default)]
struct Sharpness {
    size: Option<Size>,
    plans: Option<(GrayFromRgbPlan, LumaStatsPlan, GpuFrames)>,
    bound: Vec<Option<(FramesBound, LumaStatsBound)>>,
}

impl BatchWork for Sharpness {
    type Output = Vec<f64>;

    fn begin(
        &mut self,
        ctx: &GpuContext,
        desc: &FrameDesc,
        layout: &FrameLayout,
        batch: u32,
        slots: usize,
    ) -> Result<()> {
        // Called again whenever the size changes, as it may in a folder.
        let gray = GrayFromRgbPlan::new(ctx, layout)?;
        let stats = LumaStatsPlan::new(ctx, gray.output(), LumaParams { dark: 0, bright: 255 })?;
        let pictures = GpuFrames::new(ctx, "gray", PixelFormat::Gray8, desc.size, batch)?;
        self.plans = Some((gray, stats, pictures));
        self.bound = (0..slots).map(|_| None).collect();
        self.size = Some(desc.size);
        Ok(())
    }

    fn result_bytes(&self, batch: u32) -> u64 {
        LumaStatsPlan::RESULT_BYTES * u64::from(batch)
    }

    fn record(
        &mut self,
        ctx: &GpuContext,
        batch: &BatchView<'_>,
        rec: &mut Recorder<'_>,
    ) -> Result<Vec<(GpuBuffer, u64, u64)>> {
        let (Some((gray, stats, pictures)), Some(slot)) = (&self.plans, self.bound.get_mut(batch.ring_slot)) else {
            return Err(Error::Bug("a batch before its shape".into()));
        };
        let (gray, stats) = match slot {
            Some(bound) => bound,
            empty => empty.insert((gray.bind(ctx, batch.frames, 0, pictures, 0)?, stats.bind(ctx, pictures, 0)?)),
        };
        let count = batch.infos.len() as u32;
        gray.record(rec, count);
        stats.record(rec, count);
        Ok(vec![(stats.results().clone(), 0, LumaStatsPlan::RESULT_BYTES * u64::from(count))])
    }

    fn decode(&mut self, _: &[FrameInfo], bytes: &[u8]) -> Result<Vec<f64>> {
        let (Some((_, stats)), Some(size)) = (self.bound.iter().flatten().next(), self.size) else {
            return Err(Error::Bug("results before a batch".into()));
        };
        Ok(stats.decode(bytes).iter().map(|sums: &LumaSums| sums.stats(size).laplacian_variance).collect())
    }

    fn finish(&mut self, _: &GpuContext) -> Result<Option<Vec<f64>>> {
        Ok(None)
    }
}

/// One sharp picture and blurred versions of it.
fn make_pictures(folder: &Path) -> Result<()> {
    let size = Size::new(320, 240);
    let sharp = Pattern::Natural { seed: 3, shift: 0 }.plane(size, 1, size.width as usize);
    for radius in [0usize, 1, 2, 4, 8] {
        let soft = blur(&blur(&sharp, 1, radius), size.width as usize, radius);
        let path = folder.join(format!("blur_{radius}.png"));
        let png = encode_png(size, PngFormat::Gray8, &soft).map_err(|e| Error::storage("encode", &path, e))?;
        commit(&OsIo, &path, |to| std::io::Write::write_all(to, &png))?;
    }
    Ok(())
}

/// Mean of the samples up to `radius` steps of `stride` before and behind.
fn blur(from: &[u8], stride: usize, radius: usize) -> Vec<u8> {
    let at = |i: usize, step: isize| {
        let place = i as isize + step * stride as isize;
        usize::try_from(place).ok().and_then(|p| from.get(p)).copied()
    };
    (0..from.len())
        .map(|i| {
            let near: Vec<u32> =
                (-(radius as isize)..=radius as isize).filter_map(|s| at(i, s)).map(u32::from).collect();
            (near.iter().sum::<u32>() / near.len().max(1) as u32) as u8
        })
        .collect()
}
