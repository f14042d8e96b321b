//! Settings of the analysis of a whole video.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::lip_motion::LipMotionOptions;
use super::super::plan::Tails;
use super::super::tracks::TrackOptions;
use crate::config::{Settings, check_ranges};
use crate::core::HueDistance;
use crate::error::{Error, Result};

/// What tells how late the sound is.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum EstimatorKind {
    /// Movement of the lips against levels of the sound; needs a landmark model only.
    #[default]
    LipMotion,
    /// The two networks of SyncNet.
    Syncnet,
}

/// Bounds that a chunk must meet to be accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Preset {
    /// Confidence 6, 2 frames.
    Strict,
    /// Confidence 4, 5 frames.
    High,
    /// Confidence 2.5, 8 frames.
    Medium,
    /// Confidence 1.5, 12 frames.
    Relaxed,
    /// Confidence 0, 50 frames.
    None,
}

impl Preset {
    /// Least confidence and largest offset in frames of 25 a second, either way.
    pub const fn bounds(self) -> (f64, f64) {
        match self {
            Self::Strict => (6.0, 2.0),
            Self::High => (4.0, 5.0),
            Self::Medium => (2.5, 8.0),
            Self::Relaxed => (1.5, 12.0),
            Self::None => (0.0, 50.0),
        }
    }
}

/// Settings that can change a byte of the output. All of them are part of the run key and written with the output.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SyncConfig {
    /// What tells how late the sound is.
    pub estimator: EstimatorKind,
    /// Seconds of a chunk: what is judged, accepted and saved together.
    #[schemars(range(min = 1.0, max = 86400.0), extend("x-unit" = "seconds"))]
    pub chunk_duration: f64,
    /// Seconds that a chunk shares with the next one; less than its duration.
    #[schemars(range(min = 0.0), extend("x-unit" = "seconds"))]
    pub overlap: f64,
    /// Chunks as the scripts around SyncNet plan them: a last one under 5 s is dropped.
    pub parity: bool,
    /// Whether the chunks are written too, picture and sound, and those that are accepted once more, in the tree of the scripts.
    pub save_chunks: bool,
    /// A track has more detected faces than this.
    #[schemars(extend("x-unit" = "faces"))]
    pub min_track: usize,
    /// Mean width or height of the faces of a track is above this, in pixels.
    #[schemars(range(min = 0.0, max = 1e5), extend("x-unit" = "pixels"))]
    pub min_face_size: f64,
    /// Least confidence of an accepted chunk, on the scale of SyncNet's.
    #[schemars(range(min = 0.0, max = 1000.0))]
    pub min_confidence: f64,
    /// Largest offset of an accepted chunk, early or late, in frames of 25 a second.
    #[schemars(range(min = 0.0, max = 1000.0), extend("x-unit" = "frames"))]
    pub max_abs_offset: f64,
    /// Whether chunks are accepted and rejected at all.
    pub filter_low_quality: bool,
    /// Seconds that the sound may be early or late, 0.1 to 5.
    #[schemars(range(min = 0.1, max = 5.0), extend("x-unit" = "seconds"))]
    pub reach: f64,
    /// In sync within this many seconds; EBU R37 allows 40 ms early and 60 ms late.
    #[schemars(range(min = 0.0, max = 1.0), extend("x-unit" = "seconds"))]
    pub tolerance: f64,
    /// Probability below which the verdict is "cannot tell", 0..=1.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub min_probability: f64,
    /// Level in decibels of full scale that the loudest tenth of a second must reach for there to be any sound.
    #[schemars(range(min = -200.0, max = 0.0), extend("x-unit" = "decibels"))]
    pub quiet_db: f64,
    /// Seconds of a window of the curve over time, 2 to 120.
    #[schemars(range(min = 2.0, max = 120.0), extend("x-unit" = "seconds"))]
    pub window: f64,
    /// Seconds from one window to the next, 0.2 to the window.
    #[schemars(range(min = 0.2), extend("x-unit" = "seconds"))]
    pub step: f64,
    /// Least change of the offset in seconds that counts as an edit, 0.02 to 5.
    #[schemars(range(min = 0.02, max = 5.0), extend("x-unit" = "seconds"))]
    pub min_jump: f64,
    /// Content score from which on a frame begins a shot, 0 to 255.
    #[schemars(range(min = 0.0, max = 255.0))]
    pub cut_threshold: f64,
    /// Frames between two cuts at least.
    #[schemars(extend("x-unit" = "frames"))]
    pub min_shot: usize,
    /// Hues 179 codes apart are neighbours, as on the circle; `false` compares the codes, as the detector of the scripts does.
    pub circular_hue: bool,
    /// Cosine of the vectors of two faces from which on they are the same person, 0..=1; counts where a network for faces is listed.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub same_person: f64,
    /// Longest side in pixels of the pictures in which faces are looked for, 64 to 4096.
    #[schemars(range(min = 64, max = 4096), extend("x-unit" = "pixels"))]
    pub face_side: u32,
}

impl Default for SyncConfig {
    fn default() -> Self {
        let (tracks, lips) = (TrackOptions::default(), LipMotionOptions::default());
        Self {
            estimator: EstimatorKind::LipMotion,
            chunk_duration: 30.0,
            overlap: 5.0,
            parity: false,
            save_chunks: false,
            min_track: tracks.min_track,
            min_face_size: f64::from(tracks.min_face_size),
            min_confidence: 2.0,
            max_abs_offset: 10.0,
            filter_low_quality: true,
            reach: lips.reach,
            tolerance: lips.tolerance,
            min_probability: lips.min_probability,
            quiet_db: lips.quiet_db,
            window: 10.0,
            step: 2.0,
            min_jump: 0.06,
            cut_threshold: 30.0,
            min_shot: 15,
            circular_hue: true,
            same_person: 0.4,
            face_side: 640,
        }
    }
}

impl SyncConfig {
    /// Options of the estimators.
    pub fn judging(&self) -> LipMotionOptions {
        let Self { reach, tolerance, min_probability, quiet_db, .. } = *self;
        LipMotionOptions { reach, tolerance, min_probability, quiet_db }
    }

    /// Options of the tracks.
    pub fn tracks(&self) -> TrackOptions {
        let (min_track, min_face_size) = (self.min_track, self.min_face_size as f32);
        TrackOptions { min_track, min_face_size, ..TrackOptions::default() }
    }

    /// What both passes over the pictures depend on.
    pub(super) fn seeing(&self) -> impl Serialize + use<> {
        #[derive(Serialize)]
        struct Seeing {
            estimator: EstimatorKind,
            reach: f64,
            min_track: usize,
            min_face_size: f64,
            cut_threshold: f64,
            min_shot: usize,
            circular_hue: bool,
            face_side: u32,
        }
        let Self { estimator, reach, min_track, min_face_size, .. } = *self;
        let Self { cut_threshold, min_shot, circular_hue, face_side, .. } = *self;
        Seeing { estimator, reach, min_track, min_face_size, cut_threshold, min_shot, circular_hue, face_side }
    }

    /// How far two hues are apart.
    pub fn hue(&self) -> HueDistance {
        if self.circular_hue { HueDistance::Circular } else { HueDistance::Linear }
    }

    /// What happens to chunks that are too short.
    pub fn tails(&self) -> Tails {
        if self.parity { Tails::Drop } else { Tails::Keep }
    }
}

impl Settings for SyncConfig {
    fn check(&self) -> Result<()> {
        check_ranges(self, "")?;
        let refuse = |field: &str, message: String| Err(Error::Config { field: field.into(), message });
        if self.overlap >= self.chunk_duration {
            let (chunk, given) = (self.chunk_duration, self.overlap);
            let wanted = format!("must be less than `chunk_duration` ({chunk} seconds)");
            return refuse("overlap", format!("{wanted}, got {given}: chunks would never end"));
        }
        if self.step > self.window {
            return refuse("step", format!("must be at most `window` ({} seconds), got {}", self.window, self.step));
        }
        self.judging().check()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_pass_and_nonsense_does_not() {
        let good = SyncConfig::default;
        assert!(good().check().is_ok());
        for bad in [
            SyncConfig { overlap: 30.0, ..good() },
            SyncConfig { overlap: -1.0, ..good() },
            SyncConfig { chunk_duration: f64::NAN, ..good() },
            SyncConfig { step: 11.0, ..good() },
            SyncConfig { window: 1.0, ..good() },
            SyncConfig { reach: 9.0, ..good() },
            SyncConfig { min_probability: 1.5, ..good() },
            SyncConfig { face_side: 10, ..good() },
            SyncConfig { min_jump: 0.0, ..good() },
            SyncConfig { same_person: 1.5, ..good() },
        ] {
            assert!(bad.check().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn presets_are_those_of_the_scripts() {
        let all = [Preset::Strict, Preset::High, Preset::Medium, Preset::Relaxed, Preset::None].map(Preset::bounds);
        assert_eq!(all, [(6.0, 2.0), (4.0, 5.0), (2.5, 8.0), (1.5, 12.0), (0.0, 50.0)]);
    }
}
