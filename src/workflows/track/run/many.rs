//! Many streams at once: files, and the video tracks of a file. One device, one network; state of its own for each.

use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError, mpsc};

use super::config::TrackConfig;
use super::eye::TrackDetector;
use super::job::{ZonesText, track_video};
use super::source::TrackVideo;
use super::{TrackOptions, TrackOutcome};
use crate::core::{OutcomeObserver, Progress};
use crate::error::{Error, Result};
use crate::gpu::GpuContext;
use crate::pipeline::PipelineOptions;
use crate::workflows::reporter::Reporter;

/// A stream and where its outputs go.
#[derive(Debug, Clone)]
pub struct StreamJob {
    /// The stream.
    pub video: TrackVideo,
    /// Its run folder, not shared with another.
    pub folder: PathBuf,
}

/// What a worker says.
enum Heard {
    Progress(Progress),
    /// The stream goes back into the queue, and will be begun anew.
    Again(usize),
    Ended(usize, Box<Result<TrackOutcome>>),
}

/// Frames of a stage of a stream: now, and the most before it was begun anew.
#[derive(Default)]
struct Count {
    now: u64,
    most: u64,
}

impl Count {
    /// What is more than ever before.
    fn add(&mut self, done: u64) -> u64 {
        self.now += done;
        let more = self.now.saturating_sub(self.most);
        self.most += more;
        more
    }
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

/// Tracks all of `jobs`, `workers` at a time, fewer where the memory does not allow as many. `observer` hears of each stream what [`track_video`]
/// says, and how it ended, with its position, on the calling thread. A stream that fails does not stop the others; a device that is lost and a cancelled run
/// stop all.
///
/// # Errors
/// [`Error::Cancelled`], the device, [`Error::Bug`], an error of the observer. Other failures are told.
pub fn track_streams(
    ctx: &GpuContext,
    jobs: &[StreamJob],
    detector: &TrackDetector,
    zones: &ZonesText,
    config: &TrackConfig,
    options: &TrackOptions,
    workers: usize,
    observer: &mut dyn OutcomeObserver<Result<TrackOutcome>>,
) -> Result<()> {
    let queue: Mutex<Queue> = Mutex::new(Queue { waiting: (0..jobs.len()).collect(), working: 0 });
    let workers = workers.clamp(1, jobs.len().max(1));
    let pipeline =
        PipelineOptions { together: workers, cancel: options.pipeline.cancel.child(), ..options.pipeline.clone() };
    let options = &TrackOptions { pipeline, ..options.clone() };
    let cancel = &options.pipeline.cancel;
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
                    let mut step = |p: Progress| drop(to.send(Heard::Progress(p.of_input(i))));
                    let (video, folder): (&TrackVideo, &Path) = (&job.video, &job.folder);
                    let ended = track_video(ctx, video, detector, zones, folder, config, options, &mut step);
                    if matches!(ended, Err(Error::Memory { .. })) {
                        // Said before another worker can take it up.
                        let _ = to.send(Heard::Again(i));
                        if Queue::later(queue, i) {
                            // One of those that hold the memory takes it up when it is done.
                            return Ok(());
                        }
                    }
                    Queue::done(queue);
                    match ended {
                        Err(e @ (Error::Cancelled | Error::Gpu(_) | Error::Bug(_))) => {
                            cancel.cancel();
                            return Err(e);
                        }
                        other => {
                            let _ = to.send(Heard::Ended(i, Box::new(other)));
                        }
                    }
                }
            }));
        }
        drop(to);
        let (mut first, mut counts) = (Ok(()), BTreeMap::<(usize, &str), Count>::new());
        for heard in from {
            match heard {
                Heard::Progress(p) => {
                    let done = counts.entry((p.input, p.stage)).or_default().add(p.done);
                    if done > 0 {
                        Reporter::new(&mut *observer, cancel).tell(Progress { done, ..p });
                    }
                }
                Heard::Again(i) => {
                    counts.iter_mut().filter(|((input, _), _)| *input == i).for_each(|(_, count)| count.now = 0);
                }
                Heard::Ended(i, end) if first.is_ok() => {
                    first = observer.outcome(i, *end).inspect_err(|_| cancel.cancel());
                }
                Heard::Ended(..) => {}
            }
        }
        for worker in running {
            let ended = worker.join().unwrap_or_else(|_| Err(Error::Bug("a stream panicked".into())));
            // A stream that was cancelled because another failed says less than that one.
            if matches!((&first, &ended), (Ok(()) | Err(Error::Cancelled), Err(_))) {
                first = ended;
            }
        }
        first.and_then(|()| cancel.check())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_done_anew_is_not_told_again() {
        let mut count = Count::default();
        assert_eq!((count.add(3), count.add(2)), (3, 2));
        count.now = 0;
        assert_eq!((count.add(4), count.add(4), count.add(1)), (0, 3, 1));
    }

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
