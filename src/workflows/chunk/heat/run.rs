//! The heat map of a video with its files: kept where it is whole, gone on with where it was interrupted.

use std::path::Path;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::config::BoxMark;
use super::pass::{all_sums, sums_of};
use super::shard::{HeatInput, STATE, run_key};
use super::stretches::{Stream, Until};
use super::sums::HeatSums;
use super::work::size_changes;
use super::{HeatConfig, MEASURE, Watching, without_frames};
use crate::config::Settings as _;
use crate::core::Observer;
use crate::error::{Error, Result, StateError};
use crate::gpu::GpuContext;
use crate::pipeline::PipelineOptions;
use crate::store::{Journal, OsIo, RunKey, StateDir, StoreIo, UnitLog, forget, output_folder};
use crate::workflows::chunk::files::write_heat;
use crate::workflows::reporter::{Reporter, stoppable};

/// The journals in the state folder: of the files, and of the sums so far.
const JOURNAL: &str = "journal";
const REACHED: &str = "reached";
const UNIT: &str = "heatmap";

/// How a run goes. None of it changes a byte of the output.
#[derive(Debug, Clone)]
pub struct HeatOptions {
    /// Batches, deadlines, cancellation.
    pub pipeline: PipelineOptions,
    /// Forget what earlier runs in the folder did.
    pub restart: bool,
    /// After so long it is saved what was found: what an interruption costs at most. 10 s by default.
    pub save_every: Duration,
}

impl Default for HeatOptions {
    fn default() -> Self {
        Self { pipeline: PipelineOptions::default(), restart: false, save_every: Duration::from_secs(10) }
    }
}

/// What came out.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HeatOutcome {
    /// Frames of the video.
    pub frames: u64,
    /// Why the video is not whole.
    pub reasons: Vec<String>,
    /// Whether the files of an earlier run were found whole and kept.
    pub cached: bool,
    /// Frames that an interrupted run had counted, behind which this one went on.
    pub resumed: u64,
}

/// What a finished map keeps in its record.
#[derive(Debug, Serialize, Deserialize)]
struct Meta {
    frames: u64,
    reasons: Vec<String>,
}

/// The heat map of all frames of `input` as files in `folder`, see [`write_heat`]. Files of an earlier run with the same input and settings are kept when
/// they are whole. Killed or interrupted, the same call goes on behind what was saved last, with the same bytes in the end; only middles of boxes
/// ([`BoxMark::Middle`]) and faces of other frames ([`Watching::face_frames`]) are counted in one go. `observer` hears of frames, in the stage `measure`.
///
/// # Errors
/// [`StateError::KeyMismatch`] where the folder has the map of another input or of other settings; those of writing; otherwise as
/// [`super::watched_heat`].
pub fn heat_video(
    ctx: &GpuContext,
    input: HeatInput<'_>,
    watching: Watching,
    folder: &Path,
    config: &HeatConfig,
    options: &HeatOptions,
    observer: &mut dyn Observer,
) -> Result<HeatOutcome> {
    config.check()?;
    let pipeline = stoppable(&options.pipeline);
    let mut reporter = Reporter::new(observer, &pipeline.cancel);
    let created = !folder.is_dir();
    output_folder(&OsIo, folder)?;
    let mut saved = false;
    let how = HeatOptions { pipeline, ..options.clone() };
    let done = within(ctx, (input, watching), folder, config, &how, (&mut reporter, &mut saved));
    if created && !saved && done.is_err() {
        // Nothing was found that a next run could go on with.
        let _ = std::fs::remove_dir_all(folder.join(STATE));
        let _ = std::fs::remove_dir(folder);
    }
    done
}

fn within(
    ctx: &GpuContext,
    (input, watching): (HeatInput<'_>, Watching),
    folder: &Path,
    config: &HeatConfig,
    options: &HeatOptions,
    (reporter, saved): (&mut Reporter<'_>, &mut bool),
) -> Result<HeatOutcome> {
    let io = OsIo;
    let state = StateDir::acquire_for(&io, folder.join(STATE), "heatmap")?;
    let journal = state.join(JOURNAL);
    if options.restart {
        forget(state.join(JOURNAL))?;
        forget(state.join(REACHED))?;
    }
    let key = run_key(ctx, &input, config)?;
    let mut log = UnitLog::open(&io, &journal, folder, &key)?;
    if let Some(done) = log.done(UNIT) {
        let meta: Meta = serde_json::from_value(done.meta.clone())
            .map_err(|e| StateError::Corrupt { path: journal, reason: format!("its record of the map: {e}") })?;
        return Ok(HeatOutcome { frames: meta.frames, reasons: meta.reasons, cached: true, resumed: 0 });
    }
    let mut kept = Kept::open(&io, &state, &key, config)?;
    let (path, reasons) = (input.path, input.reasons);
    let resumed = kept.sums.as_ref().map_or(0, |s| s.frames);
    *saved = resumed > 0;
    let progress = &mut reporter.stage(MEASURE, None, resumed);
    if config.mark == BoxMark::Middle || watching.face_frames.is_some() {
        kept.sums = all_sums(ctx, path, input.source, watching, config, (&options.pipeline, progress))?;
    } else {
        stretches(ctx, (input, watching), config, options, (&mut kept, saved), progress)?;
    }
    let sums = kept.sums.take().ok_or_else(|| without_frames(path))?;
    let found = sums.found(config)?;
    let files = write_heat(&io, folder, &found, config)?;
    let meta = Meta { frames: found.frames, reasons: reasons() };
    log.finish(UNIT, &files, &meta)?;
    drop(kept);
    forget(state.join(REACHED))?;
    Ok(HeatOutcome { frames: meta.frames, reasons: meta.reasons, cached: false, resumed })
}

/// Adds up stretches to the end of the input, and saves the sums after each.
fn stretches(
    ctx: &GpuContext,
    (input, mut watching): (HeatInput<'_>, Watching),
    config: &HeatConfig,
    options: &HeatOptions,
    (kept, saved): (&mut Kept<'_>, &mut bool),
    progress: &mut dyn FnMut(u64),
) -> Result<()> {
    let HeatInput { path, source, .. } = input;
    let (keeps, cancel) = (config.source.looks_back(), &options.pipeline.cancel);
    let mut stream = Stream::new(source);
    let mut from = kept.sums.as_ref().map_or(0, |s| s.frames);
    stream.pass_over(from.saturating_sub(u64::from(keeps)), cancel)?;
    loop {
        // The frame before the stretch was told of.
        let mut told = u64::from(keeps && from > 0);
        let mut count = |frames: u64| {
            let again = told.min(frames);
            told -= again;
            if frames > again {
                progress(frames - again);
            }
        };
        let until = Instant::now().checked_add(options.save_every).map_or(Until::Frame(u64::MAX), Until::Time);
        let stretch = Box::new(stream.stretch(from, until, keeps));
        let more = sums_of(ctx, path, stretch, config, &mut watching, (&options.pipeline, from), &mut count)?;
        if let Some(mut more) = more {
            if let Some(lead) = &stream.lead {
                more.without(lead, config);
            }
            kept.add(path, more)?;
        }
        if stream.over {
            return Ok(());
        }
        from = stream.taken;
        *saved |= kept.save()?;
    }
}

/// The sums so far, and the journal that has them: replaced as a whole at each saving.
struct Kept<'a> {
    sums: Option<HeatSums>,
    io: &'a dyn StoreIo,
    key: &'a RunKey,
    /// `None` after a saving that failed.
    journal: Option<Journal>,
}

impl<'a> Kept<'a> {
    fn open(io: &'a dyn StoreIo, state: &StateDir, key: &'a RunKey, config: &HeatConfig) -> Result<Self> {
        let path = state.join(REACHED);
        let (journal, found) = Journal::open(io, &path, key)?;
        let reason = || "the sums so far cannot be understood; --restart begins anew".to_owned();
        let sums = if found.records.is_empty() {
            None
        } else {
            let sums = HeatSums::read(&found.records, config);
            Some(sums.ok_or_else(|| StateError::Corrupt { path, reason: reason() })?.0)
        };
        Ok(Self { sums, io, key, journal: Some(journal) })
    }

    fn add(&mut self, path: &Path, more: HeatSums) -> Result<()> {
        match &mut self.sums {
            _ if more.frames == 0 => Ok(()),
            Some(all) if all.frame != more.frame => Err(size_changes(path, all.frame, more.frame)),
            Some(all) => all.join(more),
            None => {
                self.sums = Some(more);
                Ok(())
            }
        }
    }

    /// Whether there was something to save.
    fn save(&mut self) -> Result<bool> {
        let Some(sums) = &mut self.sums else { return Ok(false) };
        let records = sums.records(1)?;
        let lost = || Error::Bug("the journal of the sums so far is gone".into());
        self.journal = Some(self.journal.take().ok_or_else(lost)?.rewrite(self.io, self.key, &records)?);
        Ok(true)
    }
}
