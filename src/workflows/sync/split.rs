//! Splitting one video: plan, cut, summary.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::cut::{CUT, Cut, CutJob, CutOptions, CutReport, copy_on_key_frames};
use super::plan::{Piece, Tails, by_silence, by_time, chunk_name, silence_chunk_name, wav_name};
use super::resume::cut_resumed;
use super::silence::{SilenceOptions, detect_silence};
use crate::core::Observer;
use crate::error::{Error, Result};
use crate::media::{AudioOptions, DecodeOptions, MediaInfo, Status, VideoDecoder, probe};
use crate::store::{StateDir, StoreIo, clean_temps, commit_json};
use crate::workflows::reporter::Reporter;

/// File with what was done, beside the pieces.
const SUMMARY: &str = "split_summary.json";
/// Folder of the journal.
const STATE: &str = ".state";

/// Where to cut.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(tag = "by", rename_all = "snake_case")]
pub enum SplitBy {
    /// Every so many seconds, see [`by_time`].
    Time {
        /// Seconds of a piece.
        chunk_duration: f64,
        /// Seconds that a piece shares with the next one.
        overlap: f64,
    },
    /// In the middle of silences, see [`by_silence`].
    Silence {
        /// What silence is.
        silence: SilenceOptions,
        /// Least seconds of a piece.
        min_chunk: f64,
    },
}

/// How to split.
#[derive(Debug, Clone)]
pub struct SplitConfig {
    /// Where.
    pub by: SplitBy,
    /// What happens to pieces that are too short.
    pub tails: Tails,
    /// Copy from key frame to key frame instead of encoding anew.
    pub copy: bool,
    /// Write the sound of each piece as WAV too.
    pub wav: bool,
    /// Tracks, quality, threads, limits.
    pub cut: CutOptions,
}

/// What was written.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SplitOutcome {
    /// The file that was split.
    pub input_video: PathBuf,
    /// Pieces of the plan.
    pub total_chunks: usize,
    /// Where the cuts are.
    pub settings: SplitBy,
    /// What happened to pieces that were too short.
    pub tails: Tails,
    /// Whether packets were copied.
    pub copy: bool,
    /// Silences that were found, in seconds from the first frame; empty when they were not looked for.
    pub silences: Vec<(f64, f64)>,
    /// The pieces.
    pub chunks: Vec<Cut>,
    /// Frames of the source that were read.
    pub frames_read: u64,
    /// Whether the source was whole: `complete`, `partial` or `unverifiable`; `None` for a copy, which does not decode.
    pub source_status: Option<Status>,
    /// Why it was not.
    pub source_reasons: Vec<String>,
    /// Pieces that an earlier run had written.
    #[serde(skip)]
    pub kept: usize,
}

/// Plans the pieces of `input`, writes them and `split_summary.json` into `folder`, which is made. Paths in the summary are relative to it. `observer`
/// hears of frames read, in the stage `cut`; of a copy it hears nothing.
///
/// Killed at any moment, the same call keeps the pieces that are whole and ends with the same bytes. Pieces of other settings or another input are made
/// anew. A copy ([`SplitConfig::copy`]) is quick and begins anew always.
///
/// # Errors
/// Those of the plan, of reading sound and of [`cut`](super::cut::cut) or [`copy_on_key_frames`]; [`Error::Usage`] when the plan has no piece.
pub fn split(
    io: &dyn StoreIo,
    input: &Path,
    folder: &Path,
    config: &SplitConfig,
    observer: &mut dyn Observer,
) -> Result<SplitOutcome> {
    let config = &SplitConfig { cut: config.cut.stoppable(), ..config.clone() };
    let mut reporter = Reporter::new(observer, &config.cut.cancel);
    let info = probe(input, &config.cut.limits)?;
    let total = duration(&info, config.cut.track, input)?;
    let (pieces, silences) = match config.by {
        SplitBy::Time { chunk_duration, overlap } => {
            (by_time(total, chunk_duration, overlap, config.tails)?, Vec::new())
        }
        SplitBy::Silence { silence, min_chunk } => {
            let zero = first_frame(input, config)?;
            let (found, end) = detect_silence(input, &audio_options(&info, config), &silence)?;
            let found: Vec<_> = found.iter().map(|(a, b)| (a - zero, b - zero)).collect();
            (by_silence(total.max(end - zero), &found, min_chunk, config.tails)?, found)
        }
    };
    if pieces.is_empty() {
        let message =
            format!("the plan for {total:.2} s has no piece: all are under the least length and would be dropped");
        return Err(Error::Usage { message, hint: Some("leave --parity out, which keeps short pieces".into()) });
    }
    let name = |p: &Piece| match config.by {
        SplitBy::Time { .. } => chunk_name(p),
        SplitBy::Silence { .. } => silence_chunk_name(p),
    };
    let jobs: Vec<CutJob> = pieces
        .iter()
        .map(|p| {
            let wav = config.wav.then(|| folder.join(wav_name(p)));
            CutJob { start: p.start, end: p.end, video: folder.join(name(p)), wav }
        })
        .collect();
    io.create_dir_all(folder).map_err(|e| Error::storage("create", folder, e))?;
    let (CutReport { chunks, frames_read, status, reasons }, kept) = if config.copy {
        (copy_on_key_frames(io, input, &jobs, &config.cut)?, 0)
    } else {
        let state = StateDir::acquire_for(io, folder.join(STATE), "split")?;
        clean_temps(io.open_dir(folder).map_err(|e| Error::storage("open", folder, e))?.as_ref())?;
        let progress = &mut reporter.stage(CUT, None, 0);
        let done = cut_resumed(io, input, (folder, &state.join("journal")), (&jobs, &config.cut), progress)?;
        (done.report, done.kept)
    };
    let inside = |p: PathBuf| p.strip_prefix(folder).map(Path::to_path_buf).unwrap_or(p);
    let chunks: Vec<Cut> = chunks
        .into_iter()
        .map(|c| Cut { video_path: c.video_path.map(inside), audio_path: c.audio_path.map(inside), ..c })
        .collect();
    let outcome = SplitOutcome {
        input_video: input.to_path_buf(),
        total_chunks: chunks.len(),
        settings: config.by,
        tails: config.tails,
        copy: config.copy,
        silences,
        chunks,
        frames_read,
        source_status: status,
        source_reasons: reasons,
        kept,
    };
    commit_json(io, folder.join(SUMMARY), &outcome)?;
    Ok(outcome)
}

/// Seconds of the picture, as the container declares or estimates them.
fn duration(info: &MediaInfo, track: usize, input: &Path) -> Result<f64> {
    let Some(stream) = info.video_streams.get(track) else {
        let available = info.video_streams.len();
        return Err(Error::TrackInvalid { path: input.to_path_buf(), kind: "video", index: track, available });
    };
    // Matroska and FLV count from zero: what they declare is the end, not the length.
    let ends = info.format_name.contains("matroska") || info.format_name == "flv";
    let before = if ends { stream.start_time.unwrap_or(0.0).max(0.0) } else { 0.0 };
    stream.duration.or(info.duration).map(|d| d - before).ok_or_else(|| Error::InputUnsupported {
        path: input.to_path_buf(),
        what: "splitting a file that declares no duration".into(),
        hint: Some("copy it into a container that has one, such as .mp4 or .mkv".into()),
    })
}

/// Time of the first frame on the container's clock.
fn first_frame(input: &Path, config: &SplitConfig) -> Result<f64> {
    let c = &config.cut;
    let (limits, cancel) = (c.limits.clone(), c.cancel.clone());
    let options = DecodeOptions { track: c.track, limits, cancel, ..DecodeOptions::default() };
    let mut decoder = VideoDecoder::open(input, &options)?;
    Ok(decoder.next_frame()?.and_then(|f| f.info().seconds()).unwrap_or(0.0))
}

/// The track as it is: its own rate and channels.
fn audio_options(info: &MediaInfo, config: &SplitConfig) -> AudioOptions {
    let stream = info.audio_streams.get(config.cut.audio_track);
    AudioOptions {
        track: config.cut.audio_track,
        rate: stream.and_then(|s| s.sample_rate).unwrap_or(48_000).clamp(1000, 384_000),
        channels: u16::try_from(stream.and_then(|s| s.channels).unwrap_or(1).clamp(1, 8)).unwrap_or(1),
        limits: config.cut.limits.clone(),
        ..AudioOptions::default()
    }
}
