//! The source thread: decodes, fills ring slots, hands full batches to the GPU thread.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crossbeam_channel::Sender;

use super::options::{MemoryPlan, PipelineOptions};
use super::source::{FrameSource, SourceFrame};
use super::stats::{StageStats, StageTimer};
use crate::core::{FrameDesc, FrameInfo, FrameLayout, RowSink};
use crate::error::{Error, Result};
use crate::gpu::{FilledSlot, GpuContext, UploadRing, UploadSlot};

/// A wait for a slot is looked at so often.
const SLICE: Duration = Duration::from_millis(100);

/// Set for as long as whoever takes the batches has nothing to do but to wait for one.
pub(super) struct Idle<'a>(&'a AtomicBool);

impl<'a> Idle<'a> {
    pub(super) fn begin(flag: &'a AtomicBool) -> Self {
        flag.store(true, Ordering::SeqCst);
        Self(flag)
    }
}

impl Drop for Idle<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::SeqCst);
    }
}

/// A run of frames of equal shape: one layout, one ring, one batch size.
#[derive(Debug)]
pub(super) struct Epoch {
    pub(super) number: u32,
    pub(super) desc: FrameDesc,
    pub(super) layout: FrameLayout,
    pub(super) batch: u32,
    pub(super) slots: usize,
}

/// What a source thread sends.
pub(super) enum Fed {
    Batch { source: usize, epoch: Arc<Epoch>, slot: FilledSlot, frames: Vec<FrameInfo> },
    End { source: usize, result: Result<()>, stats: Box<StageStats> },
}

/// Bytes that the work of a source needs for a layout and batch size, beside the ring.
pub(super) type WorkBytes<'a> = &'a (dyn Fn(&FrameLayout, u32) -> u64 + Sync);

pub(super) struct Feeder<'a> {
    pub(super) ctx: &'a GpuContext,
    pub(super) options: &'a PipelineOptions,
    pub(super) source: usize,
    /// Number of sources of the run.
    pub(super) sources: usize,
    /// Slots of the ring without which the consumer cannot go on.
    pub(super) least_slots: usize,
    pub(super) to_gpu: Sender<Fed>,
    /// See [`Idle`].
    pub(super) idle: &'a AtomicBool,
    pub(super) work_bytes: WorkBytes<'a>,
}

/// Part of a slot that belongs to one frame.
struct Part<'a> {
    slot: &'a mut UploadSlot,
    start: usize,
    len: usize,
}

impl RowSink for Part<'_> {
    fn capacity(&self) -> usize {
        self.len
    }

    fn write(&mut self, offset: usize, bytes: &[u8]) {
        if offset.checked_add(bytes.len()).is_some_and(|end| end <= self.len) {
            self.slot.write(self.start + offset, bytes);
        }
    }
}

struct Filling {
    slot: UploadSlot,
    frames: Vec<FrameInfo>,
}

struct State {
    epoch: Option<(Arc<Epoch>, UploadRing)>,
    filling: Option<Filling>,
    timer: StageTimer,
}

impl Feeder<'_> {
    /// Runs the source to its end and always sends exactly one `End`.
    pub(super) fn run(self, mut frames: Box<dyn FrameSource + '_>) {
        let mut stats = StageStats::new("decode");
        let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| self.feed(&mut *frames, &mut stats)));
        let result = caught.unwrap_or_else(|p| Err(Error::Bug(format!("a source panicked: {}", panic_text(&*p)))));
        // The GPU thread is gone only after a failure that it reports itself.
        let _ = self.to_gpu.send(Fed::End { source: self.source, result, stats: Box::new(stats) });
    }

    fn feed(&self, frames: &mut dyn FrameSource, stats: &mut StageStats) -> Result<()> {
        let mut state = State { epoch: None, filling: None, timer: StageTimer::start() };
        let ended = loop {
            if let Err(e) = self.options.cancel.check() {
                break Err(e);
            }
            match frames.next(&mut |frame| self.take(frame, &mut state, stats)) {
                Ok(true) => {}
                Ok(false) => break Ok(()),
                Err(e) => break Err(e),
            }
        };
        // What came before the end, or before an error, is good and goes out.
        self.flush(&mut state, stats)?;
        ended
    }

    /// Copies one frame into the slot being filled; sends the slot when it is full or the shape changes.
    fn take(&self, frame: &dyn SourceFrame, state: &mut State, stats: &mut StageStats) -> Result<()> {
        let (desc, info) = (frame.desc(), frame.info());
        let mut busy = state.timer.lap();
        if state.epoch.as_ref().is_none_or(|(e, _)| e.desc != desc) {
            self.flush(state, stats)?;
            let number = state.epoch.as_ref().map_or(0, |(e, _)| e.number + 1);
            // The old ring goes first, so that its bytes are free for the new one.
            drop(state.epoch.take());
            state.epoch = Some(self.begin(number, desc)?);
        }
        let Some((current, ring)) = &state.epoch else { return Err(Error::Bug("a frame without a shape".into())) };
        let mut open = match state.filling.take() {
            Some(f) => f,
            None => {
                let slot = self.acquire(ring)?;
                stats.waiting += state.timer.lap();
                Filling { slot, frames: Vec::with_capacity(current.batch as usize) }
            }
        };
        let len = current.layout.slot_bytes() as usize;
        let start = len * open.frames.len();
        let copied = frame.copy_into(&current.layout, &mut Part { slot: &mut open.slot, start, len });
        open.frames.extend(copied.is_ok().then_some(info));
        let full = open.frames.len() >= current.batch as usize;
        // Those before a frame that cannot be copied are good.
        state.filling = (!open.frames.is_empty()).then_some(open);
        copied?;
        busy += state.timer.lap();
        stats.item(busy);
        if full {
            self.flush(state, stats)?;
            stats.waiting += state.timer.lap();
        }
        Ok(())
    }

    /// A free slot, waited for as long as somebody works on what came before: a run that is cancelled, or whose consumer is gone, cancels
    /// this wait. Where the consumer itself waits for frames, only the device can give a slot back, or nobody: that has a deadline.
    fn acquire(&self, ring: &UploadRing) -> Result<UploadSlot> {
        let stall = self.options.stall;
        let slice = stall.min(SLICE);
        let mut spent = Duration::ZERO;
        loop {
            let late = match ring.acquire(slice, &self.options.cancel) {
                Err(Error::Deadline { what, .. }) => what,
                other => return other,
            };
            if !self.idle.load(Ordering::SeqCst) {
                spent = Duration::ZERO;
                continue;
            }
            // Slices are counted and not the clock: a process that was stopped for a while has not waited meanwhile.
            spent += slice;
            if spent >= stall {
                return Err(Error::Deadline { what: late, after: stall });
            }
        }
    }

    fn flush(&self, state: &mut State, stats: &mut StageStats) -> Result<()> {
        match (state.filling.take(), &state.epoch) {
            (Some(filling), Some((epoch, _))) => self.send(epoch, filling, stats),
            _ => Ok(()),
        }
    }

    fn begin(&self, number: u32, desc: FrameDesc) -> Result<(Arc<Epoch>, UploadRing)> {
        let layout = FrameLayout::required(&desc)?;
        let plan = MemoryPlan::fit(self.ctx, &layout, self.options, self.sources, self.least_slots, |batch| {
            (self.work_bytes)(&layout, batch)
        })?;
        let bytes = u64::from(layout.slot_bytes()) * u64::from(plan.batch);
        let slots = plan.ring_slots;
        let ring = UploadRing::new(self.ctx, "frames", bytes, slots)?;
        Ok((Arc::new(Epoch { number, desc, layout, batch: plan.batch, slots }), ring))
    }

    fn send(&self, epoch: &Arc<Epoch>, filling: Filling, stats: &mut StageStats) -> Result<()> {
        stats.max_queue = stats.max_queue.max(self.to_gpu.len());
        let fed = Fed::Batch {
            source: self.source,
            epoch: Arc::clone(epoch),
            slot: filling.slot.finish(),
            frames: filling.frames,
        };
        // Never blocks for long: a source has at most `ring_slots` batches under way, and the channel has room for all of them.
        self.to_gpu.send(fed).map_err(|_| Error::Cancelled)
    }
}

/// The message of a caught panic.
pub(super) fn panic_text(payload: &(dyn std::any::Any + Send)) -> String {
    payload
        .downcast_ref::<&str>()
        .map(|s| (*s).to_owned())
        .or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no message".to_owned())
}
