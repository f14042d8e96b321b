//! Looks at picture files on several threads: reads, hashes and, where the content is new, decodes.

use std::collections::HashSet;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, unbounded};

use super::super::picture::{Picture, Sight};
use super::scan::PictureFile;
use super::table::{DAMAGED, UNSUPPORTED};
use crate::core::{BudgetPermit, ByteBudget, CancelToken, Limits};
use crate::error::{Error, Result};
use crate::media::read_image;
use crate::store::Hash;

/// Decoded pictures that may wait for the device, in bytes.
const WAITING: u64 = 96 << 20;

/// What a file turned out to be.
pub(super) enum Looked {
    /// Its content has a row already.
    Known(Hash),
    /// A picture without a row.
    New(Hash, Picture, #[allow(dead_code, reason = "held until the picture is dropped")] BudgetPermit),
    /// Nothing that can be used. Without a hash it could not even be read.
    Unusable(Option<Hash>, String),
}

/// How to look.
pub(super) struct Look<'a> {
    pub(super) files: &'a [PictureFile],
    /// Positions in `files` of those to look at.
    pub(super) todo: &'a [usize],
    /// Contents with rows.
    pub(super) known: &'a HashSet<Hash>,
    /// How new pictures are decoded.
    pub(super) sight: Sight,
    pub(super) limits: &'a Limits,
    pub(super) threads: usize,
    pub(super) cancel: &'a CancelToken,
}

impl Look<'_> {
    /// Hands `take` every file of `todo` once, in any order, on the caller's thread.
    ///
    /// # Errors
    /// `Cancelled`; those of `take`. Files that cannot be used are no errors.
    pub(super) fn run(&self, take: impl FnOnce(&Receiver<(usize, Looked)>) -> Result<()>) -> Result<()> {
        let budget = ByteBudget::new("host", WAITING);
        let next = AtomicUsize::new(0);
        let stop = self.cancel.child();
        std::thread::scope(|scope| {
            let (to, from) = unbounded();
            for _ in 0..self.threads.max(1).min(self.todo.len().max(1)) {
                let (to, budget, next, stop) = (to.clone(), &budget, &next, &stop);
                scope.spawn(move || self.work(&to, budget, next, stop));
            }
            drop(to);
            let taken = take(&from);
            // Threads that wait for room see this.
            stop.cancel();
            taken
        })?;
        self.cancel.check()
    }

    fn work(&self, to: &Sender<(usize, Looked)>, budget: &ByteBudget, next: &AtomicUsize, stop: &CancelToken) {
        while let Some(at) = self.todo.get(next.fetch_add(1, Ordering::Relaxed)) {
            let Some(file) = self.files.get(*at) else { continue };
            if stop.is_cancelled() {
                return;
            }
            let looked = self.look(Path::new(&file.path), budget, stop);
            // Whoever takes them is gone after a failure, which is reported there.
            if to.send((*at, looked)).is_err() {
                return;
            }
        }
    }

    fn look(&self, path: &Path, budget: &ByteBudget, stop: &CancelToken) -> Looked {
        let bytes = match read_image(path, self.limits) {
            Ok(bytes) => bytes,
            Err(e) => return Looked::Unusable(None, reason(&e)),
        };
        let hash = blake3::hash(&bytes);
        if self.known.contains(&hash) {
            return Looked::Known(hash);
        }
        let picture = match self.sight.decode(&bytes, path, self.limits) {
            Ok(picture) => picture,
            Err(e) => return Looked::Unusable(Some(hash), reason(&e)),
        };
        // One that is larger than all the room waits for all of it.
        let needed = (picture.rgba.len() as u64).min(WAITING);
        match budget.acquire(needed, Duration::from_secs(3600), stop) {
            Ok(permit) => Looked::New(hash, picture, permit),
            Err(e) => Looked::Unusable(Some(hash), reason(&e)),
        }
    }
}

/// The message without the path, which stands beside it.
fn reason(e: &Error) -> String {
    match e {
        Error::InputCorrupt { reason, .. } => format!("{DAMAGED}{reason}"),
        Error::InputNotFound { reason, .. } => format!("unreadable: {reason}"),
        Error::InputUnsupported { what, .. } => format!("{UNSUPPORTED}{what}"),
        other => other.to_string(),
    }
}
