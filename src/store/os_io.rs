//! [`StoreIo`] on the operating system: folder descriptors, `O_EXCL`, `O_NOFOLLOW`, `flock`. Unix only.

use std::ffi::{OsStr, OsString};
use std::fs::{File, TryLockError};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, openat, renameat, statat, unlinkat};

use super::io::{LockGuard, StoreDir, StoreFile, StoreIo, check_name};

/// The operating system's files.
#[derive(Debug, Clone, Copy, Default)]
pub struct OsIo;

impl StoreIo for OsIo {
    fn open_dir(&self, path: &Path) -> io::Result<Box<dyn StoreDir>> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let fd = openat(CWD, path, flags, Mode::empty())?;
        Ok(Box::new(OsDir { fd: Arc::new(fd), path: path.to_path_buf() }))
    }

    fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        let mut missing = Vec::new();
        let mut at = path;
        while !at.as_os_str().is_empty() && !at.try_exists()? {
            missing.push(at);
            at = at.parent().unwrap_or(Path::new(""));
        }
        for dir in missing.into_iter().rev() {
            match std::fs::create_dir(dir) {
                Ok(()) => {}
                // Another run was faster.
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists => continue,
                Err(e) => return Err(e),
            }
            let parent = dir.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
            sync_dir(&File::open(parent)?)?;
        }
        if path.is_dir() { Ok(()) } else { Err(io::Error::from(io::ErrorKind::NotADirectory)) }
    }
}

/// Some network and FUSE file systems answer EINVAL: they have no such operation, and their server orders metadata itself.
/// Every other error is one.
fn sync_dir(dir: &File) -> io::Result<()> {
    match dir.sync_all() {
        Err(e) if e.raw_os_error() == Some(rustix::io::Errno::INVAL.raw_os_error()) => Ok(()),
        other => other,
    }
}

#[derive(Debug)]
struct OsDir {
    fd: Arc<OwnedFd>,
    path: PathBuf,
}

impl OsDir {
    fn open(&self, name: &OsStr, flags: OFlags) -> io::Result<Box<dyn StoreFile>> {
        check_name(name)?;
        // NONBLOCK: a named pipe planted under the name must not make us wait for its other end.
        let flags = flags | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let file = File::from(openat(&self.fd, name, flags, Mode::from_raw_mode(0o666))?);
        if !file.metadata()?.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
        }
        Ok(Box::new(OsFile(file)))
    }
}

impl StoreDir for OsDir {
    fn path(&self) -> &Path {
        &self.path
    }

    fn create_new(&self, name: &OsStr) -> io::Result<Box<dyn StoreFile>> {
        self.open(name, OFlags::RDWR | OFlags::CREATE | OFlags::EXCL)
    }

    fn open_write(&self, name: &OsStr) -> io::Result<Box<dyn StoreFile>> {
        self.open(name, OFlags::RDWR)
    }

    fn open_read(&self, name: &OsStr) -> io::Result<Box<dyn StoreFile>> {
        self.open(name, OFlags::RDONLY)
    }

    fn rename(&self, from: &OsStr, to: &OsStr) -> io::Result<()> {
        check_name(from)?;
        check_name(to)?;
        Ok(renameat(&self.fd, from, &self.fd, to)?)
    }

    fn remove(&self, name: &OsStr) -> io::Result<()> {
        check_name(name)?;
        Ok(unlinkat(&self.fd, name, AtFlags::empty())?)
    }

    fn list(&self) -> io::Result<Vec<OsString>> {
        let mut names = Vec::new();
        for entry in Dir::read_from(&self.fd)? {
            let entry = entry?;
            let name = OsStr::from_bytes(entry.file_name().to_bytes());
            let kind = match entry.file_type() {
                // Some file systems leave the type out.
                FileType::Unknown => match statat(&self.fd, name, AtFlags::SYMLINK_NOFOLLOW) {
                    Ok(stat) => FileType::from_raw_mode(stat.st_mode),
                    Err(rustix::io::Errno::NOENT) => continue,
                    Err(e) => return Err(e.into()),
                },
                known => known,
            };
            if kind == FileType::RegularFile {
                names.push(name.to_os_string());
            }
        }
        names.sort();
        Ok(names)
    }

    fn sync(&self) -> io::Result<()> {
        sync_dir(&File::from(self.fd.try_clone()?))
    }

    fn try_lock(&self, name: &OsStr) -> io::Result<Option<Box<dyn LockGuard>>> {
        check_name(name)?;
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let file = File::from(openat(&self.fd, name, flags, Mode::from_raw_mode(0o666))?);
        match file.try_lock() {
            Ok(()) => Ok(Some(Box::new(OsLock { _file: file }))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(e)) => Err(e),
        }
    }

    fn nonce(&self) -> u64 {
        // RandomState is seeded by the system and differs from call to call; the file is opened with O_EXCL anyway.
        let mut hasher = RandomState::new().build_hasher();
        hasher.write_u32(std::process::id());
        hasher.finish()
    }
}

/// Closing the file releases the lock.
#[derive(Debug)]
struct OsLock {
    _file: File,
}

impl LockGuard for OsLock {}

#[derive(Debug)]
struct OsFile(File);

impl Read for OsFile {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.0.read(buf)
    }
}

impl Write for OsFile {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.0.write(buf)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl Seek for OsFile {
    fn seek(&mut self, pos: SeekFrom) -> io::Result<u64> {
        self.0.seek(pos)
    }
}

impl StoreFile for OsFile {
    fn sync(&mut self) -> io::Result<()> {
        self.0.sync_all()
    }

    fn byte_len(&mut self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }

    fn set_len(&mut self, len: u64) -> io::Result<()> {
        self.0.set_len(len)
    }

    fn try_claim(&mut self) -> io::Result<bool> {
        use std::os::unix::fs::MetadataExt;
        match self.0.try_lock() {
            Ok(()) => Ok(self.0.metadata()?.nlink() > 0),
            Err(TryLockError::WouldBlock) => Ok(false),
            Err(TryLockError::Error(e)) => Err(e),
        }
    }
}
