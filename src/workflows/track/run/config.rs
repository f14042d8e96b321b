//! Settings of a run.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::associate::{
    ByteParams, ByteTracker, MotionRule, OcParams, OcTracker, Patience, SeedParams, SeedTracker, Tracker,
};
use super::super::motion::MotionParams;
use super::super::recognise::RecogniseParams;
use super::super::zones::{BoxPoint, ZoneRules};
use crate::config::{Settings, check_ranges};
use crate::error::{Error, Result};

/// The detector that needs no model.
pub const MOTION: &str = "motion";

/// How detections become tracks.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum TrackerChoice {
    /// Kalman filter, optimal assignment, weak detections in a second round.
    #[default]
    ByteTrack,
    /// Directions of the observations, filter repaired after a gap.
    OcSort,
    /// Overlap with the last box, optimal assignment.
    Iou,
    /// The rules of the original system, its defects included: the first detection chooses first, tracks never end.
    Greedy,
}

/// Settings that can change a byte of the output. All of them are part of the run key and written with the output.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TrackConfig {
    /// `motion`, or the name of a model of task `detect`.
    #[schemars(length(min = 1))]
    pub detector: String,
    /// Name of a model of task `reid` or `embed` that says what boxes look like; trackers then tell them apart by place and looks.
    #[schemars(length(min = 1))]
    pub appearance: Option<String>,
    /// Parts of the frame that the network looks at besides the whole: a size of tiles such as `640`, `640x360` or `640+96` (with an overlap in
    /// pixels), or a file of chunks that `frameloom chunk plan` wrote. For small objects in large frames.
    #[schemars(length(min = 1))]
    pub slices: Option<String>,
    /// Classes that are tracked, by name or number; empty: all.
    pub classes: Vec<String>,
    /// Least score of a detection; without it what the tracker wants: 0.1 for `byte-track`, which uses weak ones, 0.25 for the others.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub min_score: Option<f64>,
    /// Least width and height of a detection in pixels.
    #[schemars(range(min = 0.0, max = 1e5), extend("x-unit" = "pixels"))]
    pub min_size: f64,
    /// Uses every Nth frame only.
    #[schemars(range(min = 1, max = 1000000), extend("x-unit" = "frames"))]
    pub every: u32,
    /// Uses so many frames a second at most.
    #[schemars(range(min = 0.001, max = 1000.0), extend("x-unit" = "frames a second"))]
    pub fps: Option<f64>,
    /// The detector looks at every Nth of the frames used; boxes between are interpolated.
    #[schemars(range(min = 1, max = 1000), extend("x-unit" = "frames"))]
    pub detect_every: u32,
    /// How detections become tracks.
    pub tracker: TrackerChoice,
    /// Seconds that a track stays without being seen; without effect on `greedy`.
    #[schemars(range(min = 0.0, max = 3600.0), extend("x-unit" = "seconds"))]
    pub patience: f64,
    /// Least overlap of a track with a detection; without it what the tracker's authors chose.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub overlap: Option<f64>,
    /// `byte-track`: score of strong detections. `oc-sort`: least score.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub high: f64,
    /// `byte-track`: score from which on a detection begins a track.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub start: f64,
    /// Seconds that a track lasts at least; shorter ones are left out everywhere.
    #[schemars(range(min = 0.0, max = 3600.0), extend("x-unit" = "seconds"))]
    pub min_track: f64,
    /// An object that looks alike and comes back within so many seconds keeps its number; 0: not looked for. Wants `appearance`.
    #[schemars(range(min = 0.0, max = 86_400.0), extend("x-unit" = "seconds"))]
    pub rejoin: f64,
    /// Least cosine between the looks of two tracks that are one object, -1 to 1; without it what the video says: hardly two tracks that are seen at
    /// the same time are as alike.
    #[schemars(range(min = -1.0, max = 1.0))]
    pub rejoin_likeness: Option<f64>,
    /// Pixels a second above which a track moves; without it a twentieth of the picture's height.
    #[schemars(range(min = 0.0, max = 1e6), extend("x-unit" = "pixels a second"))]
    pub moving_speed: Option<f64>,
    /// Seconds it must move to count as moving.
    #[schemars(range(min = 0.0, max = 3600.0), extend("x-unit" = "seconds"))]
    pub moving_start: f64,
    /// Seconds it must stand to count as idle.
    #[schemars(range(min = 0.0, max = 3600.0), extend("x-unit" = "seconds"))]
    pub moving_stop: f64,
    /// The point of a box that is tested against zones and lines.
    pub point: BoxPoint,
    /// Seconds inside before an entry counts.
    #[schemars(range(min = 0.0, max = 86400.0), extend("x-unit" = "seconds"))]
    pub enter_after: f64,
    /// Seconds outside before an exit counts.
    #[schemars(range(min = 0.0, max = 86400.0), extend("x-unit" = "seconds"))]
    pub leave_after: f64,
    /// An entry within so many seconds of the track's last one into the same zone is a repeat.
    #[schemars(range(min = 0.0, max = 86400.0), extend("x-unit" = "seconds"))]
    pub entry_interval: f64,
    /// Seconds without another crossing before a crossing counts.
    #[schemars(range(min = 0.0, max = 86400.0), extend("x-unit" = "seconds"))]
    pub settle: f64,
    /// Seconds of a step of the counts over time.
    #[schemars(range(min = 0.01, max = 86400.0), extend("x-unit" = "seconds"))]
    pub step: f64,
    /// Writes a video with boxes, numbers, trails and zones.
    pub annotate: bool,
    /// Seconds of the trail behind a box; 0: none.
    #[schemars(range(min = 0.0, max = 3600.0), extend("x-unit" = "seconds"))]
    pub trail: f64,
    /// Quality of that video, 0 (best) to 51.
    #[schemars(range(min = 0.0, max = 51.0))]
    pub crf: f64,
    /// A picture of the plan that tracks are drawn over, seen from above; wants a calibration in the file of zones. Without it they are drawn on
    /// paper.
    #[schemars(length(min = 1))]
    pub blueprint: Option<String>,
    /// Pictures of the video kept for the report, at most.
    #[schemars(range(min = 0, max = 2000))]
    pub stills: u32,
    /// Longest side of such a picture.
    #[schemars(range(min = 64, max = 4096), extend("x-unit" = "pixels"))]
    pub still_side: u32,
    /// The detector without a model.
    pub motion: MotionParams,
    /// The server that knows people by name.
    pub recognise: RecogniseParams,
}

impl Default for TrackConfig {
    fn default() -> Self {
        let (byte, rules) = (ByteParams::default(), ZoneRules::default());
        Self {
            detector: MOTION.into(),
            appearance: None,
            slices: None,
            classes: Vec::new(),
            min_score: None,
            min_size: 0.0,
            every: 1,
            fps: None,
            detect_every: 1,
            tracker: TrackerChoice::ByteTrack,
            patience: 1.0,
            overlap: None,
            high: byte.high,
            start: byte.start,
            min_track: 0.5,
            rejoin: 0.0,
            rejoin_likeness: None,
            moving_speed: None,
            moving_start: 1.0 / 15.0,
            moving_stop: 0.1,
            point: rules.point,
            enter_after: rules.enter_after,
            leave_after: rules.leave_after,
            entry_interval: rules.entry_interval,
            settle: rules.settle,
            step: 1.0,
            annotate: false,
            trail: 2.0,
            crf: 23.0,
            blueprint: None,
            stills: 160,
            still_side: 640,
            motion: MotionParams::default(),
            recognise: RecogniseParams::default(),
        }
    }
}

/// What the pass over the pictures depends on.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Seeing {
    detector: String,
    appearance: Option<(String, f64)>,
    /// Parts of frames that are looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    slices: Option<String>,
    /// Detections below this score are not kept.
    pub(super) floor: f64,
    every: u32,
    fps: Option<f64>,
    detect_every: u32,
    stills: u32,
    still_side: u32,
    motion: Option<MotionParams>,
    /// Who is asked for names, about which frames, with pictures of which size.
    #[serde(skip_serializing_if = "Option::is_none")]
    recognise: Option<(String, u32, u32)>,
}

impl TrackConfig {
    /// Whether the detector without a model is asked for.
    pub fn is_motion(&self) -> bool {
        self.detector == MOTION
    }

    /// Frames that are used, and those that are looked at.
    pub(super) fn sampling(&self) -> Sampling {
        Sampling { every: self.every, fps: self.fps, detect_every: self.detect_every }
    }

    pub(super) fn seeing(&self) -> Seeing {
        Seeing {
            detector: self.detector.clone(),
            appearance: self.appearance.clone().map(|name| (name, self.high)),
            slices: self.slices.clone(),
            // Kept once, so that other bounds need no second look.
            floor: self.min_score.map_or(0.1, |s| s.min(0.1)),
            every: self.every,
            fps: self.fps,
            detect_every: self.detect_every,
            stills: self.stills,
            still_side: self.still_side,
            motion: self.is_motion().then(|| self.motion.clone()),
            recognise: self.recognise.url.clone().map(|url| (url, self.recognise.every, self.recognise.side)),
        }
    }

    /// Least score of the detections that the tracker gets.
    pub(super) fn least_score(&self) -> f64 {
        self.min_score.unwrap_or(match self.tracker {
            TrackerChoice::ByteTrack => 0.1,
            TrackerChoice::OcSort | TrackerChoice::Iou | TrackerChoice::Greedy => 0.25,
        })
    }

    /// A tracker without tracks, for pictures `height` pixels high that are looked at every `step` seconds as a rule.
    pub(super) fn tracker(&self, height: u32, step: f64) -> Result<Box<dyn Tracker>> {
        let patience = Patience::Seconds(self.patience);
        let motion = MotionRule::Seconds {
            speed: self.moving_speed.unwrap_or(f64::from(height) / 20.0),
            start: self.moving_start,
            stop: self.moving_stop,
        };
        let seed = SeedParams::default();
        Ok(match self.tracker {
            TrackerChoice::ByteTrack => {
                let base = ByteParams::default();
                let low = base.low.min(self.least_score()).min(self.high);
                let params = ByteParams {
                    high: self.high,
                    low,
                    start: self.start,
                    overlap: self.overlap.unwrap_or(base.overlap),
                    patience,
                    motion,
                    ..base
                };
                Box::new(ByteTracker::new(params)?.with_step(step))
            }
            TrackerChoice::OcSort => {
                let base = OcParams::default();
                let overlap = self.overlap.unwrap_or(base.overlap);
                let params = OcParams { score: self.high, overlap, patience, motion, ..base };
                Box::new(OcTracker::new(params)?.with_step(step))
            }
            TrackerChoice::Iou => {
                let overlap = self.overlap.unwrap_or(seed.overlap);
                let params = SeedParams { parity: false, overlap, patience, motion };
                Box::new(SeedTracker::new(params)?.with_step(step))
            }
            TrackerChoice::Greedy => {
                let overlap = self.overlap.unwrap_or(seed.overlap);
                Box::new(SeedTracker::new(SeedParams { parity: true, overlap, ..seed })?)
            }
        })
    }

    /// When something counts.
    pub(super) fn rules(&self) -> ZoneRules {
        ZoneRules {
            point: self.point,
            enter_after: self.enter_after,
            leave_after: self.leave_after,
            entry_interval: self.entry_interval,
            settle: self.settle,
        }
    }
}

impl Settings for TrackConfig {
    fn check(&self) -> Result<()> {
        let refuse = |field: &str, message: String| Err(Error::Config { field: field.into(), message });
        check_ranges(self, "")?;
        if self.every > 1 && self.fps.is_some() {
            return refuse("fps", format!("cannot be given together with `every` ({}): one of them", self.every));
        }
        if self.detector.is_empty() {
            return refuse("detector", format!("must be `{MOTION}` or the name of a model"));
        }
        if self.appearance.is_some() && self.is_motion() {
            return refuse(
                "appearance",
                format!("wants a network for `detector`, got `{MOTION}`: its boxes come too late to be looked at"),
            );
        }
        if self.appearance.as_ref().is_some_and(String::is_empty) {
            return refuse(
                "appearance",
                "must be the name of a model of task `reid` or `embed`, or be left out".into(),
            );
        }
        if self.appearance.is_some() && matches!(self.tracker, TrackerChoice::Iou | TrackerChoice::Greedy) {
            return refuse("appearance", "is used by the trackers `byte-track` and `oc-sort` only".into());
        }
        if self.rejoin > 0.0 && self.appearance.is_none() {
            return refuse("rejoin", "wants `appearance`, the name of a model of task `reid` or `embed`".into());
        }
        if self.slices.is_some() && self.is_motion() {
            return refuse(
                "slices",
                format!("wants a network for `detector`, got `{MOTION}`: it sees all pixels anyway"),
            );
        }
        if self.slices.as_ref().is_some_and(String::is_empty) {
            return refuse("slices", "must be a size such as `640` or a file of chunks, or be left out".into());
        }
        if self.blueprint.as_ref().is_some_and(String::is_empty) {
            return refuse("blueprint", "must be the name of a picture, or be left out".into());
        }
        if self.recognise.url.as_ref().is_some_and(String::is_empty) {
            return refuse("recognise.url", "must be the address of a server, or be left out".into());
        }
        self.tracker(1, 0.0).map(|_| ())
    }
}

/// Which frames of a video are used.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Sampling {
    /// Every Nth.
    pub every: u32,
    /// So many a second at most.
    pub fps: Option<f64>,
    /// The detector looks at every Nth of those.
    pub detect_every: u32,
}

/// Chooses frames one after the other.
#[derive(Debug, Clone)]
pub(super) struct Sampler {
    sampling: Sampling,
    decoded: u64,
    used: u64,
    /// Time of the first frame, and the last step of `fps` that has its frame.
    first: f64,
    step: Option<i64>,
}

/// What becomes of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    /// Passed over.
    Skip,
    /// Part of the timeline.
    Time,
    /// And looked at.
    Look,
}

impl Sampler {
    pub(super) fn new(sampling: Sampling) -> Self {
        Self { sampling, decoded: 0, used: 0, first: 0.0, step: None }
    }

    pub(super) fn take(&mut self, seconds: f64) -> Use {
        let n = self.decoded;
        self.decoded += 1;
        if n == 0 {
            self.first = seconds;
        }
        let wanted = match self.sampling.fps {
            Some(fps) => {
                // A millionth of a step: times are rounded by containers.
                let step = ((seconds - self.first) * fps + 1e-6).floor() as i64;
                let new = self.step.is_none_or(|s| step > s);
                if new {
                    self.step = Some(step);
                }
                new
            }
            None => n.is_multiple_of(u64::from(self.sampling.every.max(1))),
        };
        if !wanted {
            return Use::Skip;
        }
        let look = self.used.is_multiple_of(u64::from(self.sampling.detect_every.max(1)));
        self.used += 1;
        if look { Use::Look } else { Use::Time }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_pass_and_nonsense_does_not() {
        let good = TrackConfig::default;
        assert!(good().check().is_ok());
        for bad in [
            TrackConfig { every: 0, ..good() },
            TrackConfig { appearance: Some("reid".into()), ..good() },
            TrackConfig { rejoin: 10.0, ..good() },
            TrackConfig { slices: Some("640".into()), ..good() },
            TrackConfig { slices: Some(String::new()), detector: "d".into(), ..good() },
            TrackConfig { appearance: Some(String::new()), detector: "d".into(), ..good() },
            TrackConfig { appearance: Some("r".into()), detector: "d".into(), tracker: TrackerChoice::Iou, ..good() },
            TrackConfig { fps: Some(f64::NAN), ..good() },
            TrackConfig { fps: Some(5.0), every: 2, ..good() },
            TrackConfig { detect_every: 0, ..good() },
            TrackConfig { min_score: Some(1.5), ..good() },
            TrackConfig { detector: String::new(), ..good() },
            TrackConfig { overlap: Some(-0.1), ..good() },
            TrackConfig { step: 0.0, ..good() },
            TrackConfig { enter_after: -1.0, ..good() },
            TrackConfig { motion: MotionParams { side: 1, ..MotionParams::default() }, ..good() },
            TrackConfig { recognise: RecogniseParams { queue: 0, ..RecogniseParams::default() }, ..good() },
            TrackConfig {
                recognise: RecogniseParams { url: Some(String::new()), ..RecogniseParams::default() },
                ..good()
            },
        ] {
            assert!(bad.check().is_err(), "{bad:?}");
        }
        for tracker in [TrackerChoice::ByteTrack, TrackerChoice::OcSort, TrackerChoice::Iou, TrackerChoice::Greedy] {
            assert!(TrackConfig { tracker, min_score: Some(0.9), ..good() }.check().is_ok());
        }
    }

    fn used(sampling: Sampling, times: impl Iterator<Item = f64>) -> Vec<(usize, bool)> {
        let mut sampler = Sampler::new(sampling);
        times
            .map(|t| sampler.take(t))
            .enumerate()
            .filter(|(_, u)| *u != Use::Skip)
            .map(|(i, u)| (i, u == Use::Look))
            .collect()
    }

    #[test]
    fn frames_are_chosen_by_number_and_by_time() {
        let at = |rate: f64, n: u32| (0..n).map(move |i| f64::from(i) / rate);
        let every = Sampling { every: 3, fps: None, detect_every: 2 };
        assert_eq!(used(every, at(30.0, 10)), [(0, true), (3, false), (6, true), (9, false)]);
        let fps = Sampling { every: 1, fps: Some(10.0), detect_every: 1 };
        assert_eq!(used(fps, at(30.0, 9)).len(), 3);
        // 25 to 10 a second: as even as it can be, and on average right.
        let taken: Vec<usize> = used(fps, at(25.0, 25)).into_iter().map(|u| u.0).collect();
        assert_eq!(taken, [0, 3, 5, 8, 10, 13, 15, 18, 20, 23]);
        // Fewer than asked for: all of them.
        assert_eq!(used(fps, at(5.0, 7)).len(), 7);
    }
}
