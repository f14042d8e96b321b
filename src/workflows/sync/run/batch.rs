//! All videos of a folder, some at a time; one that fails does not stop the others.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError, mpsc};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use super::config::SyncConfig;
use super::models::SyncModelFiles;
use super::summary::{ChunkResult, TrackOffset, VideoSummary};
use super::video::{SyncOpen, SyncVideo};
use super::{SyncOptions, SyncOutcome, sync};
use crate::config::Settings as _;
use crate::core::{OutcomeObserver, Progress, Shard};
use crate::error::{Error, Result};
use crate::gpu::GpuContext;
use crate::store::{OsIo, StoreIo, commit_json};
use crate::workflows::reporter::{Reporter, stoppable};

/// Extensions of the files that are taken; the first four are those of the script.
const EXTENSIONS: [&str; 9] = ["mp4", "avi", "mov", "mkv", "mpg", "mpeg", "webm", "m4v", "ts"];

/// One video of a batch, by the names of the script.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BatchResult {
    /// Name of the file without its extension; of its folder too.
    pub reference_name: String,
    /// The file.
    pub chunk_path: String,
    /// `success`, `no_faces`, `failed`, or `exception` (a defect of this program).
    pub status: String,
    /// Seconds since 1970.
    pub start_time: f64,
    /// See `start_time`.
    pub end_time: f64,
    /// Seconds.
    pub processing_time: f64,
    /// Tracks of faces.
    pub face_tracks: u64,
    /// Offset in frames of 25 a second of the track of the highest confidence, positive where the sound is early.
    pub offset: Option<i64>,
    /// Its confidence.
    pub confidence: Option<f64>,
    /// The tracks of all chunks.
    pub all_tracks: Vec<TrackOffset>,
    /// Its offsets, relative to the folder of the batch.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub offsets_file: Option<String>,
    /// Why there is no offset.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub message: Option<String>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub error: Option<String>,
    /// What is found by this program beside that.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub outcome: Option<SyncOutcome>,
}

/// `batch_processing_summary.json`.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BatchSummary {
    /// Videos.
    pub total_chunks: usize,
    /// Those with faces.
    pub successful: usize,
    /// Those without.
    pub no_faces: usize,
    /// Those that failed, or met a defect.
    pub failed: usize,
    /// All of them, in order of their names.
    pub results: Vec<BatchResult>,
    /// Seconds since 1970 when the summary was written.
    pub processing_timestamp: f64,
}

/// How a batch is run.
#[derive(Debug, Clone)]
pub struct BatchOptions {
    /// Videos at the same time, at least 1; each has networks of its own, loaded once.
    pub workers: usize,
    /// How videos are opened.
    pub open: SyncOpen,
    /// Batches of frames, deadlines, cancellation; whether earlier runs count.
    pub run: SyncOptions,
    /// The part of the videos that is analysed, by their places in the list; all without one. A part writes no summary.
    pub shard: Option<Shard>,
}

impl BatchSummary {
    /// Name of its file in the folder of the batch.
    pub const FILE: &str = "batch_processing_summary.json";

    /// The summary of `results`, as of now.
    pub fn of(results: Vec<BatchResult>) -> Self {
        let count = |status: &str| results.iter().filter(|r| r.status == status).count();
        Self {
            total_chunks: results.len(),
            successful: count("success"),
            no_faces: count("no_faces"),
            failed: count("failed") + count("exception"),
            results,
            processing_timestamp: now(),
        }
    }
}

/// What a worker says.
enum Heard {
    Progress(Progress),
    Ended(usize, Box<BatchResult>),
}

/// The videos in `folder`, in order of their names.
///
/// # Errors
/// [`Error::InputNotFound`]; [`Error::InputUnsupported`] when there is none.
pub fn videos_in(folder: &Path) -> Result<Vec<PathBuf>> {
    let missing = |e: std::io::Error| Error::unreadable(folder, &e);
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(missing)? {
        let path = entry.map_err(missing)?.path();
        let extension = path.extension().map(|e| e.to_string_lossy().to_lowercase());
        if extension.is_some_and(|e| EXTENSIONS.contains(&e.as_str())) && path.is_file() {
            found.push(path);
        }
    }
    found.sort();
    if found.is_empty() {
        return Err(Error::InputUnsupported {
            path: folder.to_path_buf(),
            what: "a folder without videos".into(),
            hint: Some(format!("files that end in {} are taken", EXTENSIONS.join(", "))),
        });
    }
    Ok(found)
}

/// Analyses `videos` into folders of their own below `folder`, and writes [`BatchSummary::FILE`] there. `observer` hears of each video
/// what [`sync`] says, and how it ended, in order of the ends, with its place in `videos`.
///
/// # Errors
/// [`Error::Config`], [`Error::Cancelled`], storage of the summary, an error of the observer. Failures of videos are results.
pub fn sync_batch(
    ctx: &GpuContext,
    files: &SyncModelFiles,
    videos: &[PathBuf],
    folder: &Path,
    config: &SyncConfig,
    options: &BatchOptions,
    observer: &mut dyn OutcomeObserver<BatchResult>,
) -> Result<BatchSummary> {
    config.check()?;
    let run = SyncOptions { pipeline: stoppable(&options.run.pipeline), ..options.run.clone() };
    let cancel = &run.pipeline.cancel;
    OsIo.create_dir_all(folder).map_err(|e| Error::storage("create the output folder", folder, e))?;
    let names = references(videos);
    let mine = |at: &usize| options.shard.is_none_or(|s| s.has(*at));
    let queue: Mutex<VecDeque<usize>> = Mutex::new((0..videos.len()).filter(mine).collect());
    let workers = options.workers.clamp(1, videos.len().max(1));
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let threads = (cores / workers).max(1);
    let mut results: Vec<Option<BatchResult>> = vec![None; videos.len()];
    std::thread::scope(|scope| -> Result<()> {
        let (done, ended) = mpsc::channel();
        let mut running = Vec::new();
        for _ in 0..workers {
            let (done, queue, names, run) = (done.clone(), &queue, &names, &run);
            running.push(scope.spawn(move || -> Result<()> {
                let mut models = files.load(ctx, Some(threads))?;
                loop {
                    let next = queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
                    let Some(i) = next else { return Ok(()) };
                    cancel.check()?;
                    let (Some(path), Some(name)) = (videos.get(i), names.get(i)) else { return Ok(()) };
                    let (began, clock) = (now(), Instant::now());
                    let mut step = |p: Progress| drop(done.send(Heard::Progress(p.of_input(i))));
                    let one = std::panic::AssertUnwindSafe(|| {
                        let video = SyncVideo::open(path, &options.open)?;
                        sync(ctx, &video, &mut models, &folder.join(name), config, run, &mut step)
                    });
                    let ran = std::panic::catch_unwind(one);
                    if let Ok(Err(e @ (Error::Cancelled | Error::Gpu(_)))) = ran {
                        return Err(e);
                    }
                    let broken = ran.is_err();
                    let result = result(path, name, folder, ran.ok(), (began, clock.elapsed()))?;
                    let _ = done.send(Heard::Ended(i, Box::new(result)));
                    if broken {
                        // What a defect left in the networks is not known.
                        models = files.load(ctx, Some(threads))?;
                    }
                }
            }));
        }
        drop(done);
        let mut refused = Ok(());
        for heard in ended {
            match heard {
                Heard::Progress(p) => Reporter::new(&mut *observer, cancel).tell(p),
                Heard::Ended(i, result) => {
                    if refused.is_ok() {
                        refused = observer.outcome(i, (*result).clone()).inspect_err(|_| cancel.cancel());
                    }
                    if let Some(place) = results.get_mut(i) {
                        *place = Some(*result);
                    }
                }
            }
        }
        refused?;
        for worker in running {
            worker.join().map_err(|_| Error::Bug("a worker of the batch panicked".into()))??;
        }
        cancel.check()
    })?;
    let results: Vec<BatchResult> = results.into_iter().flatten().collect();
    let summary = BatchSummary::of(results);
    if options.shard.is_none() {
        commit_json(&OsIo, folder.join(BatchSummary::FILE), &summary)?;
    }
    Ok(summary)
}

/// A name for each video: its own without the extension, numbered where two have the same.
fn references(videos: &[PathBuf]) -> Vec<String> {
    let mut taken = std::collections::HashSet::new();
    videos
        .iter()
        .map(|v| {
            let stem = v.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            (1u32..)
                .map(|n| if n == 1 { stem.clone() } else { format!("{stem}_{n}") })
                .find(|name| taken.insert(name.clone()))
                .unwrap_or(stem.clone())
        })
        .collect()
}

fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |d| d.as_secs_f64())
}

fn result(
    path: &Path,
    name: &str,
    folder: &Path,
    ran: Option<Result<SyncOutcome>>,
    (began, took): (f64, Duration),
) -> Result<BatchResult> {
    let mut r = BatchResult {
        reference_name: name.to_owned(),
        chunk_path: path.to_string_lossy().into_owned(),
        status: "failed".into(),
        start_time: began,
        end_time: began + took.as_secs_f64(),
        processing_time: took.as_secs_f64(),
        face_tracks: 0,
        offset: None,
        confidence: None,
        all_tracks: Vec::new(),
        offsets_file: None,
        message: None,
        error: None,
        outcome: None,
    };
    match ran {
        None => {
            r.status = "exception".into();
            r.error = Some("a panic: a defect of this program, see its messages".into());
        }
        Some(Err(e)) => r.error = Some(format!("[{}] {e}", e.code())),
        Some(Ok(outcome)) => {
            let at = folder.join(name).join("processing_summary.json");
            let bytes = std::fs::read(&at).map_err(|e| Error::storage("read", &at, e))?;
            let summary: VideoSummary =
                serde_json::from_slice(&bytes).map_err(|e| Error::Bug(format!("a summary just written: {e}")))?;
            let best = |a: &&ChunkResult, b: &&ChunkResult| {
                a.confidence.unwrap_or(-1.0).total_cmp(&b.confidence.unwrap_or(-1.0))
            };
            let best = summary.results.iter().filter(|c| c.offset.is_some()).max_by(best);
            r.offset = best.and_then(|b| b.offset);
            r.confidence = best.and_then(|b| b.confidence);
            r.all_tracks = summary.results.iter().flat_map(|c| c.all_tracks.clone()).collect();
            r.face_tracks = outcome.tracks;
            r.status = if outcome.tracks == 0 { "no_faces" } else { "success" }.into();
            r.message = outcome.verdict_reasons.first().cloned();
            r.offsets_file = (outcome.tracks > 0).then(|| format!("{name}/offsets.txt"));
            r.outcome = Some(outcome);
        }
    }
    Ok(r)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_taken_once() {
        let videos = ["a/x.mp4", "a/x.mkv", "a/y.mp4", "b/x.mp4"].map(PathBuf::from);
        assert_eq!(references(&videos), ["x", "x_2", "y", "x_3"]);
    }
}
