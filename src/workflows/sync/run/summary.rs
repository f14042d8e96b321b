//! The summary of a video by the names of the scripts around SyncNet, and more under names of its own.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::super::lip_motion::{SyncEstimate, SyncVerdict};
use super::super::plan::{Piece, chunk_name};
use super::config::SyncConfig;
use super::tell::{ChunkTold, Results};

/// Frames a second in which offsets of SyncNet are counted.
const FRAMES: f64 = 25.0;

/// The offset of a track.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrackOffset {
    /// Frames of 25 a second, the sign of SyncNet: positive where the sound is early.
    pub offset: i64,
    /// Confidence on the scale of SyncNet's distances.
    pub confidence: f64,
    /// Position of the track in the video.
    pub track: usize,
    /// Milliseconds that the sound is late; negative where it is early.
    pub audio_late_ms: f64,
    /// Probability of it.
    pub probability: f64,
    /// Verdict.
    pub verdict: SyncVerdict,
    /// Why it cannot be told.
    pub reasons: Vec<String>,
}

impl TrackOffset {
    /// Of an estimate whose confidence is multiplied by `scale`.
    pub(super) fn new(track: usize, e: &SyncEstimate, scale: f64) -> Self {
        Self {
            offset: -(e.offset * FRAMES).round() as i64,
            confidence: e.confidence * scale,
            track,
            audio_late_ms: e.offset * 1e3,
            probability: e.probability,
            verdict: e.verdict,
            reasons: e.reasons.clone(),
        }
    }

    /// A line of `offsets.txt`.
    pub(super) fn line(&self, number: usize) -> String {
        format!("TRACK {number}: OFFSET {}, CONF {:.3}\n", self.offset, self.confidence)
    }
}

/// What chunks must meet.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct QualityFilters {
    /// Least confidence.
    pub min_confidence: f64,
    /// Largest offset in frames, early or late.
    pub max_abs_offset: f64,
    /// Whether chunks are rejected at all.
    pub filter_enabled: bool,
}

/// A chunk.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChunkResult {
    /// `success`, or `no_faces`.
    pub status: String,
    /// Name of the chunk.
    pub reference: String,
    /// Its video; null where chunks are not written.
    pub video_path: Option<String>,
    /// Tracks in it.
    pub face_tracks: usize,
    /// Its offsets, a line a track.
    pub offsets_file: Option<String>,
    /// Offset of the track of the highest confidence.
    pub offset: Option<i64>,
    /// Its confidence.
    pub confidence: Option<f64>,
    /// All tracks.
    pub all_tracks: Vec<TrackOffset>,
    /// Position in the plan, from 0.
    pub chunk_index: usize,
    /// Its sound; null where chunks are not written.
    pub audio_path: Option<String>,
    /// `accepted` or `rejected`.
    pub quality_status: String,
    /// Why it was rejected.
    pub rejection_reason: Vec<String>,
    /// Start and end in seconds from the first frame.
    pub start_seconds: f64,
    /// See `start_seconds`.
    pub end_seconds: f64,
    /// Milliseconds that the sound is late by that track.
    pub audio_late_ms: Option<f64>,
    /// Probability of it.
    pub probability: Option<f64>,
}

/// `processing_summary.json`.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VideoSummary {
    /// Path as given.
    pub input_video: String,
    /// Number of chunks.
    pub total_chunks: usize,
    /// Chunks with a face.
    pub successful_analysis: usize,
    /// Chunks without one.
    pub no_faces_chunks: usize,
    /// Number of accepted chunks.
    pub accepted_chunks: usize,
    /// Number of rejected chunks.
    pub rejected_chunks: usize,
    /// Accepted ones in percent of all.
    pub acceptance_rate: f64,
    /// Seconds of a chunk.
    pub chunk_duration: f64,
    /// Seconds that a chunk shares with the next one.
    pub overlap: f64,
    /// What chunks must meet.
    pub quality_filters: QualityFilters,
    /// Always null: a run that was interrupted must end with the same bytes. The `result` event of the command has the seconds.
    pub processing_time: Option<f64>,
    /// Chunks in order.
    pub results: Vec<ChunkResult>,
    /// Names of accepted chunks.
    pub accepted_references: Vec<String>,
    /// Names of rejected chunks.
    pub rejected_references: Vec<String>,
    /// The estimator.
    pub estimator: String,
}

/// Folder of the offsets of a chunk.
pub(super) fn work_folder(reference: &str) -> String {
    format!("syncnet_data/pywork/{reference}")
}

/// The name of a chunk.
fn reference(index: usize) -> String {
    let name = chunk_name(&Piece { index, start: 0.0, end: 0.0 });
    Path::new(&name).with_extension("").to_string_lossy().into_owned()
}

fn chunk(told: &ChunkTold, config: &SyncConfig, scale: f64) -> ChunkResult {
    let reference = reference(told.index);
    let known = told.tracks.iter().filter(|(_, e)| !e.curve.is_empty());
    let all: Vec<TrackOffset> = told.tracks.iter().map(|(t, e)| TrackOffset::new(*t, e, scale)).collect();
    let best = known
        .map(|(t, e)| TrackOffset::new(*t, e, scale))
        .max_by(|a, b| a.confidence.total_cmp(&b.confidence).then(b.track.cmp(&a.track)));
    let mut why = Vec::new();
    match &best {
        _ if !config.filter_low_quality => {}
        Some(b) => {
            if b.confidence < config.min_confidence {
                why.push(format!("low_confidence ({:.3} < {:?})", b.confidence, config.min_confidence));
            }
            if b.offset.abs() as f64 > config.max_abs_offset {
                why.push(format!("high_offset ({} > {})", b.offset.abs(), config.max_abs_offset));
            }
        }
        None if all.is_empty() => why.push("no_faces_detected".into()),
        None => {
            let said = all.iter().flat_map(|t| &t.reasons).next().cloned().unwrap_or_default();
            why.push(format!("no_offset ({said})"));
        }
    }
    ChunkResult {
        status: if all.is_empty() { "no_faces" } else { "success" }.into(),
        video_path: None,
        face_tracks: all.len(),
        offsets_file: (!all.is_empty()).then(|| format!("{}/offsets.txt", work_folder(&reference))),
        offset: best.as_ref().map(|b| b.offset),
        confidence: best.as_ref().map(|b| b.confidence),
        audio_late_ms: best.as_ref().map(|b| b.audio_late_ms),
        probability: best.as_ref().map(|b| b.probability),
        all_tracks: all,
        chunk_index: told.index,
        audio_path: None,
        quality_status: if why.is_empty() { "accepted" } else { "rejected" }.into(),
        rejection_reason: why,
        start_seconds: told.from,
        end_seconds: told.to,
        reference,
    }
}

impl VideoSummary {
    /// Of what was found in the video at `path`.
    pub(super) fn new(path: &Path, results: &Results, config: &SyncConfig, estimator: &str, scale: f64) -> Self {
        let chunks: Vec<ChunkResult> = results.chunks.iter().map(|c| chunk(c, config, scale)).collect();
        let names = |status: &str| -> Vec<String> {
            chunks.iter().filter(|c| c.quality_status == status).map(|c| c.reference.clone()).collect()
        };
        let (accepted, rejected) = (names("accepted"), names("rejected"));
        let with_faces = chunks.iter().filter(|c| c.status == "success").count();
        let share = accepted.len() as f64 / chunks.len().max(1) as f64;
        Self {
            input_video: path.to_string_lossy().into_owned(),
            total_chunks: chunks.len(),
            successful_analysis: with_faces,
            no_faces_chunks: chunks.len() - with_faces,
            accepted_chunks: accepted.len(),
            rejected_chunks: rejected.len(),
            acceptance_rate: share * 100.0,
            chunk_duration: config.chunk_duration,
            overlap: config.overlap,
            quality_filters: QualityFilters {
                min_confidence: config.min_confidence,
                max_abs_offset: config.max_abs_offset,
                filter_enabled: config.filter_low_quality,
            },
            processing_time: None,
            results: chunks,
            accepted_references: accepted,
            rejected_references: rejected,
            estimator: estimator.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn estimate(offset: f64, confidence: f64) -> SyncEstimate {
        SyncEstimate {
            verdict: SyncVerdict::InSync,
            reasons: Vec::new(),
            offset,
            peak: 0.0,
            margin: 0.0,
            confidence,
            probability: 0.5,
            curve: vec![(0.0, 0.0)],
        }
    }

    fn told(tracks: Vec<(usize, SyncEstimate)>) -> ChunkTold {
        ChunkTold { index: 7, from: 10.0, to: 40.0, tracks }
    }

    #[test]
    fn reasons_are_worded_as_by_the_scripts() {
        let config = SyncConfig::default();
        let got = chunk(&told(vec![(0, estimate(0.44, 0.12))]), &config, 10.0);
        assert_eq!(got.rejection_reason, ["low_confidence (1.200 < 2.0)", "high_offset (11 > 10)"]);
        assert_eq!((got.offset, got.reference.as_str()), (Some(-11), "chunk_007"), "late sound is negative there");
        assert_eq!(chunk(&told(vec![]), &config, 1.0).rejection_reason, ["no_faces_detected"]);
        let silent = SyncEstimate { curve: vec![], reasons: vec!["silent".into()], ..estimate(0.0, 0.0) };
        let got = chunk(&told(vec![(0, silent)]), &config, 1.0);
        assert_eq!((got.rejection_reason.join(""), got.offset), ("no_offset (silent)".into(), None));
        let off = SyncConfig { filter_low_quality: false, ..config.clone() };
        assert_eq!(chunk(&told(vec![(0, estimate(0.44, 0.12))]), &off, 10.0).quality_status, "accepted");
        // The track of the highest confidence counts.
        let got = chunk(&told(vec![(4, estimate(-0.12, 3.0)), (6, estimate(0.4, 2.5))]), &config, 1.0);
        assert_eq!((got.offset, got.confidence, got.quality_status.as_str()), (Some(3), Some(3.0), "accepted"));
        assert_eq!(got.all_tracks[0].line(0), "TRACK 0: OFFSET 3, CONF 3.000\n");
    }
}
