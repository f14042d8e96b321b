//! From detections, frame by frame, to tracks.
//!
//! Three trackers behind one trait, [`Tracker`]:
//!
//! | tracker | association | for |
//! |---|---|---|
//! | [`ByteTracker`] | optimal, Kalman prediction, weak detections in a second round | detectors with meaningful scores |
//! | [`OcTracker`] | optimal, direction of the observations, filter repaired after a gap | objects that turn, stop, hide |
//! | [`SeedTracker`] | by overlap with the last box alone | comparison with the original system |
//!
//! All are deterministic: they depend on the order of detections only where two solutions are equally good.

mod appearance;
mod byte_track;
mod kalman;
pub(super) mod link;
mod motion;
mod oc_sort;
mod patience;
mod seed;
#[cfg(test)]
mod tests;

pub use byte_track::{ByteParams, ByteTracker};
pub use motion::MotionRule;
pub use oc_sort::{OcParams, OcTracker};
pub use patience::Patience;
pub use seed::{SeedParams, SeedPerson, SeedTracker};

use serde::{Deserialize, Serialize};

use crate::core::{BoxF, Detection};
use crate::error::{Error, Result};

/// A detection of the frame, as trackers take it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Observation<'a> {
    /// Box in pixels, with sides above 0; score 0..=1; class.
    pub detection: Detection,
    /// What it looks like: a vector of any length, all of one model. Angles between vectors are compared.
    pub appearance: Option<&'a [f32]>,
}

impl From<Detection> for Observation<'_> {
    fn from(detection: Detection) -> Self {
        Self { detection, appearance: None }
    }
}

/// A track that was seen in a frame.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TrackedBox {
    /// Number of the track, from 1, never given twice.
    pub id: u64,
    /// Position of its detection in the call.
    pub detection: usize,
    /// Box of its detection.
    pub rect: BoxF,
    /// Box after filtering, steadier than `rect`.
    pub smooth: BoxF,
    /// Score of its detection.
    pub score: f32,
    /// Class of the track.
    pub class: u32,
    /// Whether it moves, after hysteresis.
    pub moving: bool,
    /// When it was seen first, in seconds of the video.
    pub since: f64,
}

/// What a frame brought.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Update {
    /// Confirmed tracks seen in this frame, by number.
    pub tracks: Vec<TrackedBox>,
    /// Confirmed tracks that ended with this frame, by number. They do not come back.
    pub ended: Vec<u64>,
}

impl Update {
    /// Takes the tracks that are `over` out of `tracks`, notes those of them that have an id as ended, and puts all in order.
    fn close<T>(mut self, tracks: &mut Vec<T>, id: impl Fn(&T) -> Option<u64>, over: impl Fn(&T) -> bool) -> Self {
        tracks.retain(|track| {
            let over = over(track);
            self.ended.extend(id(track).filter(|_| over));
            !over
        });
        self.tracks.sort_unstable_by_key(|t| t.id);
        self.ended.sort_unstable();
        self
    }
}

/// Turns detections of successive frames into tracks.
pub trait Tracker: Send + std::fmt::Debug {
    /// Takes the next frame, shown at `seconds`; call it for frames without detections too.
    ///
    /// # Errors
    /// [`Error::Parameter`] when time runs backwards, when a number is not finite, and for boxes without area.
    fn update(&mut self, seconds: f64, observations: &[Observation<'_>]) -> Result<Update>;

    /// Whether nothing is followed any more, nor lost so lately that it may be found again.
    fn is_idle(&self) -> bool;
}

/// Which tracker.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TrackerKind {
    /// [`ByteTracker`].
    ByteTrack,
    /// [`OcTracker`].
    OcSort,
    /// [`SeedTracker`].
    Seed,
}

/// The unit in which papers give speeds and noise, a frame of 30 Hz, in seconds. Elapsed time is measured in it, so that a filter behaves
/// the same at any frame rate.
pub(super) const UNIT_SECONDS: f64 = 1.0 / 30.0;

/// What two times may differ by and still be the same, in seconds: far below a frame, far above rounding.
const SLACK: f64 = 1e-6;

#[derive(Debug, Clone, Copy, Default)]
struct Clock {
    /// Time of the frame before.
    before: Option<f64>,
    /// Usual seconds from frame to frame; 0 where they are not known.
    usual: f64,
}

impl Clock {
    /// Seconds since the frame before; 0 for the first.
    fn step(&mut self, seconds: f64) -> Result<f64> {
        let before = self.before.unwrap_or(seconds);
        if !seconds.is_finite() || seconds < before {
            let wanted = format!("a time not before {before} s, that of the frame before");
            return Err(refused("seconds", wanted, seconds.to_string()));
        }
        self.before = Some(seconds);
        Ok(seconds - before)
    }
}

fn refused(name: &'static str, wanted: impl Into<String>, given: impl Into<String>) -> Error {
    Error::Parameter { op: "track/associate", name, wanted: wanted.into(), given: given.into() }
}

/// Refuses what no filter can take.
fn check(observations: &[Observation<'_>]) -> Result<()> {
    for Observation { detection: d, appearance } in observations {
        let BoxF { x, y, width, height } = d.rect;
        let finite = [x, y, width, height, d.score].iter().all(|v| v.is_finite());
        if !finite || width <= 0.0 || height <= 0.0 {
            return Err(refused("observations", "finite boxes with sides above 0", format!("{d:?}")));
        }
        if appearance.is_some_and(|a| a.iter().any(|v| !v.is_finite())) {
            return Err(refused("appearance", "finite numbers", "a vector with NaN or infinity"));
        }
    }
    Ok(())
}

/// A parameter in `range`, or an error that names it.
fn within(field: &str, value: f64, range: std::ops::RangeInclusive<f64>) -> Result<()> {
    if range.contains(&value) {
        return Ok(());
    }
    let message = format!("must be in {}..={}, got {value}", range.start(), range.end());
    Err(Error::Config { field: field.into(), message })
}
