//! One decoding for several readers of the same track.
//!
//! Whoever measures a video in two ways at once would decode it twice, and decoding is most of the work of what is measured cheaply. Here each
//! reader opens a [`VideoDecoder`] of its own as always, with a [`Sharing`] in its options; readers of the same track get the same frames, each
//! decoded once:
//! ```no_run
//! use frameloom::media::{DecodeOptions, Sharing, SharingOptions, VideoDecoder};
//!
//! # fn main() -> frameloom::Result<()> {
//! let readers = Sharing::group(2, &SharingOptions::default());
//! std::thread::scope(|scope| {
//!     for sharing in readers {
//!         scope.spawn(move || -> frameloom::Result<u64> {
//!             let options = DecodeOptions { sharing: Some(sharing), ..DecodeOptions::default() };
//!             let mut decoder = VideoDecoder::open("clip.mp4", &options)?;
//!             let mut frames = 0;
//!             while decoder.next_frame()?.is_some() {
//!                 frames += 1;
//!             }
//!             Ok(frames)
//!         });
//!     }
//! });
//! # Ok(())
//! # }
//! ```
//! There is no thread behind it: the reader that needs the next frame decodes it, for all. Frames wait in a queue for each reader, of at most
//! [`QUEUE_FRAMES`] frames and about [`QUEUE_BYTES`] bytes; a reader that is ahead waits for the others. Nothing waits for ever: a reader that
//! comes too late, or takes no frame for [`SharingOptions::patience`], decodes for itself from then on. It gets the same frames, since results of
//! a decoder depend on the file alone.

mod held;
mod reader;
mod tee;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::decode::{DecodeOptions, VideoDecoder};
use crate::core::CancelToken;
use crate::error::Result;

pub(crate) use reader::SharedReader;
use tee::Tee;

/// Frames that wait for one reader at most.
pub const QUEUE_FRAMES: usize = 8;
/// Bytes of frames that wait for one reader at most; two frames may wait however large they are.
pub const QUEUE_BYTES: u64 = 64 << 20;

/// How readers share.
#[derive(Debug, Clone)]
pub struct SharingOptions {
    /// How long readers wait for one that has not begun, and for one that takes no frame, before they go on without it.
    pub patience: Duration,
    /// Stops the decoders that are shared. The readers have tokens of their own beside it.
    pub cancel: CancelToken,
}

impl Default for SharingOptions {
    /// Half a minute.
    fn default() -> Self {
        Self { patience: Duration::from_secs(30), cancel: CancelToken::new() }
    }
}

/// What was decoded in a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct SharingCounts {
    /// Decoders that were opened for reading: one for each track when all went together.
    pub decoders: u64,
    /// Frames that came out of them.
    pub decoded: u64,
    /// Frames that readers got.
    pub delivered: u64,
}

/// The place of one reader in a group of those that share. It goes into [`DecodeOptions::sharing`]; clones are the same place.
#[derive(Debug, Clone)]
pub struct Sharing(Arc<Place>);

#[derive(Debug)]
struct Place {
    group: Arc<Group>,
    number: usize,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.group.leave(self.number);
    }
}

/// What decodes the same frames.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    path: PathBuf,
    track: usize,
    /// Limits and device: readers that differ in them may get other frames, or other errors.
    terms: String,
}

/// Those that share.
#[derive(Debug)]
struct Group {
    options: SharingOptions,
    /// Places that may still open or read something.
    present: Mutex<BTreeSet<usize>>,
    tees: Mutex<BTreeMap<Key, Arc<Tee>>>,
    counts: Counts,
}

#[derive(Debug, Default)]
struct Counts {
    decoders: AtomicU64,
    decoded: AtomicU64,
    delivered: AtomicU64,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Group {
    fn leave(&self, number: usize) {
        lock(&self.present).remove(&number);
    }

    fn present(&self) -> BTreeSet<usize> {
        lock(&self.present).clone()
    }
}

impl Sharing {
    /// A group of `places` that are expected to read the same things at about the same time: the first frame of a track is decoded when all of
    /// them have asked for it or [left](Self::leave), or when the patience is over.
    pub fn group(places: usize, options: &SharingOptions) -> Vec<Self> {
        let group = Arc::new(Group {
            options: options.clone(),
            present: Mutex::new((0..places).collect()),
            tees: Mutex::default(),
            counts: Counts::default(),
        });
        (0..places).map(|number| Self(Arc::new(Place { group: Arc::clone(&group), number }))).collect()
    }

    /// Says that this place will begin to read nothing more, so that nobody waits for it. Dropping all clones says the same.
    pub fn leave(&self) {
        self.0.group.leave(self.0.number);
    }

    /// What was decoded in the group so far.
    pub fn counts(&self) -> SharingCounts {
        let counts = &self.0.group.counts;
        let read = |n: &AtomicU64| n.load(Ordering::Relaxed);
        SharingCounts {
            decoders: read(&counts.decoders),
            decoded: read(&counts.decoded),
            delivered: read(&counts.delivered),
        }
    }

    fn ours(&self) -> &Group {
        &self.0.group
    }

    /// A reader of a track of `path`: of frames that others read too, or, too late for that, of its own.
    pub(crate) fn open(&self, path: &Path, options: &DecodeOptions) -> Result<SharedReader> {
        let group = self.ours();
        let own = DecodeOptions { sharing: None, ..options.clone() };
        let Ok(file) = std::fs::canonicalize(path) else {
            return SharedReader::alone(self.clone(), path, own);
        };
        let key =
            Key { path: file, track: options.track, terms: format!("{:?} {:?}", options.limits, options.hardware) };
        // The shared decoder must outlive the work of the one that opened it.
        let shared = |own: &DecodeOptions| DecodeOptions { cancel: group.options.cancel.clone(), ..own.clone() };
        let mut tees = lock(&group.tees);
        let tee = match tees.get(&key) {
            Some(tee) => Arc::clone(tee),
            None => {
                let tee = Arc::new(Tee::new(VideoDecoder::open(path, &shared(&own))?, &own));
                group.counts.decoders.fetch_add(1, Ordering::Relaxed);
                tees.insert(key, Arc::clone(&tee));
                tee
            }
        };
        // A decoder that was opened for less than this reader wants is opened again: nothing has come out of it yet.
        match tee.join(self.0.number, &own, |wanted| VideoDecoder::open(path, &shared(wanted)))? {
            Some(seat) => Ok(SharedReader::at(seat, tee, self.clone(), path, own)),
            None => {
                drop(tees);
                SharedReader::alone(self.clone(), path, own)
            }
        }
    }
}
