//! One video in parts: each does its share of the units of a pass, and what they found is joined.
//!
//! ```text
//! parts: faces of their units ──► joined ──► parts: lips of their units ──► joined ──► the same call without a part: judges, writes
//! ```
//! Tracks are made of the faces of the whole video, so the second pass begins where the first one is joined; it may as well be done by one run.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::config::SyncConfig;
use super::log::{self, SyncLog};
use super::models::SyncModels;
use super::passes::Passes;
use super::units::Units;
use super::video::SyncVideo;
use super::{FACES, LIPS, SEEN, STATE, SyncOptions, enter, seen_key, who};
use crate::config::Settings as _;
use crate::core::{Observer, Shard};
use crate::error::{Error, Result};
use crate::gpu::GpuContext;
use crate::workflows::reporter::{Reporter, stoppable};

/// What a part did.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SyncPart {
    /// The pass it did its share of: `faces`, or `lips` in a folder in which the parts of the first pass are joined.
    pub stage: &'static str,
    /// Units of the whole video.
    pub units: u64,
    /// Those of this part.
    pub mine: u64,
    /// Frames of the whole video.
    pub frames: u64,
    /// Why the video is not whole.
    pub reasons: Vec<String>,
}

/// Does what belongs to part `shard` of the pass that is next in `folder`, and writes no outputs, whatever `options` ask for. Killed at any moment, the same call goes on.
/// `observer` hears of frames, in the stage of the pass.
///
/// # Errors
/// As [`super::sync`].
pub fn sync_part(
    ctx: &GpuContext,
    video: &SyncVideo,
    models: &mut SyncModels,
    folder: &Path,
    shard: Shard,
    config: &SyncConfig,
    options: &SyncOptions,
    observer: &mut dyn Observer,
) -> Result<SyncPart> {
    config.check()?;
    let restart = options.restart;
    let options = &stoppable(&options.pipeline);
    let mut reporter = Reporter::new(observer, &options.cancel);
    let state = enter(folder, restart)?;
    let units = Units::new(video.usual(), Some(shard));
    let key = seen_key(ctx, video, models, (config, units))?.finish()?;
    let mut log = SyncLog::open(&state.join(SEEN), &key)?;
    let passes = Passes { ctx, video, config, options, units };
    let stage = match log.all_frames().filter(|_| log.is_joined()) {
        Some(frames) => {
            let total = frames.len() as u64 / u64::from(shard.count());
            let who = who::who(&frames, config)?;
            let progress = &mut reporter.stage(LIPS, Some(total), 0);
            passes.looks(models, (&who.tracks, &frames), &mut log, progress)?;
            "lips"
        }
        None => {
            // The end tells how many units there are: with it, and all of its own, a part is done.
            let whole = log
                .end
                .as_ref()
                .is_some_and(|end| (0..units.count(end.frames)).all(|unit| !units.mine(unit) || log.has_frames(unit)));
            if !whole {
                let total = video.expected().map(|n| n / u64::from(shard.count()));
                let progress = &mut reporter.stage(FACES, total, log.known());
                passes.frames(models, &mut log, progress)?;
            }
            "faces"
        }
    };
    let end = log.end.clone().ok_or_else(|| Error::Bug("a pass without an end".into()))?;
    let all = units.count(end.frames);
    let mine = (0..all).filter(|unit| units.mine(*unit)).count() as u64;
    Ok(SyncPart { stage, units: all, mine, frames: end.frames, reasons: end.reasons })
}

/// Takes what the `parts` of a run on one video have found into `folder`; gives the number of findings that were taken over. What `folder` has
/// already stays.
///
/// # Errors
/// [`Error::InputNotFound`] for a folder of no run; [`Error::Usage`] for parts of different runs, with what they differ in; [`Error::Storage`].
pub fn join_sync(parts: &[PathBuf], folder: &Path) -> Result<usize> {
    let state = enter(folder, false)?;
    log::unite(parts, &format!("{STATE}/{SEEN}"), &state.join(SEEN))
}
