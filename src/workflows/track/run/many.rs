//! Many streams at once: files, and the video tracks of a file. One device, one network; state of its own for each.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError, mpsc};

use super::config::TrackConfig;
use super::eye::TrackDetector;
use super::job::{ZonesText, track_video};
use super::source::TrackVideo;
use super::{TrackOutcome, TrackRun, TrackStage};
use crate::error::{Error, Result};
use crate::gpu::GpuContext;
use crate::pipeline::PipelineOptions;

/// A stream and where its outputs go.
#[derive(Debug, Clone)]
pub struct StreamJob {
    /// The stream.
    pub video: TrackVideo,
    /// Its run folder, not shared with another.
    pub folder: PathBuf,
}

/// What is heard of a stream.
#[derive(Debug)]
pub enum StreamEnd {
    /// Frames done in a stage, and how many there are, where it is known.
    Progress(TrackStage, u64, Option<u64>),
    /// It has ended.
    Ended(Box<Result<TrackOutcome>>),
}

/// Streams that wait for their turn, and how many are worked on.
struct Queue {
    waiting: VecDeque<usize>,
    working: usize,
}

impl Queue {
    fn next(of: &Mutex<Self>) -> Option<usize> {
        let mut queue = of.lock().unwrap_or_else(PoisonError::into_inner);
        let next = queue.waiting.pop_front()?;
        queue.working += 1;
        Some(next)
    }

    fn done(of: &Mutex<Self>) {
        of.lock().unwrap_or_else(PoisonError::into_inner).working -= 1;
    }

    /// Puts a stream back that had no room beside others; not where it is alone: it will not have room then either.
    fn later(of: &Mutex<Self>, stream: usize) -> bool {
        let mut queue = of.lock().unwrap_or_else(PoisonError::into_inner);
        if queue.working < 2 {
            return false;
        }
        queue.working -= 1;
        queue.waiting.push_front(stream);
        true
    }
}

/// Tracks all of `jobs`, `workers` at a time, fewer where the memory does not allow as many. `told` hears of progress and ends, with the position of the stream, on the calling thread. A
/// stream that fails does not stop the others; a device that is lost and a cancelled run stop all.
///
/// # Errors
/// [`Error::Cancelled`], the device, [`Error::Bug`]. Other failures are told.
pub fn track_streams(
    ctx: &GpuContext,
    jobs: &[StreamJob],
    detector: &TrackDetector,
    zones: &ZonesText,
    (config, run): (&TrackConfig, &TrackRun),
    workers: usize,
    told: &mut dyn FnMut(usize, StreamEnd),
) -> Result<()> {
    let queue: Mutex<Queue> = Mutex::new(Queue { waiting: (0..jobs.len()).collect(), working: 0 });
    let workers = workers.clamp(1, jobs.len().max(1));
    let pipeline = PipelineOptions { together: workers, ..run.pipeline.clone() };
    let run = &TrackRun { pipeline, ..run.clone() };
    let cancel = &run.pipeline.cancel;
    std::thread::scope(|scope| -> Result<()> {
        let (to, from) = mpsc::channel();
        let mut running = Vec::new();
        for _ in 0..workers {
            let (to, queue) = (to.clone(), &queue);
            running.push(scope.spawn(move || -> Result<()> {
                loop {
                    let Some(i) = Queue::next(queue) else { return Ok(()) };
                    cancel.check()?;
                    let Some(job) = jobs.get(i) else { return Ok(()) };
                    let mut progress = |stage, done, total| {
                        let _ = to.send((i, StreamEnd::Progress(stage, done, total)));
                    };
                    let (video, folder): (&TrackVideo, &Path) = (&job.video, &job.folder);
                    let ended = track_video(ctx, video, detector, zones, folder, (config, run), &mut progress);
                    if matches!(ended, Err(Error::Memory { .. })) && Queue::later(queue, i) {
                        // One of those that hold the memory takes it up when it is done.
                        return Ok(());
                    }
                    Queue::done(queue);
                    match ended {
                        Err(e @ (Error::Cancelled | Error::Gpu(_) | Error::Bug(_))) => {
                            cancel.cancel();
                            return Err(e);
                        }
                        other => {
                            let _ = to.send((i, StreamEnd::Ended(Box::new(other))));
                        }
                    }
                }
            }));
        }
        drop(to);
        for (i, end) in from {
            told(i, end);
        }
        let mut first = Ok(());
        for worker in running {
            let ended = worker.join().unwrap_or_else(|_| Err(Error::Bug("a stream panicked".into())));
            // A stream that was cancelled because another failed says less than that one.
            if matches!((&first, &ended), (Ok(()) | Err(Error::Cancelled), Err(_))) {
                first = ended;
            }
        }
        first
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_no_room_beside_others_comes_later_and_alone_it_is_refused() {
        let queue = Mutex::new(Queue { waiting: (0..3).collect(), working: 0 });
        assert_eq!((Queue::next(&queue), Queue::next(&queue)), (Some(0), Some(1)));
        assert!(Queue::later(&queue, 1));
        assert_eq!((Queue::next(&queue), Queue::next(&queue)), (Some(1), Some(2)));
        Queue::done(&queue);
        Queue::done(&queue);
        assert!(!Queue::later(&queue, 2), "it would wait for ever");
        Queue::done(&queue);
        assert_eq!((Queue::next(&queue), queue.lock().unwrap().working), (None, 0));
    }
}
