//! A file of ours in memory.
#![allow(unsafe_code, reason = "mmap")]

use std::fs::File;
use std::io;
use std::path::Path;
use std::ptr::{self, NonNull};

use rustix::fs::{Mode, OFlags};
use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};

/// A whole file, mapped for reading, with its descriptor.
#[derive(Debug)]
pub(super) struct Mapping {
    file: File,
    start: NonNull<u8>,
    length: usize,
}

// SAFETY: the memory is never written to and lives as long as the value, so any thread may read it.
unsafe impl Send for Mapping {}
// SAFETY: as above.
unsafe impl Sync for Mapping {}

/// Opens a regular file for reading; a symbolic link is refused, a named pipe is not waited for.
pub(super) fn open(path: &Path) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let file = File::from(rustix::fs::open(path, flags, Mode::empty())?);
    if !file.metadata()?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
    }
    Ok(file)
}

impl Mapping {
    /// Maps `file`, which has `length` bytes, at least 1. Whether its content is what it should be is for the caller to check.
    pub(super) fn new(file: File, length: u64) -> io::Result<Self> {
        let length = usize::try_from(length).map_err(io::Error::other)?;
        // SAFETY: no address is asked for, so nothing that exists is mapped over.
        let start = unsafe { mmap(ptr::null_mut(), length, ProtFlags::READ, MapFlags::SHARED, &file, 0) }?;
        let start = NonNull::new(start.cast()).ok_or_else(|| io::Error::other("mapped at address 0"))?;
        Ok(Self { file, start, length })
    }

    /// The bytes.
    pub(super) fn bytes(&self) -> &[u8] {
        // SAFETY: `length` bytes are mapped for reading as long as `self` lives. The file is one that `store` committed: it is replaced by
        // another, never written to or cut; that is documented where files are opened.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), self.length) }
    }

    /// The file.
    pub(super) fn file(&self) -> &File {
        &self.file
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: mapped in `new` with this length; no slice outlives `self`. It cannot fail for such a range.
        let _: rustix::io::Result<()> = unsafe { munmap(self.start.as_ptr().cast(), self.length) };
    }
}
