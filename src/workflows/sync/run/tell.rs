//! What the looks say: of tracks, of windows, of chunks, of the whole video.

use serde::{Deserialize, Serialize};

use super::super::levels::SoundLevels;
use super::super::lip_motion::{SyncEstimate, SyncVerdict, unknown};
use super::super::plan::by_time;
use super::super::timeline::{OffsetPoint, OffsetTimeline, TimelineOptions, offset_timeline};
use super::config::SyncConfig;
use super::estimator::Estimator;
use super::log::{FrameFacts, Look};
use super::who::Who;
use crate::core::CancelToken;
use crate::error::Result;

/// Least seconds of a stretch that is judged by itself.
const LEAST: f64 = 1.0;

/// A judged stretch of a track.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq)]
pub struct Told {
    /// Start and end in seconds on the container's clock.
    pub from: f64,
    /// See `from`.
    pub to: f64,
    /// Level of the loudest tenth of a second in it, in decibels of full scale.
    pub level: f64,
    /// What it says.
    pub estimate: SyncEstimate,
    /// Whether this is the track that speaks then.
    pub speaks: bool,
}

/// A track and what it says.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq)]
pub struct TrackTold {
    /// Position of the track, and of its shot.
    pub track: usize,
    /// See `track`.
    pub shot: usize,
    /// The person, from 0 in order of appearance.
    pub person: usize,
    /// First and last frame.
    pub frames: (u64, u64),
    /// Frames in which the face was detected.
    pub detected: usize,
    /// Mean of the longer side of the face in pixels.
    pub face: f64,
    /// The whole track.
    pub whole: Told,
    /// Windows of it, in order of time; one for a track shorter than a window.
    pub windows: Vec<Told>,
}

/// A chunk and what its tracks say.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq)]
pub struct ChunkTold {
    /// Position in the plan, from 0.
    pub index: usize,
    /// Start and end in seconds from the first frame.
    pub from: f64,
    /// See `from`.
    pub to: f64,
    /// Position of each track in it, and what the track says within the chunk.
    pub tracks: Vec<(usize, SyncEstimate)>,
}

/// Who speaks when.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Speech {
    /// Start in seconds from the first frame.
    pub from: f64,
    /// End.
    pub to: f64,
    /// Track; `None` where sound is heard and no face is seen to speak.
    pub track: Option<usize>,
    /// Its person.
    pub person: Option<usize>,
}

/// A person over the whole video: all tracks of its face, over shots and chunks.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq)]
pub struct PersonTold {
    /// Position, from 0 in order of appearance.
    pub person: usize,
    /// Positions of its tracks, in order of time.
    pub tracks: Vec<usize>,
    /// Seconds in which its face is seen.
    pub seen: f64,
    /// Seconds in which it speaks.
    pub speaks: f64,
    /// Highest probability of a window in which it speaks; 0 without one.
    pub probability: f64,
    /// Offset, drift and edits of what it says by itself.
    pub timeline: OffsetTimeline,
}

impl PersonTold {
    /// Seconds that the sound is late by its longest stretch, in the middle; `None` without a window that says something.
    pub fn offset(&self) -> Option<f64> {
        self.timeline.segments.iter().max_by_key(|s| s.points).map(|s| (s.offset_from + s.offset_to) / 2.0)
    }
}

/// The verdict on the whole.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq)]
pub struct Overall {
    /// Verdict.
    pub verdict: SyncVerdict,
    /// Why it cannot be told, and what else a reader should know.
    pub reasons: Vec<String>,
    /// Seconds that the sound is late; `None` when there was nothing to measure.
    pub offset: Option<f64>,
    /// Probability that it is right.
    pub probability: f64,
    /// Confidence on the scale of SyncNet's.
    pub confidence: f64,
}

/// All of it.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq)]
pub struct Results {
    /// Time of the first frame on the container's clock; all other times of tracks and windows are on it too.
    pub zero: f64,
    /// Seconds from there to the end of the last frame.
    pub seconds: f64,
    /// Tracks.
    pub tracks: Vec<TrackTold>,
    /// Persons.
    pub persons: Vec<PersonTold>,
    /// Chunks.
    pub chunks: Vec<ChunkTold>,
    /// Who speaks when.
    pub speech: Vec<Speech>,
    /// Drift and edits.
    pub timeline: OffsetTimeline,
    /// The verdict.
    pub overall: Overall,
}

/// What the judging needs.
pub(super) struct Telling<'a> {
    pub(super) config: &'a SyncConfig,
    pub(super) estimator: &'a dyn Estimator,
    pub(super) frames: &'a [FrameFacts],
    pub(super) who: &'a Who,
    /// The person of each track.
    pub(super) persons: &'a [usize],
    pub(super) sound: Option<&'a SoundLevels>,
    pub(super) cancel: &'a CancelToken,
}

impl Telling<'_> {
    /// Judges `looks`.
    pub(super) fn run(&self, looks: &[Look]) -> Result<Results> {
        let zero = self.frames.first().map_or(0.0, |f| f.t as f64 / 1e6);
        let seconds = self.frames.last().map_or(0.0, |f| (f.t + f.d) as f64 / 1e6 - zero);
        let mut of: Vec<Vec<Look>> = vec![Vec::new(); self.who.tracks.len()];
        for look in looks {
            if let Some(mine) = of.get_mut(look.track as usize) {
                mine.push(look.clone());
            }
        }
        let mut tracks = Vec::new();
        for (track, looks) in of.iter().enumerate() {
            self.cancel.check()?;
            tracks.extend(self.track(track, looks)?);
        }
        self.speakers(&mut tracks);
        let chunks = self.chunks(&of, zero, seconds)?;
        let points = points(tracks.iter());
        let shared = self.shared(&tracks);
        let options = TimelineOptions { min_jump: self.config.min_jump, shared };
        let mut timeline = offset_timeline(&points, &options)?;
        self.place_edits(&mut timeline, &tracks, &of);
        let overall = self.overall(&tracks, &points, &timeline);
        let speech = self.speech(&tracks, zero);
        let persons = self.people(&tracks, &speech, &options)?;
        Ok(Results { zero, seconds, tracks, persons, chunks, speech, timeline, overall })
    }

    fn estimate(&self, looks: &[Look], from: f64, to: f64) -> Result<Told> {
        let here = stretch(looks, from, to);
        let (estimate, level) = match self.sound {
            Some(sound) => (self.estimator.estimate(here, sound, &self.config.judging())?, sound.loudest(from, to)),
            None => (unknown(vec!["there is no audio track".into()]), -200.0),
        };
        Ok(Told { from, to, level, estimate, speaks: false })
    }

    fn track(&self, track: usize, looks: &[Look]) -> Result<Option<TrackTold>> {
        let Some(of) = self.who.tracks.get(track) else { return Ok(None) };
        let frame = |i: u64| usize::try_from(i).ok().and_then(|i| self.frames.get(i));
        let (first, last) = (of.track.first, of.track.last());
        let from = frame(first).map_or(0.0, |f| f.t as f64 / 1e6);
        let to = frame(last).map_or(from, |f| (f.t + f.d) as f64 / 1e6);
        let whole = self.estimate(looks, from, to)?;
        let (window, step) = (self.config.window, self.config.step);
        let mut windows = Vec::new();
        if to - from <= window {
            windows.push(whole.clone());
        } else {
            // On one grid for all tracks, so that speakers can be compared.
            let half = window / 2.0;
            let mut n = ((from + half) / step).ceil() as i64;
            while n as f64 * step + half <= to + 1e-6 {
                self.cancel.check()?;
                let middle = n as f64 * step;
                windows.push(self.estimate(looks, middle - half, middle + half)?);
                n += 1;
            }
            if windows.is_empty() {
                windows.push(whole.clone());
            }
        }
        let sides = of.track.boxes.iter().map(|b| f64::from(b.width.max(b.height)));
        let face = sides.sum::<f64>() / of.track.boxes.len().max(1) as f64;
        let (shot, detected) = (of.shot, of.track.detected);
        let person = self.persons.get(track).copied().unwrap_or(track);
        Ok(Some(TrackTold { track, shot, person, frames: (first, last), detected, face, whole, windows }))
    }

    /// Windows that say as much as one that stands by itself: of a long track so many overlap, of one shorter than a window none.
    fn shared(&self, tracks: &[TrackTold]) -> f64 {
        let apart = |t: &TrackTold| ((t.whole.to - t.whole.from) / self.config.window).max(1.0);
        let windows: usize = tracks.iter().map(|t| t.windows.len()).sum();
        let alone: f64 = tracks.iter().map(apart).sum();
        (windows as f64 / alone.max(1.0)).clamp(1.0, (self.config.window / self.config.step).max(1.0))
    }

    /// Marks, at each moment, the track that follows the sound best.
    fn speakers(&self, tracks: &mut [TrackTold]) {
        let least = self.config.min_probability;
        let mut all: Vec<(usize, usize, f64, f64, f64)> = Vec::new();
        for (t, track) in tracks.iter().enumerate() {
            for (w, told) in track.windows.iter().enumerate() {
                all.push((t, w, told.from, told.to, told.estimate.probability));
            }
        }
        all.sort_by(|a, b| a.2.total_cmp(&b.2));
        let longest = all.iter().map(|a| a.3 - a.2).fold(0.0, f64::max);
        for (i, (t, w, from, to, p)) in all.iter().enumerate() {
            // Better ones of other tracks that share at least half of the time.
            let begins = all.partition_point(|a| a.2 < from - longest);
            let rivals = all.get(begins..).unwrap_or_default().iter().take_while(|a| a.2 <= *to);
            let beaten = rivals.enumerate().any(|(j, (rt, _, rf, re, rp))| {
                let shared = to.min(*re) - from.max(*rf);
                let before = *rp > *p || (*rp == *p && begins + j < i);
                rt != t && before && shared > 0.5 * (to - from).min(re - rf)
            });
            if let Some(told) = tracks.get_mut(*t).and_then(|t| t.windows.get_mut(*w)) {
                told.speaks = !beaten && *p >= least;
            }
        }
    }

    fn chunks(&self, of: &[Vec<Look>], zero: f64, seconds: f64) -> Result<Vec<ChunkTold>> {
        if seconds <= 0.0 {
            return Ok(Vec::new());
        }
        let mut chunks = Vec::new();
        for piece in by_time(seconds, self.config.chunk_duration, self.config.overlap, self.config.tails())? {
            self.cancel.check()?;
            let mut tracks = Vec::new();
            for (track, looks) in of.iter().enumerate() {
                let (from, to) = (zero + piece.start, zero + piece.end);
                let here = stretch(looks, from, to);
                let lasts = here.first().zip(here.last()).map_or(0.0, |(a, b)| b.seconds() - a.seconds());
                if lasts >= LEAST {
                    tracks.push((track, self.estimate(here, from, to)?.estimate));
                }
            }
            chunks.push(ChunkTold { index: piece.index, from: piece.start, to: piece.end, tracks });
        }
        Ok(chunks)
    }

    /// Who speaks when: moment by moment, neighbours joined.
    fn speech(&self, tracks: &[TrackTold], zero: f64) -> Vec<Speech> {
        let half = self.config.step / 2.0;
        let mut moments: Vec<(f64, f64, Option<usize>)> = Vec::new();
        for t in tracks {
            for w in &t.windows {
                let lone = w.to - w.from <= self.config.window - 1e-6;
                let middle = (w.from + w.to) / 2.0;
                let (from, to) = if lone { (w.from, w.to) } else { (middle - half, middle + half) };
                // At the ends of a track there is no window of its own: the nearest one stands for them.
                let from = if w.from <= t.whole.from + self.config.step { t.whole.from } else { from };
                let to = if w.to >= t.whole.to - self.config.step { t.whole.to } else { to };
                if w.speaks {
                    moments.push((from, to, Some(t.track)));
                } else if w.level >= self.config.quiet_db {
                    moments.push((from, to, None));
                }
            }
        }
        // Where one speaks, that the others do not is no news.
        moments.sort_by(|a, b| a.0.total_cmp(&b.0).then(b.2.is_some().cmp(&a.2.is_some())));
        let spoken: Vec<(f64, f64)> = moments.iter().filter(|m| m.2.is_some()).map(|m| (m.0, m.1)).collect();
        let mut joined: Vec<Speech> = Vec::new();
        for (from, to, track) in moments {
            if track.is_none() && spoken.iter().any(|(a, b)| *a < to - 1e-6 && from < b - 1e-6) {
                continue;
            }
            let (from, to) = (from - zero, to - zero);
            match joined.iter_mut().rev().find(|s| s.track == track) {
                Some(s) if from <= s.to + 1e-6 => s.to = s.to.max(to),
                _ => {
                    let person = track.and_then(|t| self.persons.get(t)).copied();
                    joined.push(Speech { from, to, track, person });
                }
            }
        }
        joined.sort_by(|a, b| a.from.total_cmp(&b.from));
        joined
    }

    fn overall(&self, tracks: &[TrackTold], points: &[OffsetPoint], timeline: &OffsetTimeline) -> Overall {
        let scale = self.estimator.confidence_scale();
        let by = |a: &&TrackTold, b: &&TrackTold| {
            a.whole.estimate.probability.total_cmp(&b.whole.estimate.probability).then(b.track.cmp(&a.track))
        };
        let cannot = |reasons: Vec<String>| Overall {
            verdict: SyncVerdict::CannotTell,
            reasons,
            offset: None,
            probability: 0.0,
            confidence: 0.0,
        };
        if self.sound.is_none() {
            return cannot(vec!["there is no audio track".into()]);
        }
        let Some(best) = tracks.iter().max_by(by) else {
            return cannot(vec![self.no_track()]);
        };
        let surest = tracks
            .iter()
            .flat_map(|t| t.windows.iter().chain([&t.whole]))
            .map(|w| w.estimate.probability)
            .fold(0.0, f64::max);
        let Some(main) = timeline.segments.iter().max_by_key(|s| s.points).filter(|_| points.len() >= 3) else {
            let e = &best.whole.estimate;
            let mut reasons = e.reasons.clone();
            if e.verdict == SyncVerdict::CannotTell {
                reasons.extend(self.crowd(tracks));
            }
            let offset = (!e.curve.is_empty()).then_some(e.offset);
            let (verdict, probability, confidence) = (e.verdict, e.probability, e.confidence * scale);
            return Overall { verdict, reasons, offset, probability, confidence };
        };
        let offset = (main.offset_from + main.offset_to) / 2.0;
        let mut reasons = Vec::new();
        if !timeline.jumps.is_empty() {
            let (n, s) = (timeline.jumps.len(), if timeline.jumps.len() == 1 { "" } else { "s" });
            reasons.push(format!("the offset jumps {n} time{s}: this is that of the longest stretch between edits"));
        }
        if timeline.drifts {
            let ppm = timeline.drift_ppm.unwrap_or(0.0);
            reasons.push(format!("the offset drifts by {ppm:+.1} ppm: this is that of the middle"));
        }
        let verdict = match offset {
            o if o.abs() <= self.config.tolerance => SyncVerdict::InSync,
            o if o > 0.0 => SyncVerdict::AudioLate,
            _ => SyncVerdict::AudioEarly,
        };
        let confidence = best.whole.estimate.confidence * scale;
        Overall { verdict, reasons, offset: Some(offset), probability: surest, confidence }
    }

    /// Why there is no track.
    fn no_track(&self) -> String {
        match self.who.faces {
            0 => "no face was found".into(),
            n => format!(
                "{n} faces were found, but none that stays for more than {} frames and is larger than {} pixels",
                self.config.min_track, self.config.min_face_size
            ),
        }
    }

    /// A word about several faces at once, none of which clearly speaks.
    fn crowd(&self, tracks: &[TrackTold]) -> Option<String> {
        let at = |t: f64| tracks.iter().filter(|k| k.whole.from <= t && t < k.whole.to).count();
        let most = tracks.iter().map(|k| at(k.whole.from)).max().unwrap_or(0);
        (most > 1).then(|| format!("{most} faces are seen at once, and none of them clearly speaks"))
    }
}

/// What can be believed, in order of time.
pub(super) fn points<'a>(tracks: impl Iterator<Item = &'a TrackTold>) -> Vec<OffsetPoint> {
    let mut points: Vec<OffsetPoint> = tracks
        .flat_map(|t| &t.windows)
        .filter(|w| w.speaks && w.estimate.verdict != SyncVerdict::CannotTell)
        .map(|w| OffsetPoint {
            seconds: (w.from + w.to) / 2.0,
            offset: w.estimate.offset,
            weight: w.estimate.probability.max(1e-3),
        })
        .collect();
    points.sort_by(|a, b| a.seconds.total_cmp(&b.seconds));
    points
}

/// Looks from `from` to `to`, in seconds.
pub(super) fn stretch(looks: &[Look], from: f64, to: f64) -> &[Look] {
    let first = looks.partition_point(|l| l.seconds() < from);
    let last = looks.partition_point(|l| l.seconds() < to);
    looks.get(first..last).unwrap_or_default()
}
