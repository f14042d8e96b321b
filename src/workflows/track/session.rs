//! One stream: detections in, tracks and events out.

use std::collections::BTreeMap;

use serde::Serialize;

use super::associate::{
    ByteParams, ByteTracker, Observation, OcParams, OcTracker, SeedParams, SeedTracker, TrackedBox, Tracker,
    TrackerKind, Update,
};
use super::zones::{ZoneEvent, ZoneRules, Zones, ZonesFile};
use crate::error::Result;

/// Which tracker, and all that it and the zones can be told.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SessionParams {
    /// The tracker.
    pub tracker: TrackerKind,
    /// For [`TrackerKind::ByteTrack`].
    pub byte_track: ByteParams,
    /// For [`TrackerKind::OcSort`].
    pub oc_sort: OcParams,
    /// For [`TrackerKind::Seed`].
    pub seed: SeedParams,
    /// When something counts.
    pub zones: ZoneRules,
}

impl Default for SessionParams {
    fn default() -> Self {
        Self {
            tracker: TrackerKind::ByteTrack,
            byte_track: ByteParams::default(),
            oc_sort: OcParams::default(),
            seed: SeedParams::default(),
            zones: ZoneRules::default(),
        }
    }
}

/// A track seen in a frame, and where.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sighting {
    /// The track.
    pub track: TrackedBox,
    /// Position of the first zone that holds it, without debounce.
    pub zone: Option<usize>,
}

/// What a frame brought.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Default)]
pub struct FrameTracks {
    /// Tracks seen, by number.
    pub seen: Vec<Sighting>,
    /// What became sure with this frame.
    pub events: Vec<ZoneEvent>,
}

/// What is known of a track at the end.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct TrackSummary {
    /// Its number.
    pub id: u64,
    /// Its class.
    pub class: u32,
    /// When it was reported first, in seconds of the video.
    pub first: f64,
    /// When it was seen last.
    pub last: f64,
    /// Frames in which it was reported.
    pub frames: u64,
    /// Frames in which it was moving.
    pub moving: u64,
    /// Largest score of its detections.
    pub score: f32,
}

/// Zones and sums over what a tracker gives, from wherever it comes: live from a [`Session`], or worked over before.
#[derive(Debug)]
pub struct Watch {
    zones: Zones,
    tracks: BTreeMap<u64, TrackSummary>,
    frames: u64,
}

/// One stream on its way.
#[derive(Debug)]
pub struct Session {
    tracker: Box<dyn Tracker>,
    watch: Watch,
}

/// Everything at the end.
#[non_exhaustive]
#[derive(Debug)]
pub struct SessionEnd {
    /// Events of tracks that were inside a zone when the video ended.
    pub events: Vec<ZoneEvent>,
    /// All tracks, by number.
    pub tracks: Vec<TrackSummary>,
    /// The zones, with their sums.
    pub zones: Zones,
    /// Frames taken.
    pub frames: u64,
}

impl Session {
    /// A stream without frames.
    ///
    /// # Errors
    /// [`crate::Error::Config`] for a setting out of its range.
    pub fn new(params: &SessionParams, zones: ZonesFile) -> Result<Self> {
        Self::with_step(params, zones, 0.0)
    }

    /// The same for a stream of which a frame comes every `step` seconds as a rule; for steps above a second, which would be holes otherwise.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn with_step(params: &SessionParams, zones: ZonesFile, step: f64) -> Result<Self> {
        let tracker: Box<dyn Tracker> = match params.tracker {
            TrackerKind::ByteTrack => Box::new(ByteTracker::new(params.byte_track.clone())?.with_step(step)),
            TrackerKind::OcSort => Box::new(OcTracker::new(params.oc_sort.clone())?.with_step(step)),
            TrackerKind::Seed => Box::new(SeedTracker::new(params.seed.clone())?.with_step(step)),
        };
        Ok(Self { tracker, watch: Watch::new(params.zones, zones)? })
    }

    /// Takes the next frame, shown at `seconds`; frames without detections too.
    ///
    /// # Errors
    /// Those of [`Tracker::update`].
    pub fn frame(&mut self, seconds: f64, observations: &[Observation<'_>]) -> Result<FrameTracks> {
        Ok(self.watch.frame(seconds, self.tracker.update(seconds, observations)?))
    }

    /// The stream has ended.
    pub fn finish(self) -> SessionEnd {
        self.watch.finish()
    }
}

impl Watch {
    /// Nothing was seen yet.
    ///
    /// # Errors
    /// [`crate::Error::Config`] for rules out of range.
    pub fn new(rules: ZoneRules, zones: ZonesFile) -> Result<Self> {
        Ok(Self { zones: Zones::new(zones, rules)?, tracks: BTreeMap::new(), frames: 0 })
    }

    /// Takes what a tracker gave for the frame at `seconds`.
    pub fn frame(&mut self, seconds: f64, update: Update) -> FrameTracks {
        self.frames += 1;
        let events = self.zones.update(seconds, &update);
        let mut seen = Vec::with_capacity(update.tracks.len());
        for track in update.tracks {
            let summary = self.tracks.entry(track.id).or_insert(TrackSummary {
                id: track.id,
                class: track.class,
                first: seconds,
                last: seconds,
                frames: 0,
                moving: 0,
                score: track.score,
            });
            summary.last = seconds;
            summary.frames += 1;
            summary.moving += u64::from(track.moving);
            summary.score = summary.score.max(track.score);
            seen.push(Sighting { track, zone: self.zones.zone_of(&track.rect) });
        }
        FrameTracks { seen, events }
    }

    /// The stream has ended.
    pub fn finish(mut self) -> SessionEnd {
        let events = self.zones.finish();
        SessionEnd { events, tracks: self.tracks.into_values().collect(), zones: self.zones, frames: self.frames }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::core::{BoxF, Detection};
    use crate::workflows::track::associate::Patience;
    use crate::workflows::track::zones::Happening;

    #[test]
    fn tracks_zones_and_events_come_together() {
        let text = r#"{"zones": {"sq": {"polygon": [0,0,100,0,100,100,0,100]}}}"#;
        for tracker in [TrackerKind::ByteTrack, TrackerKind::OcSort, TrackerKind::Seed] {
            let params = SessionParams { tracker, ..SessionParams::default() };
            let file = ZonesFile::parse(text, Path::new("z")).unwrap();
            let mut session = Session::new(&params, file).unwrap();
            let mut events = Vec::new();
            let mut zones = Vec::new();
            for f in 0..60 {
                let rect = BoxF { x: 20.0 + 3.0 * f as f32, y: 20.0, width: 20.0, height: 40.0 };
                let seen = Observation::from(Detection { rect, score: 0.9, class: 2 });
                let out = session.frame(f64::from(f) / 30.0, &[seen]).unwrap();
                zones.extend(out.seen.iter().map(|s| s.zone));
                events.extend(out.events);
            }
            // The centre, 30 + 3 f, leaves at 100 with frame 24.
            assert_eq!(zones.iter().filter(|z| z.is_some()).count(), 24, "{tracker:?}");
            let end = session.finish();
            assert!(end.events.is_empty());
            let kinds: Vec<_> = events.iter().map(|e| (e.track, (e.seconds * 30.0).round() as u32)).collect();
            assert_eq!(kinds, [(1, 0), (1, 24)]);
            assert!(matches!(events[1].happening, Happening::Exit { zone: 0, lost: false, .. }));
            let t = end.tracks[0];
            assert_eq!((end.tracks.len(), end.frames, t.id, t.class, t.frames), (1, 60, 1, 2, 60));
            assert!(t.moving >= 50, "{t:?}");
        }
    }

    #[test]
    fn who_stands_is_one_object_however_seldom_it_is_looked_at() {
        for tracker in [TrackerKind::ByteTrack, TrackerKind::OcSort, TrackerKind::Seed] {
            for step in [0.04, 2.5, 60.0] {
                let mut params = SessionParams { tracker, ..SessionParams::default() };
                params.seed.patience = Patience::Seconds(1.0);
                let mut session = Session::with_step(&params, ZonesFile::default(), step).unwrap();
                for f in 0..8 {
                    let rect = BoxF { x: 20.0, y: 20.0, width: 20.0, height: 40.0 };
                    let seen = Observation::from(Detection { rect, score: 0.9, class: 0 });
                    session.frame(step * f64::from(f), &[seen]).unwrap();
                }
                let end = session.finish();
                assert_eq!(end.tracks.iter().map(|t| t.frames).collect::<Vec<_>>(), [8], "{tracker:?} {step}");
            }
        }
    }
}
