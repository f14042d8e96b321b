//! What all ways of telling the offset have in common.

use std::time::Duration;

use super::super::levels::SoundLevels;
use super::super::lip_motion::{LipMotionOptions, SyncEstimate};
use super::log::Look;
use super::video::SyncVideo;
use crate::core::{BoxF, ColorSpec};
use crate::error::Result;
use crate::ops::FrameBatch;

/// The face of a track in a frame of a batch.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SeenFace {
    /// Position of the track.
    pub track: u32,
    /// Slot of the frame in its batch.
    pub slot: u32,
    /// Start and end of the time in which the frame is shown, in seconds on the container's clock.
    pub shown: (f64, f64),
    /// Where the face is, smoothed over time, in pixels.
    pub face: BoxF,
    /// Whether what ends with this frame is wanted; `false` in the warm-up of a run that goes on.
    pub keep: bool,
}

/// A way of telling how late the sound is: looks at faces frame by frame, and judges stretches of what it saw afterwards.
///
/// What it keeps of a face must not depend on the other faces of the call, on batches, or on where a run was interrupted.
pub trait Estimator: Send + std::fmt::Debug {
    /// Name in outputs.
    fn name(&self) -> &'static str;

    /// How the probability was calibrated, for people.
    fn calibration(&self) -> &'static str;

    /// Factor that brings its confidence to the scale of SyncNet's distances, on which the bounds of acceptance are.
    fn confidence_scale(&self) -> f64;

    /// Networks it uses: name and SHA-256; part of the run key.
    fn networks(&self) -> Vec<(String, String)>;

    /// Whether one of them is a stand-in, whose results mean nothing.
    fn stands_in(&self) -> bool;

    /// Seconds of a track before a frame that it must have seen when it looks at the frame.
    fn warm_up(&self) -> f64;

    /// Bytes it allocates on the device for so many faces of a frame.
    fn bytes(&self, faces: u64) -> u64;

    /// Begins with another video, from `seconds` on.
    ///
    /// # Errors
    /// Of reading the sound.
    fn begin(&mut self, video: &SyncVideo, seconds: f64, options: &LipMotionOptions) -> Result<()>;

    /// Looks at `faces`, in order of time, in frames of `src`.
    ///
    /// # Errors
    /// Of the device and the networks.
    fn look(&mut self, src: &dyn FrameBatch, color: ColorSpec, faces: &[SeenFace]) -> Result<Vec<Look>>;

    /// Time inside its networks since it was loaded.
    fn running(&self) -> Duration;

    /// How much better sound fits that is `after` seconds late than sound that is `before` seconds late, for moments of a stretch of one track:
    /// `(seconds, preference)` in order. It finds the moment of an edit to less than a window; an estimator that cannot say gives nothing.
    fn preference(&self, _looks: &[Look], _sound: &SoundLevels, _before: f64, _after: f64) -> Vec<(f64, f64)> {
        Vec::new()
    }

    /// Judges a stretch of one track.
    ///
    /// # Errors
    /// Of options out of range.
    fn estimate(&self, looks: &[Look], sound: &SoundLevels, options: &LipMotionOptions) -> Result<SyncEstimate>;
}
