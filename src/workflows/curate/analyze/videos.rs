//! Videos to entries: all frames measured, one of each window taken.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::PoisonError;

use super::Recorded;
use super::meter::Meter;
use crate::core::{FrameInfo, FrameLayout};
use crate::error::Result;
use crate::gpu::GpuContext;
use crate::media::{DecodeOptions, HardwareDecode, Status, VideoDecoder};
use crate::pipeline::{FrameSource, PipelineOptions, SourceFrame, SourceReport, VideoSource, batches};
use crate::store::Fingerprint;
use crate::workflows::curate::config::{CurateConfig, VideoConfig, VideoPick};
use crate::workflows::curate::inputs::Names;
use crate::workflows::curate::metrics::{FrameEntry, FrameMetrics, FramePlace, settled};

/// Frames of a source that are wanted; the others never leave the decoder.
pub(in super::super) struct Picked<'a> {
    source: Box<dyn FrameSource + 'a>,
    wanted: Box<dyn Fn(u64) -> bool + Send + 'a>,
}

impl<'a> Picked<'a> {
    pub(in super::super) fn new(source: Box<dyn FrameSource + 'a>, wanted: impl Fn(u64) -> bool + Send + 'a) -> Self {
        Self { source, wanted: Box::new(wanted) }
    }
}

impl FrameSource for Picked<'_> {
    fn next(&mut self, deliver: &mut dyn FnMut(&dyn SourceFrame) -> Result<()>) -> Result<bool> {
        loop {
            let mut delivered = false;
            let wanted = &self.wanted;
            let more = self.source.next(&mut |frame| {
                if !wanted(frame.info().index) {
                    return Ok(());
                }
                delivered = true;
                deliver(frame)
            })?;
            if delivered || !more {
                return Ok(more);
            }
        }
    }
}

/// Opens the first track of a video.
///
/// # Errors
/// As [`VideoDecoder::open`].
pub(in super::super) fn open_video(
    path: &Path,
    limits: &crate::core::Limits,
    cancel: &crate::core::CancelToken,
) -> Result<VideoDecoder> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(8) as u32;
    let options = DecodeOptions {
        track: 0,
        threads,
        limits: limits.clone(),
        hardware: HardwareDecode::Off,
        cancel: cancel.clone(),
        ..DecodeOptions::default()
    };
    VideoDecoder::open(path, &options)
}

/// A frame of a video, measured.
#[derive(Debug, Clone)]
struct Seen {
    info: FrameInfo,
    metrics: FrameMetrics,
}

/// One frame of each window of `every` frames; a cut begins a window, so that no window mixes two scenes.
fn choose(frames: &[Seen], video: &VideoConfig) -> Vec<usize> {
    let mut chosen = Vec::new();
    let mut window: Vec<usize> = Vec::new();
    let close = |window: &mut Vec<usize>, chosen: &mut Vec<usize>| {
        let sharp = |i: &usize| frames.get(*i).map_or(f64::NEG_INFINITY, |f| f.metrics.sharpness);
        // Equal ones: the earlier, as `max_by` takes the later of equal ones.
        let best = window.iter().rev().copied().max_by(|a, b| sharp(a).total_cmp(&sharp(b)));
        chosen.extend(best);
        window.clear();
    };
    for (i, frame) in frames.iter().enumerate() {
        let before = i.checked_sub(1).and_then(|b| frames.get(b));
        let cut = before.is_some_and(|b| b.metrics.change(&frame.metrics) >= video.cut);
        if window.len() >= video.every as usize || cut {
            close(&mut window, &mut chosen);
        }
        window.push(i);
    }
    close(&mut window, &mut chosen);
    chosen
}

/// Measures the frames of `path` that `wanted` takes.
fn frames_of(
    ctx: &GpuContext,
    path: &Path,
    meter: &mut Meter<'_>,
    (config, recorded): (&CurateConfig, &Recorded<'_>),
    look: bool,
    wanted: impl Fn(u64) -> bool + Send,
    progress: &mut dyn FnMut(u64),
) -> Result<(Vec<Seen>, SourceReport, Option<String>)> {
    let (source, end) = VideoSource::new(open_video(path, recorded.limits, recorded.cancel)?);
    let source = Picked::new(Box::new(source), wanted);
    let options =
        PipelineOptions { batch: recorded.batch as u32, cancel: recorded.cancel.clone(), ..PipelineOptions::default() };
    let bytes = |layout: &FrameLayout, batch: u32| Meter::bytes(config, layout, batch);
    let (found, report) = batches(ctx, &options, Box::new(source), &bytes, |all| {
        let mut found = Vec::new();
        while let Some(batch) = all.next_batch()? {
            let count = batch.infos().len() as u32;
            let metrics = meter.measure(batch.frames(), batch.desc().color, count, look)?;
            let both = batch.infos().iter().zip(metrics);
            found.extend(both.filter(|(i, _)| !i.damaged).map(|(info, metrics)| Seen { info: *info, metrics }));
            progress(u64::from(count));
        }
        Ok(found)
    })?;
    let verdict = end.lock().unwrap_or_else(PoisonError::into_inner).verdict.clone();
    let short = verdict.filter(|v| v.status == Status::Partial).map(|v| v.reasons.join("; "));
    Ok((found, report, short))
}

/// Entries of the chosen frames of a video, and why some of it is missing.
pub(super) fn measure_video(
    ctx: &GpuContext,
    path: &Path,
    meter: &mut Meter<'_>,
    (config, recorded): (&CurateConfig, &mut Recorded<'_>),
    names: &mut Names,
    progress: &mut dyn FnMut(u64),
) -> Result<Vec<FrameEntry>> {
    let content = Fingerprint::of_file(path, recorded.cancel)?.to_string();
    let unit = format!("video/{}", path.display());
    let of = |index: u64| format!("{content}#{index}");
    if let Some(before) = recorded.entries(&unit)
        && before.iter().all(|e| e.place.frame.is_some_and(|f| e.content == of(f)) && e.error.is_none())
        && !before.is_empty()
    {
        for entry in &before {
            names.take(path, entry.place.frame);
        }
        progress(before.len() as u64);
        return Ok(before);
    }
    let video = &config.video;
    let every = u64::from(video.every);
    let (frames, report, short) = match video.pick {
        VideoPick::Nth => {
            let shared = (config, &*recorded);
            frames_of(ctx, path, meter, shared, true, move |i| i.is_multiple_of(every), progress)?
        }
        VideoPick::Sharpest => {
            let shared = (config, &*recorded);
            let (all, report, short) = frames_of(ctx, path, meter, shared, false, |_| true, progress)?;
            let picks: Vec<Seen> = choose(&all, video).into_iter().filter_map(|i| all.get(i).cloned()).collect();
            if meter.is_blind() {
                (picks, report, short)
            } else {
                // Networks look at the chosen ones only: they take longer than decoding once more.
                let numbers: BTreeSet<u64> = picks.iter().map(|p| p.info.index).collect();
                let wanted = move |i: u64| numbers.contains(&i);
                let (looked, again, _) = frames_of(ctx, path, meter, shared, true, wanted, &mut |_| ())?;
                let mut by_index: BTreeMap<u64, Seen> = looked.into_iter().map(|s| (s.info.index, s)).collect();
                let picks = picks.into_iter().map(|p| by_index.remove(&p.info.index).unwrap_or(p)).collect();
                (picks, SourceReport { result: report.result.and(again.result), ..report }, short)
            }
        }
    };
    let mut entries: Vec<FrameEntry> = frames
        .into_iter()
        .map(|seen| FrameEntry {
            name: names.take(path, Some(seen.info.index)),
            place: FramePlace {
                path: path.to_path_buf(),
                frame: Some(seen.info.index),
                seconds: seen.info.seconds().map(settled),
            },
            content: of(seen.info.index),
            metrics: Some(seen.metrics),
            error: None,
        })
        .collect();
    if let Some(why) = report.result.err().map(|e| e.to_string()).or(short) {
        // What could be read stays; that something is missing is an entry of its own.
        entries.push(FrameEntry {
            name: names.take(path, None),
            place: FramePlace { path: path.to_path_buf(), frame: None, seconds: None },
            content: String::new(),
            metrics: None,
            error: Some(why),
        });
    }
    recorded.put(&unit, &entries)?;
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::Rational;
    use crate::workflows::curate::metrics::tests::metrics;

    fn seen(index: u64, sharpness: f64, tiny: &str) -> Seen {
        let info = FrameInfo {
            stream: 0,
            index,
            pts: None,
            time_base: Rational { num: 1, den: 25 },
            duration: 1,
            key: false,
            damaged: false,
        };
        Seen { info, metrics: FrameMetrics { tiny: tiny.repeat(64), ..metrics(0.2, 0.8, sharpness) } }
    }

    #[test]
    fn the_sharpest_of_each_window_and_no_window_over_a_cut() {
        let video = VideoConfig { every: 3, ..VideoConfig::default() };
        let sharp = [0.1, 0.5, 0.5, 0.2, 0.9, 0.1, 0.3];
        let tiny = ["10", "10", "10", "10", "80", "80", "80"];
        let frames: Vec<Seen> = (0..7).map(|i| seen(i, sharp[i as usize], tiny[i as usize])).collect();
        // Windows: 0-2, 3 (a cut follows), 4-6.
        assert_eq!(choose(&frames, &video), [1, 3, 4]);
        assert!(choose(&[], &video).is_empty());
    }
}
