//! Upload ring: a few mapped slots that a decoder thread fills row by row while kernels read others.
//!
//! Where the adapter allows it (software and unified memory) a slot is mapped and used by kernels in place; on a discrete card it is
//! staging memory, copied to a device buffer at the start of the batch. A slot comes back to the ring when the device is
//! done with it: the mapping asked for at [`FilledSlot::release`] completes then.

use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, unbounded};

use super::buffer::{BufferUse, GpuBuffer};
use super::context::GpuContext;
use super::recorder::Recorder;
use crate::core::{CancelToken, RowSink};
use crate::error::{Error, GpuError, Result};

#[derive(Debug, Clone)]
struct Slot {
    index: usize,
    mapped: GpuBuffer,
    device: Option<GpuBuffer>,
}

/// A ring of upload slots of equal size.
#[derive(Debug)]
pub struct UploadRing {
    ctx: GpuContext,
    free: Receiver<(Slot, bool)>,
    back: Sender<(Slot, bool)>,
    slot_bytes: u64,
    slots: usize,
    in_place: bool,
}

/// A mapped slot being filled. Dropped unfinished, it is free again at once.
#[derive(Debug)]
pub struct UploadSlot {
    slot: Slot,
    /// Until the filling ends.
    view: Option<wgpu::BufferViewMut>,
    back: Sender<(Slot, bool)>,
}

/// A filled slot, readable by kernels. Dropped, it is given back as by [`Self::release`]: after what was recorded with it was submitted.
#[derive(Debug)]
pub struct FilledSlot {
    slot: Slot,
    back: Sender<(Slot, bool)>,
}

impl UploadRing {
    /// A ring of `slots` slots of `slot_bytes` each (rounded up to 256).
    ///
    /// # Errors
    /// [`Error::Memory`] when the budget does not allow it; the device's limits.
    pub fn new(ctx: &GpuContext, label: &str, slot_bytes: u64, slots: usize) -> Result<Self> {
        let in_place = ctx.caps().mappable_storage;
        let slot_bytes = slot_bytes.next_multiple_of(256);
        let (back, free) = unbounded();
        let ring = Self { ctx: ctx.clone(), free, back, slot_bytes, slots, in_place };
        for index in 0..slots {
            let usage = if in_place { BufferUse::MappedStorage } else { BufferUse::Upload };
            let mapped = GpuBuffer::new(ctx, label, slot_bytes, usage)?;
            let device = match in_place {
                true => None,
                false => Some(GpuBuffer::new(ctx, label, slot_bytes, BufferUse::Storage)?),
            };
            map_and_return(Slot { index, mapped, device }, ring.back.clone());
        }
        Ok(ring)
    }

    /// Host and device bytes that a ring takes: what admission has to ask for.
    pub fn bytes_needed(ctx: &GpuContext, slot_bytes: u64, slots: usize) -> u64 {
        let copies = if ctx.caps().mappable_storage { 1 } else { 2 };
        slot_bytes.next_multiple_of(256) * slots as u64 * copies
    }

    /// The same, host and device apart. On a device that shares the host's memory all of it is the host's.
    pub fn bytes_apart(ctx: &GpuContext, slot_bytes: u64, slots: usize) -> (u64, u64) {
        let all = Self::bytes_needed(ctx, slot_bytes, slots);
        if ctx.caps().shares_host_memory() { (all, 0) } else { (all / 2, all / 2) }
    }

    /// Bytes of a slot.
    pub fn slot_bytes(&self) -> u64 {
        self.slot_bytes
    }

    /// Number of slots.
    pub fn slots(&self) -> usize {
        self.slots
    }

    /// Whether kernels read the mapped memory itself, without a copy.
    pub fn in_place(&self) -> bool {
        self.in_place
    }

    /// Waits for a free, mapped slot.
    ///
    /// # Errors
    /// [`Error::Deadline`] after `timeout`, [`Error::Cancelled`], the loss of the device.
    pub fn acquire(&self, timeout: Duration, cancel: &CancelToken) -> Result<UploadSlot> {
        let asked = Instant::now();
        loop {
            cancel.check()?;
            self.ctx.poll()?;
            match self.free.recv_timeout(Duration::from_millis(2)) {
                Ok((slot, true)) => {
                    let view = slot.mapped.raw().get_mapped_range_mut(..).map_err(|e| {
                        Error::Gpu(GpuError::Internal(format!("an upload slot could not be mapped: {e}")))
                    })?;
                    return Ok(UploadSlot { slot, view: Some(view), back: self.back.clone() });
                }
                Ok((_, false)) => {
                    self.ctx.check()?;
                    return Err(Error::Gpu(GpuError::Internal("an upload slot could not be mapped".into())));
                }
                Err(_) if asked.elapsed() >= timeout => {
                    return Err(Error::Deadline { what: "waiting for an upload slot".into(), after: timeout });
                }
                Err(_) => {}
            }
        }
    }
}

fn map_and_return(slot: Slot, back: Sender<(Slot, bool)>) {
    let buffer = slot.mapped.clone();
    buffer.raw().slice(..).map_async(wgpu::MapMode::Write, move |r| {
        let _ = back.send((slot, r.is_ok())); // a ring that is gone needs its slots no more
    });
}

impl RowSink for UploadSlot {
    fn capacity(&self) -> usize {
        self.view.as_ref().map_or(0, wgpu::BufferViewMut::len)
    }

    fn write(&mut self, offset: usize, bytes: &[u8]) {
        let Some(view) = &mut self.view else { return };
        if let Some(end) = offset.checked_add(bytes.len()).filter(|end| *end <= view.len()) {
            view.slice(offset..end).copy_from_slice(bytes);
        }
    }
}

impl UploadSlot {
    /// Ends the filling: the memory belongs to the device until the slot is released.
    pub fn finish(mut self) -> FilledSlot {
        drop(self.view.take());
        self.slot.mapped.raw().unmap();
        FilledSlot { slot: self.slot.clone(), back: self.back.clone() }
    }
}

impl Drop for UploadSlot {
    fn drop(&mut self) {
        if self.view.take().is_some() {
            let _ = self.back.send((self.slot.clone(), true)); // a ring that is gone needs its slots no more
        }
    }
}

impl FilledSlot {
    /// Records the copy to device memory of the first `used_bytes`, where one is needed. Call before the first kernel that reads it.
    pub fn record_upload(&self, rec: &mut Recorder<'_>, used_bytes: u64) {
        if let Some(device) = &self.slot.device {
            rec.copy(&self.slot.mapped, 0, device, 0, used_bytes.next_multiple_of(4).min(device.size_bytes()));
        }
    }

    /// Position of the slot in its ring: bound plans are kept per position.
    pub fn index(&self) -> usize {
        self.slot.index
    }

    /// The buffer that kernels read.
    pub fn buffer(&self) -> &GpuBuffer {
        self.slot.device.as_ref().unwrap_or(&self.slot.mapped)
    }

    /// Gives the slot back; it can be filled again as soon as everything submitted so far that uses it is done.
    pub fn release(self) {
        drop(self);
    }
}

impl Drop for FilledSlot {
    fn drop(&mut self) {
        map_and_return(self.slot.clone(), self.back.clone());
    }
}
