//! Moving or idle, with hysteresis.

use serde::{Deserialize, Serialize};

use super::SLACK;
use crate::error::{Error, Result};

/// When a track counts as moving.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum MotionRule {
    /// By speed in video time, the same at any frame rate.
    Seconds {
        /// Pixels per second above which it moves.
        speed: f64,
        /// Seconds it must move to count as moving.
        start: f64,
        /// Seconds it must stand to count as idle.
        stop: f64,
    },
    /// By frames, whatever time they take: the rule of the original system.
    Frames {
        /// Pixels from frame to frame above which it moves; exactly as many are none.
        pixels: f64,
        /// Moving frames in a row that make it moving.
        start: u32,
        /// Still frames in a row that make it idle.
        stop: u32,
    },
}

impl MotionRule {
    /// More than 2 pixels a frame, on after 2 frames, off after 3.
    pub const SEED: Self = Self::Frames { pixels: 2.0, start: 2, stop: 3 };

    /// The rule of the original system at 30 frames per second: above 60 pixels a second, on after 1/15 s, off after 1/10 s.
    pub const VIDEO_TIME: Self = Self::Seconds { speed: 60.0, start: 1.0 / 15.0, stop: 0.1 };

    pub(super) fn check(self, field: &str) -> Result<()> {
        let numbers = match self {
            Self::Seconds { speed, start, stop } => [speed, start, stop],
            Self::Frames { pixels, start, stop } => [pixels, f64::from(start), f64::from(stop)],
        };
        if numbers.iter().all(|v| (0.0..=1e6).contains(v)) {
            return Ok(());
        }
        Err(Error::Config { field: field.into(), message: format!("must be numbers in 0..=1000000, got {self:?}") })
    }
}

/// The state of one track.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Motion {
    moving: bool,
    /// How long the opposite of `moving` has been observed, in seconds or frames.
    against: f64,
}

/// What was observed of a track from one sighting to the next.
#[derive(Debug, Clone, Copy)]
pub(super) struct Displacement {
    /// Pixels between the centres.
    pub(super) pixels: f64,
    /// Pixels per second, filtered.
    pub(super) speed: f64,
    /// Seconds between the sightings.
    pub(super) seconds: f64,
}

impl Motion {
    pub(super) fn is_moving(self) -> bool {
        self.moving
    }

    pub(super) fn observe(&mut self, rule: MotionRule, seen: Displacement) {
        let (moves, step, start, stop) = match rule {
            MotionRule::Seconds { speed, start, stop } => (seen.speed > speed, seen.seconds, start, stop),
            MotionRule::Frames { pixels, start, stop } => {
                (seen.pixels > pixels, 1.0, f64::from(start), f64::from(stop))
            }
        };
        if moves == self.moving {
            self.against = 0.0;
            return;
        }
        self.against += step;
        if self.against + SLACK >= if moves { start } else { stop } {
            *self = Self { moving: moves, against: 0.0 };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hysteresis_in_frames_and_in_seconds_agree_at_30_hz() {
        // Displacements of the original system's scenario: on after two, exactly 2 pixels are still, off after three.
        let x = [0.0, 6.0, 12.0, 18.0, 24.0, 24.0, 24.0, 24.0, 24.0, 27.0, 29.0, 31.0, 34.0, 37.0];
        let wanted = [false, false, true, true, true, true, true, false, false, false, false, false, false, true];
        for rule in [MotionRule::SEED, MotionRule::VIDEO_TIME] {
            let mut motion = Motion::default();
            let mut states = vec![false];
            for w in x.windows(2) {
                let pixels: f64 = w[1] - w[0];
                motion.observe(rule, Displacement { pixels, speed: pixels * 30.0, seconds: 1.0 / 30.0 });
                states.push(motion.is_moving());
            }
            assert_eq!(states, wanted, "{rule:?}");
        }
    }

    #[test]
    fn seconds_do_not_depend_on_the_frame_rate() {
        for rate in [5.0, 10.0, 24.0, 30.0, 60.0, 240.0] {
            let rule = MotionRule::Seconds { speed: 50.0, start: 0.4, stop: 0.8 };
            let mut motion = Motion::default();
            let mut changes = Vec::new();
            for frame in 1..=(3.0 * rate) as u32 {
                let t = f64::from(frame) / rate;
                let before = motion.is_moving();
                let speed = if t <= 1.5 { 80.0 } else { 20.0 };
                motion.observe(rule, Displacement { pixels: speed / rate, speed, seconds: 1.0 / rate });
                if motion.is_moving() != before {
                    changes.push(t);
                }
            }
            assert_eq!(changes.len(), 2, "{rate}: {changes:?}");
            assert!((changes[0] - 0.4).abs() < 1.0 / rate + 1e-6 && (changes[1] - 2.3).abs() < 1.0 / rate + 1e-6);
        }
    }
}
