//! Content id of an input file.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use rustix::fs::{Mode, OFlags};

use super::commit::hash_reader;
use crate::core::CancelToken;
use crate::error::{Error, Result};

/// Size and BLAKE3 of the whole content. The name, the folder and the times of a file are no part of what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint {
    /// Size in bytes.
    pub size: u64,
    /// BLAKE3 of the content.
    pub blake3: blake3::Hash,
}

impl Fingerprint {
    /// Reads a file once, in pieces; cancellable between pieces.
    ///
    /// # Errors
    /// [`Error::InputNotFound`] when it cannot be read, is not a regular file, or changes while it is read;
    /// [`Error::Cancelled`].
    pub fn of_file(path: impl AsRef<Path>, cancel: &CancelToken) -> Result<Self> {
        let path = path.as_ref();
        let refuse = |reason: String| Error::InputNotFound { path: path.to_path_buf(), reason };
        // NONBLOCK: opening a named pipe must not wait for a writer.
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let fd = rustix::fs::open(path, flags, Mode::empty()).map_err(|e| refuse(io::Error::from(e).to_string()))?;
        let file = File::from(fd);
        let before = file.metadata().map_err(|e| refuse(e.to_string()))?;
        if !before.is_file() {
            return Err(refuse(if before.is_dir() { "is a directory".into() } else { "not a regular file".into() }));
        }
        let mut hasher = blake3::Hasher::new();
        let mut reader = Cancellable { inner: &file, cancel };
        let size = hash_reader(&mut reader, &mut hasher).map_err(|e| match e.downcast::<Error>() {
            Ok(own) => own,
            Err(e) => refuse(e.to_string()),
        })?;
        let after = file.metadata().map_err(|e| refuse(e.to_string()))?;
        if size != before.len() || after.len() != size || before.modified().ok() != after.modified().ok() {
            return Err(refuse("it changed while it was read".into()));
        }
        Ok(Self { size, blake3: hasher.finalize() })
    }

    /// The id of bytes in memory.
    pub fn of_bytes(bytes: &[u8]) -> Self {
        Self { size: bytes.len() as u64, blake3: blake3::hash(bytes) }
    }
}

impl fmt::Display for Fingerprint {
    /// `<size>-<hash in hexadecimal>`, as it goes into a run key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.size, self.blake3.to_hex())
    }
}

struct Cancellable<'a> {
    inner: &'a File,
    cancel: &'a CancelToken,
}

impl Read for Cancellable<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.cancel.check().map_err(io::Error::other)?;
        self.inner.read(buf)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{OsIo, commit};
    use std::io::Write;

    #[test]
    fn names_do_not_matter_and_content_does() {
        let dir = tempfile::tempdir().unwrap();
        let cancel = CancelToken::new();
        let big: Vec<u8> = (0..3_000_000u32).map(|i| (i * 7 % 251) as u8).collect();
        for (name, bytes) in [("a", &big[..]), ("b", &big[..]), ("c", &big[1..]), ("empty", &[])] {
            commit(&OsIo, dir.path().join(name), |w| w.write_all(bytes)).unwrap();
            assert_eq!(Fingerprint::of_file(dir.path().join(name), &cancel).unwrap(), Fingerprint::of_bytes(bytes));
        }
    }

    #[test]
    fn folders_pipes_and_missing_files_are_told_apart_at_once() {
        let dir = tempfile::tempdir().unwrap();
        let reason = |path: &Path| match Fingerprint::of_file(path, &CancelToken::new()) {
            Err(Error::InputNotFound { reason, .. }) => reason,
            other => panic!("{other:?}"),
        };
        assert_eq!(reason(dir.path()), "is a directory");
        assert!(reason(&dir.path().join("no")).contains("No such file"));
        let pipe = dir.path().join("pipe");
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, Mode::from_raw_mode(0o600), 0).unwrap();
        assert_eq!(reason(&pipe), "not a regular file");
    }

    #[test]
    fn cancelling_ends_the_reading() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let cancel = CancelToken::new();
        cancel.cancel();
        assert!(matches!(Fingerprint::of_file(file.path(), &cancel), Err(Error::Cancelled)));
    }
}
