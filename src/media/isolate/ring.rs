//! Slots of memory that two processes share: written by the decoder process, read here.
#![allow(unsafe_code, reason = "mmap of shared memory")]

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::ptr::{self, NonNull};

use rustix::fs::{FallocateFlags, MemfdFlags, SealFlags, fallocate, fcntl_add_seals, fstat, ftruncate, memfd_create};
use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};

use crate::core::{FrameLayout, RowSink};
use crate::error::{Error, Result};

/// Slots of equal size.
///
/// The other process may write at any moment, whatever was agreed. So no reference into this memory exists anywhere: bytes are copied
/// in and out through raw pointers, and what is looked at is the copy.
#[derive(Debug)]
pub(crate) struct SharedRing {
    start: NonNull<u8>,
    length: usize,
    slots: u32,
    slot_bytes: usize,
}

// SAFETY: the mapping belongs to the value and has no thread affinity.
unsafe impl Send for SharedRing {}
// SAFETY: all access is by copying bytes that no invariant depends on, see the type.
unsafe impl Sync for SharedRing {}

impl SharedRing {
    /// New memory, all of it there from the beginning, and its descriptor for the writer. Its size is sealed: whoever holds the descriptor
    /// can neither shrink it (a read here would end this process) nor grow it. Mapped for reading.
    pub(super) fn create(slots: u32, slot_bytes: u32) -> io::Result<(OwnedFd, Self)> {
        let length = u64::from(slots) * u64::from(slot_bytes);
        let memory = memfd_create("frameloom frames", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
        ftruncate(&memory, length)?;
        // Memory that cannot be had is an error now, not a signal when it is first touched.
        fallocate(&memory, FallocateFlags::empty(), 0, length)?;
        fcntl_add_seals(&memory, SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL)?;
        let ring = Self::map(&memory, slots, slot_bytes, ProtFlags::READ)?;
        Ok((memory, ring))
    }

    /// The other end: mapped for writing.
    pub(super) fn open(memory: &OwnedFd, slots: u32, slot_bytes: u32) -> io::Result<Self> {
        let wanted = u64::from(slots) * u64::from(slot_bytes);
        if u64::try_from(fstat(memory)?.st_size) != Ok(wanted) {
            return Err(io::Error::other("the shared memory has another size than announced"));
        }
        Self::map(memory, slots, slot_bytes, ProtFlags::READ | ProtFlags::WRITE)
    }

    fn map(memory: &impl AsFd, slots: u32, slot_bytes: u32, protection: ProtFlags) -> io::Result<Self> {
        let slot_bytes = slot_bytes as usize;
        let length = slot_bytes.checked_mul(slots as usize).filter(|n| *n > 0);
        let length = length.ok_or_else(|| io::Error::other("no slots"))?;
        // SAFETY: no address is asked for, so nothing that exists is mapped over.
        let start = unsafe { mmap(ptr::null_mut(), length, protection, MapFlags::SHARED, memory, 0) }?;
        let start = NonNull::new(start.cast()).ok_or_else(|| io::Error::other("mapped at address 0"))?;
        Ok(Self { start, length, slots, slot_bytes })
    }

    pub(super) const fn slots(&self) -> u32 {
        self.slots
    }

    /// Address of `bytes` bytes at `offset` of `slot`; `None` when they are not all within the slot.
    fn place(&self, slot: u32, offset: usize, bytes: usize) -> Option<*mut u8> {
        let end = offset.checked_add(bytes)?;
        if slot >= self.slots || end > self.slot_bytes {
            return None;
        }
        let at = (slot as usize).checked_mul(self.slot_bytes)?.checked_add(offset)?;
        debug_assert!(at + bytes <= self.length, "slots fill the mapping");
        // SAFETY: `at` is within the mapping of `slots * slot_bytes` bytes.
        Some(unsafe { self.start.as_ptr().add(at) })
    }

    /// Copies bytes out; false when they are not within the slot.
    pub(super) fn read(&self, slot: u32, offset: usize, into: &mut [u8]) -> bool {
        let Some(from) = self.place(slot, offset, into.len()) else { return false };
        // SAFETY: `place` gave that many mapped bytes; `into` is private memory, so they do not overlap. The other process may write
        // meanwhile: then the copy is a mixture of bytes, which is a picture like any other.
        unsafe { ptr::copy_nonoverlapping(from.cast_const(), into.as_mut_ptr(), into.len()) };
        true
    }

    /// Copies bytes in, in the process that maps for writing.
    fn write(&self, slot: u32, offset: usize, bytes: &[u8]) {
        if let Some(to) = self.place(slot, offset, bytes.len()) {
            // SAFETY: as in `read`, the other way round.
            unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), to, bytes.len()) };
        }
    }
}

impl Drop for SharedRing {
    fn drop(&mut self) {
        // SAFETY: mapped in `map` with this length; nothing refers to it. It cannot fail for such a range.
        let _: rustix::io::Result<()> = unsafe { munmap(self.start.as_ptr().cast(), self.length) };
    }
}

/// A slot as the decoder process fills it.
pub(super) struct SlotWriter<'a> {
    pub(super) ring: &'a SharedRing,
    pub(super) slot: u32,
}

impl RowSink for SlotWriter<'_> {
    fn capacity(&self) -> usize {
        self.ring.slot_bytes
    }

    fn write(&mut self, offset: usize, bytes: &[u8]) {
        self.ring.write(self.slot, offset, bytes);
    }
}

/// A filled slot as it is read here.
#[derive(Debug)]
pub(crate) struct SharedSlot<'a> {
    pub(super) ring: &'a SharedRing,
    pub(super) slot: u32,
}

impl SharedSlot<'_> {
    /// Writes all planes into `to`, whose layout is that of the slot, row by row.
    pub(crate) fn copy_into<S: RowSink + ?Sized>(&self, layout: &FrameLayout, to: &mut S) -> Result<()> {
        let longest = layout.planes().iter().map(|p| p.shape.row_bytes() as usize).max().unwrap_or(0);
        let mut line = vec![0u8; longest];
        for plane in layout.planes() {
            let row = line.get_mut(..plane.shape.row_bytes() as usize).unwrap_or_default();
            for y in 0..plane.shape.rows {
                let at = plane.offset as usize + plane.stride as usize * y as usize;
                if !self.ring.read(self.slot, at, row) {
                    return Err(Error::Bug(format!("row {y} at {at} is not within slot {}", self.slot)));
                }
                to.write(at, row);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_at_one_end_is_read_at_the_other_and_nothing_beyond() {
        let (memory, reader) = SharedRing::create(3, 512).unwrap();
        let writer = SharedRing::open(&memory, 3, 512).unwrap();
        for slot in 0..3 {
            let mut to = SlotWriter { ring: &writer, slot };
            to.write(0, &[slot as u8 + 1; 512]);
            to.write(510, &[9; 3]); // beyond the end: nothing is written
            to.write(usize::MAX, &[9; 3]);
        }
        for slot in 0..3 {
            let mut all = [0u8; 512];
            assert!(reader.read(slot, 0, &mut all));
            assert_eq!(all, [slot as u8 + 1; 512]);
        }
        let mut byte = [0u8; 1];
        assert!(
            !reader.read(3, 0, &mut byte) && !reader.read(0, 512, &mut byte) && !reader.read(0, usize::MAX, &mut byte)
        );
    }

    #[test]
    fn the_other_end_cannot_shrink_it() {
        let (memory, _reader) = SharedRing::create(2, 4096).unwrap();
        assert!(ftruncate(&memory, 0).is_err() && ftruncate(&memory, 1 << 20).is_err());
        assert!(SharedRing::open(&memory, 2, 8192).is_err());
    }
}
