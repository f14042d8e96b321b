//! Atomic commit: a visible name is a whole file.

use std::ffi::{OsStr, OsString};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::io::{StoreDir, StoreFile, StoreIo, split_path};
use crate::error::{Error, Result, same_error};

/// Bytes gathered before they are handed to the operating system.
const BUFFER_BYTES: usize = 256 * 1024;
/// Longest file name of the usual file systems, in bytes.
const NAME_MAX: usize = 255;
const TEMP_MARK: &str = ".tmp-";
const NONCE_DIGITS: usize = 16;

/// A file that has been committed: durable, whole, under its final name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Committed {
    /// Final path, as given.
    pub path: PathBuf,
    /// Length in bytes.
    pub bytes: u64,
    /// BLAKE3 of the content.
    pub blake3: blake3::Hash,
}

/// Writes a file atomically: `fill` writes into a temporary file in the same folder, which then takes the name `path`.
///
/// `fill` may return a [`crate::Error`] wrapped by [`io::Error::other`]; it comes out unchanged. A write error that `fill`
/// swallows still fails the commit. On any error the temporary file is removed and an older file at `path` stays as it was.
///
/// # Errors
/// [`Error::Storage`] with the path; [`Error::Usage`] when `path` has no file name; whatever `fill` returns.
pub fn commit(
    io: &dyn StoreIo,
    path: impl AsRef<Path>,
    fill: impl FnOnce(&mut Staged) -> io::Result<()>,
) -> Result<Committed> {
    let mut staged = Staged::create(io, path)?;
    match fill(&mut staged) {
        Ok(()) => staged.commit(),
        Err(e) => Err(staged.abandon(e)),
    }
}

/// Commits `value` as indented JSON with a line feed at the end. A float that is not finite becomes null.
///
/// # Errors
/// As [`commit`]; a value that cannot be JSON (a map with keys that are not text) is an [`Error::Storage`] too.
pub fn commit_json(io: &dyn StoreIo, path: impl AsRef<Path>, value: &impl serde::Serialize) -> Result<Committed> {
    commit(io, path, |w| {
        serde_json::to_writer_pretty(&mut *w, value)?;
        w.write_all(b"\n")
    })
}

/// A file being written under a temporary name. Dropped without [`Staged::commit`], it disappears.
///
/// It is buffered, and seekable for formats that fill in their header last (MP4, NPY); seeking back costs one extra reading
/// at the end, for the hash.
#[derive(Debug)]
pub struct Staged {
    dir: Box<dyn StoreDir>,
    path: PathBuf,
    name: OsString,
    temp: OsString,
    file: Option<Box<dyn StoreFile>>,
    buffer: Vec<u8>,
    /// Where the first byte of `buffer` belongs.
    at: u64,
    /// Largest end of anything written.
    end: u64,
    hasher: blake3::Hasher,
    /// Bytes hashed so far, while all writes were in order.
    hashed: Option<u64>,
    failed: Option<io::Error>,
}

impl Staged {
    /// Opens a temporary file in the folder of `path`, which must exist.
    ///
    /// # Errors
    /// [`Error::Storage`] with the path; [`Error::Usage`] when `path` has no file name.
    pub fn create(io: &dyn StoreIo, path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref().to_path_buf();
        let (folder, name) = split_path(&path)?;
        let dir = io.open_dir(&folder).map_err(|e| Error::storage("open", &folder, e))?;
        let (temp, file) = create_temp(dir.as_ref(), &name).map_err(|e| Error::storage("create", &path, e))?;
        Ok(Self {
            dir,
            path,
            name,
            temp,
            file: Some(file),
            buffer: Vec::with_capacity(BUFFER_BYTES),
            at: 0,
            end: 0,
            hasher: blake3::Hasher::new(),
            hashed: Some(0),
            failed: None,
        })
    }

    /// The final path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Bytes written so far.
    pub fn bytes(&self) -> u64 {
        self.end.max(self.at + self.buffer.len() as u64)
    }

    /// Checks the length, makes the content durable and gives it its final name.
    ///
    /// # Errors
    /// [`Error::Storage`]; then the file at the final path is the old one, or, when only the last step failed (fsync of
    /// the folder), the new one, whole. A failed fsync is final: nothing is tried again on this file.
    pub fn commit(mut self) -> Result<Committed> {
        match self.try_commit() {
            Ok(done) => Ok(done),
            Err((action, e)) => Err(Error::storage(action, &self.path, e)),
        }
    }

    /// Gives up, and says why: the first write error if there was one, else `e` (a wrapped [`crate::Error`] is unwrapped).
    pub fn abandon(mut self, e: io::Error) -> Error {
        match (self.failed.take(), e.downcast::<Error>()) {
            (Some(first), _) => Error::storage("write", &self.path, first),
            (None, Ok(own)) => own,
            (None, Err(e)) => Error::storage("write", &self.path, e),
        }
    }

    fn try_commit(&mut self) -> Result<Committed, (&'static str, io::Error)> {
        self.write_out().map_err(|e| ("write", e))?;
        if let Some(e) = self.failed.take() {
            return Err(("write", e));
        }
        let Some(file) = self.file.as_mut() else {
            return Err(("write", io::Error::other("already closed")));
        };
        let length = file.byte_len().map_err(|e| ("check", e))?;
        if length != self.end {
            let text = format!("wrote {} bytes, the file has {length}", self.end);
            return Err(("check", io::Error::new(io::ErrorKind::WriteZero, text)));
        }
        if self.hashed != Some(self.end) {
            self.hasher.reset();
            file.seek(SeekFrom::Start(0)).map_err(|e| ("check", e))?;
            let read = hash_reader(file.as_mut(), &mut self.hasher).map_err(|e| ("check", e))?;
            if read != self.end {
                return Err(("check", io::Error::from(io::ErrorKind::UnexpectedEof)));
            }
        }
        file.sync().map_err(|e| ("flush", e))?;
        self.dir.rename(&self.temp, &self.name).map_err(|e| ("rename", e))?;
        // From here the temporary name is gone; keep the drop from touching a file that another run may have made.
        self.file = None;
        self.dir.sync().map_err(|e| ("flush the folder of", e))?;
        Ok(Committed { path: self.path.clone(), bytes: self.end, blake3: self.hasher.finalize() })
    }

    fn check(&self) -> io::Result<()> {
        self.failed.as_ref().map_or(Ok(()), |e| Err(same_error(e)))
    }

    fn write_out(&mut self) -> io::Result<()> {
        self.check()?;
        if self.buffer.is_empty() {
            return Ok(());
        }
        let Some(file) = self.file.as_mut() else {
            return Err(io::Error::other("already closed"));
        };
        if let Err(e) = file.write_all(&self.buffer) {
            self.failed = Some(same_error(&e));
            return Err(e);
        }
        let next = self.at + self.buffer.len() as u64;
        self.hashed = match self.hashed {
            Some(done) if done == self.at => {
                self.hasher.update(&self.buffer);
                Some(next)
            }
            _ => None,
        };
        self.at = next;
        self.end = self.end.max(next);
        self.buffer.clear();
        Ok(())
    }
}

impl Write for Staged {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.check()?;
        // What does not fit is taken by the next call: a large write is never held twice.
        let (now, _) = data.split_at(data.len().min(BUFFER_BYTES.saturating_sub(self.buffer.len())));
        self.buffer.extend_from_slice(now);
        if self.buffer.len() >= BUFFER_BYTES {
            self.write_out()?;
        }
        Ok(now.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.write_out()
    }
}

impl Seek for Staged {
    fn seek(&mut self, pos: SeekFrom) -> io::Result<u64> {
        self.write_out()?;
        let target = match pos {
            SeekFrom::Start(n) => Some(n),
            SeekFrom::End(d) => self.end.checked_add_signed(d),
            SeekFrom::Current(d) => self.at.checked_add_signed(d),
        };
        let target = target.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "seek before the start"))?;
        if let Some(file) = self.file.as_mut() {
            self.at = file.seek(SeekFrom::Start(target))?;
        }
        Ok(self.at)
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        if self.file.take().is_some() {
            // Best effort: what cannot be removed now, `clean_temps` of the next run removes.
            drop(self.dir.remove(&self.temp));
        }
    }
}

/// Hashes everything that is left in `from`; returns the number of bytes.
pub(super) fn hash_reader(from: &mut (impl Read + ?Sized), hasher: &mut blake3::Hasher) -> io::Result<u64> {
    let mut chunk = vec![0u8; BUFFER_BYTES];
    let mut total = 0u64;
    loop {
        match from.read(&mut chunk) {
            Ok(0) => return Ok(total),
            Ok(n) => {
                hasher.update(chunk.get(..n).unwrap_or_default());
                total += n as u64;
            }
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
}

fn temp_name(name: &OsStr, nonce: u64) -> OsString {
    let suffix = format!("{TEMP_MARK}{nonce:016x}");
    let mut base = name.to_string_lossy().into_owned();
    let mut room = (NAME_MAX - 1 - suffix.len()).min(base.len());
    while !base.is_char_boundary(room) {
        room -= 1;
    }
    base.truncate(room);
    OsString::from(format!(".{base}{suffix}"))
}

fn is_temp_name(name: &OsStr) -> bool {
    let Some((base, nonce)) = name.to_str().and_then(|n| n.rsplit_once(TEMP_MARK)) else { return false };
    base.starts_with('.')
        && nonce.len() == NONCE_DIGITS
        && nonce.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

fn create_temp(dir: &dyn StoreDir, name: &OsStr) -> io::Result<(OsString, Box<dyn StoreFile>)> {
    for _ in 0..16 {
        let temp = temp_name(name, dir.nonce());
        let mut file = match dir.create_new(&temp) {
            Ok(file) => file,
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => continue,
            Err(e) => return Err(e),
        };
        match file.try_claim() {
            Ok(true) => return Ok((temp, file)),
            // The clean-up of another run came between creating and claiming.
            Ok(false) => {}
            // No locks here (some network file systems): the clean-up cannot lock either, and leaves the file alone.
            Err(e) if e.kind() == io::ErrorKind::Unsupported => return Ok((temp, file)),
            Err(e) => {
                drop(file);
                drop(dir.remove(&temp));
                return Err(e);
            }
        }
    }
    Err(io::Error::new(io::ErrorKind::AlreadyExists, "no free name for a temporary file after 16 tries"))
}

/// Removes temporary files that dead runs left in a folder; those of living runs, here or elsewhere, are told by their lock
/// and stay, and so do those of other users that may not be opened or removed. Returns the number removed.
///
/// # Errors
/// [`Error::Storage`] when the folder cannot be read or a file cannot be removed.
pub fn clean_temps(dir: &dyn StoreDir) -> Result<usize> {
    let mut removed = 0;
    for name in dir.list().map_err(|e| Error::storage("list", dir.path(), e))? {
        if !is_temp_name(&name) {
            continue;
        }
        let path = dir.path().join(&name);
        let mut file = match dir.open_write(&name) {
            Ok(file) => file,
            // In a folder that several users share, somebody else's is none of our business.
            Err(e) if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied) => continue,
            Err(e) => return Err(Error::storage("open", path, e)),
        };
        if matches!(file.try_claim(), Ok(true)) {
            match dir.remove(&name) {
                Ok(()) => removed += 1,
                Err(e) if e.kind() == io::ErrorKind::PermissionDenied => {}
                Err(e) => return Err(Error::storage("remove", path, e)),
            }
        }
    }
    Ok(removed)
}

/// Makes a folder for outputs, with its parents, and removes temporary files that dead runs left in it.
///
/// # Errors
/// [`Error::Storage`].
pub fn output_folder(io: &dyn StoreIo, path: &Path) -> Result<()> {
    io.create_dir_all(path).map_err(|e| {
        // A file of that name is a better reason than that a part of the path is no folder.
        let e = if path.is_file() { rustix::io::Errno::EXIST.into() } else { e };
        Error::storage("create the output folder", path, e)
    })?;
    let dir = io.open_dir(path).map_err(|e| Error::storage("open", path, e))?;
    clean_temps(dir.as_ref()).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{LockGuard, OsIo};

    #[test]
    fn temp_names_are_recognised_and_fit() {
        let long = "é".repeat(127);
        for name in ["a.mp4", ".hidden", "-v", long.as_str()] {
            let temp = temp_name(OsStr::new(name), 0xabc);
            assert!(is_temp_name(&temp) && temp.len() <= NAME_MAX, "{temp:?}");
        }
        for other in ["a.mp4", ".a.tmp-", ".a.tmp-123", "a.tmp-0000000000000abc", ".a.tmp-0000000000000ABC"] {
            assert!(!is_temp_name(OsStr::new(other)), "{other}");
        }
    }

    #[test]
    fn content_length_and_hash_are_reported_also_after_seeking() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x");
        let done = commit(&OsIo, &path, |w| {
            w.write_all(b"....world")?;
            w.seek(SeekFrom::Start(0))?;
            w.write_all(b"the ")?;
            w.seek(SeekFrom::End(0))?;
            w.write_all(b"!")
        })
        .unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"the world!");
        assert_eq!((done.bytes, done.blake3), (10, blake3::hash(b"the world!")));
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_failed_fill_keeps_the_old_file_and_its_own_error() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x");
        commit(&OsIo, &path, |w| w.write_all(b"old")).unwrap();
        let e = commit(&OsIo, &path, |w| {
            w.write_all(&vec![0; 1 << 20])?;
            Err(io::Error::other(Error::Cancelled))
        });
        assert!(matches!(e, Err(Error::Cancelled)));
        assert_eq!(std::fs::read(&path).unwrap(), b"old");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn temps_of_living_runs_stay() {
        let folder = tempfile::tempdir().unwrap();
        let dir = OsIo.open_dir(folder.path()).unwrap();
        let mut alive = Staged::create(&OsIo, folder.path().join("alive")).unwrap();
        alive.write_all(b"1").unwrap();
        drop(dir.create_new(OsStr::new(".dead.tmp-0123456789abcdef")).unwrap());
        assert_eq!(clean_temps(dir.as_ref()).unwrap(), 1);
        alive.commit().unwrap();
        assert_eq!(dir.list().unwrap(), ["alive"]);
    }

    /// A folder in which some files belong to another user: one may not be opened, one not be removed.
    #[derive(Debug)]
    struct Shared(Box<dyn StoreDir>);

    const UNREADABLE: &str = ".a.tmp-0123456789abcdef";
    const STICKY: &str = ".b.tmp-0123456789abcdef";

    impl StoreDir for Shared {
        fn path(&self) -> &Path {
            self.0.path()
        }
        fn create_new(&self, name: &OsStr) -> io::Result<Box<dyn StoreFile>> {
            self.0.create_new(name)
        }
        fn open_write(&self, name: &OsStr) -> io::Result<Box<dyn StoreFile>> {
            if name == UNREADABLE { Err(io::ErrorKind::PermissionDenied.into()) } else { self.0.open_write(name) }
        }
        fn open_read(&self, name: &OsStr) -> io::Result<Box<dyn StoreFile>> {
            self.0.open_read(name)
        }
        fn rename(&self, from: &OsStr, to: &OsStr) -> io::Result<()> {
            self.0.rename(from, to)
        }
        fn remove(&self, name: &OsStr) -> io::Result<()> {
            if name == STICKY { Err(io::ErrorKind::PermissionDenied.into()) } else { self.0.remove(name) }
        }
        fn list(&self) -> io::Result<Vec<OsString>> {
            self.0.list()
        }
        fn sync(&self) -> io::Result<()> {
            self.0.sync()
        }
        fn try_lock(&self, name: &OsStr) -> io::Result<Option<Box<dyn LockGuard>>> {
            self.0.try_lock(name)
        }
        fn nonce(&self) -> u64 {
            self.0.nonce()
        }
    }

    #[test]
    fn temps_of_other_users_stay_and_stop_nobody() {
        let folder = tempfile::tempdir().unwrap();
        let dir = Shared(OsIo.open_dir(folder.path()).unwrap());
        for name in [UNREADABLE, STICKY, ".c.tmp-0123456789abcdef"] {
            drop(dir.create_new(OsStr::new(name)).unwrap());
        }
        assert_eq!(clean_temps(&dir).unwrap(), 1);
        assert_eq!(dir.list().unwrap(), [UNREADABLE, STICKY]);
    }
}
