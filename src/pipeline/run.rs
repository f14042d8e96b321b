//! The GPU thread and the run as a whole.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, TryRecvError, bounded};

use super::feeder::{Epoch, Fed, Feeder, Idle, panic_text};
use super::options::{OnError, PipelineOptions};
use super::source::FrameSource;
use super::stats::{StageStats, StageTimer};
use crate::core::{FrameDesc, FrameInfo, FrameLayout};
use crate::error::{Error, Result};
use crate::gpu::{GpuBuffer, GpuContext, Readback, ReadbackRing, Recorder};
use crate::ops::GpuFrames;

/// A batch of frames as the work sees it while recording.
#[derive(Debug)]
pub struct BatchView<'a> {
    /// The frames, from slot 0 on.
    pub frames: &'a GpuFrames,
    /// Shape and colour of all frames of the batch.
    pub desc: &'a FrameDesc,
    /// Place of each frame in its stream; as many as there are frames.
    pub infos: &'a [FrameInfo],
    /// Position of the ring slot: bound plans can be kept per position.
    pub ring_slot: usize,
}

/// What the GPU thread does for one source. All methods run on that thread, in frame order.
pub trait BatchWork: Send {
    /// Result of one batch.
    type Output: Send;

    /// A new shape begins: plan for it. Called before the first batch and whenever format, size or colour change.
    ///
    /// `batch` is the largest number of frames of a batch, `ring_slots` the number of ring positions.
    fn begin(
        &mut self,
        ctx: &GpuContext,
        desc: &FrameDesc,
        layout: &FrameLayout,
        batch: u32,
        ring_slots: usize,
    ) -> Result<()>;

    /// Bytes of results of a batch of `batch` frames at most.
    fn result_bytes(&self, batch: u32) -> u64;

    /// Records the kernels of a batch and names the ranges `(buffer, offset, length)` to read back.
    fn record(
        &mut self,
        ctx: &GpuContext,
        batch: &BatchView<'_>,
        rec: &mut Recorder<'_>,
    ) -> Result<Vec<(GpuBuffer, u64, u64)>>;

    /// Turns the bytes read back, in the order of the ranges, into the result.
    fn decode(&mut self, infos: &[FrameInfo], bytes: &[u8]) -> Result<Self::Output>;

    /// The stream has ended and all results are out: last readbacks.
    fn finish(&mut self, ctx: &GpuContext) -> Result<Option<Self::Output>>;
}

/// What the caller's sink receives.
#[derive(Debug)]
pub enum Event<T> {
    /// A batch of results; batches of a source come in frame order.
    Batch {
        /// Position of the source in the call.
        source: usize,
        /// The frames.
        infos: Vec<FrameInfo>,
        /// The result.
        output: T,
    },
    /// The last result of a source, after all its batches.
    Last {
        /// Position of the source in the call.
        source: usize,
        /// The result.
        output: T,
    },
    /// A source has ended: nothing follows for it.
    End {
        /// Position of the source in the call.
        source: usize,
        /// How it ended.
        report: SourceReport,
    },
}

/// How a source ended.
#[non_exhaustive]
#[derive(Debug)]
pub struct SourceReport {
    /// Frames delivered.
    pub frames: u64,
    /// `Err` when the source or its work failed; frames delivered before stay valid.
    pub result: Result<()>,
    /// Statistics of its stages.
    pub stages: Vec<StageStats>,
}

struct Lane<W> {
    work: W,
    epoch: Option<Arc<Epoch>>,
    ring: Option<ReadbackRing>,
    frames: u64,
    failed: Option<Error>,
    gpu: StageStats,
}

struct InFlight {
    source: usize,
    infos: Vec<FrameInfo>,
    readback: Readback,
    timer: StageTimer,
}

/// Runs all sources to their ends. `sources` pairs a source with its work; `work_bytes` says what a work allocates for a layout and batch
/// size, so that admission knows before anything is allocated. `sink` runs on the calling thread; its error stops the run.
///
/// # Errors
/// The first error of the device or the sink; with [`OnError::Stop`] also of a source. Errors of single sources are in their reports.
pub fn run<'s, W: BatchWork>(
    ctx: &GpuContext,
    options: &PipelineOptions,
    sources: Vec<(Box<dyn FrameSource + 's>, W)>,
    work_bytes: &(dyn Fn(&FrameLayout, u32) -> u64 + Sync),
    mut sink: impl FnMut(Event<W::Output>) -> Result<()>,
) -> Result<()> {
    let count = sources.len();
    let (to_gpu, from_sources) = bounded(count * (options.ring_slots.max(2) + 1) + 1);
    let (to_sink, results) = bounded::<Event<W::Output>>(4);
    let mut lanes = Vec::with_capacity(count);
    let mut readers = Vec::with_capacity(count);
    for (source, work) in sources {
        readers.push(source);
        lanes.push(Lane { work, epoch: None, ring: None, frames: 0, failed: None, gpu: StageStats::new("gpu") });
    }
    let idle = AtomicBool::new(false);
    let idle = &idle;
    std::thread::scope(|scope| {
        for (index, reader) in readers.into_iter().enumerate() {
            let to_gpu = to_gpu.clone();
            let feeder = Feeder {
                ctx,
                options,
                source: index,
                sources: count * options.together.max(1),
                least_slots: 2,
                to_gpu,
                idle,
                work_bytes,
            };
            scope.spawn(move || feeder.run(reader));
        }
        drop(to_gpu);
        let gpu = scope.spawn(move || {
            let mut thread = GpuThread { ctx, options, lanes, pending: VecDeque::new(), to_sink, idle, open: count };
            let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| thread.run(&from_sources)));
            let result = caught.unwrap_or_else(|p| Err(Error::Bug(format!("a work panicked: {}", panic_text(&*p)))));
            if result.is_err() {
                // Sources may be waiting for slots that never come back now.
                options.cancel.cancel();
            }
            result
        });
        let mut first = None;
        for event in results {
            if first.is_none()
                && let Err(e) = sink(event)
            {
                options.cancel.cancel();
                first = Some(e);
            }
        }
        let ended =
            gpu.join().unwrap_or_else(|p| Err(Error::Bug(format!("the GPU thread panicked: {}", panic_text(&*p)))));
        first.map_or(ended, Err)
    })
}

struct GpuThread<'a, W: BatchWork> {
    ctx: &'a GpuContext,
    options: &'a PipelineOptions,
    lanes: Vec<Lane<W>>,
    pending: VecDeque<InFlight>,
    to_sink: Sender<Event<W::Output>>,
    idle: &'a AtomicBool,
    open: usize,
}

impl<W: BatchWork> GpuThread<'_, W> {
    fn run(&mut self, from_sources: &Receiver<Fed>) -> Result<()> {
        while self.open > 0 {
            if self.pending.len() >= self.options.in_flight.max(1) {
                self.collect()?;
            }
            let fed = match from_sources.try_recv() {
                Ok(fed) => fed,
                Err(TryRecvError::Empty) if !self.pending.is_empty() => {
                    self.collect()?;
                    continue;
                }
                Err(_) => self.wait(from_sources)?,
            };
            match fed {
                Fed::Batch { source, epoch, slot, frames } => {
                    let recorded = self.batch(source, &epoch, slot, frames);
                    if let Err(e) = recorded {
                        self.ctx.check()?; // a lost device ends everything, a work's error its source only
                        // Batches recorded before are good: they are delivered first.
                        self.collect_all(source)?;
                        self.fail(source, e)?;
                    }
                }
                Fed::End { source, result, stats } => self.end(source, result, *stats)?,
            }
        }
        Ok(())
    }

    /// What a source sends next, waited for as long as sources live.
    fn wait(&self, from_sources: &Receiver<Fed>) -> Result<Fed> {
        let _idle = Idle::begin(self.idle);
        loop {
            match from_sources.recv_timeout(Duration::from_millis(100)) {
                Ok(fed) => return Ok(fed),
                // Sources that decode would not notice for long that the device is gone.
                Err(RecvTimeoutError::Timeout) => self.ctx.poll()?,
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(Error::Bug("all sources are gone without saying so".into()));
                }
            }
        }
    }

    fn lane(&mut self, source: usize) -> Result<&mut Lane<W>> {
        self.lanes.get_mut(source).ok_or_else(|| Error::Bug(format!("there is no source {source}")))
    }

    fn batch(
        &mut self,
        source: usize,
        epoch: &Arc<Epoch>,
        slot: crate::gpu::FilledSlot,
        infos: Vec<FrameInfo>,
    ) -> Result<()> {
        let (ctx, in_flight) = (self.ctx, self.options.in_flight.max(1));
        let changed = self.lane(source)?.epoch.as_ref().is_none_or(|e| e.number != epoch.number);
        if changed {
            // Results of the old shape must be out before the work plans anew.
            self.collect_all(source)?;
        }
        let lane = self.lane(source)?;
        if lane.failed.is_some() {
            slot.release();
            return Ok(());
        }
        if changed {
            lane.work.begin(ctx, &epoch.desc, &epoch.layout, epoch.batch, epoch.slots)?;
            lane.ring = None;
            let bytes = lane.work.result_bytes(epoch.batch).max(4);
            lane.ring = Some(ReadbackRing::new(ctx, "results", bytes, in_flight + 1)?);
            lane.epoch = Some(Arc::clone(epoch));
        }
        let mut timer = StageTimer::start();
        let frames = GpuFrames::in_buffer(slot.buffer().clone(), epoch.layout, epoch.batch)?;
        let view = BatchView { frames: &frames, desc: &epoch.desc, infos: &infos, ring_slot: slot.index() };
        let mut rec = Recorder::new(ctx, "batch");
        slot.record_upload(&mut rec, u64::from(epoch.layout.slot_bytes()) * infos.len() as u64);
        let ranges = lane.work.record(ctx, &view, &mut rec)?;
        let ring = lane.ring.as_mut().ok_or_else(|| Error::Bug("a batch before its ring".into()))?;
        let refs: Vec<(&GpuBuffer, u64, u64)> = ranges.iter().map(|(b, o, l)| (b, *o, *l)).collect();
        let ticket = ring.record(&mut rec, &refs)?;
        let submission = rec.submit()?;
        let readback = ring.submitted(ticket, submission);
        slot.release();
        lane.gpu.waiting += timer.lap();
        self.pending.push_back(InFlight { source, infos, readback, timer });
        Ok(())
    }

    /// Delivers everything of one source that is in flight.
    fn collect_all(&mut self, source: usize) -> Result<()> {
        while self.pending.iter().any(|p| p.source == source) {
            self.collect()?;
        }
        Ok(())
    }

    /// Waits for the oldest batch and delivers it.
    fn collect(&mut self) -> Result<()> {
        let Some(mut oldest) = self.pending.pop_front() else { return Ok(()) };
        let ctx = self.ctx;
        let queued = self.pending.len() + 1;
        let lane = self.lane(oldest.source)?;
        let ring = lane.ring.as_mut().ok_or_else(|| Error::Bug("results without a ring".into()))?;
        let bytes = ring.collect(ctx, oldest.readback)?;
        if lane.failed.is_some() {
            return Ok(());
        }
        lane.gpu.item(oldest.timer.lap());
        lane.gpu.max_queue = lane.gpu.max_queue.max(queued);
        match lane.work.decode(&oldest.infos, &bytes) {
            Ok(output) => {
                lane.frames += oldest.infos.len() as u64;
                self.send(Event::Batch { source: oldest.source, infos: oldest.infos, output })
            }
            Err(e) => self.fail(oldest.source, e),
        }
    }

    fn end(&mut self, source: usize, result: Result<()>, decode: StageStats) -> Result<()> {
        self.collect_all(source)?;
        let (ctx, policy) = (self.ctx, self.options.on_error);
        let lane = self.lane(source)?;
        let mut result = match lane.failed.take() {
            Some(e) => Err(e),
            None => result,
        };
        // What was delivered stays valid also when the source failed later, so its last result is asked for all the same.
        let last = lane.work.finish(ctx).unwrap_or_else(|e| {
            if result.is_ok() {
                result = Err(e);
            }
            None
        });
        let report = SourceReport { frames: lane.frames, stages: vec![decode, lane.gpu.clone()], result };
        lane.ring = None;
        let stop = policy == OnError::Stop && report.result.is_err();
        if let Some(output) = last {
            self.send(Event::Last { source, output })?;
        }
        self.send(Event::End { source, report })?;
        self.open -= 1;
        if stop {
            self.options.cancel.cancel();
        }
        Ok(())
    }

    fn fail(&mut self, source: usize, error: Error) -> Result<()> {
        self.lane(source)?.failed.get_or_insert(error);
        Ok(())
    }

    fn send(&self, event: Event<W::Output>) -> Result<()> {
        self.to_sink.send(event).map_err(|_| Error::Cancelled)
    }
}
