//! Which picture files there are, and what tells whether one has changed.

use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use crate::core::Limits;
use crate::error::{Error, Result};
use crate::media::{ListOptions, Skipped, list_images};

/// A picture file as the file system knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PictureFile {
    /// Absolute path without links, so that spelling does not matter.
    pub path: String,
    /// Length in bytes.
    pub bytes: u64,
    /// Time of its last change, in nanoseconds since 1970.
    pub modified_ns: u64,
}

/// Picture files in natural order of their paths, and what was passed over.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Scan {
    /// The pictures.
    pub files: Vec<PictureFile>,
    /// Everything else, and why: symbolic links, files that are no pictures, names that are not UTF-8.
    pub skipped: Vec<Skipped>,
}

impl Scan {
    /// Lists the pictures of `inputs`: folders, with all below them if `recursive`, or single files. Links are not followed, but named.
    ///
    /// # Errors
    /// `InputNotFound` for what does not exist or cannot be read; `LimitExceeded` for more than `limits.frames` entries.
    pub fn of(inputs: &[PathBuf], recursive: bool, limits: &Limits) -> Result<Self> {
        let mut scan = Self::default();
        for input in inputs {
            let path = canonical(input)?;
            if path.is_dir() {
                let list = list_images(&path, ListOptions { recursive, follow_symlinks: false }, limits)?;
                scan.skipped.extend(list.skipped);
                list.files.into_iter().for_each(|file| scan.add(file));
            } else {
                scan.add(path);
            }
        }
        scan.settle();
        Ok(scan)
    }

    /// The files of `paths`, which need not be there any more.
    pub(super) fn of_paths<'a>(paths: impl IntoIterator<Item = &'a str>) -> Self {
        let mut scan = Self::default();
        paths.into_iter().for_each(|path| scan.add(path.into()));
        scan.settle();
        scan
    }

    /// The first `count` pictures only.
    pub fn first(mut self, count: usize) -> Self {
        self.files.truncate(count);
        self
    }

    fn add(&mut self, path: PathBuf) {
        let facts = std::fs::metadata(&path).and_then(|meta| Ok((meta.len(), meta.modified()?)));
        match (facts, path.into_os_string().into_string()) {
            (Ok((bytes, modified)), Ok(path)) => {
                let since = modified.duration_since(UNIX_EPOCH).map_or(0, |d| d.as_nanos());
                self.files.push(PictureFile { path, bytes, modified_ns: u64::try_from(since).unwrap_or(u64::MAX) });
            }
            (Err(e), path) => {
                let path = path.map_or_else(PathBuf::from, PathBuf::from);
                self.skipped.push(Skipped { path, reason: e.to_string() });
            }
            (Ok(_), Err(path)) => {
                self.skipped.push(Skipped { path: path.into(), reason: "its name is not UTF-8".into() });
            }
        }
    }

    /// Order and no path twice.
    pub(super) fn settle(&mut self) {
        self.files.sort_by(|a, b| order(&a.path, &b.path));
        self.files.dedup_by(|a, b| a.path == b.path);
        self.skipped.sort_by(|a, b| order(&a.path.to_string_lossy(), &b.path.to_string_lossy()));
        self.skipped.dedup();
    }
}

/// The absolute path of what `path` names.
///
/// # Errors
/// `InputNotFound`.
pub(super) fn canonical(path: &Path) -> Result<PathBuf> {
    path.canonicalize().map_err(|e| Error::unreadable(path, &e))
}

/// Order of pictures everywhere: by folder and name, digits as numbers.
fn order(a: &str, b: &str) -> std::cmp::Ordering {
    crate::media::folder::natural_paths(Path::new(a), Path::new(b))
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "tests make the files that they read")]
mod tests {
    use super::*;

    #[test]
    fn links_are_named_and_spelling_does_not_matter() {
        let dir = tempfile::tempdir().unwrap();
        let gif = b"GIF89a\x01\0\x01\0\0\0\0;";
        std::fs::create_dir(dir.path().join("sub")).unwrap();
        for name in ["p10.gif", "p9.gif", "sub/p1.gif"] {
            std::fs::write(dir.path().join(name), gif).unwrap();
        }
        std::fs::write(dir.path().join("notes.txt"), "no picture").unwrap();
        std::os::unix::fs::symlink(dir.path().join("p9.gif"), dir.path().join("link.gif")).unwrap();
        let scan = |path: PathBuf, recursive| Scan::of(&[path], recursive, &Limits::default()).unwrap();
        let all = scan(dir.path().to_path_buf(), true);
        let names: Vec<_> = all.files.iter().map(|f| f.path.rsplit('/').next().unwrap()).collect();
        assert_eq!(names, ["p9.gif", "p10.gif", "p1.gif"]);
        let reasons: Vec<_> = all.skipped.iter().map(|s| s.reason.as_str()).collect();
        assert_eq!(reasons, ["symbolic link", "not a picture"]);
        assert_eq!(all, scan(dir.path().join("sub/../."), true));
        assert_eq!(scan(dir.path().to_path_buf(), false).files.len(), 2);
        let twice = [dir.path().to_path_buf(), dir.path().join("p9.gif")];
        assert_eq!(Scan::of(&twice, true, &Limits::default()).unwrap().files, all.files);
        assert!(Scan::of(&[dir.path().join("no")], true, &Limits::default()).is_err());
    }
}
