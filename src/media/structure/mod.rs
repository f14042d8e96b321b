//! Does a container end where its own structure says it ends?
//!
//! Demuxers return the same "end of file" for a whole file and for a cut one. Most containers state their extent in sizes or
//! end marks; these walks read only those (no samples), once, after the last frame.

mod ebml;
mod nested;
mod serial;

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use super::avio::Watch;

/// What the structure says about the end of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ending {
    /// All sizes fit and the end (or end mark) is where it should be.
    Whole(&'static str),
    /// Something is missing or damaged.
    Broken(String),
    /// The container states nothing that could be checked.
    Unstated(&'static str),
}

/// Result of a walk, and whether the container keeps its index in pieces (fragmented MP4), so that frame counts in the header
/// do not cover the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Structure {
    pub(crate) ending: Ending,
    pub(crate) fragmented: bool,
    /// Samples without data, by stream, where the demuxer does not deliver them (AVI).
    pub(crate) empty_chunks: BTreeMap<usize, u64>,
}

impl Structure {
    /// A structure of which only the ending is known.
    pub(crate) const fn of(ending: Ending) -> Self {
        Self { ending, fragmented: false, empty_chunks: BTreeMap::new() }
    }
}

/// Steps after which a walk gives up: no sane file has more elements.
const MAX_STEPS: u64 = 20_000_000;
/// Bytes read at once.
const WINDOW: usize = 8 << 10;

/// Random access to a file through a small window.
pub(crate) struct Bytes<'a> {
    file: &'a File,
    pub(crate) size: u64,
    /// Hears of each window, and may end the walk.
    watch: &'a Watch,
    start: u64,
    window: Vec<u8>,
}

impl<'a> Bytes<'a> {
    pub(crate) fn new(file: &'a File, size: u64, watch: &'a Watch) -> Self {
        // The time since the last packet was not the file's.
        watch.progress();
        Self { file, size, watch, start: 0, window: Vec::new() }
    }

    /// `N` bytes at `position`, or `None` where the file ends before.
    pub(crate) fn at<const N: usize>(&mut self, position: u64) -> io::Result<Option<[u8; N]>> {
        if position.checked_add(N as u64).is_none_or(|end| end > self.size) {
            return Ok(None);
        }
        if let Some(found) = self.look(position) {
            return Ok(Some(found));
        }
        if self.watch.stop() {
            return Err(io::Error::other("reading was stopped"));
        }
        self.window.resize(WINDOW, 0);
        let mut filled = 0;
        while let Some(rest) = self.window.get_mut(filled..).filter(|r| !r.is_empty()) {
            match self.file.read_at(rest, position + filled as u64) {
                Ok(0) => break,
                Ok(n) => filled += n,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
        // A walk goes forward, and gives up after so many steps: each window is progress.
        self.watch.progress();
        self.window.truncate(filled);
        self.start = position;
        Ok(self.look(position))
    }

    fn look<const N: usize>(&self, position: u64) -> Option<[u8; N]> {
        let from = usize::try_from(position.checked_sub(self.start)?).ok()?;
        self.window.get(from..from.checked_add(N)?)?.try_into().ok()
    }
}

/// Walks a file of the container `format` (libavformat's names) with `streams` streams. `watch` hears of what is read; an error after it was
/// cancelled means just that.
pub(crate) fn check(format: &str, file: &File, size: u64, streams: usize, watch: &Watch) -> io::Result<Structure> {
    let mut bytes = Bytes::new(file, size, watch);
    let b = &mut bytes;
    let has = |name: &str| format.split(',').any(|n| n == name);
    let plain = Structure::of;
    Ok(if has("mov") {
        nested::boxes(b)?
    } else if has("matroska") {
        plain(ebml::check(b)?)
    } else if has("avi") {
        nested::riff(b)?
    } else if has("gif") {
        plain(serial::gif(b)?)
    } else if has("mpeg") {
        plain(serial::program_stream(b)?)
    } else if has("mpegts") {
        plain(serial::transport_stream(b)?)
    } else if has("mpegvideo") {
        plain(serial::elementary_stream(b)?)
    } else if has("ogg") {
        plain(serial::ogg(b, streams)?)
    } else if has("flv") {
        plain(serial::flv(b)?)
    } else {
        plain(Ending::Unstated("this container has no end that could be checked"))
    })
}

fn cut(what: &str, at: u64, needed: u64, size: u64) -> Ending {
    Ending::Broken(format!("{what} at byte {at} should reach byte {needed}, but the file ends at byte {size}"))
}

fn damaged(what: &str, at: u64) -> Ending {
    Ending::Broken(format!("the structure of the file is damaged at byte {at}: {what}"))
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;
    use crate::core::CancelToken;

    #[test]
    fn a_walk_tells_of_each_window_and_can_be_cancelled() {
        const BOXES: u64 = 40;
        const BYTES: u32 = 2 * WINDOW as u32;
        let mut file = tempfile::tempfile().unwrap();
        let mut one = vec![0; BYTES as usize];
        one[..4].copy_from_slice(&BYTES.to_be_bytes());
        one[4..8].copy_from_slice(b"free");
        for _ in 0..BOXES {
            file.write_all(&one).unwrap();
        }
        let size = BOXES * u64::from(BYTES);
        let cancel = CancelToken::new();
        let watch = Watch::new(cancel.clone(), 30);
        let pulse = Arc::new(AtomicU64::new(0));
        watch.share(Arc::clone(&pulse));
        let whole = check("mov,mp4", &file, size, 1, &watch).unwrap();
        assert!(matches!(whole.ending, Ending::Whole(_)), "{whole:?}");
        assert!(pulse.load(Ordering::Relaxed) > BOXES, "each box is in a window of its own");
        cancel.cancel();
        check("mov,mp4", &file, size, 1, &watch).unwrap_err();
    }
}
