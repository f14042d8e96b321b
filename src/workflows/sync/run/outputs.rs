//! The files of a run.

use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::json;

use super::super::lip_motion::{SyncEstimate, SyncVerdict};
use super::super::timeline::{OffsetJump, OffsetSegment, OffsetTimeline};
use super::SyncOutcome;
use super::chunks;
use super::config::SyncConfig;
use super::estimator::Estimator;
use super::page::page;
use super::speed::SyncSpeed;
use super::summary::{TrackOffset, VideoSummary, work_folder};
use super::tell::{Results, Told, TrackTold};
use super::video::SyncVideo;
use super::who::Who;
use crate::config::to_toml;
use crate::error::Result;
use crate::gpu::Caps;
use crate::report::{Cell, ColumnType, Schema, TableFormats, TableSink};
use crate::store::{Committed, StoreIo, commit, commit_json, output_folder};

/// Everything the outputs are made of. Nothing in it depends on speed.
pub(super) struct Finished<'a> {
    pub(super) video: &'a SyncVideo,
    pub(super) config: &'a SyncConfig,
    pub(super) estimator: &'a dyn Estimator,
    pub(super) results: &'a Results,
    pub(super) who: &'a Who,
    pub(super) frames: u64,
    pub(super) reasons: Vec<String>,
    pub(super) notes: Vec<String>,
    pub(super) thumbs: &'a [(u32, Vec<u8>)],
    pub(super) adapter: &'a Caps,
    pub(super) networks: Vec<(String, String)>,
    /// Journal of the chunks, where they are saved.
    pub(super) chunks_journal: PathBuf,
}

/// Writes all files of a run into `folder`.
pub(super) fn write_outputs(
    io: &dyn StoreIo,
    folder: &Path,
    f: &Finished<'_>,
) -> Result<(Vec<Committed>, SyncOutcome)> {
    let scale = f.estimator.confidence_scale();
    let mut summary = VideoSummary::new(&f.video.path, f.results, f.config, f.estimator.name(), scale);
    let outcome = outcome(f, &summary);
    let mut files = Vec::new();
    if f.config.save_chunks {
        let saved = chunks::save(io, f.video, (folder, &f.chunks_journal), f.results)?;
        chunks::name(&mut summary, &saved.report.chunks, folder);
        files.extend(saved.files);
        files.extend(chunks::accept(io, folder, &summary)?);
    }
    files.push(text(io, &folder.join("config.toml"), &to_toml(f.config)?)?);
    let lines = |tracks: &[TrackOffset]| tracks.iter().enumerate().map(|(i, t)| t.line(i)).collect::<String>();
    let all: Vec<TrackOffset> =
        f.results.tracks.iter().map(|t| TrackOffset::new(t.track, &t.whole.estimate, scale)).collect();
    files.push(text(io, &folder.join("offsets.txt"), &lines(&all))?);
    for chunk in summary.results.iter().filter(|c| !c.all_tracks.is_empty()) {
        let to = folder.join(work_folder(&chunk.reference));
        output_folder(io, &to)?;
        files.push(text(io, &to.join("offsets.txt"), &lines(&chunk.all_tracks))?);
    }
    files.push(commit_json(io, folder.join("processing_summary.json"), &summary)?);
    files.push(commit_json(io, folder.join("sync.json"), &details(f, &outcome))?);
    files.extend(curve(io, folder, f, scale)?);
    files.push(page(f, &outcome, &summary).write(io, folder.join("report.html"))?);
    Ok((files, outcome))
}

fn text(io: &dyn StoreIo, path: &Path, content: &str) -> Result<Committed> {
    commit(io, path, |w| std::io::Write::write_all(w, content.as_bytes()))
}

fn outcome(f: &Finished<'_>, summary: &VideoSummary) -> SyncOutcome {
    let (o, t, zero) = (&f.results.overall, &f.results.timeline, f.results.zero);
    let mut notes = f.notes.clone();
    if f.estimator.stands_in() {
        notes.push("a network is a stand-in: it shows that all parts work together, its offsets mean nothing".into());
    }
    SyncOutcome {
        verdict: o.verdict,
        verdict_reasons: o.reasons.clone(),
        audio_late_ms: o.offset.map(|s| s * 1e3),
        probability: o.probability,
        drift_ppm: t.drift_ppm.filter(|_| t.drifts),
        first_frame_seconds: zero,
        // Times of the timeline are those of the container.
        jumps: t.jumps.iter().map(|j| OffsetJump { seconds: j.seconds - zero, ..*j }).collect(),
        segments: t.segments.iter().map(|s| OffsetSegment { from: s.from - zero, to: s.to - zero, ..*s }).collect(),
        frames: f.frames,
        seconds: f.results.seconds,
        tracks: f.results.tracks.len() as u64,
        persons: f.results.persons.len() as u64,
        chunks: summary.total_chunks as u64,
        accepted: summary.accepted_chunks as u64,
        reasons: f.reasons.clone(),
        notes,
        cached: false,
        resumed: 0,
        speed: SyncSpeed::default(),
    }
}

/// `sync.json`: what the summary of the scripts has no name for.
fn details(f: &Finished<'_>, outcome: &SyncOutcome) -> impl Serialize + use<> {
    let scale = f.estimator.confidence_scale();
    let (r, zero) = (f.results, f.results.zero);
    let tracks: Vec<_> = r
        .tracks
        .iter()
        .map(|t| {
            json!({
                "track": t.track, "person": t.person, "shot": t.shot, "first_frame": t.frames.0, "last_frame": t.frames.1,
                "from_seconds": t.whole.from - zero, "to_seconds": t.whole.to - zero, "detected_frames": t.detected,
                "face_pixels": t.face, "windows": t.windows.len(),
                "estimate": TrackOffset::new(t.track, &t.whole.estimate, scale),
            })
        })
        .collect();
    let segments = |t: &OffsetTimeline| -> Vec<_> {
        let one = |s: &OffsetSegment| {
            json!({
                "from_seconds": s.from - zero, "to_seconds": s.to - zero, "audio_late_ms_from": s.offset_from * 1e3,
                "audio_late_ms_to": s.offset_to * 1e3, "points": s.points,
            })
        };
        t.segments.iter().map(one).collect()
    };
    let jumps = |t: &OffsetTimeline| -> Vec<_> {
        t.jumps.iter().map(|j| OffsetJump { seconds: j.seconds - zero, ..*j }).collect()
    };
    let persons: Vec<_> = r
        .persons
        .iter()
        .map(|p| {
            json!({
                "person": p.person, "tracks": p.tracks, "seen_seconds": p.seen, "speaks_seconds": p.speaks,
                "audio_late_ms": p.offset().map(|s| s * 1e3), "probability": p.probability,
                "drift_ppm": p.timeline.drift_ppm, "drift_error_ppm": p.timeline.drift_error_ppm, "drifts": p.timeline.drifts,
                "segments": segments(&p.timeline), "jumps": jumps(&p.timeline),
            })
        })
        .collect();
    let usual = f.video.usual();
    let starts = f.who.shots.iter().map(|s| s.0).collect::<Vec<_>>();
    json!({
        "version": 1,
        "sign": "audio_late_ms is positive where the sound comes after the picture; `offset` counts frames of 25 a second, positive where the sound is early",
        "input_video": f.video.path.to_string_lossy(), "fingerprint": f.video.fingerprint,
        "video_track": f.video.open.decode.track, "audio_track": f.video.open.audio_track, "frames": f.frames,
        "seconds": r.seconds, "first_frame_seconds": zero, "usual_frame_seconds": usual,
        "estimator": f.estimator.name(), "calibration": f.estimator.calibration(), "networks": f.networks,
        "stand_in": f.estimator.stands_in(),
        "verdict": outcome.verdict, "verdict_reasons": outcome.verdict_reasons, "audio_late_ms": outcome.audio_late_ms,
        "probability": r.overall.probability, "confidence": r.overall.confidence,
        "drift_ppm": r.timeline.drift_ppm, "drift_error_ppm": r.timeline.drift_error_ppm, "drifts": r.timeline.drifts,
        "noise_ms": r.timeline.noise * 1e3, "segments": segments(&r.timeline), "jumps": outcome.jumps,
        "shots": starts, "faces": f.who.faces, "persons": persons, "tracks": tracks, "speech": r.speech,
        "reasons": outcome.reasons, "notes": outcome.notes,
    })
}

/// Shifts around the best one that are nearly as good, in seconds: within a quarter of the way to the median.
pub(super) fn band(e: &SyncEstimate) -> Option<(f64, f64)> {
    let value = |c: &(f64, f64)| c.1;
    let high = e.curve.iter().map(value).filter(|v| v.is_finite()).fold(f64::NEG_INFINITY, f64::max);
    // Correlations have a peak, distances a hollow.
    let (sign, best) = if (high - e.peak).abs() < 1e-9 { (1.0, e.peak) } else { (-1.0, -e.peak) };
    let least = best - 0.25 * e.confidence;
    let at = e.curve.iter().position(|c| c.1.is_finite() && (sign * c.1 - best).abs() < 1e-9)?;
    let good = |c: &&(f64, f64)| c.1.is_finite() && sign * c.1 >= least;
    let low = e.curve.get(..=at)?.iter().rev().take_while(good).last()?.0;
    let high = e.curve.get(at..)?.iter().take_while(good).last()?.0;
    Some((low.min(e.offset), high.max(e.offset)))
}

/// The verdict in a word.
pub(super) fn word(v: SyncVerdict) -> &'static str {
    match v {
        SyncVerdict::InSync => "in_sync",
        SyncVerdict::AudioEarly => "audio_early",
        SyncVerdict::AudioLate => "audio_late",
        SyncVerdict::CannotTell => "cannot_tell",
    }
}

fn schema() -> Schema {
    use ColumnType::{Bool, F64, I64, Str, U64};
    Schema::new("sync.curve", 1)
        .column("track", U64, "", "Position of the track of faces, from 0.")
        .column("shot", U64, "", "Position of its shot, from 0.")
        .column("person", U64, "", "The person that the track belongs to, from 0 in order of appearance.")
        .column("from_seconds", F64, "s", "Start of the window, from the first frame.")
        .column("to_seconds", F64, "s", "End of the window.")
        .column(
            "audio_late_ms",
            F64,
            "ms",
            "How late the sound is; negative where it is early; null where nothing could be measured.",
        )
        .column("late_low_ms", F64, "ms", "Lower end of the shifts that are nearly as good.")
        .column("late_high_ms", F64, "ms", "Upper end of the shifts that are nearly as good.")
        .column(
            "offset",
            I64,
            "frames",
            "The same in frames of 25 a second with the sign of SyncNet: positive where the sound is early.",
        )
        .column("confidence", F64, "", "On the scale of SyncNet's distances.")
        .column("probability", F64, "1", "That sound and lips belong together and the offset is right.")
        .column("peak", F64, "", "Correlation (lip-motion) or distance (syncnet) at the best shift.")
        .column("margin", F64, "", "How much better than the next best shift elsewhere.")
        .column("level_db", F64, "dB", "Loudest tenth of a second in the window.")
        .column("speaks", Bool, "", "Whether this is the track that speaks then.")
        .column("verdict", Str, "", "in_sync, audio_early, audio_late or cannot_tell.")
        .column("reason", Str, "", "Why it cannot be told.")
}

fn curve(io: &dyn StoreIo, folder: &Path, f: &Finished<'_>, scale: f64) -> Result<Vec<Committed>> {
    let mut table = TableSink::create(io, folder.join("curve"), schema(), TableFormats::default())?;
    for track in &f.results.tracks {
        for told in &track.windows {
            table.push(row(track, told, f.results.zero, scale))?;
        }
    }
    Ok(table.finish()?.files)
}

fn row(of: &TrackTold, told: &Told, zero: f64, scale: f64) -> [Cell; 17] {
    let e = &told.estimate;
    let known = !e.curve.is_empty();
    let ms = |s: f64| known.then_some(s * 1e3);
    let band = band(e);
    [
        of.track.into(),
        of.shot.into(),
        of.person.into(),
        (told.from - zero).into(),
        (told.to - zero).into(),
        ms(e.offset).into(),
        band.map(|b| b.0 * 1e3).into(),
        band.map(|b| b.1 * 1e3).into(),
        known.then(|| TrackOffset::new(of.track, e, scale).offset).into(),
        (e.confidence * scale).into(),
        e.probability.into(),
        known.then_some(e.peak).into(),
        known.then_some(e.margin).into(),
        told.level.into(),
        told.speaks.into(),
        word(e.verdict).into(),
        e.reasons.first().into(),
    ]
}
