//! The pass over the pictures: times, detections and stills of a video. All that follows needs no pixels.

use std::sync::PoisonError;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::super::motion::MotionParams;
use super::super::recognise::{Answer, Asking, Question, RecogniseParams, Recognised};
use super::config::{Sampling, TrackConfig};
use super::eye::{Eye, FoundFrame, TrackDetector};
use super::log::{LookLog, Looked, Shot};
use super::looks::Look;
use super::source::{FrameTime, Timeline, TrackVideo};
use super::stills::{Camera, Stills};
use crate::core::{Detection, Size};
use crate::error::{Error, Result};
use crate::gpu::GpuContext;
use crate::media::{Status, Verdict};
use crate::pipeline::{HeldBatch, PipelineOptions, batches, resident};

/// Wall time after which what a network found is made durable.
const FLUSH: Duration = Duration::from_secs(2);
/// Quality of the pictures that a recogniser gets: small faces suffer first.
const QUALITY: u8 = 92;

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
    /// Parts of the frame that were looked at besides the whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) slices: Option<String>,
    pub(super) classes: Vec<String>,
    pub(super) sampling: Sampling,
    /// What else the pass was told; runs of older versions do not say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) told: Option<Told>,
    /// Frames that the container declares, and those that came out of it.
    pub(super) declared_frames: Option<u64>,
    pub(super) decoded_frames: u64,
    /// Where segments begin.
    pub(super) joints: Vec<f64>,
    /// Why the video is not whole; empty: it is.
    pub(super) reasons: Vec<String>,
    pub(super) notes: Vec<String>,
    pub(super) stills: Vec<super::stills::Still>,
    /// Who was asked for names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) recognised: Option<Recognised>,
}

/// Settings of the pass that nothing else of what it found shows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Told {
    motion: MotionParams,
    stills: u32,
    still_side: u32,
}

impl SeenFacts {
    /// The settings of `config`, with those of the pass as they were.
    pub(super) fn settings(&self, config: &TrackConfig) -> TrackConfig {
        let asked = &config.recognise;
        let mut out = TrackConfig {
            detector: self.detector.clone(),
            appearance: self.appearance.clone(),
            slices: self.slices.clone(),
            every: self.sampling.every,
            fps: self.sampling.fps,
            detect_every: self.sampling.detect_every,
            recognise: match &self.recognised {
                Some(r) => RecogniseParams { url: Some(r.url.clone()), every: r.every, side: r.side, ..asked.clone() },
                None => RecogniseParams { url: None, ..asked.clone() },
            },
            ..config.clone()
        };
        if let Some(Told { motion, stills, still_side }) = &self.told {
            (out.motion, out.stills, out.still_side) = (motion.clone(), *stills, *still_side);
        }
        out
    }

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
    /// What became of the questions for names, in order of frames.
    pub(super) answers: Vec<Answer>,
}

/// Where the time of the pass went.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct SeenSpent {
    pub(super) detecting: Duration,
    /// Waiting for frames, and taking stills.
    pub(super) frames: Duration,
    /// Looking at the process's memory.
    pub(super) memory: Duration,
    /// Taking pictures for a recogniser, and waiting for its last answers.
    pub(super) asking: Duration,
    /// What all of its answers took, beside the pass; and requests that it got.
    pub(super) recognising: Duration,
    pub(super) calls: u64,
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

struct Pass<'a> {
    look: &'a Looking<'a>,
    eye: Eye,
    stills: Stills,
    found: Vec<Looked>,
    shots: Vec<Shot>,
    flushed: usize,
    shots_flushed: usize,
    /// Frames below it have their answers in the log.
    answers_flushed: u64,
    when: Instant,
    asking: Option<(Asking, Camera)>,
}

impl Pass<'_> {
    fn batch(&mut self, batch: &HeldBatch, first: f64, spent: &mut SeenSpent) -> Result<()> {
        let ctx = self.look.ctx;
        let (started, mut asked) = (Instant::now(), Duration::ZERO);
        for (slot, info) in (0u32..).zip(batch.infos()) {
            let seconds = info.seconds().unwrap_or(0.0);
            if self.stills.due(seconds, first) {
                let jpeg = self.stills.take(ctx, batch, slot)?;
                self.shots.push(Shot { frame: info.index, seconds, jpeg });
            }
            if let Some((asking, camera)) = &mut self.asking
                && asking.due()
            {
                let began = Instant::now();
                if asking.has_room() {
                    let (jpeg, size) = camera.take(ctx, batch, slot)?;
                    asking.hold(Question { frame: info.index, seconds, size, jpeg, objects: Vec::new() });
                } else {
                    asking.dropped(info.index, seconds);
                }
                asked += began.elapsed();
            }
        }
        spent.asking += asked;
        spent.frames += started.elapsed().saturating_sub(asked);
        let started = Instant::now();
        let found = self.eye.look(ctx, batch)?;
        self.add(&found);
        spent.detecting += started.elapsed();
        Ok(())
    }

    /// Takes what was found; questions about these frames go off.
    fn add(&mut self, found: &[FoundFrame]) {
        self.found.extend(found.iter().map(Looked::new));
        let Some((asking, _)) = &mut self.asking else { return };
        let detector = self.look.detector;
        let classes = detector.classes();
        let name = |class: u32| classes.get(class as usize).cloned().unwrap_or_default();
        for frame in found {
            while asking.wanted().is_some_and(|wanted| wanted <= frame.index) {
                let known = match detector {
                    TrackDetector::File(file) => {
                        let of = file.detections.frames.iter().find(|f| Some(f.index) == asking.wanted());
                        of.map_or(&[][..], |f| f.detections.as_slice())
                    }
                    _ if asking.wanted() == Some(frame.index) => frame.detections.as_slice(),
                    _ => &[],
                };
                asking.send(known.iter().map(|d| (d.rect, d.score, name(d.class))));
            }
        }
        asking.poll();
    }

    /// Makes what was found durable, from time to time.
    fn keep(&mut self, log: &mut Option<&mut LookLog>, now: bool) -> Result<()> {
        let Some(log) = log else { return Ok(()) };
        if !now && self.when.elapsed() < FLUSH {
            return Ok(());
        }
        // Frames from the first one on whose question is open come again after a kill, so that it is asked again.
        let open = self.asking.as_ref().and_then(|(a, _)| a.open());
        let end = open.map_or(self.found.len(), |frame| self.found.partition_point(|l| l.0 < frame)).max(self.flushed);
        let found = self.found.get(self.flushed..end).unwrap_or_default().to_vec();
        let shots = self.shots.get(self.shots_flushed..).unwrap_or_default().to_vec();
        let below = found.last().map_or(self.answers_flushed, |l| l.0 + 1);
        let answers = self.asking.as_ref().map_or_else(Vec::new, |(a, _)| a.between(self.answers_flushed..below));
        log.add(found, shots, answers)?;
        (self.flushed, self.shots_flushed, self.when) = (end, self.shots.len(), Instant::now());
        self.answers_flushed = below;
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
        let answers = log.as_ref().map_or_else(Vec::new, |l| l.answers.clone());
        let asked = &config.recognise;
        let known = (before.len() as u64, answers.as_slice());
        let asking = Asking::new(asked, video.size, known, &self.options.cancel)?;
        let room = if asking.is_some() { Asking::bytes(asked, video.size) } else { 0 };
        let asked_side = asking.as_ref().map(|_| asked.side);
        let asking = asking.map(|a| (a, Camera::new(asked.side, QUALITY)));
        self.detector.check(video.size)?;
        let eye = Eye::new(ctx, self.detector, &config.motion, config.seeing().floor)?;
        let (eye_bytes, side) = (eye.bytes(), config.still_side);
        let bytes = move |layout: &crate::core::FrameLayout, batch: u32| {
            let still = Camera::bytes(layout.size, side);
            let asked = asked_side.map_or(0, |side| Camera::bytes(layout.size, side));
            eye_bytes(layout, batch) + still + asked + (64 << 10)
        };
        let _held = video.admit(ctx, self.options, &bytes, room)?;
        let opened = video.frames(config.sampling(), before.len() as u64)?;
        let (flushed, shots_flushed) = (before.len(), shots.len());
        let answers_flushed = before.last().map_or(0, |l| l.0 + 1);
        let stills = Stills::new(config.stills, side, video.seconds);
        let mut pass = Pass {
            look: self,
            eye,
            stills,
            found: before,
            shots,
            flushed,
            shots_flushed,
            answers_flushed,
            when: Instant::now(),
            asking,
        };
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
            pass.add(&rest);
            spent.detecting += started.elapsed();
            Ok(())
        })?;
        let answers = match &mut pass.asking {
            Some((asking, _)) => {
                let began = Instant::now();
                let answers = asking.finish()?;
                spent.asking += began.elapsed();
                (spent.recognising, spent.calls) = asking.spent();
                answers
            }
            None => Vec::new(),
        };
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
        let recognised = Recognised::new(asked, &answers);
        notes.extend(recognised.as_ref().and_then(|r| r.note(&answers)));
        notes.dedup();
        let Pass { found, shots, .. } = pass;
        let frames = self.frames(times, &found, &mut notes);
        let facts = SeenFacts { recognised, ..self.facts(decoded, joints, reasons, notes, &shots) };
        Ok(Seen { facts, frames, pictures: pictures(shots), answers })
    }

    /// Brings detections to the frames of the timeline. Frames that were timed and never arrived are left out.
    fn frames(&self, times: Vec<FrameTime>, found: &[Looked], notes: &mut Vec<String>) -> Vec<SeenFrame> {
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
        let Size { width, height } = video.size;
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
            slices: self.config.slices.clone(),
            classes: self.detector.classes(),
            sampling: self.config.sampling(),
            told: Some(Told {
                motion: self.config.motion.clone(),
                stills: self.config.stills,
                still_side: self.config.still_side,
            }),
            declared_frames: video.expected,
            decoded_frames: decoded,
            joints,
            reasons,
            notes,
            stills: shots.iter().enumerate().map(still).collect(),
            recognised: None,
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
