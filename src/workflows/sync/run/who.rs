//! Faces of all frames joined into tracks, shot by shot.

use super::super::lips::smoothed;
use super::super::tracks::{FaceTrack, track_faces};
use super::config::SyncConfig;
use super::log::FrameFacts;
use super::shots::shots;
use crate::core::BoxF;
use crate::error::Result;

/// A track, and where it belongs.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct TrackOf {
    /// Position of its shot.
    pub(super) shot: usize,
    pub(super) track: FaceTrack,
    /// Boxes smoothed over time, for crops.
    pub(super) boxes: Vec<BoxF>,
}

impl TrackOf {
    /// The face in a frame of the video.
    pub(super) fn face(&self, frame: u64) -> Option<BoxF> {
        let at = frame.checked_sub(self.track.first)?;
        usize::try_from(at).ok().and_then(|i| self.boxes.get(i).copied())
    }
}

/// Who is where, and how many faces there were at all.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Who {
    /// First frame of each shot, and the one after its last.
    pub(super) shots: Vec<(usize, usize)>,
    /// Tracks in order of their first frames.
    pub(super) tracks: Vec<TrackOf>,
    /// Detected faces.
    pub(super) faces: u64,
}

/// Joins the faces of `frames`.
pub(super) fn who(frames: &[FrameFacts], config: &SyncConfig) -> Result<Who> {
    let scores: Vec<Option<u32>> = frames.iter().map(|f| f.c).collect();
    let shots = shots(&scores, config.cut_threshold, config.min_shot);
    let mut tracks = Vec::new();
    for (shot, (from, to)) in shots.iter().enumerate() {
        let faces: Vec<Vec<BoxF>> = frames.get(*from..*to).unwrap_or_default().iter().map(FrameFacts::faces).collect();
        for track in track_faces(*from as u64, &faces, &config.tracks())? {
            let boxes = smoothed(&track);
            tracks.push(TrackOf { shot, track, boxes });
        }
    }
    tracks.sort_by_key(|t| t.track.first);
    let faces = frames.iter().map(|f| f.f.len() as u64).sum();
    Ok(Who { shots, tracks, faces })
}
