//! A folder of pictures: listed in natural order, or read as if it were a video.

use std::cmp::Ordering;
use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::files::open_regular;
use super::images::{DecodeHint, DecodedImage, ImageFormat, decode_image};
use crate::core::{FrameInfo, Limits, Rational};
use crate::error::{Error, Result};

/// Deepest nesting of folders that is followed.
const MAX_DEPTH: usize = 32;
/// Bytes that tell the format of a picture.
const SNIFF: u64 = 64;

/// What to list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ListOptions {
    /// Look into sub-folders too, at most 32 deep.
    pub recursive: bool,
    /// Follow symbolic links. Off by default: a link in a foreign folder may point anywhere. Each folder is visited once.
    pub follow_symlinks: bool,
}

/// Something in a folder that is not in the list, and why.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// What was skipped.
    pub path: PathBuf,
    /// "symbolic link", "not a picture", "folder", and so on.
    pub reason: String,
}

/// The pictures of a folder.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ImageList {
    /// Files whose content begins like a picture, in natural order of their path below the folder: runs of digits compare as
    /// numbers (`frame2` before `frame10`), all else byte by byte.
    pub files: Vec<PathBuf>,
    /// All that was passed over, in the same order.
    pub skipped: Vec<Skipped>,
}

/// Lists the pictures of a folder. The format is taken from the first bytes of each file.
///
/// Every entry is in one of the two lists. A folder that cannot be read, and more than `limits.frames` entries, are errors.
pub fn list_images(folder: impl AsRef<Path>, options: ListOptions, limits: &Limits) -> Result<ImageList> {
    let folder = folder.as_ref();
    let mut walk = Walk { options, limits, list: ImageList::default(), visited: HashSet::new(), entries: 0 };
    walk.enter(folder, 0)?;
    let mut list = walk.list;
    list.files.sort_by(|a, b| natural_paths(a, b));
    list.skipped.sort_by(|a, b| natural_paths(&a.path, &b.path));
    Ok(list)
}

struct Walk<'a> {
    options: ListOptions,
    limits: &'a Limits,
    list: ImageList,
    visited: HashSet<PathBuf>,
    entries: u64,
}

impl Walk<'_> {
    fn skip(&mut self, path: PathBuf, reason: impl Into<String>) {
        self.list.skipped.push(Skipped { path, reason: reason.into() });
    }

    fn enter(&mut self, folder: &Path, depth: usize) -> Result<()> {
        let unreadable = |e: std::io::Error| Error::unreadable(folder, &e);
        if self.options.follow_symlinks && !self.visited.insert(folder.canonicalize().map_err(unreadable)?) {
            self.skip(folder.to_path_buf(), "folder seen before");
            return Ok(());
        }
        for entry in fs::read_dir(folder).map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            self.entries += 1;
            Limits::check("frames", self.limits.frames, self.entries, || "the number of entries of a folder".into())?;
            self.visit(entry.path(), depth)?;
        }
        Ok(())
    }

    fn visit(&mut self, path: PathBuf, depth: usize) -> Result<()> {
        let link = match fs::symlink_metadata(&path) {
            Ok(meta) => meta.is_symlink(),
            Err(e) => {
                self.skip(path, e.to_string());
                return Ok(());
            }
        };
        if link && !self.options.follow_symlinks {
            self.skip(path, "symbolic link");
            return Ok(());
        }
        match fs::metadata(&path) {
            Err(e) => self.skip(path, format!("broken link ({e})")),
            Ok(meta) if meta.is_dir() => {
                if !self.options.recursive {
                    self.skip(path, "folder");
                } else if depth + 1 >= MAX_DEPTH {
                    self.skip(path, format!("folder nested more than {MAX_DEPTH} deep"));
                } else {
                    match self.enter(&path, depth + 1) {
                        // One sub-folder without permission must not hide the others.
                        Err(Error::InputNotFound { path, reason }) => self.skip(path, format!("unreadable: {reason}")),
                        other => other?,
                    }
                }
            }
            Ok(meta) if !meta.is_file() => self.skip(path, "not a regular file"),
            Ok(_) => match sniff(&path) {
                Ok(Some(_)) => self.list.files.push(path),
                Ok(None) => self.skip(path, "not a picture"),
                Err(e) => self.skip(path, e.to_string()),
            },
        }
        Ok(())
    }
}

fn sniff(path: &Path) -> Result<Option<ImageFormat>> {
    let (file, _) = open_regular(path)?;
    let mut head = Vec::new();
    file.take(SNIFF)
        .read_to_end(&mut head)
        .map_err(|e| Error::InputNotFound { path: path.to_path_buf(), reason: format!("reading failed: {e}") })?;
    Ok(if head.is_empty() { None } else { ImageFormat::of(&head, path) })
}

/// Natural order of paths, component by component; ties are broken by the bytes, so the order is total.
pub(crate) fn natural_paths(a: &Path, b: &Path) -> Ordering {
    let mut left = a.components();
    let mut right = b.components();
    loop {
        match (left.next(), right.next()) {
            (None, None) => return a.as_os_str().as_encoded_bytes().cmp(b.as_os_str().as_encoded_bytes()),
            (None, Some(_)) => return Ordering::Less,
            (Some(_), None) => return Ordering::Greater,
            (Some(x), Some(y)) => match natural(x.as_os_str(), y.as_os_str()) {
                Ordering::Equal => {}
                other => return other,
            },
        }
    }
}

/// Natural order of names: runs of ASCII digits compare as numbers of any length, all else by byte.
fn natural(a: &OsStr, b: &OsStr) -> Ordering {
    let (mut a, mut b) = (a.as_encoded_bytes(), b.as_encoded_bytes());
    loop {
        let (na, rest_a) = digits(a);
        let (nb, rest_b) = digits(b);
        if !na.is_empty() && !nb.is_empty() {
            let (va, vb) = (strip_zeros(na), strip_zeros(nb));
            match va.len().cmp(&vb.len()).then_with(|| va.cmp(vb)) {
                Ordering::Equal => (a, b) = (rest_a, rest_b),
                other => return other,
            }
            continue;
        }
        match (a.split_first(), b.split_first()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => return Ordering::Less,
            (Some(_), None) => return Ordering::Greater,
            (Some((x, ra)), Some((y, rb))) => match x.cmp(y) {
                Ordering::Equal => (a, b) = (ra, rb),
                other => return other,
            },
        }
    }
}

fn digits(s: &[u8]) -> (&[u8], &[u8]) {
    let n = s.iter().take_while(|c| c.is_ascii_digit()).count();
    s.split_at_checked(n).unwrap_or((s, &[]))
}

fn strip_zeros(s: &[u8]) -> &[u8] {
    let n = s.iter().take_while(|c| **c == b'0').count();
    s.get(n..).unwrap_or_default()
}

/// A picture of a folder as a frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FolderFrame {
    /// File.
    pub path: PathBuf,
    /// Index and time: `pts` is the position in the list, the time base one frame.
    pub info: FrameInfo,
    /// The picture, with its own size.
    pub image: DecodedImage,
}

/// A list of pictures as a source of frames, in the order of the list. A picture that cannot be decoded is an `Err` in its
/// place: the frames after it keep their times.
#[derive(Debug, Clone)]
pub struct FolderFrames {
    files: Vec<PathBuf>,
    next: usize,
    time_base: Rational,
    stream: u32,
    limits: Limits,
    hint: DecodeHint,
}

impl FolderFrames {
    /// Frames from `files` at `rate` pictures per second (greater than 0); `stream` is handed on in [`FrameInfo::stream`].
    pub fn new(files: Vec<PathBuf>, rate: Rational, stream: u32, limits: Limits, hint: DecodeHint) -> Result<Self> {
        if rate.num <= 0 || rate.den <= 0 {
            return Err(Error::Parameter {
                op: "media/folder",
                name: "rate",
                wanted: "greater than 0".into(),
                given: rate.to_string(),
            });
        }
        let time_base = Rational { num: rate.den, den: rate.num };
        Ok(Self { files, next: 0, time_base, stream, limits, hint })
    }

    /// Unit of the timestamps: the duration of one frame.
    pub fn time_base(&self) -> Rational {
        self.time_base
    }
}

impl Iterator for FolderFrames {
    type Item = Result<FolderFrame>;

    fn next(&mut self) -> Option<Self::Item> {
        let path = self.files.get(self.next)?.clone();
        let index = self.next;
        self.next += 1;
        let frame = decode_image(&path, &self.limits, self.hint).map(|image| FolderFrame {
            path,
            info: FrameInfo {
                stream: self.stream,
                index: index as u64,
                pts: i64::try_from(index).ok(),
                time_base: self.time_base,
                duration: 1,
                key: true,
                damaged: image.damaged.is_some(),
            },
            image,
        });
        Some(frame)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.files.len().saturating_sub(self.next);
        (left, Some(left))
    }
}

impl ExactSizeIterator for FolderFrames {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_sort_as_numbers() {
        let mut names = [
            "frame10",
            "frame2",
            "a",
            "frame2b",
            "Frame3",
            "frame02",
            "frame",
            "10",
            "9",
            "frame18446744073709551616",
            "frame1/z",
            "frame1",
        ];
        names.sort_by(|a, b| natural_paths(Path::new(a), Path::new(b)));
        let want = [
            "9",
            "10",
            "Frame3",
            "a",
            "frame",
            "frame1",
            "frame1/z",
            "frame02",
            "frame2",
            "frame2b",
            "frame10",
            "frame18446744073709551616",
        ];
        assert_eq!(names, want);
    }
}
