//! A run in parts: each makes its share of the stretches of 250 frames, and what they made is joined.
//!
//! Every part decodes the video to its end; what is shared out is what is done to frames. The joined folder is that of a run which was stopped after
//! its last stretch: the same call without a part joins them to a file, with the sound.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::config::ProcessConfig;
use super::job::{ChunkOptions, ChunkTask, JOURNAL, OWNER, PARTS, PROCESS, STATE, UNIT, enter};
use super::parts::Parts;
use super::video::{ChunkVideo, Stream};
use super::work::Job;
use crate::core::{Observer, Shard};
use crate::error::{Error, Result};
use crate::gpu::GpuContext;
use crate::store::{OsIo, StateDir, unite_units};
use crate::workflows::reporter::Reporter;

/// What a part did.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChunkPart {
    /// Stretches of the whole video.
    pub units: usize,
    /// Those of this part.
    pub mine: usize,
    /// Why the video is not whole.
    pub reasons: Vec<String>,
}

/// Does what of `task` belongs to part `shard`, and makes no outputs. `observer` hears of frames done, in the stage `process`. Killed at
/// any moment, the same call goes on.
///
/// # Errors
/// [`Error::Usage`] for an effect that remembers frames before ([`super::ChunkEffect::remembers`]), and in a folder whose run is over; otherwise as
/// [`super::process_video`].
pub fn process_part(
    ctx: &GpuContext,
    video: ChunkVideo,
    task: ChunkTask<'_, '_>,
    folder: &Path,
    shard: Shard,
    config: &ProcessConfig,
    options: &ChunkOptions,
    observer: &mut dyn Observer,
) -> Result<ChunkPart> {
    let ChunkTask { placement, work, effect } = task;
    let options = &options.stoppable();
    let mut reporter = Reporter::new(observer, &options.pipeline.cancel);
    let progress = &mut reporter.stage(PROCESS, video.facts.expected(config.seconds), 0);
    let (state, mut units) = enter(ctx, (&video.facts, placement, effect), folder, (config, options))?;
    if units.done(UNIT).is_some() {
        return Err(Error::Usage {
            message: format!("the run in {} is over; it has no parts any more", folder.display()),
            hint: Some("give each part a folder of its own; `frameloom merge` puts them together".into()),
        });
    }
    let parts = Parts::open(state.join(PARTS))?;
    let ChunkVideo { facts, source, end, .. } = video;
    let (stream, spec) = (Stream::new(source, config.seconds), Job::spec(&facts, folder, config, None));
    let mut job = Job { ctx, placement, config, options, spec, stream, shard: Some(shard) };
    let (count, _) = job.make((work, &parts, &mut units), progress)?;
    options.pipeline.cancel.check()?;
    if count == 0 {
        return Err(Error::InputCorrupt { path: facts.path, reason: "no frame could be decoded".into() });
    }
    let end = end.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
    let reasons = end.verdict.filter(|_| config.seconds.is_none()).map(|v| v.reasons).unwrap_or_default();
    Ok(ChunkPart { units: count, mine: (0..count).filter(|n| shard.has(*n)).count(), reasons })
}

/// Takes what the `parts` of a run have made into `folder`; gives the number of stretches that were taken over. What `folder` has already stays.
///
/// # Errors
/// [`Error::Usage`] for parts of different runs, with what they differ in; [`Error::InputCorrupt`] for a file that is not what its record says;
/// [`Error::Storage`].
pub fn join_chunks(parts: &[PathBuf], folder: &Path) -> Result<usize> {
    let _state = StateDir::acquire_for(&OsIo, folder.join(STATE), OWNER)?;
    unite_units(&OsIo, (parts, &format!("{STATE}/{JOURNAL}")), folder).map(|(units, _)| units)
}
