//! The few file operations that durability is made of, behind traits, so that tests can fail or stop any of them.
//!
//! Names inside a folder are single path components: a [`StoreDir`] is an open folder, so what happens to the path that led
//! to it (a rename, a planted link) no longer matters.

use std::ffi::{OsStr, OsString};
use std::fmt::Debug;
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// A file system: the operating system's ([`super::OsIo`]) or a test double.
pub trait StoreIo: Send + Sync + Debug {
    /// Opens an existing folder. A symbolic link to a folder is followed: the caller chose that path.
    fn open_dir(&self, path: &Path) -> io::Result<Box<dyn StoreDir>>;

    /// Creates a folder and its missing parents, durably.
    fn create_dir_all(&self, path: &Path) -> io::Result<()>;
}

/// An open folder. Every `name` is one component: not empty, not `.` or `..`, no separator.
pub trait StoreDir: Send + Sync + Debug {
    /// The path this folder was opened by, for messages.
    fn path(&self) -> &Path;

    /// Creates a file that must not exist yet, not even as a symbolic link, for reading and writing.
    fn create_new(&self, name: &OsStr) -> io::Result<Box<dyn StoreFile>>;

    /// Opens an existing file for reading and writing. A symbolic link is refused.
    fn open_write(&self, name: &OsStr) -> io::Result<Box<dyn StoreFile>>;

    /// Opens an existing regular file for reading. A symbolic link is refused.
    fn open_read(&self, name: &OsStr) -> io::Result<Box<dyn StoreFile>>;

    /// Renames within this folder, replacing what has the new name. A symbolic link of that name is replaced, not followed.
    fn rename(&self, from: &OsStr, to: &OsStr) -> io::Result<()>;

    /// Removes a file.
    fn remove(&self, name: &OsStr) -> io::Result<()>;

    /// Names of the regular files, sorted.
    fn list(&self) -> io::Result<Vec<OsString>>;

    /// Makes creations, renames and removals in this folder durable.
    fn sync(&self) -> io::Result<()>;

    /// Takes an exclusive lock on the file `name`, creating it when missing. `None` when somebody else holds it.
    /// The lock is held until the guard is dropped, or the process dies, however it dies.
    fn try_lock(&self, name: &OsStr) -> io::Result<Option<Box<dyn LockGuard>>>;

    /// A number that is unlikely to have been given before, for names of temporary files.
    fn nonce(&self) -> u64;
}

/// An open file.
pub trait StoreFile: Read + Write + Seek + Send + Debug {
    /// Makes the content durable. After an error nothing may be believed about what is on the disk.
    fn sync(&mut self) -> io::Result<()>;

    /// Length in bytes.
    fn byte_len(&mut self) -> io::Result<u64>;

    /// Cuts or extends the file.
    fn set_len(&mut self, len: u64) -> io::Result<()>;

    /// Marks this file as in use by a living process, until it is closed. `false`: somebody else has marked it, or it has
    /// been removed meanwhile.
    fn try_claim(&mut self) -> io::Result<bool>;
}

/// A lock that ends when this is dropped.
pub trait LockGuard: Send + Sync + Debug {}

/// Refuses names that are not one plain path component.
pub(super) fn check_name(name: &OsStr) -> io::Result<()> {
    let mut parts = Path::new(name).components();
    match (parts.next(), parts.next()) {
        (Some(std::path::Component::Normal(only)), None) if only == name => Ok(()),
        _ => Err(io::Error::new(io::ErrorKind::InvalidInput, format!("not a plain file name: {}", name.display()))),
    }
}

/// Splits `path` into its folder (`.` when there is none) and file name.
pub(super) fn split_path(path: &Path) -> Result<(PathBuf, OsString)> {
    let Some(name) = path.file_name() else {
        return Err(Error::usage(format!("a file name is wanted, got `{}`", path.display())));
    };
    let dir = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    Ok((dir.to_path_buf(), name.to_os_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_names_pass() {
        for bad in ["", ".", "..", "a/b", "/a", "a/", "./a"] {
            assert!(check_name(OsStr::new(bad)).is_err(), "{bad:?}");
        }
        for good in ["a", ".a", "-v.mp4", "a:b", "..a"] {
            assert!(check_name(OsStr::new(good)).is_ok(), "{good:?}");
        }
    }

    #[test]
    fn a_bare_name_is_in_the_current_folder() {
        assert_eq!(split_path(Path::new("x")).unwrap(), (PathBuf::from("."), OsString::from("x")));
        assert!(split_path(Path::new("/")).is_err());
        assert!(split_path(Path::new("a/..")).is_err());
    }
}
