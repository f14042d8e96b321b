//! The whole of a run: frames in, figures, decisions, pictures, reports out.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

use serde::{Deserialize, Serialize};

use super::analyze::{self, Analysis, Times, Working};
use super::config::CurateConfig;
use super::decide::{Decisions, Mix, ShotLine, decide, write_ledger};
use super::execute::{self, Executed};
use super::inputs::{Input, Inputs};
use super::layouts;
use super::metrics::FrameEntry;
use super::models::{ModelUse, Networks};
use super::shard::Shard;
use super::{page, report};
use crate::config::{Settings as _, to_toml};
use crate::core::Observer;
use crate::error::{Error, Result};
use crate::gpu::GpuContext;
use crate::media::DecodeOptions;
use crate::store::{OsIo, StateDir, commit, commit_json, forget, output_folder};
use crate::workflows::reporter::Reporter;

/// Folder of figures, ledger and settings in the output folder.
pub const ANALYSIS: &str = "analysis";
pub(super) const STATE: &str = ".state";
const FRAMES: &str = "frames.jsonl";
const MODELS: &str = "models.json";

/// How a run goes; nothing of it changes a result, but `decode.track`, `restart` and `overrides`.
#[derive(Debug, Clone, Default)]
pub struct CurateOptions {
    /// Where networks come from.
    pub networks: Networks,
    /// How videos are opened. Its limits are those of pictures too, and its token stops the whole run.
    pub decode: DecodeOptions,
    /// Forget what earlier runs have done.
    pub restart: bool,
    /// Frames decided by hand: name or file name, and the strategy or `drop`.
    pub overrides: BTreeMap<String, String>,
    /// Stop after the decisions: no pictures.
    pub only_decide: bool,
    /// Do only this part: of the frames in [`analyze`]; of the pictures in [`curate`], without reports, which [`super::join`] and one more run make.
    pub shard: Option<Shard>,
}

impl CurateOptions {
    /// The same with a token of the call alone.
    fn stoppable(&self) -> Self {
        let decode = DecodeOptions { cancel: self.decode.cancel.child(), ..self.decode.clone() };
        Self { decode, ..self.clone() }
    }

    fn working(&self, shard: Option<Shard>) -> Working<'_> {
        Working { networks: &self.networks, decode: &self.decode, shard }
    }
}

/// What came of a run.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CurateOutcome {
    /// Frames looked at.
    pub frames: usize,
    /// Frames with pictures.
    pub successful: usize,
    /// Frames that failed, and why.
    pub failed: Vec<(String, String)>,
    /// Frames left out.
    pub left_out: usize,
    /// Frames whose pictures were there already.
    pub kept: usize,
    /// Frames with pictures by strategy.
    pub strategies: Vec<(String, usize)>,
    /// Wanted and reached shares, of the frames that did not fail; `analysis/mix.json` has those that were decided on.
    pub mix: Mix,
    /// Kinds of shots.
    pub shots: Vec<ShotLine>,
    /// Networks and what stands in for them.
    pub models: Vec<ModelUse>,
    /// Seconds of each stage.
    pub seconds: Vec<(String, f64)>,
    /// Where the time of measuring went.
    pub times: Times,
    /// The review page, where one was written.
    pub page: Option<PathBuf>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Saved {
    models: Vec<ModelUse>,
}

/// Figures of a run that was made before: what decisions are made from without a pixel.
///
/// # Errors
/// [`Error::InputNotFound`] when `folder` is no folder of a run; [`Error::InputCorrupt`].
pub fn read_run(folder: &Path) -> Result<(Vec<FrameEntry>, Vec<ModelUse>)> {
    let path = folder.join(ANALYSIS).join(FRAMES);
    if !path.is_file() {
        let reason = "it is not the output folder of `curate run` or `curate analyze`".into();
        return Err(Error::InputNotFound { path: folder.to_path_buf(), reason });
    }
    let text = std::fs::read_to_string(&path).map_err(|e| Error::unreadable(&path, &e))?;
    let bad = |line: usize, e: serde_json::Error| Error::InputCorrupt {
        path: path.clone(),
        reason: format!("line {line}: {e}"),
    };
    let entries = text.lines().enumerate().map(|(i, l)| serde_json::from_str(l).map_err(|e| bad(i + 1, e)));
    let entries = entries.collect::<Result<Vec<FrameEntry>>>()?;
    let models = std::fs::read_to_string(folder.join(ANALYSIS).join(MODELS)).ok();
    let models = models.and_then(|t| serde_json::from_str::<Saved>(&t).ok()).map(|s| s.models).unwrap_or_default();
    Ok((entries, models))
}

pub(super) fn create(folder: &Path) -> Result<()> {
    output_folder(&OsIo, folder)
}

/// The state of a run's folder, which this process owns from now on.
fn own(folder: &Path, restart: bool) -> Result<StateDir> {
    let io = OsIo;
    create(folder)?;
    let state = StateDir::acquire_for(&io, folder.join(STATE), "curate")?;
    if restart {
        for name in ["analysis", "pictures"] {
            forget(state.join(name))?;
        }
    }
    create(&folder.join(ANALYSIS))?;
    Ok(state)
}

fn write_analysis(folder: &Path, analysis: &Analysis) -> Result<()> {
    let at = folder.join(ANALYSIS);
    commit(&OsIo, at.join(FRAMES), |w| {
        for entry in &analysis.entries {
            serde_json::to_writer(&mut *w, entry)?;
            w.write_all(b"\n")?;
        }
        Ok(())
    })?;
    commit_json(&OsIo, at.join(MODELS), &Saved { models: analysis.models.clone() })?;
    Ok(())
}

/// Writes ledger, mix and settings of decisions into `folder`.
///
/// # Errors
/// [`Error::Storage`].
pub fn write_decisions(
    folder: &Path,
    entries: &[FrameEntry],
    decisions: &Decisions,
    config: &CurateConfig,
) -> Result<()> {
    let at = folder.join(ANALYSIS);
    create(&at)?;
    write_ledger(&OsIo, &at.join("ledger"), entries, decisions)?;
    let mix = serde_json::json!({ "mix": decisions.mix.lines, "shots": decisions.shots });
    commit_json(&OsIo, at.join("mix.json"), &mix)?;
    let toml = to_toml(config)?;
    commit(&OsIo, at.join("config.toml"), |w| w.write_all(toml.as_bytes()))?;
    Ok(())
}

/// Measures `inputs` and writes their figures into `folder`. `observer` hears of frames in the stage `measure`.
///
/// # Errors
/// Settings, the device, storage, models, `Cancelled`; frames that cannot be read are entries.
pub fn analyze(
    ctx: &GpuContext,
    inputs: &Inputs,
    folder: &Path,
    config: &CurateConfig,
    options: &CurateOptions,
    observer: &mut dyn Observer,
) -> Result<Analysis> {
    config.check()?;
    let options = &options.stoppable();
    let mut reporter = Reporter::new(observer, &options.decode.cancel);
    let state = own(folder, options.restart)?;
    measured(ctx, inputs, folder, &state, config, (options, options.shard), &mut reporter)
}

fn measured(
    ctx: &GpuContext,
    inputs: &Inputs,
    folder: &Path,
    state: &StateDir,
    config: &CurateConfig,
    (options, shard): (&CurateOptions, Option<Shard>),
    reporter: &mut Reporter<'_>,
) -> Result<Analysis> {
    let working = options.working(shard);
    // How many frames a video gives is known at its end.
    let videos = inputs.all.iter().any(|i| matches!(i, Input::Video(_)));
    let total = (!videos && shard.is_none()).then_some(inputs.all.len() as u64);
    let progress = &mut reporter.stage(("measure", "frames"), total, 0);
    let analysis = analyze::measure(ctx, inputs, config, working, Some((&OsIo, state.path())), progress)?;
    options.decode.cancel.check()?;
    write_analysis(folder, &analysis)?;
    Ok(analysis)
}

/// Curates `inputs` into `folder`: measures, decides, makes pictures, reports. What an earlier run has finished is kept.
/// `observer` hears of frames, in the stage `measure` and then, while their pictures are made, `make`.
///
/// # Errors
/// Settings, the device, storage, models, `Cancelled`; state of another version. Frames that fail are in the outcome.
pub fn curate(
    ctx: &GpuContext,
    inputs: &Inputs,
    folder: &Path,
    config: &CurateConfig,
    options: &CurateOptions,
    observer: &mut dyn Observer,
) -> Result<CurateOutcome> {
    config.check()?;
    let options = &options.stoppable();
    let mut reporter = Reporter::new(observer, &options.decode.cancel);
    let state = own(folder, options.restart)?;
    let mut seconds = Vec::new();
    // Decisions are on all frames: a part needs all figures, measured here or joined from parts of `analyze`.
    let analysis = measured(ctx, inputs, folder, &state, config, (options, None), &mut reporter)?;
    seconds.push(("analyze".to_owned(), analysis.elapsed.as_secs_f64()));
    let started = Instant::now();
    let decisions = decide(&analysis.entries, config, &options.overrides)?;
    write_decisions(folder, &analysis.entries, &decisions, config)?;
    seconds.push(("decide".to_owned(), started.elapsed().as_secs_f64()));
    let started = Instant::now();
    let shard = options.shard;
    let working = options.working(shard);
    let entries = &analysis.entries;
    let executed = if options.only_decide {
        Executed { frames: vec![None; entries.len()], ..Executed::default() }
    } else {
        let at = (&OsIo as &dyn crate::store::StoreIo, folder, &state);
        let wanted =
            decisions.all.iter().zip(entries).filter(|(d, e)| d.strategy.is_some() || e.error.is_some()).count();
        let total = shard.is_none().then_some(wanted as u64);
        let progress = &mut reporter.stage(("make", "frames"), total, 0);
        execute::execute(ctx, at, (entries, &decisions), config, working, progress)?
    };
    options.decode.cancel.check()?;
    seconds.push(("execute".to_owned(), started.elapsed().as_secs_f64()));
    let started = Instant::now();
    let mut outcome = outcome(entries, &decisions, &executed, config, &analysis);
    if !options.only_decide && shard.is_none() {
        report::write(&OsIo, folder, entries, &decisions, &executed, config)?;
        if config.processing.save_metadata && !config.parity {
            report::write_metadata(&OsIo, folder, entries, &decisions, &executed, config)?;
        }
        layouts::write_all(&OsIo, folder, entries, &decisions, &executed, config, &options.decode.limits)?;
        if config.processing.create_visualization && !config.parity {
            let path = folder.join("review.html");
            page::write(ctx, &path, folder, (entries, &decisions, &executed), &outcome, config, working)?;
            outcome.page = Some(path);
        }
    }
    seconds.push(("report".to_owned(), started.elapsed().as_secs_f64()));
    outcome.seconds = seconds;
    Ok(outcome)
}

fn outcome(
    entries: &[FrameEntry],
    decisions: &Decisions,
    executed: &Executed,
    config: &CurateConfig,
    analysis: &Analysis,
) -> CurateOutcome {
    let mut models = analysis.models.clone();
    for m in &executed.models {
        if !models.contains(m) {
            models.push(m.clone());
        }
    }
    let failed: Vec<(String, String)> = entries
        .iter()
        .zip(&executed.frames)
        .filter_map(|(e, f)| {
            let why = f.as_ref().and_then(|f| f.error.clone()).or_else(|| e.error.clone());
            why.map(|why| (e.label(), why))
        })
        .collect();
    let done = executed.frames.iter().flatten().filter(|f| f.error.is_none()).count();
    let left_out = decisions.all.iter().zip(entries).filter(|(d, e)| d.strategy.is_none() && e.error.is_none()).count();
    CurateOutcome {
        frames: entries.len(),
        successful: done,
        failed,
        left_out,
        kept: executed.kept,
        strategies: report::counts(decisions, executed, config).0,
        mix: report::mix(decisions, executed),
        shots: decisions.shots.clone(),
        models,
        seconds: Vec::new(),
        times: analysis.times,
        page: None,
    }
}
