//! ByteTrack: every detection is associated, weak ones in a second round.
//!
//! Zhang et al., "ByteTrack: Multi-Object Tracking by Associating Every Detection Box", ECCV 2022, with the authors' constants but one. Appearance,
//! where given, joins the first round as in Aharon, Orfaig and Bobrovsky, "BoT-SORT: Robust Associations Multi-Pedestrian Tracking", 2022.
//!
//! Unlike the original, patience is in seconds, time steps may vary, objects of different classes are never linked, and what is reported
//! is the box of the detection beside the filtered one. Two rules were changed because `scripts/eval_mot.py` showed that they cost: weak
//! detections may bring lost tracks back too, at an overlap of 0.3 instead of 0.5, since who comes out of hiding is weak at first; and a
//! lost track is not dropped for lying where another one is seen, since that is how one person hides another.

use serde::{Deserialize, Serialize};

use super::appearance::Appearance;
use super::kalman::Xyah;
use super::link::link;
use super::motion::{Displacement, Motion, MotionRule};
use super::{Clock, Observation, Patience, TrackedBox, Tracker, UNIT_SECONDS, Update, check, within};
use crate::core::BoxF;
use crate::error::{Error, Result};

/// Settings of [`ByteTracker`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ByteParams {
    /// Detections of at least this score take part in the first round, 0..=1.
    pub high: f64,
    /// Detections below this score are not used at all, 0..=1.
    pub low: f64,
    /// Detections of at least this score begin a track when nothing claims them, 0..=1.
    pub start: f64,
    /// Least overlap (IoU) times score in the first round, 0..=1.
    pub overlap: f64,
    /// Least overlap (IoU) in the round of weak detections, 0..=1.
    pub overlap_weak: f64,
    /// Least overlap (IoU) times score that confirms a track seen once, 0..=1.
    pub overlap_new: f64,
    /// How long a track that is not seen is kept.
    pub patience: Patience,
    /// Largest distance of appearance, half of 1 - cosine, that links by appearance, 0..=1; 0 leaves appearance out.
    pub appearance: f64,
    /// Least overlap (IoU) for links by appearance, 0..=1.
    pub appearance_overlap: f64,
    /// When a track counts as moving.
    pub motion: MotionRule,
}

impl Default for ByteParams {
    fn default() -> Self {
        Self {
            high: 0.5,
            low: 0.1,
            start: 0.6,
            overlap: 0.2,
            overlap_weak: 0.3,
            overlap_new: 0.3,
            patience: Patience::Seconds(1.0),
            appearance: 0.25,
            appearance_overlap: 0.5,
            motion: MotionRule::VIDEO_TIME,
        }
    }
}

impl ByteParams {
    /// Checks ranges; `prefix` stands before the names of settings in messages.
    ///
    /// # Errors
    /// [`Error::Config`].
    pub fn check(&self, prefix: &str) -> Result<()> {
        for (name, value) in [
            ("high", self.high),
            ("low", self.low),
            ("start", self.start),
            ("overlap", self.overlap),
            ("overlap_weak", self.overlap_weak),
            ("overlap_new", self.overlap_new),
            ("appearance", self.appearance),
            ("appearance_overlap", self.appearance_overlap),
        ] {
            within(&format!("{prefix}{name}"), value, 0.0..=1.0)?;
        }
        if self.low > self.high {
            let message = format!("must not be above `{prefix}high` ({}), got {}", self.high, self.low);
            return Err(Error::Config { field: format!("{prefix}low"), message });
        }
        self.patience.check(&format!("{prefix}patience"))?;
        self.motion.check(&format!("{prefix}motion"))
    }
}

#[derive(Debug)]
struct Track {
    /// `None` until a second detection confirms it.
    id: Option<u64>,
    filter: Xyah,
    /// Box and time of the last detection.
    rect: BoxF,
    seen: f64,
    since: f64,
    /// Frames since then.
    missed: u32,
    class: u32,
    appearance: Appearance,
    motion: Motion,
}

impl Track {
    fn new(id: Option<u64>, observation: &Observation<'_>, now: f64) -> Self {
        let rect = observation.detection.rect;
        let mut appearance = Appearance::default();
        appearance.take(observation.appearance);
        Self {
            id,
            filter: Xyah::new(&rect),
            rect,
            seen: now,
            since: now,
            missed: 0,
            class: observation.detection.class,
            appearance,
            motion: Motion::default(),
        }
    }

    fn see(&mut self, observation: &Observation<'_>, now: f64, rule: MotionRule, strong: bool) {
        let rect = observation.detection.rect;
        self.filter.update(&rect);
        let (a, b) = (self.rect.center(), rect.center());
        let seconds = now - self.seen;
        let pixels = f64::from(b.x - a.x).hypot(f64::from(b.y - a.y));
        let speed = self.filter.speed() / UNIT_SECONDS;
        self.motion.observe(rule, Displacement { pixels, speed, seconds });
        // A weak detection is mostly one that something hides: it says little about the object's look.
        if strong {
            self.appearance.take(observation.appearance);
        }
        (self.rect, self.seen, self.missed) = (rect, now, 0);
    }

    fn report(&self, id: u64, detection: usize, score: f32) -> TrackedBox {
        TrackedBox {
            id,
            detection,
            rect: self.rect,
            smooth: self.filter.rect(),
            score,
            class: self.class,
            moving: self.motion.is_moving(),
            since: self.since,
        }
    }
}

/// The tracker of Zhang et al.
#[derive(Debug)]
pub struct ByteTracker {
    params: ByteParams,
    clock: Clock,
    begun: bool,
    next: u64,
    tracks: Vec<Track>,
}

impl ByteTracker {
    /// A tracker without tracks.
    ///
    /// # Errors
    /// [`Error::Config`] for a setting out of its range.
    pub fn new(params: ByteParams) -> Result<Self> {
        params.check("byte_track.")?;
        Ok(Self { params, clock: Clock::default(), begun: false, next: 1, tracks: Vec::new() })
    }

    /// For streams of which a frame comes every `seconds` as a rule: frames that lie farther apart than a second are no holes then. Without it a
    /// track is not linked across more than its patience and a second.
    #[must_use]
    pub fn with_step(mut self, seconds: f64) -> Self {
        self.clock.usual = seconds;
        self
    }

    /// What linking in the first round is worth.
    fn worth(&self, track: &Track, observation: &Observation<'_>, least: f64) -> Option<f64> {
        let (p, d) = (&self.params, &observation.detection);
        if track.class != d.class {
            return None;
        }
        let overlap = f64::from(track.filter.rect().iou(&d.rect));
        let by_place = overlap * f64::from(d.score);
        let cosine = track.appearance.cosine(observation.appearance).filter(|_| overlap >= p.appearance_overlap);
        let by_look = cosine.map(|c| (1.0 - c) / 2.0).filter(|d| *d < p.appearance).map_or(0.0, |d| 1.0 - d);
        let worth = by_place.max(by_look);
        (worth > least).then_some(worth - least)
    }

    /// Links `rows`, positions of tracks, with `columns`, positions of observations; takes what was linked out of both.
    fn round(
        &mut self,
        rows: &mut Vec<usize>,
        columns: &mut Vec<usize>,
        observations: &[Observation<'_>],
        worth: impl Fn(&Self, &Track, &Observation<'_>) -> Option<f64>,
    ) -> Vec<(usize, usize)> {
        let links = link(rows, columns, |r, c| worth(self, self.tracks.get(*r)?, observations.get(*c)?));
        let pairs: Vec<(usize, usize)> =
            links.pairs.iter().filter_map(|(r, c)| Some((*rows.get(*r)?, *columns.get(*c)?))).collect();
        rows.retain(|r| !pairs.iter().any(|(taken, _)| taken == r));
        columns.retain(|c| !pairs.iter().any(|(_, taken)| taken == c));
        pairs
    }

    fn confirm(&mut self, track: usize) {
        if let Some(t) = self.tracks.get_mut(track)
            && t.id.is_none()
        {
            t.id = Some(self.next);
            self.next += 1;
        }
    }
}

impl Tracker for ByteTracker {
    fn update(&mut self, seconds: f64, observations: &[Observation<'_>]) -> Result<Update> {
        check(observations)?;
        let step = self.clock.step(seconds)?;
        let first = !std::mem::replace(&mut self.begun, true);
        let (high, low, start) = (self.params.high, self.params.low, self.params.start);
        let (patience, motion) = (self.params.patience, self.params.motion);
        let usual = self.clock.usual;
        let mut update = Update::default();

        for track in &mut self.tracks {
            if track.missed > 0 {
                track.filter.hold_size();
            }
            track.filter.predict(step / UNIT_SECONDS);
            track.missed = track.missed.saturating_add(1);
        }
        self.tracks.retain(|t| {
            let hopeless = patience.is_hopeless((step, usual), seconds - t.seen);
            update.ended.extend(t.id.filter(|_| hopeless));
            !hopeless
        });

        let score = |c: usize| observations.get(c).map_or(0.0, |o| f64::from(o.detection.score));
        let of = |range: std::ops::Range<f64>| {
            (0..observations.len()).filter(|c| range.contains(&score(*c))).collect::<Vec<usize>>()
        };
        let (mut strong, mut weak) = (of(high..f64::INFINITY), of(low..high));
        let all = |wanted: bool, tracks: &[Track]| {
            let with = tracks.iter().enumerate().filter(|(_, t)| t.id.is_some() == wanted);
            with.map(|(i, _)| i).collect::<Vec<usize>>()
        };
        let (mut known, mut tentative) = (all(true, &self.tracks), all(false, &self.tracks));

        // 1: strong detections with all that is known, lost tracks too.
        let (least, least_new) = (self.params.overlap, self.params.overlap_new);
        let mut seen = self.round(&mut known, &mut strong, observations, |s, t, o| s.worth(t, o, least));
        // 2: weak ones with what is left.
        let least = self.params.overlap_weak;
        let weakly = self.round(&mut known, &mut weak, observations, |_, t, o| {
            let overlap = f64::from(t.filter.rect().iou(&o.detection.rect));
            (t.class == o.detection.class && overlap > least).then_some(overlap - least)
        });
        // 3: what the frame before showed for the first time.
        seen.extend(self.round(&mut tentative, &mut strong, observations, |s, t, o| s.worth(t, o, least_new)));

        let strong_pairs = seen.len();
        seen.extend(weakly);
        for (place, (t, c)) in seen.iter().enumerate() {
            if let (Some(track), Some(o)) = (self.tracks.get_mut(*t), observations.get(*c)) {
                track.see(o, seconds, motion, place < strong_pairs);
            }
        }
        // Numbers go by the order of detections, so that the order of tracks in memory does not matter.
        seen.sort_unstable_by_key(|(_, c)| *c);
        for (t, _) in &seen {
            self.confirm(*t);
        }
        for c in strong.into_iter().filter(|c| score(*c) >= start) {
            let Some(o) = observations.get(c) else { continue };
            self.tracks.push(Track::new(None, o, seconds));
            // There is no frame before the first that could have shown it.
            if first {
                self.confirm(self.tracks.len() - 1);
                seen.push((self.tracks.len() - 1, c));
            }
        }
        for (t, c) in seen {
            if let Some((track, id)) = self.tracks.get(t).and_then(|t| Some((t, t.id?))) {
                update.tracks.push(track.report(id, c, score(c) as f32));
            }
        }

        Ok(update.close(
            &mut self.tracks,
            |t| t.id,
            |t| t.missed > 0 && (t.id.is_none() || patience.is_over(t.missed, seconds - t.seen)),
        ))
    }

    fn is_idle(&self) -> bool {
        self.tracks.is_empty()
    }
}
