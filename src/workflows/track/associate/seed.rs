//! The rules of the original system: overlap with the last box, no prediction.
//!
//! With [`SeedParams::parity`] the tracker does what the original did, its defects included: the first detection chooses first, and tracks
//! never end, because the original refreshed the time of those it did not find. Without it both are put right: the assignment is
//! optimal, and tracks end when their patience does. Class and score play no role.

use serde::{Deserialize, Serialize};

use super::link::link;
use super::motion::{Displacement, Motion, MotionRule};
use super::{Clock, Observation, Patience, TrackedBox, Tracker, Update, check, within};
use crate::core::BoxF;
use crate::error::Result;

/// Settings of [`SeedTracker`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SeedParams {
    /// The original's defects are kept.
    pub parity: bool,
    /// Overlap (IoU) that a pair must exceed, 0..=1.
    pub overlap: f64,
    /// How long a track that is not seen is kept; has no effect with `parity`.
    pub patience: Patience,
    /// When a track counts as moving.
    pub motion: MotionRule,
}

impl Default for SeedParams {
    fn default() -> Self {
        Self { parity: false, overlap: 0.15, patience: Patience::Frames(10), motion: MotionRule::SEED }
    }
}

impl SeedParams {
    /// Checks ranges; `prefix` stands before the names of settings in messages.
    ///
    /// # Errors
    /// [`crate::Error::Config`].
    pub fn check(&self, prefix: &str) -> Result<()> {
        within(&format!("{prefix}overlap"), self.overlap, 0.0..=1.0)?;
        self.patience.check(&format!("{prefix}patience"))?;
        self.motion.check(&format!("{prefix}motion"))
    }
}

#[derive(Debug)]
struct Track {
    id: u64,
    rect: BoxF,
    class: u32,
    seen: f64,
    since: f64,
    missed: u32,
    motion: Motion,
}

/// A track as the original stored it after each frame, seen or not.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SeedPerson {
    /// The original's `person_N`.
    pub id: u64,
    /// Last box.
    pub rect: BoxF,
    /// Whether it moves.
    pub moving: bool,
    /// Seconds at which it was seen last; with `parity`, as the original, those of the last frame.
    pub last_seen: f64,
}

/// The tracker of the original system.
#[derive(Debug)]
pub struct SeedTracker {
    params: SeedParams,
    clock: Clock,
    next: u64,
    tracks: Vec<Track>,
}

impl SeedTracker {
    /// A tracker without tracks.
    ///
    /// # Errors
    /// [`crate::Error::Config`] for a setting out of its range.
    pub fn new(params: SeedParams) -> Result<Self> {
        params.check("seed.")?;
        Ok(Self { params, clock: Clock::default(), next: 1, tracks: Vec::new() })
    }

    /// For streams of which a frame comes every `seconds` as a rule: frames that lie farther apart than a second are no holes then. Without it a
    /// track is not linked across more than its patience and a second.
    #[must_use]
    pub fn with_step(mut self, seconds: f64) -> Self {
        self.clock.usual = seconds;
        self
    }

    /// All tracks that are kept, those not seen in the last frame too, by number.
    pub fn persons(&self) -> impl Iterator<Item = SeedPerson> + '_ {
        let now = self.clock.before.unwrap_or(0.0);
        self.tracks.iter().map(move |t| SeedPerson {
            id: t.id,
            rect: t.rect,
            moving: t.motion.is_moving(),
            last_seen: if self.params.parity { now } else { t.seen },
        })
    }

    /// For each observation the position of its track.
    fn pairs(&self, observations: &[Observation<'_>]) -> Vec<Option<usize>> {
        let least = self.params.overlap;
        let overlap = |t: &Track, o: &Observation<'_>| {
            let overlap = f64::from(t.rect.iou(&o.detection.rect));
            (overlap > least).then_some(overlap)
        };
        let mut found = vec![None; observations.len()];
        if !self.params.parity {
            for (t, o) in link(&self.tracks, observations, overlap).pairs {
                if let Some(place) = found.get_mut(o) {
                    *place = Some(t);
                }
            }
            return found;
        }
        let mut free = vec![true; self.tracks.len()];
        for (place, o) in found.iter_mut().zip(observations) {
            let mut best: Option<(usize, f64)> = None;
            for ((t, track), _) in self.tracks.iter().enumerate().zip(&free).filter(|(_, free)| **free) {
                if let Some(value) = overlap(track, o)
                    && best.is_none_or(|(_, b)| value > b)
                {
                    best = Some((t, value));
                }
            }
            *place = best.map(|(t, _)| t);
            if let Some(f) = place.and_then(|t| free.get_mut(t)) {
                *f = false;
            }
        }
        found
    }
}

impl Tracker for SeedTracker {
    fn update(&mut self, seconds: f64, observations: &[Observation<'_>]) -> Result<Update> {
        check(observations)?;
        let step = self.clock.step(seconds)?;
        let (patience, parity, usual) = (self.params.patience, self.params.parity, self.clock.usual);
        let mut update = Update::default();
        for track in &mut self.tracks {
            track.missed = track.missed.saturating_add(1);
        }
        self.tracks.retain(|t| {
            let hopeless = !parity && patience.is_hopeless((step, usual), seconds - t.seen);
            update.ended.extend(Some(t.id).filter(|_| hopeless));
            !hopeless
        });
        let found = self.pairs(observations);
        for ((c, o), place) in observations.iter().enumerate().zip(found) {
            let d = o.detection;
            let at = place.unwrap_or(self.tracks.len());
            match self.tracks.get_mut(at) {
                Some(t) => {
                    let (a, b, gap) = (t.rect.center(), d.rect.center(), seconds - t.seen);
                    let pixels = f64::from(b.x - a.x).hypot(f64::from(b.y - a.y));
                    let speed = if gap > 0.0 { pixels / gap } else { 0.0 };
                    t.motion.observe(self.params.motion, Displacement { pixels, speed, seconds: gap });
                    (t.rect, t.seen, t.missed) = (d.rect, seconds, 0);
                }
                None => {
                    let motion = Motion::default();
                    let (id, class) = (self.next, d.class);
                    self.tracks.push(Track {
                        id,
                        rect: d.rect,
                        class,
                        seen: seconds,
                        since: seconds,
                        missed: 0,
                        motion,
                    });
                    self.next += 1;
                }
            }
            if let Some(t) = self.tracks.get(at) {
                update.tracks.push(TrackedBox {
                    id: t.id,
                    detection: c,
                    rect: t.rect,
                    smooth: t.rect,
                    score: d.score,
                    class: t.class,
                    moving: t.motion.is_moving(),
                    since: t.since,
                });
            }
        }
        Ok(update.close(
            &mut self.tracks,
            |t| Some(t.id),
            |t| !parity && t.missed > 0 && patience.is_over(t.missed, seconds - t.seen),
        ))
    }

    fn is_idle(&self) -> bool {
        self.tracks.is_empty()
    }
}
