//! `result.json`: the result object of the system that this replaces, with all of its keys, and what it had no names for.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use super::super::zones::LineTotals;
use super::TrackOutcome;
use super::config::TrackConfig;
use super::follow::Followed;
use super::seen::{MemoryWatch, SeenFacts};
use crate::gpu::Caps;

/// Where the time of a run went; parts do not overlap.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Spent {
    pub(super) detecting: Duration,
    pub(super) frames: Duration,
    pub(super) memory: Duration,
    pub(super) tracking: Duration,
    pub(super) watching: Duration,
    pub(super) writing: Duration,
    pub(super) annotating: Duration,
    pub(super) whole: Duration,
    /// Pictures for a recogniser, and waiting for its last answers.
    pub(super) asking: Duration,
    /// Beside all of this: what its answers took.
    pub(super) recognising: Duration,
}

/// What the object says besides results: how the run was made.
pub(super) struct How<'a> {
    /// The run folder.
    pub(super) folder: &'a Path,
    pub(super) spent: Spent,
    pub(super) memory: MemoryWatch,
    /// Most that the process and its decoder processes held so far, in bytes.
    pub(super) tree_peak: Option<u64>,
    pub(super) batch: u32,
    pub(super) memory_limit_mb: u64,
    pub(super) reused: bool,
    pub(super) adapter: &'a Caps,
    /// Bytes of buffers on the device, most at a time.
    pub(super) device_peak: u64,
    /// Requests that a recogniser got.
    pub(super) calls: u64,
}

/// The object.
pub(super) fn result(
    facts: &SeenFacts,
    followed: &Followed,
    config: &TrackConfig,
    outcome: &TrackOutcome,
    how: &How<'_>,
) -> Value {
    let s = &how.spent;
    let seconds = |d: Duration| d.as_secs_f64();
    let mb = |bytes: u64| bytes as f64 / f64::from(1 << 20);
    let zones = &followed.end.zones;
    let calibrated = zones.file().zones.iter().any(|z| z.calibration.is_some())
        || zones.file().lines.iter().any(|l| l.calibration.is_some());
    let entries: u64 = zones.totals().iter().map(|t| t.entries).sum();
    let zone_list: Vec<Value> = zones
        .file()
        .zones
        .iter()
        .zip(zones.totals())
        .map(|(z, t)| json!({ "id": z.id, "name": z.name, "on_plan": z.calibration.is_some(), "totals": t }))
        .collect();
    let line_list: Vec<Value> = zones
        .file()
        .lines
        .iter()
        .zip(zones.crossings())
        .map(|(l, t): (_, &LineTotals)| {
            json!({ "id": l.id, "name": l.name, "on_plan": l.calibration.is_some(), "totals": t })
        })
        .collect();
    let whole = seconds(s.whole);
    // The names of the original.
    let original = json!({
        "total_frames": facts.declared_frames.unwrap_or(facts.decoded_frames), "processed_frames": outcome.frames, "processing_time": whole,
        "processing_speed": outcome.frames as f64 / whole.max(1e-9),
        "aws_api_calls": how.calls, "aws_frame_skip": facts.recognised.as_ref().map(|r| r.every),
        "tracked_persons": outcome.objects, "input_video_path": facts.inputs.first(),
        "processed_video_path": outcome.video.as_ref().map(|v| how.folder.join(v).to_string_lossy().into_owned()),
        "camera_id": zones.file().camera, "blueprint_used": calibrated, "calibration_available": calibrated,
        "stores_processed": zones.file().zones.len(), "store_entries_logged": entries,
        "selected_track_index": facts.track, "available_video_tracks": facts.tracks,
    });
    let measured = json!({
        "performance_timings": {
            "aws_detection": seconds(s.asking), "yolo_detection": seconds(s.detecting), "tracking_update": seconds(s.tracking),
            "movement_logging": seconds(s.watching + s.writing), "frame_processing": seconds(s.frames + s.annotating),
            "memory_management": seconds(s.memory),
            // The same without the names of services and models, and in parts.
            "recognition": seconds(s.asking), "recognition_answers": seconds(s.recognising), "detection": seconds(s.detecting), "tracking": seconds(s.tracking),
            "zones": seconds(s.watching), "writing": seconds(s.writing), "waiting_for_frames": seconds(s.frames),
            "annotation": seconds(s.annotating),
        },
        "memory_usage": {
            "initial_mb": mb(how.memory.initial), "final_mb": mb(how.memory.last),
            "peak_increase_mb": mb(how.memory.peak.saturating_sub(how.memory.initial)),
            "batch_size": how.batch, "memory_limit_mb": how.memory_limit_mb,
            "peak_mb": mb(how.memory.peak), "tree_peak_mb": how.tree_peak.map(mb), "device_peak_mb": mb(how.device_peak),
        },
    });
    let ours = json!({
    "schema": "track.result", "version": 1,
    "inputs": facts.inputs, "fingerprints": facts.fingerprints, "size": [facts.width, facts.height],
    "rotation": facts.rotation, "fps": facts.fps, "decoded_frames": facts.decoded_frames,
    "used_frames": outcome.frames, "looked_at_frames": outcome.looked, "sampling": facts.sampling,
    "segments_begin": facts.joints, "seconds": outcome.seconds,
        });
    let found = json!({
        "detector": facts.detector, "slices": facts.slices, "detector_content": facts.detector_content,
        "detections": outcome.detections, "detections_reused": how.reused,
        "tracker": config.tracker, "tracked_objects": outcome.objects, "short_tracks_left_out": followed.short, "tracks_rejoined": followed.rejoined.map_or(0, |r| r.tracks), "rejoin_likeness_used": followed.rejoined.map(|r| r.likeness),
        "objects_by_class": outcome.by_class, "events": outcome.events, "zones": zone_list, "lines": line_list,
        "settings": config, "reasons": outcome.reasons, "notes": outcome.notes,
        "adapter": format!("{} [{}], {}", how.adapter.name, how.adapter.kind, how.adapter.driver),
        "recogniser": facts.recognised, "identities": followed.names,
    });
    let mut all = serde_json::Map::new();
    for part in [ours, original, measured, found] {
        if let Value::Object(part) = part {
            all.extend(part);
        }
    }
    Value::Object(all)
}
