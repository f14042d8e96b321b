//! Where finished files come from: something to write to and seek in, that gets its name only when it is whole.
//!
//! Rooms that write files take these traits, and so need not know how a file becomes durable; `store` implements them.

use std::fmt::Debug;
use std::io::{Seek, Write};
use std::path::Path;

use crate::error::Result;

/// A file that has been committed: durable, whole, under its final name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    /// Length in bytes.
    pub bytes: u64,
    /// BLAKE3 of the content.
    pub blake3: [u8; 32],
}

/// A file being written. Dropped without [`OutputFile::commit`], it disappears, and an older file of that name stays as it was.
pub trait OutputFile: Write + Seek + Send + Debug {
    /// Makes the content durable and gives it its final name.
    ///
    /// # Errors
    /// [`crate::Error::Storage`] for anything that failed, earlier writes included.
    fn commit(self: Box<Self>) -> Result<Written>;
}

/// A place where files can be created.
pub trait OutputSink {
    /// Begins the file that will be called `path`; its folder must exist.
    ///
    /// # Errors
    /// [`crate::Error::Storage`] with the path; [`crate::Error::Usage`] when `path` has no file name.
    fn create_output(&self, path: &Path) -> Result<Box<dyn OutputFile>>;
}
