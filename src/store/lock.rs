//! One owner per state folder.

use std::ffi::OsStr;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::commit::{clean_temps, commit};
use super::io::{LockGuard, StoreIo};
use crate::error::{Error, Result, StateError};

const LOCK_NAME: &str = ".lock";
const OWNER_NAME: &str = "owner";
/// Names of commands are short.
const OWNER_BYTES: u64 = 64;
/// A run that was just killed may hold its lock for some milliseconds more.
const PATIENCE: Duration = Duration::from_millis(400);
const RETRY_EVERY: Duration = Duration::from_millis(20);

/// A state folder that this run owns until it is dropped, or dies: the kernel releases the lock, so none can be stale.
#[derive(Debug)]
pub struct StateDir {
    path: PathBuf,
    cleaned: usize,
    _lock: Box<dyn LockGuard>,
}

impl StateDir {
    /// Creates the folder when missing, takes its lock and removes temporary files that dead runs left in it.
    ///
    /// # Errors
    /// [`StateError::Busy`] within one second when another run owns it; [`Error::Storage`] otherwise.
    pub fn acquire(io: &dyn StoreIo, path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        io.create_dir_all(path).map_err(|e| Error::storage("create the folder", path, e))?;
        let dir = io.open_dir(path).map_err(|e| Error::storage("open", path, e))?;
        let start = Instant::now();
        let lock = loop {
            match dir.try_lock(OsStr::new(LOCK_NAME)) {
                Ok(Some(lock)) => break lock,
                Ok(None) if start.elapsed() < PATIENCE => std::thread::sleep(RETRY_EVERY),
                Ok(None) => return Err(StateError::Busy(path.to_path_buf()).into()),
                Err(e) => return Err(Error::storage("lock", path.join(LOCK_NAME), e)),
            }
        };
        let cleaned = clean_temps(dir.as_ref())?;
        Ok(Self { path: path.to_path_buf(), cleaned, _lock: lock })
    }

    /// The same for the state below the outputs of one command, `owner`: the folder remembers whose it is.
    ///
    /// # Errors
    /// [`StateError::OtherCommand`] where another one owns it; those of [`Self::acquire`].
    pub fn acquire_for(io: &dyn StoreIo, path: impl AsRef<Path>, owner: &str) -> Result<Self> {
        let path = path.as_ref();
        let outputs = path.parent().unwrap_or(path);
        io.create_dir_all(outputs).map_err(|e| Error::storage("create the output folder", outputs, e))?;
        let state = Self::acquire(io, path)?;
        let file = state.join(OWNER_NAME);
        let unreadable = |e| Error::storage("read", &file, e);
        let dir = io.open_dir(&state.path).map_err(unreadable)?;
        let mut found = String::new();
        match dir.open_read(OsStr::new(OWNER_NAME)) {
            Ok(open) => {
                open.take(OWNER_BYTES).read_to_string(&mut found).map_err(unreadable)?;
            }
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                commit(io, &file, |w| w.write_all(owner.as_bytes()))?;
                return Ok(state);
            }
            Err(e) => return Err(unreadable(e)),
        }
        if found == owner {
            return Ok(state);
        }
        Err(StateError::OtherCommand { path: outputs.to_path_buf(), owner: found, wanted: owner.to_owned() }.into())
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A file in the folder.
    pub fn join(&self, name: impl AsRef<Path>) -> PathBuf {
        self.path.join(name)
    }

    /// How many temporary files of dead runs were removed.
    pub fn cleaned(&self) -> usize {
        self.cleaned
    }
}

/// Removes a file of a run's state, if it is there.
///
/// # Errors
/// [`Error::Storage`].
#[cfg(feature = "workflows")]
pub(crate) fn forget(path: impl AsRef<Path>) -> Result<()> {
    let path = path.as_ref();
    match std::fs::remove_file(path) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(Error::storage("remove", path, e)),
        _ => Ok(()),
    }
}
