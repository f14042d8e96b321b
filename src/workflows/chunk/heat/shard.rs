//! A heat map in parts: each adds up its share of the stretches of the video, and the sums are added up.
//!
//! Sums are integers, so a map does not tell how many parts it was made in. A stretch whose frames are compared with those before begins with the frame
//! before it, which adds nothing itself. Every part decodes the video to its end.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::config::BoxMark;
use super::pass::sums_of;
use super::run::HeatOptions;
use super::stretches::{Stream, Until};
use super::sums::HeatSums;
use super::work::size_changes;
use super::{HeatConfig, HeatFound, MEASURE, Watching, without_frames};
use crate::config::Settings as _;
use crate::core::{Observer, Shard};
use crate::error::{Error, Result, StateError};
use crate::gpu::GpuContext;
use crate::pipeline::FrameSource;
use crate::store::{GroupId, GroupLog, OsIo, Record, RunKey, StateDir, forget, gather_groups};
use crate::workflows::reporter::{Reporter, stoppable};

/// Frames of a stretch.
const FRAMES: u64 = 250;
/// Stretches between two savings: what a kill costs at most.
const SAVE_EVERY: u64 = 20;
/// Stages of the journal.
const SUMS: u32 = 1;
const END: u32 = 2;
/// The journal in the folder of a part.
pub(super) const STATE: &str = ".state";
const JOURNAL: &str = "heat";

/// What is the same for all parts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct End {
    config: HeatConfig,
    /// Frames of the video.
    frames: u64,
    /// Why the video is not whole.
    reasons: Vec<String>,
}

/// What a part did.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HeatPart {
    /// Stretches of the whole video.
    pub units: u64,
    /// Those of this part.
    pub mine: u64,
    /// Frames of the whole video.
    pub frames: u64,
    /// Why the video is not whole.
    pub reasons: Vec<String>,
}

/// The input of a run, or of a part.
pub struct HeatInput<'a> {
    /// For messages.
    pub path: &'a Path,
    /// Its frames, from the first one on.
    pub source: Box<dyn FrameSource>,
    /// What it is: its content, which track, the content of networks and of files of boxes.
    pub content: Vec<(&'static str, String)>,
    /// Why it was not whole, asked at its end.
    pub reasons: &'a dyn Fn() -> Vec<String>,
}

impl std::fmt::Debug for HeatInput<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HeatInput").field("path", &self.path).field("content", &self.content).finish_non_exhaustive()
    }
}

/// Adds up the heat of the stretches that belong to part `shard`, into a journal in `folder`, for [`join_heat`]. Killed, the same call goes on with the
/// last of its savings, which come every 5,000 frames of its own, whatever [`HeatOptions::save_every`] says. `observer` hears of frames that were added,
/// in the stage `measure`.
///
/// # Errors
/// [`Error::Config`] for settings whose frames do not count by themselves: middles of boxes go on from look to look, and faces of other frames belong
/// to all. Otherwise as [`super::watched_heat`].
pub fn heat_part(
    ctx: &GpuContext,
    input: HeatInput<'_>,
    mut watching: Watching,
    folder: &Path,
    shard: Shard,
    config: &HeatConfig,
    how: &HeatOptions,
    observer: &mut dyn Observer,
) -> Result<HeatPart> {
    config.check()?;
    let options = &stoppable(&how.pipeline);
    let mut reporter = Reporter::new(observer, &options.cancel);
    let progress = &mut reporter.stage(MEASURE, None, 0);
    let refuse = |field: &str, message: &str| Err(Error::Config { field: field.into(), message: message.into() });
    if config.mark == BoxMark::Middle {
        return refuse(
            "mark",
            "`middle` goes on from look to look, so there are no parts of it: run it without --shard",
        );
    }
    if watching.face_frames.is_some() {
        return refuse("face_model", "faces of other frames belong to all parts: run it without --shard");
    }
    let state = StateDir::acquire_for(&OsIo, folder.join(STATE), "heatmap")?;
    let path = state.join(JOURNAL);
    if how.restart {
        forget(state.join(JOURNAL))?;
    }
    let (mut log, groups) = GroupLog::open(&OsIo, &path, &run_key(ctx, &input, config)?)?;
    let corrupt = || StateError::Corrupt { path: path.clone(), reason: "a record of sums".into() };
    let mut done = 0;
    for (_, records) in groups.iter().filter(|(id, _)| id.stage == SUMS) {
        done += HeatSums::read(records, config).ok_or_else(corrupt)?.1;
    }
    let end = groups.get(&GroupId { stage: END, unit: 0 });
    let end: Option<End> = end.map(|r| r.first().and_then(Record::parse).ok_or_else(corrupt)).transpose()?;
    let HeatInput { path, source, reasons, .. } = input;
    let end = match end {
        Some(end) => end,
        None => {
            let mut stream = Stream::new(source);
            let own = (0u64..).filter(|n| shard.has(usize::try_from(*n).unwrap_or(usize::MAX))).skip(done as usize);
            let mut open: Option<(u64, u64, HeatSums)> = None;
            // Without other parts all is one stretch: the frame before the next one would be gone already.
            let size = if shard.count() == 1 { u64::MAX } else { FRAMES };
            for number in own {
                let back = u64::from(number > 0 && config.source.looks_back());
                let (from, end) = (number.saturating_mul(size), (number + 1).saturating_mul(size));
                stream.pass_over(from - back, &options.cancel)?;
                let stretch = Box::new(stream.stretch(from, Until::Frame(end), false));
                let more = sums_of(ctx, path, stretch, config, &mut watching, (options, from), progress)?;
                if let Some(mut more) = more {
                    if let Some(lead) = &stream.lead {
                        more.without(lead, config);
                    }
                    if more.frames > 0 {
                        let (first, count, sums) = match open.take() {
                            None => (number, 1, more),
                            Some((first, count, mut sums)) => {
                                if sums.frame != more.frame {
                                    return Err(size_changes(path, sums.frame, more.frame));
                                }
                                sums.join(more)?;
                                (first, count + 1, sums)
                            }
                        };
                        open = Some((first, count, sums));
                    }
                }
                if let Some((first, count, mut sums)) = open.take_if(|o| o.1 >= SAVE_EVERY || stream.over) {
                    log.finish(GroupId { stage: SUMS, unit: first }, sums.records(count)?)?;
                }
                if stream.over {
                    break;
                }
            }
            let end = End { config: config.clone(), frames: stream.taken, reasons: reasons() };
            if end.frames == 0 {
                return Err(without_frames(path));
            }
            log.finish(GroupId { stage: END, unit: 0 }, vec![Record::json(END, &end)?])?;
            end
        }
    };
    let units = end.frames.div_ceil(FRAMES);
    let mine = (0..units).filter(|n| shard.has(*n as usize)).count() as u64;
    Ok(HeatPart { units, mine, frames: end.frames, reasons: end.reasons })
}

/// Adds up the sums of `parts`: the map that one run would have found, its settings, and why the video is not whole.
///
/// # Errors
/// [`Error::InputNotFound`] for a folder of no part; [`Error::Usage`] for parts of different runs, with what they differ in;
/// [`Error::InputUnsupported`] where the size of frames changes between them; [`Error::InputCorrupt`] where frames are missing.
pub fn join_heat(parts: &[PathBuf]) -> Result<(HeatFound, HeatConfig, Vec<String>)> {
    let (_, groups) = gather_groups(&OsIo, (parts, &format!("{STATE}/{JOURNAL}")))?;
    let first = parts.first().map_or(Path::new(""), PathBuf::as_path);
    let corrupt = |what: &str| Error::InputCorrupt { path: first.to_path_buf(), reason: what.into() };
    let end = groups.get(&GroupId { stage: END, unit: 0 }).and_then(|r| r.first()).and_then(Record::parse::<End>);
    let End { config, frames, reasons } = end.ok_or_else(|| corrupt("a part of a heat map without its end"))?;
    let mut all: Option<HeatSums> = None;
    for (_, records) in groups.iter().filter(|(id, _)| id.stage == SUMS) {
        let (sums, _) = HeatSums::read(records, &config).ok_or_else(|| corrupt("sums that cannot be read"))?;
        match &mut all {
            None => all = Some(sums),
            Some(all) if all.frame != sums.frame => return Err(size_changes(first, all.frame, sums.frame)),
            Some(all) => all.join(sums)?,
        }
    }
    let all = all.filter(|a| a.frames == frames).ok_or_else(|| corrupt("the parts do not hold all frames"))?;
    Ok((all.found(&config)?, config, reasons))
}

/// Everything that can change a byte of the output.
pub(super) fn run_key(ctx: &GpuContext, input: &HeatInput<'_>, config: &HeatConfig) -> Result<RunKey> {
    let mut kernels = blake3::Hasher::new();
    for k in crate::gpu::kernel_sources() {
        kernels.update(k.name.as_bytes()).update(k.text.as_bytes());
    }
    let caps = ctx.caps();
    let key = RunKey::builder()
        .field("workflow", "heatmap")
        .field("version", env!("CARGO_PKG_VERSION"))
        .field("kernels", kernels.finalize().to_hex())
        .field("adapter", format!("{} ({})", caps.name, caps.driver))
        .fields("config", config);
    input.content.iter().fold(key, |key, (name, value)| key.field(*name, value)).finish()
}
