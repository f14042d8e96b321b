//! Frames of one source, batch by batch, for a caller who comes back to the same pictures: boxes first, then what lies in them.
//!
//! [`run`](super::run()) is for work whose results are small and final; here the frames stay in GPU memory until the caller drops their
//! batch, and the caller's thread says what is done with them. Decoding goes on meanwhile, as far as the ring has room.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, bounded};

use super::feeder::{Epoch, Fed, Feeder, Idle};
use super::options::PipelineOptions;
use super::run::SourceReport;
use super::source::FrameSource;
use super::stats::StageStats;
use crate::core::{FrameDesc, FrameInfo, FrameLayout};
use crate::error::{Error, Result};
use crate::gpu::{FilledSlot, GpuContext, Recorder};
use crate::ops::GpuFrames;

/// The batches of a source, in frame order.
#[derive(Debug)]
pub struct Batches<'a> {
    ctx: &'a GpuContext,
    options: &'a PipelineOptions,
    fed: Receiver<Fed>,
    idle: &'a AtomicBool,
    end: Option<(Result<()>, StageStats)>,
    frames: u64,
    waiting: Duration,
}

/// Some frames of one shape in GPU memory. Dropped, they make room for others as soon as the device is done with them.
#[derive(Debug)]
pub struct HeldBatch {
    frames: GpuFrames,
    infos: Vec<FrameInfo>,
    epoch: Arc<Epoch>,
    slot: Option<FilledSlot>,
}

impl HeldBatch {
    /// The frames, from slot 0 on.
    pub fn frames(&self) -> &GpuFrames {
        &self.frames
    }

    /// Place of each frame in its stream; as many as there are frames.
    pub fn infos(&self) -> &[FrameInfo] {
        &self.infos
    }

    /// Shape and colour of all frames of the batch.
    pub fn desc(&self) -> &FrameDesc {
        &self.epoch.desc
    }

    /// Counts up whenever format, size or colour change: plans are good for one of these numbers.
    pub fn shape_number(&self) -> u32 {
        self.epoch.number
    }

    /// Position of the ring slot: bound plans can be kept per position, for one shape number.
    pub fn ring_slot(&self) -> usize {
        self.slot.as_ref().map_or(0, FilledSlot::index)
    }

    /// Number of ring slots: all positions are below it.
    pub fn ring_slots(&self) -> usize {
        self.epoch.slots
    }

    /// Largest number of frames of a batch of this shape.
    pub fn capacity(&self) -> u32 {
        self.epoch.batch
    }
}

impl Drop for HeldBatch {
    fn drop(&mut self) {
        if let Some(slot) = self.slot.take() {
            slot.release();
        }
    }
}

impl Batches<'_> {
    /// The next batch; `None` when the source has ended, well or not: see the report of [`batches`]. Waits for as long as the source lives:
    /// one that passes over frames may be silent for minutes, and has deadlines of its own.
    ///
    /// # Errors
    /// [`Error::Cancelled`], the loss of the device.
    pub fn next_batch(&mut self) -> Result<Option<HeldBatch>> {
        let asked = Instant::now();
        let _idle = Idle::begin(self.idle);
        loop {
            if self.end.is_some() {
                return Ok(None);
            }
            self.options.cancel.check()?;
            match self.fed.recv_timeout(Duration::from_millis(50)) {
                Ok(Fed::Batch { epoch, slot, frames: infos, .. }) => {
                    self.waiting += asked.elapsed();
                    return self.hold(epoch, slot, infos).map(Some);
                }
                Ok(Fed::End { result, stats, .. }) => self.end = Some((result, *stats)),
                // Without anything in flight nobody else would notice that slots are free again, or the device gone.
                Err(RecvTimeoutError::Timeout) => self.ctx.poll()?,
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(Error::Bug("a source is gone without saying so".into()));
                }
            }
        }
    }

    fn hold(&mut self, epoch: Arc<Epoch>, slot: FilledSlot, infos: Vec<FrameInfo>) -> Result<HeldBatch> {
        let frames = GpuFrames::in_buffer(slot.buffer().clone(), epoch.layout, epoch.batch)?;
        let mut rec = Recorder::new(self.ctx, "frames");
        slot.record_upload(&mut rec, u64::from(epoch.layout.slot_bytes()) * infos.len() as u64);
        rec.submit()?;
        self.frames += infos.len() as u64;
        Ok(HeldBatch { frames, infos, epoch, slot: Some(slot) })
    }
}

/// Decodes `source` on a thread of its own and lets `consume` take its batches. `work_bytes` says what the consumer allocates for a layout
/// and batch size, so that admission knows before anything is allocated. Batches must be dropped before the ring is empty
/// ([`PipelineOptions::ring_slots`]): where the consumer holds all slots and asks for more, the source gives up after
/// [`PipelineOptions::stall`].
///
/// A consumer that stops early stops the source. The report says how the source ended; frames delivered before a failure are valid.
///
/// # Errors
/// What `consume` returns.
pub fn batches<R>(
    ctx: &GpuContext,
    options: &PipelineOptions,
    source: Box<dyn FrameSource + '_>,
    work_bytes: &(dyn Fn(&FrameLayout, u32) -> u64 + Sync),
    consume: impl FnOnce(&mut Batches<'_>) -> Result<R>,
) -> Result<(R, SourceReport)> {
    let own = PipelineOptions { cancel: options.cancel.child(), ..options.clone() };
    let (to_consumer, fed) = bounded(own.ring_slots.max(2) + 2);
    let idle = AtomicBool::new(false);
    let idle = &idle;
    std::thread::scope(|scope| {
        // The consumer counts on all slots: it may hold that many batches.
        let least_slots = own.ring_slots;
        let sources = own.together.max(1);
        let feeder =
            Feeder { ctx, options: &own, source: 0, sources, least_slots, to_gpu: to_consumer, idle, work_bytes };
        let cancel = own.cancel.clone();
        scope.spawn(move || feeder.run(source));
        let mut batches = Batches { ctx, options, fed, idle, end: None, frames: 0, waiting: Duration::ZERO };
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| consume(&mut batches)));
        let stopped_early = batches.end.is_none();
        if stopped_early {
            // The source may be waiting for room in the channel or for a slot: neither comes any more.
            cancel.cancel();
        }
        let (frames, waiting) = (batches.frames, batches.waiting);
        let (ended, decode) = batches.end.take().unwrap_or_else(|| (Ok(()), StageStats::new("decode")));
        drop(batches);
        let result = result.unwrap_or_else(|payload| std::panic::resume_unwind(payload))?;
        let mut consumer = StageStats::new("consume");
        consumer.waiting = waiting;
        Ok((result, SourceReport { frames, result: ended, stages: vec![decode, consumer] }))
    })
}
