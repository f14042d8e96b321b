//! Runs `analyze` over inputs: sources in, tables, heat map, summary and report out.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::config::AnalyzeConfig;
use super::kept::{self, Behind, Clock, Keeper};
use super::metrics::schema;
use super::picks::{Picks, Thumbnail};
use super::summary::{Curves, InputFacts, Report, write_outputs};
use super::work::{AnalyzeOutput, AnalyzeWork, HeatMap, work_bytes};
use crate::config::Settings;
use crate::core::{BudgetPermit, CancelToken, FrameLayout, OutcomeObserver, Progress};
use crate::error::{Error, Result};
use crate::gpu::GpuContext;
use crate::media::{MediaInfo, Status, TimeRange, Verdict};
use crate::pipeline::{
    Event, FrameSource, MemoryPlan, OnError, PipelineOptions, SourceReport, StageStats, VideoEnd, run,
};
use crate::report::{TableFormats, TableSink};
use crate::store::{Committed, OsIo, RunKey, StateDir, StoreIo, UnitLog, forget, output_folder};
use crate::workflows::reporter::{Reporter, stoppable};

/// One input, opened.
pub struct AnalyzeInput {
    /// Path as given; for messages and reports.
    pub path: PathBuf,
    /// Folder for its outputs; created when needed.
    pub folder: PathBuf,
    /// Its frames.
    pub source: Box<dyn FrameSource>,
    /// What the container declares, if it is a container.
    pub info: Option<MediaInfo>,
    /// Position of the video track.
    pub track: usize,
    /// Filled by the source at its end.
    pub end: Arc<Mutex<VideoEnd>>,
    /// Content id of the input: part of the run key.
    pub fingerprint: String,
    /// Bytes that the source itself will hold (decoder pictures, memory shared with a decoder process); taken from the host's budget while it
    /// runs.
    pub source_bytes: u64,
    /// Layout that its frames will have, where that is known before the first: lets a run that cannot fit be refused before it starts.
    pub layout: Option<FrameLayout>,
}

impl std::fmt::Debug for AnalyzeInput {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AnalyzeInput").field("path", &self.path).field("folder", &self.folder).finish_non_exhaustive()
    }
}

/// How an input ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OutcomeStatus {
    /// All that was declared was measured.
    Complete,
    /// Outputs were written, but frames are missing or damaged.
    Partial,
    /// Outputs were written; the container declares nothing to check against.
    Unverifiable,
    /// No output.
    Failed,
}

/// Result of one input.
#[non_exhaustive]
#[derive(Debug)]
pub struct Outcome {
    /// Path as given.
    pub path: PathBuf,
    /// Folder of the outputs.
    pub folder: PathBuf,
    /// How it ended.
    pub status: OutcomeStatus,
    /// Whether outputs of an earlier run were found whole and kept.
    pub cached: bool,
    /// Frames that an interrupted run had measured, behind which this one went on.
    pub resumed: u64,
    /// Frames measured.
    pub frames: u64,
    /// Why it is not complete.
    pub reasons: Vec<String>,
    /// Stretches of time without frames.
    pub missing: Vec<TimeRange>,
    /// The error that ended it, if any.
    pub error: Option<Error>,
    /// What each stage did with its time; empty for kept outputs.
    pub stages: Vec<StageStats>,
}

impl Outcome {
    /// The HTML report.
    pub fn report(&self) -> PathBuf {
        self.folder.join("report.html")
    }

    /// An input that failed before or during the run, without output.
    pub fn failed(path: &Path, folder: &Path, error: Error) -> Self {
        Self {
            path: path.to_path_buf(),
            folder: folder.to_path_buf(),
            status: OutcomeStatus::Failed,
            cached: false,
            resumed: 0,
            frames: 0,
            reasons: vec![error.to_string()],
            missing: Vec::new(),
            error: Some(error),
            stages: Vec::new(),
        }
    }
}

/// What a finished unit keeps in its record.
#[derive(Debug, Serialize, Deserialize)]
struct UnitMeta {
    status: OutcomeStatus,
    frames: u64,
    reasons: Vec<String>,
}

const UNIT: &str = "analyze";
const STATE: &str = ".state";

/// An input whose frames are flowing.
struct Open<'a> {
    /// Position among the inputs, and frames to expect.
    input: usize,
    expected: Option<u64>,
    path: PathBuf,
    folder: PathBuf,
    facts: InputFacts,
    end: Arc<Mutex<VideoEnd>>,
    state: StateDir,
    log: UnitLog,
    table: TableSink<'a>,
    curves: Curves,
    picks: Picks,
    heat: Vec<HeatMap>,
    frames: u64,
    keeper: Keeper,
    /// Frames of an earlier run.
    resumed: u64,
    /// Whether the next frame is the last of an earlier run, there only for the one behind it.
    lead: bool,
    created: bool,
    /// Whether its end is one that the next run may build on.
    done: bool,
    _permit: BudgetPermit,
}

/// How a run goes. None of it changes a byte of the output.
#[derive(Debug, Clone)]
pub struct AnalyzeOptions {
    /// Batches, deadlines, cancellation.
    pub pipeline: PipelineOptions,
    /// Forget what earlier runs in the folders did.
    pub restart: bool,
    /// After so long it is saved where an input is: what an interruption costs at most. 10 s by default.
    pub save_every: Duration,
}

impl Default for AnalyzeOptions {
    fn default() -> Self {
        Self { pipeline: PipelineOptions::default(), restart: false, save_every: Duration::from_secs(10) }
    }
}

/// Measures all inputs, as many at a time as there are in `inputs`; their frames share one GPU queue. `observer` hears of
/// frames, in the stage `measure`, and how each input ended, both with its position in `inputs`.
///
/// Outputs of an earlier run with the same key are kept when they are whole; where an earlier run was interrupted, or killed, within an input, this
/// one goes on behind its last saving, with the same bytes in the end. Failures of single inputs are outcomes.
///
/// # Errors
/// Cancellation, the loss of the device, an error of the observer; with [`OnError::Stop`] the first failure of an input.
pub fn analyze(
    ctx: &GpuContext,
    inputs: Vec<AnalyzeInput>,
    config: &AnalyzeConfig,
    options: &AnalyzeOptions,
    observer: &mut dyn OutcomeObserver<Outcome>,
) -> Result<()> {
    config.check()?;
    let how = options;
    let options = &stoppable(&how.pipeline);
    let cancel = &options.cancel;
    let io = OsIo;
    let mut open = Vec::new();
    let mut sources: Vec<Flow> = Vec::new();
    for (at, input) in inputs.into_iter().enumerate() {
        let (path, folder) = (input.path.clone(), input.folder.clone());
        let existed = folder.is_dir();
        match prepare(ctx, &io, (at, input), config, options, how) {
            Ok(Prepared::Done(outcome)) => observer.outcome(at, *outcome)?,
            Ok(Prepared::Run(run)) => {
                let (opened, flow) = *run;
                if opened.resumed > 0 {
                    tell(&opened, opened.resumed, &mut Reporter::new(&mut *observer, cancel));
                }
                sources.push(flow);
                open.push(Some(opened));
            }
            Err(e) => {
                if !existed {
                    remove_if_empty(&folder);
                }
                let stop = options.on_error == OnError::Stop;
                observer.outcome(at, Outcome::failed(&path, &folder, e))?;
                if stop {
                    return Ok(());
                }
            }
        }
    }
    if sources.is_empty() {
        return Ok(());
    }
    let bytes = |layout: &_, batch| work_bytes(layout, batch, config, options.in_flight);
    let ran = run(ctx, options, sources, &bytes, |event| match event {
        Event::Batch { source, output, .. } => match open.get_mut(source).and_then(Option::as_mut) {
            Some(o) => take(&io, o, output, &mut Reporter::new(&mut *observer, cancel)),
            None => Ok(()),
        },
        Event::Last { source, output } => match open.get_mut(source).and_then(Option::as_mut) {
            Some(o) => take(&io, o, output, &mut Reporter::new(&mut *observer, cancel)),
            None => Ok(()),
        },
        Event::End { source, report } => match open.get_mut(source).and_then(Option::take) {
            Some(o) => observer.outcome(o.input, close(ctx, &io, o, report, config, cancel)),
            None => Ok(()),
        },
    });
    // Of what did not come to its end only what the next run goes on with is left.
    for o in open.into_iter().flatten() {
        discard(o);
    }
    ran?;
    cancel.check()
}

enum Prepared<'a> {
    Done(Box<Outcome>),
    Run(Box<(Open<'a>, Flow)>),
}

/// Frames, and what measures them.
type Flow = (Box<dyn FrameSource>, AnalyzeWork);

fn prepare<'a>(
    ctx: &GpuContext,
    io: &'a OsIo,
    (at, input): (usize, AnalyzeInput),
    config: &AnalyzeConfig,
    options: &PipelineOptions,
    how: &AnalyzeOptions,
) -> Result<Prepared<'a>> {
    let AnalyzeInput { path, folder, source, info, track, end, fingerprint, source_bytes, layout } = input;
    if let Some(layout) = &layout {
        MemoryPlan::check_least(ctx, layout, 2, source_bytes, work_bytes(layout, 1, config, options.in_flight))?;
    }
    let permit = ctx.pool().acquire_host(source_bytes)?;
    let created = !folder.is_dir();
    output_folder(io, &folder)?;
    let state = StateDir::acquire_for(io, folder.join(STATE), "analyze")?;
    let key = run_key(ctx, config, &fingerprint, track)?;
    let journal = state.join("journal");
    if how.restart {
        forget(state.join("journal"))?;
        kept::remove(&state)?;
    }
    let log = UnitLog::open(io, &journal, &folder, &key)?;
    if let Some(done) = log.done(UNIT) {
        let meta: UnitMeta = serde_json::from_value(done.meta.clone())
            .map_err(|e| crate::StateError::Corrupt { path: journal, reason: format!("its unit record: {e}") })?;
        return Ok(Prepared::Done(Box::new(Outcome {
            path,
            folder,
            status: meta.status,
            cached: true,
            resumed: 0,
            frames: meta.frames,
            reasons: meta.reasons,
            missing: Vec::new(),
            error: None,
            stages: Vec::new(),
        })));
    }
    let (keeper, reached) = Keeper::open(io, &state, &key, config.thumbnails)?;
    let table = TableSink::create(io, folder.join("frames"), schema(), TableFormats::default())?;
    let expected = info.as_ref().and_then(|i| i.expected_frames(track));
    let facts = InputFacts::new(&path, info, track, fingerprint);
    let mut opened = Open {
        input: at,
        expected,
        path,
        folder,
        facts,
        end,
        state,
        log,
        table,
        curves: Curves::new(),
        picks: Picks::new(config.thumbnails),
        heat: Vec::new(),
        frames: 0,
        keeper,
        resumed: 0,
        lead: false,
        created,
        done: true,
        _permit: permit,
    };
    let work = AnalyzeWork::new(config.clone()).saving(Clock::new(how.save_every));
    let Some(reached) = reached else { return Ok(Prepared::Run(Box::new((opened, (source, work))))) };
    for metrics in &reached.frames {
        opened.table.push(metrics.row())?;
        opened.curves.push(metrics);
    }
    opened.frames = reached.frames.len() as u64;
    (opened.picks, opened.resumed, opened.lead) = (reached.picks, opened.frames, true);
    let rest = Box::new(Behind { inner: source, left: opened.frames - 1, cancel: options.cancel.clone() });
    Ok(Prepared::Run(Box::new((opened, (rest, work.behind(reached.heat))))))
}

/// Everything that can change a byte of the output.
fn run_key(ctx: &GpuContext, config: &AnalyzeConfig, fingerprint: &str, track: usize) -> Result<RunKey> {
    let mut kernels = blake3::Hasher::new();
    for k in crate::gpu::kernel_sources() {
        kernels.update(k.name.as_bytes()).update(k.text.as_bytes());
    }
    let caps = ctx.caps();
    RunKey::builder()
        .field("workflow", "analyze")
        .field("version", env!("CARGO_PKG_VERSION"))
        .field("kernels", kernels.finalize().to_hex())
        .field("adapter", format!("{} ({})", caps.name, caps.driver))
        .field("input", fingerprint)
        .field("track", track)
        .fields("config", config)
        .finish()
}

fn tell(o: &Open<'_>, frames: u64, reporter: &mut Reporter<'_>) {
    reporter.tell(Progress::new("measure", "frames", frames).towards(o.expected).of_input(o.input));
}

fn take(io: &OsIo, o: &mut Open<'_>, output: AnalyzeOutput, reporter: &mut Reporter<'_>) -> Result<()> {
    match output {
        AnalyzeOutput::Frames(batch) => {
            let lead = usize::from(std::mem::take(&mut o.lead));
            let frames = batch.frames.len().saturating_sub(lead) as u64;
            for (metrics, rgba) in batch.frames.into_iter().skip(lead) {
                o.table.push(metrics.row())?;
                o.curves.push(&metrics);
                o.keeper.push(&metrics);
                o.picks.offer(metrics, Thumbnail { size: batch.thumbnail_size, rgba });
            }
            o.frames += frames;
            if let Some(heat) = batch.heat {
                o.keeper.save(io, &heat, &o.picks)?;
            }
            if frames > 0 {
                tell(o, frames, reporter);
            }
        }
        AnalyzeOutput::Heat(maps) => o.heat.extend(maps),
    }
    Ok(())
}

fn close(
    ctx: &GpuContext,
    io: &OsIo,
    mut o: Open<'_>,
    report: SourceReport,
    config: &AnalyzeConfig,
    cancel: &CancelToken,
) -> Outcome {
    let (path, folder) = (o.path.clone(), o.folder.clone());
    let error = report.result.err();
    // Without a frame, or when somebody asked to stop, there is nothing to keep.
    let hopeless = o.frames == 0 || cancel.is_cancelled() || matches!(error, Some(Error::Cancelled));
    if hopeless {
        let e = error.unwrap_or_else(|| {
            if cancel.is_cancelled() {
                Error::Cancelled
            } else {
                Error::InputCorrupt { path: path.clone(), reason: "no frame could be decoded".into() }
            }
        });
        discard(o);
        return Outcome { stages: report.stages, ..Outcome::failed(&path, &folder, e) };
    }
    let end = o.end.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let verdict = settle(end.verdict, error.as_ref(), o.frames);
    let status = match verdict.status {
        Status::Complete => OutcomeStatus::Complete,
        Status::Partial | Status::Rejected => OutcomeStatus::Partial,
        Status::Unverifiable => OutcomeStatus::Unverifiable,
    };
    let (frames, resumed) = (o.frames, o.resumed);
    let (reasons, missing) = (verdict.reasons.clone(), verdict.missing.clone());
    // What a slow disk or a decoder process could not do today it may do tomorrow: the outputs stand, but the next run measures again.
    o.done = !error.as_ref().is_some_and(|e| e.retryable() || matches!(e, Error::DecodeWorker { .. }));
    match finish(ctx, io, o, config, verdict, end.notes, status) {
        Ok(()) => {
            let stages = report.stages;
            Outcome { path, folder, status, cached: false, resumed, frames, reasons, missing, error, stages }
        }
        Err(e) => Outcome { stages: report.stages, ..Outcome::failed(&path, &folder, e) },
    }
}

/// The verdict of the decoder, made worse by an error that ended the source; frames without a decoder (folders, hosts) are complete
/// when they ended without one.
fn settle(verdict: Option<Verdict>, error: Option<&Error>, frames: u64) -> Verdict {
    let mut v = verdict.unwrap_or(Verdict {
        status: Status::Complete,
        reasons: Vec::new(),
        notes: Vec::new(),
        missing: Vec::new(),
        declared_frames: None,
        decoded_frames: frames,
        damaged_frames: 0,
        declared_duration: None,
        decoded_duration: None,
    });
    if let Some(e) = error {
        v.status = Status::Partial;
        v.reasons.push(e.to_string());
    }
    v
}

fn finish(
    ctx: &GpuContext,
    io: &dyn StoreIo,
    o: Open<'_>,
    config: &AnalyzeConfig,
    verdict: Verdict,
    notes: Vec<String>,
    status: OutcomeStatus,
) -> Result<()> {
    let Open { folder, facts, mut log, table, curves, picks, heat, frames, state, done, keeper, .. } = o;
    let meta = UnitMeta { status, frames, reasons: verdict.reasons.clone() };
    let tables = table.finish()?;
    let mut files: Vec<Committed> = tables.files;
    let report = Report {
        facts: &facts,
        config,
        verdict: &verdict,
        notes: &notes,
        curves: &curves,
        picks: picks.finish(),
        heat: &heat,
        frames,
        adapter: ctx.caps(),
    };
    files.extend(write_outputs(io, &folder, &report)?);
    if done {
        log.finish(UNIT, &files, &meta)?;
        drop(keeper);
        kept::remove(&state)?;
    }
    drop(state);
    Ok(())
}

/// Leaves no trace of an input that gave nothing; of one that was interrupted, what the next run goes on with.
fn discard(o: Open<'_>) {
    let Open { folder, state, log, table, keeper, created, .. } = o;
    drop(table);
    drop(log);
    let state_path = state.path().to_path_buf();
    let saved = keeper.saved > 0;
    drop((keeper, state));
    if created && !saved {
        // Only our own, freshly made state goes; whatever else is in the folder keeps it alive.
        let _ = std::fs::remove_dir_all(&state_path);
        remove_if_empty(&folder);
    }
}

fn remove_if_empty(folder: &Path) {
    // Fails when something is in it, which is the point.
    let _ = std::fs::remove_dir(folder);
}
