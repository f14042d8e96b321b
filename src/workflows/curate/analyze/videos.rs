//! Videos to entries: a glance at all frames, one of each window measured.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::PoisonError;
use std::time::Instant;

use super::Recorded;
use super::meter::{Glance, Meter};
use crate::core::{FrameInfo, FrameLayout};
use crate::error::Result;
use crate::gpu::GpuContext;
use crate::media::{Status, VideoDecoder, probe};
use crate::pipeline::{FrameSource, HeldBatch, PipelineOptions, SourceFrame, SourceReport, VideoSource, batches};
use crate::workflows::curate::config::{CurateConfig, VideoConfig, VideoPick};
use crate::workflows::curate::inputs::Names;
use crate::workflows::curate::metrics::{FrameEntry, FramePlace, settled};
use crate::workflows::video::content_id;

/// Frames of a source that are wanted; the others never leave the decoder.
struct Picked<'a> {
    source: Box<dyn FrameSource + 'a>,
    wanted: Box<dyn Fn(u64) -> bool + Send + 'a>,
}

impl<'a> Picked<'a> {
    fn new(source: Box<dyn FrameSource + 'a>, wanted: impl Fn(u64) -> bool + Send + 'a) -> Self {
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

/// A frame of a video with what was seen of it.
#[derive(Debug, Clone)]
struct Seen<T> {
    info: FrameInfo,
    found: T,
}

/// Mean change of the 8x8 means between frames, in codes.
fn change(a: &Glance, b: &Glance) -> f64 {
    let pairs = a.tiny.pixels.iter().zip(&b.tiny.pixels);
    let sum: u32 = pairs.map(|(a, b)| u32::from(a.abs_diff(*b))).sum();
    f64::from(sum) / a.tiny.pixels.len().max(1) as f64
}

/// One frame of each window of `every` frames; a cut begins a window, so that no window mixes two scenes.
fn choose(frames: &[Seen<Glance>], video: &VideoConfig) -> Vec<usize> {
    let mut chosen = Vec::new();
    let mut window: Vec<usize> = Vec::new();
    let close = |window: &mut Vec<usize>, chosen: &mut Vec<usize>| {
        let sharp = |i: &usize| frames.get(*i).map_or(f64::NEG_INFINITY, |f| f.found.sharpness);
        // Equal ones: the earlier, as `max_by` takes the later of equal ones.
        let best = window.iter().rev().copied().max_by(|a, b| sharp(a).total_cmp(&sharp(b)));
        chosen.extend(best);
        window.clear();
    };
    for (i, frame) in frames.iter().enumerate() {
        let before = i.checked_sub(1).and_then(|b| frames.get(b));
        let cut = before.is_some_and(|b| change(&b.found, &frame.found) >= video.cut);
        if window.len() >= video.every as usize || cut {
            close(&mut window, &mut chosen);
        }
        window.push(i);
    }
    close(&mut window, &mut chosen);
    chosen
}

/// What `see` sees in the frames of `path` that `wanted` takes.
fn frames_of<T>(
    ctx: &GpuContext,
    path: &Path,
    (config, recorded): (&CurateConfig, &Recorded<'_>),
    wanted: impl Fn(u64) -> bool + Send,
    mut see: impl FnMut(&HeldBatch) -> Result<Vec<T>>,
) -> Result<(Vec<Seen<T>>, SourceReport, Option<String>)> {
    let (source, end) = VideoSource::new(VideoDecoder::open(path, recorded.decode)?);
    let source = Picked::new(Box::new(source), wanted);
    let options = PipelineOptions {
        batch: recorded.batch as u32,
        cancel: recorded.decode.cancel.clone(),
        ..PipelineOptions::default()
    };
    let bytes = |layout: &FrameLayout, batch: u32| Meter::bytes(config, layout, batch);
    let (found, report) = batches(ctx, &options, Box::new(source), &bytes, |all| {
        let mut found = Vec::new();
        while let Some(batch) = all.next_batch()? {
            let both = batch.infos().iter().zip(see(&batch)?);
            found.extend(both.filter(|(i, _)| !i.damaged).map(|(info, found)| Seen { info: *info, found }));
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
    // Which way it is turned matters only where that is left out.
    let info = if recorded.decode.upright { None } else { Some(probe(path, &recorded.decode.limits)?) };
    let stream = info.as_ref().and_then(|i| i.video_streams.get(recorded.decode.track));
    let mut content = content_id(path, recorded.decode, stream)?;
    if recorded.decode.track > 0 {
        content.push_str(&format!(":{}", recorded.decode.track));
    }
    let unit = format!("video/{}", path.display());
    let of = |index: u64| format!("{content}#{index}");
    if let Some(before) = recorded.entries(&unit)
        && before.iter().all(|e| e.place.frame.is_some_and(|f| e.content == of(f)) && e.error.is_none())
        && !before.is_empty()
    {
        // A part of a run knows fewer names that are taken.
        let named = before.into_iter().map(|e| FrameEntry { name: names.take(path, e.place.frame), ..e });
        let named: Vec<FrameEntry> = named.collect();
        progress(named.len() as u64);
        return Ok(named);
    }
    let started = Instant::now();
    let video = &config.video;
    let every = u64::from(video.every);
    let shared = (config, &*recorded);
    let (frames, report, short) = match video.pick {
        VideoPick::Nth => frames_of(
            ctx,
            path,
            shared,
            move |i| i.is_multiple_of(every),
            |b| {
                progress(b.infos().len() as u64);
                meter.measure(b.frames(), b.desc().color, b.infos().len() as u32)
            },
        )?,
        VideoPick::Sharpest => {
            let (all, report, short) = frames_of(
                ctx,
                path,
                shared,
                |_| true,
                |b| {
                    progress(b.infos().len() as u64);
                    meter.glance(b.frames(), b.desc().color, b.infos().len() as u32)
                },
            )?;
            let chosen = choose(&all, video).into_iter().filter_map(|i| all.get(i)).map(|s| s.info.index);
            let numbers: BTreeSet<u64> = chosen.collect();
            let none = numbers.is_empty();
            // Decoding once more takes a small part of the time that measuring all frames would.
            let wanted = move |i: u64| numbers.contains(&i);
            let (picks, again, _) = if none {
                (Vec::new(), SourceReport { frames: 0, result: Ok(()), stages: Vec::new() }, None)
            } else {
                frames_of(ctx, path, shared, wanted, |b| {
                    meter.measure(b.frames(), b.desc().color, b.infos().len() as u32)
                })?
            };
            let mut report = report;
            for (all, more) in report.stages.iter_mut().zip(&again.stages) {
                all.merge(more);
            }
            (picks, SourceReport { result: report.result.and(again.result), ..report }, short)
        }
    };
    // What was not looked at is no damage: nothing is said or kept of a video that was stopped.
    recorded.decode.cancel.check()?;
    if let Some(decode) = report.stages.first() {
        recorded.times.video_frames += decode.items;
        recorded.times.video_decode += decode.busy.as_secs_f64();
    }
    recorded.times.video_all += started.elapsed().as_secs_f64();
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
            metrics: Some(seen.found),
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
    use crate::core::{Rational, Size, Thumbnail};

    fn seen(index: u64, sharpness: f64, tiny: u8) -> Seen<Glance> {
        let info = FrameInfo {
            stream: 0,
            index,
            pts: None,
            time_base: Rational { num: 1, den: 25 },
            duration: 1,
            key: false,
            damaged: false,
        };
        Seen { info, found: Glance { sharpness, tiny: Thumbnail { size: Size::new(8, 8), pixels: vec![tiny; 64] } } }
    }

    #[test]
    fn the_sharpest_of_each_window_and_no_window_over_a_cut() {
        let video = VideoConfig { every: 3, ..VideoConfig::default() };
        let sharp = [0.1, 0.5, 0.5, 0.2, 0.9, 0.1, 0.3];
        let tiny = [16, 16, 16, 16, 128, 128, 128];
        let frames: Vec<Seen<Glance>> = (0..7).map(|i| seen(i, sharp[i as usize], tiny[i as usize])).collect();
        // Windows: 0-2, 3 (a cut follows), 4-6.
        assert_eq!(choose(&frames, &video), [1, 3, 4]);
        assert!(choose(&[], &video).is_empty());
    }
}
