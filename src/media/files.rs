//! Files as the media edge uses them: regular inputs only, outputs shared with the muxer, and the first write error remembered
//! even where a C library forgets it.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use crate::core::{Limits, OutputFile, Written};
use crate::error::{Error, Result, same_error};

fn not_found(path: &Path, reason: impl Into<String>) -> Error {
    Error::InputNotFound { path: path.to_path_buf(), reason: reason.into() }
}

/// Opens a regular file for reading and gives its length. Folders, pipes, sockets and devices are `InputNotFound`: reading
/// them could block without end.
pub(crate) fn open_regular(path: &Path) -> Result<(File, u64)> {
    let of_io = |e: io::Error| match e.kind() {
        io::ErrorKind::NotFound => not_found(path, "no such file"),
        _ => Error::unreadable(path, &e),
    };
    let regular = |meta: &Metadata| match () {
        () if meta.is_dir() => Err(not_found(path, "it is a directory, not a file")),
        () if !meta.is_file() => Err(not_found(path, "it is not a regular file")),
        () => Ok(()),
    };
    // Looked at first because opening some devices does something, and again after opening because the name may have moved.
    regular(&std::fs::metadata(path).map_err(of_io)?)?;
    // Opening a named pipe would wait for a writer; non-blocking it returns at once and is refused below.
    let flags = i32::try_from(rustix::fs::OFlags::NONBLOCK.bits()).unwrap_or(0);
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path).map_err(of_io)?;
    let meta = file.metadata().map_err(of_io)?;
    regular(&meta)?;
    Ok((file, meta.len()))
}

/// Reads a whole regular file of at most `limit` bytes (limit `packet_bytes`: a picture is one packet).
pub(crate) fn read_whole(path: &Path, limits: &Limits) -> Result<Vec<u8>> {
    let (file, len) = open_regular(path)?;
    let check =
        |n: u64| Limits::check("packet_bytes", limits.packet_bytes, n, || "the length of the file in bytes".into());
    check(len)?;
    let mut bytes = Vec::with_capacity(usize::try_from(len).unwrap_or(0));
    // One byte more than allowed, so that a file that grows meanwhile is seen and not cut.
    file.take(limits.packet_bytes.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(|e| not_found(path, format!("reading failed: {e}")))?;
    check(bytes.len() as u64)?;
    Ok(bytes)
}

/// Remembers the first error of a stream; clones share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct ErrorLatch(Arc<Mutex<Option<io::Error>>>);

impl ErrorLatch {
    fn set(&self, e: &io::Error) {
        let mut slot = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        slot.get_or_insert_with(|| same_error(e));
    }

    /// The first error seen, if any. It stays latched.
    pub(crate) fn get(&self) -> Option<io::Error> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map(same_error)
    }

    /// `Err(Storage)` once a write or seek has failed.
    pub(crate) fn check(&self, path: &Path) -> Result<()> {
        match self.get() {
            Some(e) => Err(Error::storage("write", path, e)),
            None => Ok(()),
        }
    }
}

/// A stream whose first error is latched. After a failed write nothing more is written: a file with a hole in the
/// middle must not get a valid end.
#[derive(Debug)]
pub(crate) struct Latched<T> {
    inner: T,
    latch: ErrorLatch,
}

impl<T> Latched<T> {
    pub(crate) fn new(inner: T) -> (Self, ErrorLatch) {
        let latch = ErrorLatch::default();
        (Self { inner, latch: latch.clone() }, latch)
    }

    fn keep<V>(&self, result: io::Result<V>) -> io::Result<V> {
        if let Err(e) = &result
            && e.kind() != io::ErrorKind::Interrupted
        {
            self.latch.set(e);
        }
        result
    }
}

impl<T: Write> Write for Latched<T> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        if let Some(e) = self.latch.get() {
            return Err(e);
        }
        let result = match self.inner.write(buf) {
            Ok(0) if !buf.is_empty() => Err(io::ErrorKind::WriteZero.into()),
            other => other,
        };
        self.keep(result)
    }

    fn flush(&mut self) -> io::Result<()> {
        let result = self.inner.flush();
        self.keep(result)
    }
}

impl<T: Seek> Seek for Latched<T> {
    fn seek(&mut self, pos: SeekFrom) -> io::Result<u64> {
        let result = self.inner.seek(pos);
        self.keep(result)
    }
}

/// An output that the muxer writes into while the writer keeps it, to commit it in the end.
#[derive(Debug, Clone)]
pub(crate) struct SharedOutput(Arc<Mutex<Option<Box<dyn OutputFile>>>>);

impl SharedOutput {
    pub(crate) fn new(file: Box<dyn OutputFile>) -> Self {
        Self(Arc::new(Mutex::new(Some(file))))
    }

    /// Commits the file; whoever still has a clone cannot write any more.
    pub(crate) fn commit(self) -> Result<Written> {
        let file = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        file.ok_or_else(|| Error::Bug("an output was committed twice".into()))?.commit()
    }

    fn with<V>(&self, act: impl FnOnce(&mut dyn OutputFile) -> io::Result<V>) -> io::Result<V> {
        match self.0.lock().unwrap_or_else(PoisonError::into_inner).as_deref_mut() {
            Some(file) => act(file),
            None => Err(io::Error::other("the file is committed already")),
        }
    }
}

impl Write for SharedOutput {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.with(|f| f.write(buf))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.with(|f| f.flush())
    }
}

impl Seek for SharedOutput {
    fn seek(&mut self, pos: SeekFrom) -> io::Result<u64> {
        self.with(|f| f.seek(pos))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pipe_and_a_folder_are_refused_at_once() {
        let dir = tempfile::tempdir().unwrap();
        let pipe = dir.path().join("pipe");
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, rustix::fs::Mode::RUSR, 0).unwrap();
        for p in [pipe.as_path(), dir.path(), Path::new("/dev/null"), &dir.path().join("absent")] {
            assert!(matches!(open_regular(p), Err(Error::InputNotFound { .. })), "{p:?}");
        }
    }

    #[test]
    fn the_first_write_error_stays() {
        struct Full(usize);
        impl Write for Full {
            fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
                if self.0 == 0 {
                    return Err(io::Error::from_raw_os_error(28));
                }
                self.0 -= 1;
                Ok(buf.len())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let (mut sink, latch) = Latched::new(Full(1));
        assert!(sink.write(b"a").is_ok() && latch.get().is_none());
        assert!(sink.write(b"b").is_err());
        assert!(matches!(latch.check(Path::new("x")), Err(e) if e.code() == "storage-no-space"));
    }
}
