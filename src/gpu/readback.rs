//! Readback ring: small results come back through a few mapped buffers, several batches in flight.
//!
//! Copies are recorded in the same command buffer as the work. A ticket is waited for with a deadline; the loss latch is looked
//! at after every wait and before a byte is believed, since a map can succeed on a device that is gone.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Instant;

use super::buffer::{BufferUse, GpuBuffer};
use super::context::GpuContext;
use super::recorder::{Recorder, Submission};
use crate::error::{Error, GpuError, Result};

/// A ring of readback buffers of equal size.
#[derive(Debug)]
pub struct ReadbackRing {
    free: Vec<GpuBuffer>,
    slots: usize,
    slot_bytes: u64,
}

/// A slot into which copies were recorded; becomes a [`Readback`] once the work was submitted.
#[derive(Debug)]
pub struct ReadbackTicket {
    buffer: GpuBuffer,
    used: u64,
}

const PENDING: u8 = 0;
const READY: u8 = 1;
const FAILED: u8 = 2;

/// Results on their way to the host.
#[derive(Debug)]
pub struct Readback {
    buffer: GpuBuffer,
    used: u64,
    submission: Submission,
    state: Arc<AtomicU8>,
}

impl ReadbackRing {
    /// A ring of `slots` buffers of `slot_bytes` each.
    pub fn new(ctx: &GpuContext, label: &str, slot_bytes: u64, slots: usize) -> Result<Self> {
        let free = (0..slots)
            .map(|_| GpuBuffer::new(ctx, label, slot_bytes, BufferUse::Readback))
            .collect::<Result<Vec<_>>>()?;
        Ok(Self { free, slots, slot_bytes })
    }

    /// Slots that are not in flight.
    pub fn available(&self) -> usize {
        self.free.len()
    }

    /// Records copies of `(buffer, offset, length)` ranges, one behind the other, into a free slot.
    ///
    /// # Errors
    /// [`Error::Bug`] when no slot is free (collect a [`Readback`] first) or the ranges do not fit.
    pub fn record(&mut self, rec: &mut Recorder<'_>, ranges: &[(&GpuBuffer, u64, u64)]) -> Result<ReadbackTicket> {
        let used: u64 = ranges.iter().map(|r| r.2).sum();
        if used > self.slot_bytes {
            return Err(Error::Bug(format!("{used} bytes of results for readback slots of {}", self.slot_bytes)));
        }
        let buffer =
            self.free.pop().ok_or_else(|| Error::Bug(format!("all {} readback slots are in flight", self.slots)))?;
        let mut at = 0;
        for (from, offset, len) in ranges {
            rec.copy(from, *offset, &buffer, at, *len);
            at += len;
        }
        Ok(ReadbackTicket { buffer, used })
    }

    /// Ties a ticket to the submission that fills it and asks for the mapping.
    pub fn submitted(&self, ticket: ReadbackTicket, submission: Submission) -> Readback {
        let state = Arc::new(AtomicU8::new(PENDING));
        let set = Arc::clone(&state);
        if ticket.used > 0 {
            ticket.buffer.raw().slice(..ticket.used).map_async(wgpu::MapMode::Read, move |r| {
                set.store(if r.is_ok() { READY } else { FAILED }, Ordering::SeqCst);
            });
        } else {
            state.store(READY, Ordering::SeqCst);
        }
        Readback { buffer: ticket.buffer, used: ticket.used, submission, state }
    }

    /// Waits for the results and copies them out; the slot is free again. On an error the slot is given up.
    pub fn collect(&mut self, ctx: &GpuContext, readback: Readback) -> Result<Vec<u8>> {
        readback.submission.wait(ctx)?;
        if readback.used == 0 {
            self.free.push(readback.buffer);
            return Ok(Vec::new());
        }
        // The work is done, but its callback may be in the hands of another thread that polls the same device, and run a little later.
        let deadline = Instant::now() + ctx.timeout();
        while readback.state.load(Ordering::SeqCst) == PENDING {
            if Instant::now() > deadline {
                let millis = u64::try_from(ctx.timeout().as_millis()).unwrap_or(u64::MAX);
                return Err(Error::Gpu(GpuError::Timeout { what: "mapping of results".into(), millis }));
            }
            ctx.poll()?;
            std::thread::yield_now();
        }
        if readback.state.load(Ordering::SeqCst) != READY {
            ctx.check()?;
            return Err(Error::Gpu(GpuError::Internal("results could not be mapped".into())));
        }
        let bytes = readback
            .buffer
            .raw()
            .get_mapped_range(..readback.used)
            .map(|view| view.to_vec())
            .map_err(|e| Error::Gpu(GpuError::Internal(format!("results could not be mapped: {e}"))))?;
        readback.buffer.raw().unmap();
        ctx.check()?;
        self.free.push(readback.buffer);
        Ok(bytes)
    }
}

impl Readback {
    /// Whether the results are there, without waiting (after a poll of the context).
    pub fn is_ready(&self) -> bool {
        self.state.load(Ordering::SeqCst) != PENDING
    }
}

impl GpuBuffer {
    /// Copies the first `len_bytes` to the host and waits for them. For tests and small, rare results; streams use a ring.
    pub fn read(&self, ctx: &GpuContext, len_bytes: u64) -> Result<Vec<u8>> {
        let mut ring = ReadbackRing::new(ctx, "read", len_bytes.next_multiple_of(4), 1)?;
        let mut rec = Recorder::new(ctx, "read");
        let ticket = ring.record(&mut rec, &[(self, 0, len_bytes.next_multiple_of(4))])?;
        let submission = rec.submit()?;
        let readback = ring.submitted(ticket, submission);
        let mut bytes = ring.collect(ctx, readback)?;
        bytes.truncate(usize::try_from(len_bytes).unwrap_or(usize::MAX));
        Ok(bytes)
    }
}
