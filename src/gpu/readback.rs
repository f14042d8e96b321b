//! Readback ring: small results come back through a few mapped buffers, several batches in flight.
//!
//! Copies are recorded in the same command buffer as the work. A ticket is waited for with a deadline; the loss latch is looked
//! at after every wait and before a byte is believed, since a map can succeed on a device that is gone. [`MappedBytes`] are the
//! results where they lie: what a model takes is handed to it without a copy.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Instant;

use crossbeam_channel::{Receiver, Sender, unbounded};

use super::buffer::{BufferUse, GpuBuffer};
use super::context::GpuContext;
use super::recorder::{Recorder, Submission};
use crate::error::{Error, GpuError, Result};

/// A ring of readback buffers of equal size.
#[derive(Debug)]
pub struct ReadbackRing {
    free: Receiver<GpuBuffer>,
    back: Sender<GpuBuffer>,
    slots: usize,
    slot_bytes: u64,
}

/// A slot out of its ring, to which it goes back when this is dropped. A ring may have been replaced by a larger one meanwhile.
#[derive(Debug)]
struct Loan {
    buffer: GpuBuffer,
    back: Option<Sender<GpuBuffer>>,
}

impl Loan {
    /// Hands the slot on: this one gives nothing back any more.
    fn take(&mut self) -> Self {
        Self { buffer: self.buffer.clone(), back: self.back.take() }
    }
}

impl Drop for Loan {
    fn drop(&mut self) {
        if let Some(back) = self.back.take() {
            let _ = back.send(self.buffer.clone()); // a ring that is gone needs its slots no more
        }
    }
}

/// A slot into which copies were recorded; becomes a [`Readback`] once the work was submitted. Dropped because it was not, it gives the
/// slot back: drop the recorder no later.
#[derive(Debug)]
pub struct ReadbackTicket {
    loan: Loan,
    used: u64,
}

/// Results in mapped memory. The slot goes back to its ring when this is dropped, on whatever thread.
#[derive(Debug)]
pub struct MappedBytes {
    view: Option<wgpu::BufferView>,
    loan: Loan,
}

impl std::ops::Deref for MappedBytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.view.as_deref().unwrap_or_default()
    }
}

impl Drop for MappedBytes {
    fn drop(&mut self) {
        // The view goes before the mapping that it looks into, and both before the slot.
        if self.view.take().is_some() {
            self.loan.buffer.raw().unmap();
        }
    }
}

const PENDING: u8 = 0;
const READY: u8 = 1;
const FAILED: u8 = 2;
/// Nobody waits any more: who ends the mapping gives the slot back.
const LEFT: u8 = 3;

/// Results on their way to the host. Dropped uncollected, the slot goes back to its ring as soon as the device is done with it and was
/// polled.
#[derive(Debug)]
pub struct Readback {
    loan: Loan,
    used: u64,
    submission: Submission,
    state: Arc<AtomicU8>,
}

impl Drop for Readback {
    fn drop(&mut self) {
        if self.loan.back.is_none() {
            return;
        }
        match self.state.compare_exchange(PENDING, LEFT, Ordering::SeqCst, Ordering::SeqCst) {
            Err(READY) if self.used > 0 => self.loan.buffer.raw().unmap(),
            Err(READY) => {}
            // The device still writes to it, or its mapping failed: such a buffer cannot be mapped again.
            Ok(_) | Err(_) => self.loan.back = None,
        }
    }
}

impl ReadbackRing {
    /// A ring of `slots` buffers of `slot_bytes` each.
    pub fn new(ctx: &GpuContext, label: &str, slot_bytes: u64, slots: usize) -> Result<Self> {
        let (back, free) = unbounded();
        for _ in 0..slots {
            // The ring itself holds the other end.
            let _ = back.send(GpuBuffer::new(ctx, label, slot_bytes, BufferUse::Readback)?);
        }
        Ok(Self { free, back, slots, slot_bytes })
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
            self.free.try_recv().map_err(|_| Error::Bug(format!("all {} readback slots are in flight", self.slots)))?;
        let mut at = 0;
        for (from, offset, len) in ranges {
            rec.copy(from, *offset, &buffer, at, *len);
            at += len;
        }
        Ok(ReadbackTicket { loan: Loan { buffer, back: Some(self.back.clone()) }, used })
    }

    /// Ties a ticket to the submission that fills it and asks for the mapping.
    pub fn submitted(&self, ticket: ReadbackTicket, submission: Submission) -> Readback {
        let ReadbackTicket { loan, used } = ticket;
        let state = Arc::new(AtomicU8::new(if used > 0 { PENDING } else { READY }));
        if used > 0 {
            let (set, buffer, back) = (Arc::clone(&state), loan.buffer.clone(), loan.back.clone());
            loan.buffer.raw().slice(..used).map_async(wgpu::MapMode::Read, move |r| {
                let now = if r.is_ok() { READY } else { FAILED };
                let left = set.compare_exchange(PENDING, now, Ordering::SeqCst, Ordering::SeqCst).is_err();
                if left && now == READY {
                    buffer.raw().unmap();
                    drop(Loan { buffer, back });
                }
            });
        }
        Readback { loan, used, submission, state }
    }

    /// Waits for the results and copies them out; the slot is free again. After an error it is as soon as the device is done with it.
    pub fn collect(&mut self, ctx: &GpuContext, readback: Readback) -> Result<Vec<u8>> {
        self.collect_mapped(ctx, readback).map(|bytes| bytes.to_vec())
    }

    /// Waits for the results and gives them where they lie; the slot is free again when they are dropped. After an error it is as soon as
    /// the device is done with it.
    ///
    /// # Errors
    /// `Timeout` after the deadline of the context, the loss of the device.
    pub fn collect_mapped(&mut self, ctx: &GpuContext, mut readback: Readback) -> Result<MappedBytes> {
        readback.submission.wait(ctx)?;
        if readback.used == 0 {
            return Ok(MappedBytes { view: None, loan: readback.loan.take() });
        }
        // The work is done, but its callback may be in the hands of another thread that polls the same device, and run a little later.
        let asked = Instant::now();
        while readback.state.load(Ordering::SeqCst) == PENDING {
            if asked.elapsed() > ctx.timeout() {
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
        let view = readback
            .loan
            .buffer
            .raw()
            .get_mapped_range(..readback.used)
            .map_err(|e| Error::Gpu(GpuError::Internal(format!("results could not be mapped: {e}"))))?;
        // Kept from here on, so that an error below unmaps.
        let bytes = MappedBytes { view: Some(view), loan: readback.loan.take() };
        ctx.check()?;
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
        self.read_range(ctx, 0, len_bytes)
    }

    /// As [`Self::read`], of the bytes from `offset_bytes` on, a multiple of 4. Takes memory for these bytes alone.
    ///
    /// # Errors
    /// [`Error::Bug`] for bytes behind the end of the buffer; the budget; the device.
    pub fn read_range(&self, ctx: &GpuContext, offset_bytes: u64, len_bytes: u64) -> Result<Vec<u8>> {
        let words = len_bytes.checked_next_multiple_of(4);
        let inside = |words: &u64| offset_bytes.checked_add(*words).is_some_and(|end| end <= self.size_bytes());
        let Some(words) = words.filter(inside) else {
            let has = self.size_bytes();
            return Err(Error::Bug(format!("{len_bytes} bytes from {offset_bytes} on of a buffer of {has}")));
        };
        let mut ring = ReadbackRing::new(ctx, "read", words, 1)?;
        let mut rec = Recorder::new(ctx, "read");
        let ticket = ring.record(&mut rec, &[(self, offset_bytes, words)])?;
        let submission = rec.submit()?;
        let readback = ring.submitted(ticket, submission);
        let mut bytes = ring.collect(ctx, readback)?;
        bytes.truncate(usize::try_from(len_bytes).unwrap_or(usize::MAX));
        Ok(bytes)
    }
}
