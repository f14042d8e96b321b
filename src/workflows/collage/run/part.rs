//! A collage in parts: each finds the nearest pictures for its share of the timeline, and what they found is joined.
//!
//! Which picture a frame gets may depend on all others, so that is decided by the run that goes on behind: it chooses and renders, and searches for
//! nothing but what a rule like "no picture twice" makes it search for again.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::super::pool::Pool;
use super::config::CollageConfig;
use super::matching::{MatchLog, Matching, unit_frames};
use super::source::{Places, SampledSource};
use super::timeline::Timeline;
use super::video::CollageVideo;
use super::{CollageOptions, MATCH, MATCHES, STATE, enter, expected, run_key, same_descriptor};
use crate::core::{Observer, Shard};
use crate::error::{Error, Result};
use crate::gpu::GpuContext;
use crate::index::IndexOptions;
use crate::store::{OsIo, unite_groups};
use crate::workflows::reporter::Reporter;

/// What a part did.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CollagePart {
    /// Units of the whole timeline.
    pub units: u64,
    /// Those of this part.
    pub mine: u64,
    /// Frames of the whole timeline.
    pub frames: u64,
    /// Why the video is not whole.
    pub reasons: Vec<String>,
}

/// Matches the frames that belong to part `shard`, and writes no outputs. `observer` hears of frames, in the stage
/// `match`. Killed at any moment, the same call goes on.
///
/// # Errors
/// As [`super::collage`].
pub fn collage_part(
    ctx: &GpuContext,
    video: CollageVideo,
    pool: &Pool,
    folder: &Path,
    shard: Shard,
    config: &CollageConfig,
    options: &CollageOptions,
    observer: &mut dyn Observer,
) -> Result<CollagePart> {
    config.check()?;
    let options = &options.stoppable();
    let mut reporter = Reporter::new(observer, &options.pipeline.cancel);
    same_descriptor(pool.descriptor(), &config.descriptor)?;
    let CollageVideo { facts, source, end } = video;
    let state = enter(folder, options.restart)?;
    let key = run_key(ctx, &facts, pool, config)?.finish()?;
    let mut log = MatchLog::open(&state.join(MATCHES), &key)?;
    let per_frame = config.per_frame();
    let size = unit_frames(per_frame);
    let places = Places { shard: Some(shard), size, done: log.done(size, per_frame) };
    if !log.is_whole(per_frame, &places) {
        let (index, _) = pool.index(&config.search, &IndexOptions { gpu: Some(ctx), threads: None })?;
        let timeline = Timeline::new(facts.time_base, config.rate, config.seconds)?;
        let sampled = SampledSource::new(source, timeline, places.clone());
        let matching = Matching {
            ctx,
            index: index.as_ref(),
            config,
            options: &options.pipeline,
            networks: &options.networks,
            video_end: &end,
            expected: facts.frames,
            save_every: options.save_every.max(1),
        };
        let known = (log.known() / per_frame) as u64;
        let total = expected(&facts, config).map(|n| n / u64::from(shard.count()));
        matching.run(&mut log, sampled, &mut reporter.stage(MATCH, total, known))?;
    }
    log.check_whole(&state.join(MATCHES), per_frame, &places)?;
    let end = log.end.ok_or_else(|| Error::Bug("matching without an end".into()))?;
    let units = end.frames.div_ceil(size);
    let mine = (0..units).filter(|unit| places.has(*unit)).count() as u64;
    Ok(CollagePart { units, mine, frames: end.frames, reasons: end.reasons })
}

/// Takes what the `parts` of a collage have found into `folder`; gives the number of findings that were taken over. What `folder` has already stays.
///
/// # Errors
/// [`Error::InputNotFound`] for a folder of no run; [`Error::Usage`] for parts of different runs, with what they differ in; [`Error::Storage`].
pub fn join_collage(parts: &[PathBuf], folder: &Path) -> Result<usize> {
    let state = enter(folder, false)?;
    unite_groups(&OsIo, (parts, &format!("{STATE}/{MATCHES}")), &state.join(MATCHES))
}
