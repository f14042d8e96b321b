//! How long a track that is not seen is kept.

use serde::{Deserialize, Serialize};

use super::SLACK;
use crate::error::{Error, Result};

/// How long a track may stay unseen before it ends.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Patience {
    /// Seconds of the video, at any frame rate.
    Seconds(f64),
    /// Frames, whatever time they take: the rule of papers and of the original system.
    Frames(u32),
}

impl Patience {
    pub(super) fn check(self, field: &str) -> Result<()> {
        match self {
            Self::Seconds(s) if !(0.0..=3600.0).contains(&s) => {
                Err(Error::Config { field: field.into(), message: format!("must be in 0..=3600 seconds, got {s}") })
            }
            _ => Ok(()),
        }
    }

    /// Whether a track that this frame did not show ends with it: `missed` frames without it, this one included, `unseen` seconds since
    /// it was seen. 10 frames of patience keep a track through 10 missing frames and end it with the 11th.
    pub(super) fn is_over(self, missed: u32, unseen: f64) -> bool {
        match self {
            Self::Seconds(s) => unseen > s + SLACK,
            Self::Frames(n) => missed > n,
        }
    }

    /// Whether a track is too old to be linked with a frame at all: after a hole in the stream, what comes next shows another scene.
    /// `step` is the time since the frame before, `usual` what it is as a rule, 0 where that is not known. A track seen in the frame before may
    /// always be linked across an ordinary step.
    pub(super) fn is_hopeless(self, (step, usual): (f64, f64), unseen: f64) -> bool {
        match self {
            Self::Seconds(s) => unseen > s + step.min(s.max(HOLE_SECONDS).max(UNEVEN * usual)) + SLACK,
            Self::Frames(_) => false,
        }
    }
}

/// Steps between frames up to this are no holes, in seconds.
const HOLE_SECONDS: f64 = 1.0;
/// Nor are those of so many usual ones: frames that are chosen by time do not lie evenly.
const UNEVEN: f64 = 1.5;
