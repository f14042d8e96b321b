//! Faces of a shot joined into tracks by their overlap, as SyncNet's pipeline does it.

use crate::core::BoxF;
use crate::error::{Error, Result};

/// When faces are the same person.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TrackOptions {
    /// Two faces belong together above this intersection over union, 0..1.
    pub iou: f32,
    /// Frames from one face of a track to the next at most.
    pub max_gap: u64,
    /// A track has more faces than this.
    pub min_track: usize,
    /// Mean width or mean height of its faces is above this, in pixels.
    pub min_face_size: f32,
}

impl Default for TrackOptions {
    /// 0.5, 25 frames; tracks of more than 25 faces, faces of more than 40 pixels.
    fn default() -> Self {
        Self { iou: 0.5, max_gap: 25, min_track: 25, min_face_size: 40.0 }
    }
}

/// One face over consecutive frames.
#[derive(Debug, Clone, PartialEq)]
pub struct FaceTrack {
    /// First frame.
    pub first: u64,
    /// Box of each frame from there on, without gaps: linear between detections.
    pub boxes: Vec<BoxF>,
    /// Frames in which the face was detected, the others are interpolated.
    pub detected: usize,
}

impl FaceTrack {
    /// Last frame.
    pub fn last(&self) -> u64 {
        self.first + (self.boxes.len() as u64).saturating_sub(1)
    }
}

/// Tracks of one shot. `faces` are the faces of each frame, the first of them frame `first`, in any order within a frame.
///
/// A track starts with the first face that is in none. In frame order it takes one face a frame: the first one of the list that overlaps its
/// last one enough. Then the next track starts. Source: `run_pipeline.py` of SyncNet (Chung & Zisserman 2016).
///
/// # Errors
/// [`Error::Config`] for options out of range.
pub fn track_faces(first: u64, faces: &[Vec<BoxF>], options: &TrackOptions) -> Result<Vec<FaceTrack>> {
    let wrong = |field: &str, message: String| Err(Error::Config { field: field.into(), message });
    if !(0.0..1.0).contains(&options.iou) {
        return wrong("tracks.iou", format!("must be 0 to less than 1, got {}", options.iou));
    }
    if options.max_gap == 0 {
        return wrong("tracks.max_gap", "must be at least 1 frame, got 0".into());
    }
    if options.min_face_size.is_nan() || options.min_face_size < 0.0 {
        return wrong("tracks.min_face_size", format!("must be at least 0 pixels, got {}", options.min_face_size));
    }
    let mut left: Vec<Vec<BoxF>> = faces.to_vec();
    let mut tracks = Vec::new();
    // Faces leave from the front; nothing before this frame is left.
    let mut from = 0;
    while let Some(start) = (from..left.len()).find(|f| left.get(*f).is_some_and(|v| !v.is_empty())) {
        from = start;
        let mut found: Vec<(usize, BoxF)> = Vec::new();
        for (frame, here) in left.iter_mut().enumerate().skip(start) {
            let taken = match found.last() {
                None => Some(0),
                Some((last, _)) if (frame - last) as u64 > options.max_gap => break,
                Some((_, before)) => here.iter().position(|b| overlap(b, before) > f64::from(options.iou)),
            };
            if let Some(at) = taken {
                found.push((frame, here.remove(at)));
            }
        }
        if found.len() > options.min_track {
            let track = interpolate(first, &found);
            let count = track.boxes.len() as f32;
            let mean = |of: fn(&BoxF) -> f32| track.boxes.iter().map(of).sum::<f32>() / count;
            if mean(|b| b.width).max(mean(|b| b.height)) > options.min_face_size {
                tracks.push(track);
            }
        }
    }
    Ok(tracks)
}

/// Intersection over union in f64: exactly one half must not pass a threshold of one half.
pub(super) fn overlap(a: &BoxF, b: &BoxF) -> f64 {
    let side = |a0: f32, a1: f32, b0: f32, b1: f32| (f64::from(a1.min(b1)) - f64::from(a0.max(b0))).max(0.0);
    let both = side(a.x, a.right(), b.x, b.right()) * side(a.y, a.bottom(), b.y, b.bottom());
    let area = |r: &BoxF| f64::from(r.width) * f64::from(r.height);
    let all = area(a) + area(b) - both;
    if all > 0.0 { both / all } else { 0.0 }
}

fn interpolate(first: u64, found: &[(usize, BoxF)]) -> FaceTrack {
    let mut boxes = Vec::new();
    for (a, b) in found.iter().zip(found.iter().skip(1)) {
        let steps = b.0 - a.0;
        boxes.extend((0..steps).map(|i| between(&a.1, &b.1, i as f32 / steps as f32)));
    }
    boxes.extend(found.last().map(|(_, b)| *b));
    let start = found.first().map_or(0, |(f, _)| *f as u64);
    FaceTrack { first: first + start, boxes, detected: found.len() }
}

fn between(a: &BoxF, b: &BoxF, t: f32) -> BoxF {
    let mix = |a: f32, b: f32| a + (b - a) * t;
    BoxF::from_corners(mix(a.x, b.x), mix(a.y, b.y), mix(a.right(), b.right()), mix(a.bottom(), b.bottom()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_track_takes_one_face_a_frame_and_leaves_the_others() {
        let here = BoxF::from_corners(0.0, 0.0, 50.0, 50.0);
        let there = BoxF::from_corners(100.0, 0.0, 150.0, 50.0);
        let options = TrackOptions { min_track: 1, min_face_size: 1.0, ..TrackOptions::default() };
        let faces = vec![vec![here, there], vec![there, here], vec![here, here]];
        let tracks = track_faces(10, &faces, &options).unwrap();
        let spans: Vec<_> = tracks.iter().map(|t| (t.first, t.last(), t.detected)).collect();
        assert_eq!(spans, [(10, 12, 3), (10, 11, 2)], "the second face of the last frame alone is too short");
        assert!(track_faces(0, &faces, &TrackOptions { iou: 1.0, ..options }).is_err());
        assert!(track_faces(0, &faces, &TrackOptions { max_gap: 0, ..options }).is_err());
        assert!(track_faces(0, &faces, &TrackOptions { min_face_size: f32::NAN, ..options }).is_err());
        assert!(track_faces(0, &[], &options).unwrap().is_empty());
    }
}
