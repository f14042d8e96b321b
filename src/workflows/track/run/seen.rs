//! The pass over the pictures: times, detections and stills of a video. All that follows needs no pixels.

use std::sync::PoisonError;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::config::{Sampling, TrackConfig};
use super::eye::{Eye, TrackDetector};
use super::log::{LookLog, Looked, Shot};
use super::looks::Look;
use super::source::{FrameTime, Timeline, TrackVideo};
use super::stills::Stills;
use crate::core::{BoxF, Detection, Size};
use crate::error::{Error, Result};
use crate::gpu::GpuContext;
use crate::media::{Status, Verdict};
use crate::pipeline::{HeldBatch, PipelineOptions, batches, resident};

/// Wall time after which what a network found is made durable.
const FLUSH: Duration = Duration::from_secs(2);

/// A frame of the timeline and what was seen in it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct SeenFrame {
    pub(super) time: FrameTime,
    /// In pixels of the picture as it is shown.
    pub(super) detections: Vec<Detection>,
    /// What they look like, one for each; empty where nobody asked.
    pub(super) looks: Vec<Option<Look>>,
}

/// All that the pass found, but for frames and pictures: `source.json` of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct SeenFacts {
    pub(super) version: u32,
    /// Files of the recording, in order of time.
    pub(super) inputs: Vec<String>,
    /// Content ids of the files.
    pub(super) fingerprints: Vec<String>,
    /// Position among the video tracks, and their number.
    pub(super) track: usize,
    pub(super) tracks: usize,
    /// Size of the pictures as they are shown.
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) rotation: i32,
    pub(super) fps: Option<f64>,
    pub(super) detector: String,
    pub(super) detector_content: String,
    /// The network for appearance.
    #[serde(default)]
    pub(super) appearance: Option<String>,
    pub(super) classes: Vec<String>,
    pub(super) sampling: Sampling,
    /// Frames that the container declares, and those that came out of it.
    pub(super) declared_frames: Option<u64>,
    pub(super) decoded_frames: u64,
    /// Where segments begin.
    pub(super) joints: Vec<f64>,
    /// Why the video is not whole; empty: it is.
    pub(super) reasons: Vec<String>,
    pub(super) notes: Vec<String>,
    pub(super) stills: Vec<super::stills::Still>,
}

impl SeenFacts {
    pub(super) fn shown(&self) -> Size {
        Size::new(self.width, self.height)
    }

    pub(super) fn class_name(&self, class: u32) -> String {
        let named = self.classes.get(class as usize).filter(|n| !n.is_empty());
        named.map_or_else(|| format!("class {class}"), String::clone)
    }
}

/// What the pass found.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) facts: SeenFacts,
    pub(super) frames: Vec<SeenFrame>,
    /// JPEGs of the stills, in their order.
    pub(super) pictures: Vec<Vec<u8>>,
}

/// Where the time of the pass went.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct SeenSpent {
    pub(super) detecting: Duration,
    /// Waiting for frames, and taking stills.
    pub(super) frames: Duration,
    /// Looking at the process's memory.
    pub(super) memory: Duration,
}

/// Largest memory seen, in bytes.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct MemoryWatch {
    pub(super) initial: u64,
    pub(super) peak: u64,
    pub(super) last: u64,
}

impl MemoryWatch {
    pub(super) fn start() -> Self {
        let now = resident().map_or(0, |r| r.anonymous);
        Self { initial: now, peak: now, last: now }
    }

    pub(super) fn sample(&mut self) {
        let now = resident().map_or(0, |r| r.anonymous);
        (self.peak, self.last) = (self.peak.max(now), now);
    }
}

/// What the pass needs.
pub(super) struct Looking<'a> {
    pub(super) ctx: &'a GpuContext,
    pub(super) video: &'a TrackVideo,
    pub(super) detector: &'a TrackDetector,
    pub(super) config: &'a TrackConfig,
    pub(super) options: &'a PipelineOptions,
}

/// A box of the coded picture as it lies in the picture that is shown.
pub(super) fn turned(rect: BoxF, coded: Size, degrees: i32) -> BoxF {
    let (w, h) = (coded.width as f32, coded.height as f32);
    let BoxF { x, y, width, height } = rect;
    match degrees {
        90 => BoxF { x: h - (y + height), y: x, width: height, height: width },
        180 => BoxF { x: w - (x + width), y: h - (y + height), width, height },
        270 => BoxF { x: y, y: w - (x + width), width: height, height: width },
        _ => rect,
    }
}

struct Pass<'a> {
    look: &'a Looking<'a>,
    eye: Eye,
    stills: Stills,
    found: Vec<Looked>,
    shots: Vec<Shot>,
    flushed: usize,
    shots_flushed: usize,
    when: Instant,
}

impl Pass<'_> {
    fn batch(&mut self, batch: &HeldBatch, first: f64, spent: &mut SeenSpent) -> Result<()> {
        let ctx = self.look.ctx;
        let started = Instant::now();
        for (slot, info) in (0u32..).zip(batch.infos()) {
            let seconds = info.seconds().unwrap_or(0.0);
            if self.stills.due(seconds, first) {
                let jpeg = self.stills.take(ctx, batch, slot)?;
                self.shots.push(Shot { frame: info.index, seconds, jpeg });
            }
        }
        spent.frames += started.elapsed();
        let started = Instant::now();
        let found = self.eye.look(ctx, batch)?;
        self.found.extend(found.iter().map(Looked::new));
        spent.detecting += started.elapsed();
        Ok(())
    }

    /// Makes what was found durable, from time to time.
    fn keep(&mut self, log: &mut Option<&mut LookLog>, now: bool) -> Result<()> {
        let Some(log) = log else { return Ok(()) };
        if !now && self.when.elapsed() < FLUSH {
            return Ok(());
        }
        let found = self.found.get(self.flushed..).unwrap_or_default().to_vec();
        let shots = self.shots.get(self.shots_flushed..).unwrap_or_default().to_vec();
        log.add(found, shots)?;
        (self.flushed, self.shots_flushed, self.when) = (self.found.len(), self.shots.len(), Instant::now());
        Ok(())
    }
}

impl Looking<'_> {
    /// Looks at the whole video; with `log`, behind what it holds. `progress` hears of frames decoded.
    pub(super) fn run(
        &self,
        mut log: Option<&mut LookLog>,
        spent: &mut SeenSpent,
        memory: &mut MemoryWatch,
        progress: &mut dyn FnMut(u64),
    ) -> Result<Seen> {
        let (ctx, video, config) = (self.ctx, self.video, self.config);
        let (before, shots) = log.as_ref().map_or_else(Default::default, |l| (l.looked.clone(), l.shots.clone()));
        let eye = Eye::new(ctx, self.detector, &config.motion, config.seeing().floor)?;
        let (eye_bytes, side) = (eye.bytes(), config.still_side);
        let bytes = move |layout: &crate::core::FrameLayout, batch: u32| {
            let still = 4 * (layout.size.area() + layout.size.fit_within(side).area());
            eye_bytes(layout, batch) + still + (64 << 10)
        };
        let _decoder = video.admit(ctx, self.options, &bytes)?;
        let opened = video.frames(config.sampling(), before.len() as u64)?;
        let (flushed, shots_flushed) = (before.len(), shots.len());
        let stills = Stills::new(config.stills, side, video.rotation, video.seconds);
        let mut pass =
            Pass { look: self, eye, stills, found: before, shots, flushed, shots_flushed, when: Instant::now() };
        let mut first: Option<f64> = None;
        let timeline = &opened.timeline;
        let ((), report) = batches(ctx, self.options, opened.source, &bytes, |all| {
            let mut told = 0;
            loop {
                let asked = Instant::now();
                let next = all.next_batch()?;
                spent.frames += asked.elapsed();
                let Some(batch) = next else { break };
                let (zero, decoded) = {
                    let line = timeline.lock().unwrap_or_else(PoisonError::into_inner);
                    (line.frames.first().map_or(0.0, |f| f.seconds), line.decoded)
                };
                if first.is_none() {
                    first = Some(zero);
                    let seconds: Vec<f64> = pass.shots.iter().map(|s| s.seconds).collect();
                    pass.stills.resume(seconds.into_iter(), zero);
                }
                pass.batch(&batch, zero, spent)?;
                drop(batch);
                pass.keep(&mut log, false)?;
                let asked = Instant::now();
                memory.sample();
                spent.memory += asked.elapsed();
                progress(decoded.saturating_sub(told));
                told = decoded;
            }
            let started = Instant::now();
            let rest = pass.eye.finish(ctx)?;
            pass.found.extend(rest.iter().map(Looked::new));
            spent.detecting += started.elapsed();
            Ok(())
        })?;
        pass.keep(&mut log, true)?;
        let Timeline { frames: times, decoded, joints } =
            std::mem::take(&mut *timeline.lock().unwrap_or_else(PoisonError::into_inner));
        let (mut reasons, mut notes) = (Vec::new(), Vec::new());
        for end in &opened.ends {
            let end = end.lock().unwrap_or_else(PoisonError::into_inner).clone();
            add_verdict(end.verdict.as_ref(), &mut reasons);
            notes.extend(end.notes);
        }
        match report.result {
            Ok(()) => {}
            Err(e @ (Error::Cancelled | Error::Gpu(_) | Error::Bug(_) | Error::Memory { .. })) => return Err(e),
            Err(e) if decoded == 0 => return Err(e),
            Err(e) => {
                let text = format!("reading stopped after {decoded} frames: {e}");
                reasons.insert(0, text);
            }
        }
        if decoded == 0 {
            let reason = reasons.first().cloned().unwrap_or_else(|| "no frame came out".into());
            return Err(Error::InputCorrupt { path: video.path().to_path_buf(), reason });
        }
        if video.rotation != 0 && self.detector.is_network() {
            notes.push(format!(
                "the network saw the pictures as they are coded; they are shown turned by {} degrees",
                video.rotation
            ));
        }
        notes.dedup();
        let Pass { found, shots, .. } = pass;
        let frames = self.frames(times, &found, &mut notes);
        Ok(Seen { facts: self.facts(decoded, joints, reasons, notes, &shots), frames, pictures: pictures(shots) })
    }

    /// Brings detections to the frames of the timeline. Frames that were timed and never arrived are left out.
    fn frames(&self, times: Vec<FrameTime>, found: &[Looked], notes: &mut Vec<String>) -> Vec<SeenFrame> {
        let (coded, rotation) = (self.video.coded, self.video.rotation);
        if let TrackDetector::File(file) = self.detector {
            let of = &file.detections;
            let mut by_number: std::collections::HashMap<u64, &[Detection]> =
                of.frames.iter().map(|f| (f.index, f.detections.as_slice())).collect();
            let frames: Vec<SeenFrame> = times
                .into_iter()
                .map(|time| {
                    let detections = by_number.remove(&time.index).unwrap_or_default().to_vec();
                    SeenFrame { time, detections, looks: Vec::new() }
                })
                .map(|f| if f.time.looked { f } else { SeenFrame { detections: Vec::new(), ..f } })
                .collect();
            let last = frames.last().map_or(0, |f| f.time.index);
            let over = of.frames.iter().filter(|f| f.index > last && !f.detections.is_empty()).count();
            if over > 0 {
                notes.push(format!("{} has detections in {over} frames behind the last one of the video", file.name));
            }
            return frames;
        }
        let mut frames = Vec::with_capacity(times.len());
        let mut found = found.iter().peekable();
        for time in times {
            let (mut detections, mut looks) = (Vec::new(), Vec::new());
            if time.looked {
                while found.next_if(|l| l.0 < time.index).is_some() {}
                let Some(looked) = found.next_if(|l| l.0 == time.index) else { continue };
                (detections, looks) = (looked.detections(), looked.looks());
                for d in &mut detections {
                    d.rect = turned(d.rect, coded, rotation);
                }
            }
            frames.push(SeenFrame { time, detections, looks });
        }
        frames
    }

    fn facts(
        &self,
        decoded: u64,
        joints: Vec<f64>,
        reasons: Vec<String>,
        notes: Vec<String>,
        shots: &[Shot],
    ) -> SeenFacts {
        let video = self.video;
        let Size { width, height } = video.shown();
        let still = |(i, s): (usize, &Shot)| super::stills::Still {
            frame: s.frame,
            seconds: s.seconds,
            file: format!("stills/{i:04}.jpg"),
        };
        SeenFacts {
            version: 1,
            inputs: video.paths.iter().map(|p| p.to_string_lossy().into_owned()).collect(),
            fingerprints: video.fingerprints.clone(),
            track: video.track,
            tracks: video.tracks(),
            width,
            height,
            rotation: video.rotation,
            fps: video.fps(),
            detector: self.config.detector.clone(),
            detector_content: self.detector.content(),
            appearance: self.config.appearance.clone(),
            classes: self.detector.classes(),
            sampling: self.config.sampling(),
            declared_frames: video.expected,
            decoded_frames: decoded,
            joints,
            reasons,
            notes,
            stills: shots.iter().enumerate().map(still).collect(),
        }
    }
}

fn pictures(shots: Vec<Shot>) -> Vec<Vec<u8>> {
    shots.into_iter().map(|s| s.jpeg).collect()
}

/// Why a verdict is not "complete". What cannot be verified is no fault of the video.
fn add_verdict(verdict: Option<&Verdict>, reasons: &mut Vec<String>) {
    if let Some(v) = verdict.filter(|v| matches!(v.status, Status::Partial | Status::Rejected)) {
        reasons.extend(v.reasons.iter().cloned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boxes_turn_with_the_picture() {
        let coded = Size::new(100, 60);
        let rect = BoxF { x: 10.0, y: 5.0, width: 20.0, height: 8.0 };
        let of = |degrees| turned(rect, coded, degrees);
        // The left edge becomes the top one.
        assert_eq!(of(90), BoxF { x: 47.0, y: 10.0, width: 8.0, height: 20.0 });
        assert_eq!(of(180), BoxF { x: 70.0, y: 47.0, width: 20.0, height: 8.0 });
        assert_eq!(of(270), BoxF { x: 5.0, y: 70.0, width: 8.0, height: 20.0 });
        assert_eq!(turned(of(90), coded.transposed(), 270), rect);
    }
}
