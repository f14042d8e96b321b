//! OC-SORT: observations count more than what a filter imagines.
//!
//! Cao et al., "Observation-Centric SORT: Rethinking SORT for Robust Multi-Object Tracking", CVPR 2023: direction between observations in
//! the association (OCM), a second round against last observations (OCR), and a filter that is run again over the gap once a lost
//! object is seen (ORU). Unlike the original, patience and look-back are in seconds, pairs below the least overlap never compete for an
//! assignment, and a track stays confirmed once it is. Appearance, where given, adds to the worth of a pair as in Maggiolino et al.,
//! "Deep OC-SORT", ICIP 2023, with a fixed weight.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::appearance::Appearance;
use super::kalman::Xysr;
use super::link::link;
use super::motion::{Displacement, Motion, MotionRule};
use super::{Clock, Observation, Patience, SLACK, TrackedBox, Tracker, UNIT_SECONDS, Update, check, within};
use crate::core::BoxF;
use crate::error::{Error, Result};

/// Settings of [`OcTracker`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OcParams {
    /// Detections of at least this score are used, 0..=1.
    pub score: f64,
    /// Least overlap (IoU) of a pair, 0..=1.
    pub overlap: f64,
    /// Weight of the agreement of directions, 0..=1.
    pub momentum: f64,
    /// How far back directions are measured, in seconds, 0..=10.
    pub look_back: f64,
    /// Detections in a row that confirm a track, 1 and more. In the first frames of a stream fewer do.
    pub confirm: u32,
    /// How long a track that is not seen is kept.
    pub patience: Patience,
    /// Weight of the cosine of appearances, 0..=10.
    pub appearance: f64,
    /// When a track counts as moving.
    pub motion: MotionRule,
}

impl Default for OcParams {
    fn default() -> Self {
        Self {
            score: 0.5,
            overlap: 0.3,
            momentum: 0.2,
            look_back: 0.1,
            confirm: 3,
            patience: Patience::Seconds(1.0),
            appearance: 0.75,
            motion: MotionRule::VIDEO_TIME,
        }
    }
}

impl OcParams {
    /// Checks ranges; `prefix` stands before the names of settings in messages.
    ///
    /// # Errors
    /// [`Error::Config`].
    pub fn check(&self, prefix: &str) -> Result<()> {
        within(&format!("{prefix}score"), self.score, 0.0..=1.0)?;
        within(&format!("{prefix}overlap"), self.overlap, 0.0..=1.0)?;
        within(&format!("{prefix}momentum"), self.momentum, 0.0..=1.0)?;
        within(&format!("{prefix}look_back"), self.look_back, 0.0..=10.0)?;
        within(&format!("{prefix}appearance"), self.appearance, 0.0..=10.0)?;
        if self.confirm == 0 {
            let message = "must be 1 or more, got 0".into();
            return Err(Error::Config { field: format!("{prefix}confirm"), message });
        }
        self.patience.check(&format!("{prefix}patience"))?;
        self.motion.check(&format!("{prefix}motion"))
    }
}

#[derive(Debug)]
struct Track {
    id: Option<u64>,
    /// Detections in a row.
    streak: u32,
    filter: Xysr,
    /// The filter as it was right after the last observation, from which a gap is run again.
    kept: Xysr,
    /// Observations of the look-back, the last one included: time and box.
    observed: VecDeque<(f64, BoxF)>,
    rect: BoxF,
    seen: f64,
    since: f64,
    missed: u32,
    class: u32,
    appearance: Appearance,
    motion: Motion,
}

/// Direction from one centre to another, a unit vector; `None` for the same place.
fn direction(from: &BoxF, to: &BoxF) -> Option<(f64, f64)> {
    let (a, b) = (from.center(), to.center());
    let (x, y) = (f64::from(b.x - a.x), f64::from(b.y - a.y));
    let length = x.hypot(y);
    (length > 0.0).then(|| (x / length, y / length))
}

impl Track {
    fn new(o: &Observation<'_>, now: f64) -> Self {
        let rect = o.detection.rect;
        let mut appearance = Appearance::default();
        appearance.take(o.appearance);
        let filter = Xysr::new(&rect);
        Self {
            id: None,
            streak: 1,
            filter,
            kept: filter,
            observed: VecDeque::from([(now, rect)]),
            rect,
            seen: now,
            since: now,
            missed: 0,
            class: o.detection.class,
            appearance,
            motion: Motion::default(),
        }
    }

    /// Agreement of the track's direction with the way to a box, -0.5..=0.5; 0 where one of them has none.
    fn agreement(&self, rect: &BoxF) -> f64 {
        let Some((_, oldest)) = self.observed.front() else { return 0.0 };
        let (Some(own), Some(way)) = (direction(oldest, &self.rect), direction(oldest, rect)) else { return 0.0 };
        let angle = (own.0 * way.0 + own.1 * way.1).clamp(-1.0, 1.0).acos();
        0.5 - angle / std::f64::consts::PI
    }

    fn see(&mut self, o: &Observation<'_>, now: f64, params: &OcParams) {
        let rect = o.detection.rect;
        if self.missed > 1 {
            self.replay(&rect, now);
        } else {
            self.filter.update(&rect);
        }
        self.kept = self.filter;
        let (a, b) = (self.rect.center(), rect.center());
        let pixels = f64::from(b.x - a.x).hypot(f64::from(b.y - a.y));
        let speed = self.filter.speed() / UNIT_SECONDS;
        self.motion.observe(params.motion, Displacement { pixels, speed, seconds: now - self.seen });
        self.appearance.take(o.appearance);
        self.streak = if self.missed > 1 { 1 } else { self.streak.saturating_add(1) };
        self.observed.push_back((now, rect));
        // The oldest observation within the look-back stays, and at least one before the last.
        while self.observed.len() > 2 && self.observed.front().is_some_and(|(t, _)| now - t > params.look_back + SLACK)
        {
            self.observed.pop_front();
        }
        (self.rect, self.seen, self.missed) = (rect, now, 0);
    }

    /// Runs the filter over the gap again as if the object had gone straight from its last box to this one.
    fn replay(&mut self, rect: &BoxF, now: f64) {
        let units = (now - self.seen) / UNIT_SECONDS;
        let count = units.round().clamp(1.0, 1000.0);
        let (a, b) = (self.rect.center(), rect.center());
        let between = |from: f32, to: f32, share: f64| (f64::from(from) + f64::from(to - from) * share) as f32;
        self.filter = self.kept;
        for step in 1..=count as u32 {
            let share = f64::from(step) / count;
            let virtual_box = BoxF::from_center(
                between(a.x, b.x, share),
                between(a.y, b.y, share),
                between(self.rect.width, rect.width, share),
                between(self.rect.height, rect.height, share),
            );
            self.filter.predict(units / count);
            self.filter.update(&virtual_box);
        }
    }
}

/// The tracker of Cao et al.
#[derive(Debug)]
pub struct OcTracker {
    params: OcParams,
    clock: Clock,
    /// Frames so far, as far as `confirm` needs to know.
    frames: u32,
    next: u64,
    tracks: Vec<Track>,
}

impl OcTracker {
    /// A tracker without tracks.
    ///
    /// # Errors
    /// [`Error::Config`] for a setting out of its range.
    pub fn new(params: OcParams) -> Result<Self> {
        params.check("oc_sort.")?;
        Ok(Self { params, clock: Clock::default(), frames: 0, next: 1, tracks: Vec::new() })
    }

    /// For streams of which a frame comes every `seconds` as a rule: frames that lie farther apart than a second are no holes then. Without it a
    /// track is not linked across more than its patience and a second.
    #[must_use]
    pub fn with_step(mut self, seconds: f64) -> Self {
        self.clock.usual = seconds;
        self
    }

    fn round(
        &self,
        rows: &mut Vec<usize>,
        columns: &mut Vec<usize>,
        observations: &[Observation<'_>],
        worth: impl Fn(&Track, &Observation<'_>, f64) -> f64,
        place: impl Fn(&Track) -> BoxF,
    ) -> Vec<(usize, usize)> {
        let least = self.params.overlap;
        let links = link(rows, columns, |r, c| {
            let (t, o) = (self.tracks.get(*r)?, observations.get(*c)?);
            let overlap = f64::from(place(t).iou(&o.detection.rect));
            (t.class == o.detection.class && overlap > least).then(|| worth(t, o, overlap))
        });
        let pairs: Vec<(usize, usize)> =
            links.pairs.iter().filter_map(|(r, c)| Some((*rows.get(*r)?, *columns.get(*c)?))).collect();
        rows.retain(|r| !pairs.iter().any(|(taken, _)| taken == r));
        columns.retain(|c| !pairs.iter().any(|(_, taken)| taken == c));
        pairs
    }
}

impl Tracker for OcTracker {
    fn update(&mut self, seconds: f64, observations: &[Observation<'_>]) -> Result<Update> {
        check(observations)?;
        let step = self.clock.step(seconds)?;
        self.frames = self.frames.saturating_add(1);
        let (params, usual) = (self.params.clone(), self.clock.usual);
        let mut update = Update::default();
        for track in &mut self.tracks {
            track.filter.predict(step / UNIT_SECONDS);
            track.missed = track.missed.saturating_add(1);
        }
        self.tracks.retain(|t| {
            let hopeless = params.patience.is_hopeless((step, usual), seconds - t.seen);
            update.ended.extend(t.id.filter(|_| hopeless));
            !hopeless
        });

        let usable = |o: &&Observation<'_>| f64::from(o.detection.score) >= params.score;
        let mut columns: Vec<usize> =
            observations.iter().enumerate().filter(|(_, o)| usable(o)).map(|(c, _)| c).collect();
        let mut rows: Vec<usize> = (0..self.tracks.len()).collect();
        // 1: overlap with the prediction, agreement of directions, appearance. 0.5 keeps the worth above 0.
        let momentum = |t: &Track, o: &Observation<'_>, overlap: f64| {
            let look = t.appearance.cosine(o.appearance).unwrap_or(0.0).max(0.0);
            let directed = params.momentum * f64::from(o.detection.score) * t.agreement(&o.detection.rect);
            overlap + directed + params.appearance * look + 0.5
        };
        let mut seen = self.round(&mut rows, &mut columns, observations, momentum, |t| t.filter.rect());
        // 2: overlap with the last observation, for objects that stopped where they were last seen.
        seen.extend(self.round(&mut rows, &mut columns, observations, |_, _, overlap| overlap, |t| t.rect));

        for (t, c) in &seen {
            if let (Some(track), Some(o)) = (self.tracks.get_mut(*t), observations.get(*c)) {
                track.see(o, seconds, &params);
            }
        }
        for c in columns {
            if let Some(o) = observations.get(c) {
                self.tracks.push(Track::new(o, seconds));
                seen.push((self.tracks.len() - 1, c));
            }
        }
        seen.sort_unstable_by_key(|(_, c)| *c);
        for (t, c) in seen {
            let (Some(track), Some(o)) = (self.tracks.get_mut(t), observations.get(c)) else { continue };
            if track.id.is_none() && track.streak >= params.confirm.min(self.frames) {
                track.id = Some(self.next);
                self.next += 1;
            }
            let Some(id) = track.id else { continue };
            update.tracks.push(TrackedBox {
                id,
                detection: c,
                rect: track.rect,
                smooth: track.filter.rect(),
                score: o.detection.score,
                class: track.class,
                moving: track.motion.is_moving(),
                since: track.since,
            });
        }
        Ok(update.close(
            &mut self.tracks,
            |t| t.id,
            |t| t.missed > 0 && params.patience.is_over(t.missed, seconds - t.seen),
        ))
    }

    fn is_idle(&self) -> bool {
        self.tracks.is_empty()
    }
}
