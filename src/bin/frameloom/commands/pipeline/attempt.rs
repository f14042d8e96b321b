//! One step: what is to be done for it, and doing it.

use std::path::{Path, PathBuf};

use frameloom::error::StateError;
use frameloom::store::RunKey;
use frameloom::{Error, Result};

use super::file::Step;
use super::plan::{Plan, Ready};
use super::state::{self, Progress, Record};
use super::{End, Work};
use crate::args::Global;
use crate::commands::cards::line;
use crate::dispatch::dispatch;
use crate::output::{Output, error_json};
use crate::progress::Mode;
use crate::signals::Signals;

/// What has to be run.
#[derive(Debug)]
pub(super) struct Task {
    pub(super) at: usize,
    pub(super) step: Step,
    /// Before each line on standard error.
    pub(super) label: String,
    ready: Ready,
    folder: PathBuf,
    key: RunKey,
    /// Whether the folder is one that a run left.
    ours: bool,
}

/// What comes of a look at a step.
#[derive(Debug)]
pub(super) enum Look {
    Ended(End),
    Run(Box<Task>),
}

impl Work<'_> {
    /// What is to be done for a step. What other options or inputs left in its folder is gone afterwards.
    pub(super) fn look(&mut self, at: usize, out: &mut Output, signals: &Signals) -> Result<Look> {
        let step = self.plan.step(at)?.clone();
        if let Some(missing) = self.lacks(at) {
            return Ok(Look::Ended(End::Waits(missing)));
        }
        let label = format!("{}/{} {}", self.number(at), self.plan.order.len(), step.name);
        out.enter(&step.name, &label);
        let look = self.prepare(at, step, label, out, signals);
        let look = look.or_else(|e| failed(e, out).map(Look::Ended));
        out.leave();
        look
    }

    fn prepare(&mut self, at: usize, step: Step, label: String, out: &Output, signals: &Signals) -> Result<Look> {
        let ready = self.plan.ready(at, &|from, output| self.told(from, output))?;
        let missing = ready.words.paths.iter().find(|(_, p)| self.plan.is_made(p) && !p.exists());
        if let Some((key, path)) = missing {
            let reason = format!("no step has made it, it is wanted for `{key}`");
            return Err(Error::InputNotFound { path: path.clone(), reason });
        }
        let (key, keepable) = state::key(self.plan, at, &ready, &self.adapter(), &signals.cancel)?;
        let folder = self.plan.folder(&step);
        let before = match Record::read(self.plan, &step.folder) {
            // `--restart` discards damaged records too.
            Err(_) if self.restart => None,
            read => read?,
        };
        if let Some(record) = before.as_ref().filter(|r| !self.restart && keepable && r.key == key) {
            if record.progress == Progress::Done && record.is_whole(&folder, &signals.cancel)? {
                return Ok(Look::Ended(End::Kept(record.clone())));
            }
        } else if let Some(record) = before.as_ref().filter(|r| !self.restart && r.key != key) {
            out.note(&format!("runs anew, different: {}", record.key.diff(&key).join(", ")));
        }
        // What other options or inputs left would lie among what these leave. A folder without a record is not ours.
        let (ours, others) = (Record::exists(self.plan, &step.folder), before.as_ref().is_none_or(|r| r.key != key));
        if ours && (self.restart || others) {
            clear(&folder)?;
        }
        if ours && folder.is_dir() {
            state::sweep_all(&folder)?;
        }
        Ok(Look::Run(Box::new(Task { at, step, label, ready, folder, key, ours })))
    }
}

impl Task {
    /// Runs it; `out` has been entered for it. An error is how the step ended, but for one that ends all.
    pub(super) fn run(
        &self,
        plan: &Plan,
        global: &Global,
        out: &mut Output,
        signals: &Signals,
        mode: Mode,
    ) -> Result<End> {
        self.attempt(plan, global, out, signals, mode).or_else(|e| failed(e, out))
    }

    fn attempt(&self, plan: &Plan, global: &Global, out: &mut Output, signals: &Signals, mode: Mode) -> Result<End> {
        let record = Record::begun(self.key.clone());
        record.write(plan, &self.step.folder)?;
        out.note(&format!("frameloom {}", line(&self.ready.words.shown())));
        let code = match self.call(global, out, signals, mode) {
            // Its own state is of another device or version.
            Err(Error::State(StateError::KeyMismatch { .. })) if self.ours => {
                clear(&self.folder)?;
                self.call(global, out, signals, mode)?
            }
            code => code?,
        };
        let progress = match code {
            0 => Progress::Done,
            3 => Progress::Partial,
            code => return Err(Error::usage(format!("the command ended with exit code {code}"))),
        };
        let files = state::files(&self.folder, &signals.cancel)?;
        let record = record.ended(progress, files, out.said());
        record.write(plan, &self.step.folder)?;
        Ok(End::Ran(record))
    }

    fn call(&self, global: &Global, out: &mut Output, signals: &Signals, mode: Mode) -> Result<u8> {
        let folder = &self.folder;
        std::fs::create_dir_all(folder).map_err(|e| Error::storage("create", folder, e))?;
        // A command may cancel its own work; the other steps go on.
        let own = signals.apart(signals.cancel.child());
        let code = dispatch(&self.ready.command, global, out, &own, mode);
        signals.cancel.check()?;
        code
    }
}

/// The end of a step that failed; the end of all when they were cancelled.
fn failed(e: Error, out: &mut Output) -> Result<End> {
    if matches!(e, Error::Cancelled) {
        return Err(e);
    }
    out.event("error", error_json(&e));
    out.note(&format!("failed[{}]: {e}", e.code()));
    if let Some(hint) = e.hint() {
        out.note(&format!("  hint: {hint}"));
    }
    Ok(End::Failed(e))
}

/// Removes what a step left in its folder.
fn clear(folder: &Path) -> Result<()> {
    match std::fs::remove_dir_all(folder) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(Error::storage("remove", folder, e)),
        _ => Ok(()),
    }
}
