//! `frameloom run`: a chain of commands from a file, each on what the ones before left.
//!
//! The steps run in this process, by the same code as when they are typed: one after the other, but those that read the same video and do not wait
//! for each other at the same time, so that each frame is decoded once. Each has its own folder; what is known of it lies in `.state/`. A step is kept
//! while everything that can change its files is as it was.

mod attempt;
mod file;
mod page;
mod plan;
mod refer;
mod state;
mod together;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Instant;

use frameloom::gpu::GpuOptions;
use frameloom::store::{OsIo, StateDir, commit_json};
use frameloom::{Error, Result};
use serde_json::{Value, json};

use super::cards::line;
use super::typed::At;
use crate::args::Global;
use crate::output::{Output, error_json, printable};
use crate::pipeline_args::RunArgs;
use crate::progress::Mode;
use crate::signals::Signals;
use crate::warm::Warm;
use file::{Source, Step};
use plan::Plan;
pub(super) use state::below;
use state::{Progress, Record};

/// How a step ended.
#[derive(Debug)]
enum End {
    /// It is what an earlier run left.
    Kept(Record),
    /// It ran.
    Ran(Record),
    Failed(Error),
    /// A step that it uses, by its name, is not there.
    Waits(String),
}

impl End {
    const fn record(&self) -> Option<&Record> {
        match self {
            Self::Kept(record) | Self::Ran(record) => Some(record),
            Self::Failed(_) | Self::Waits(_) => None,
        }
    }

    /// One word.
    fn word(&self) -> &'static str {
        match self {
            Self::Kept(_) => "kept",
            Self::Ran(record) if record.progress == Progress::Partial => "partial",
            Self::Ran(_) => "done",
            Self::Failed(_) => "failed",
            Self::Waits(_) => "not run",
        }
    }
}

pub(crate) fn run(global: &Global, args: &RunArgs, out: &mut Output, signals: &Signals, mode: Mode) -> Result<u8> {
    let output = args.output.clone().unwrap_or_else(|| {
        let mut name = args.file.file_stem().unwrap_or_default().to_os_string();
        name.push(".run");
        PathBuf::from(name)
    });
    let plan = Plan::of(Source::read(&args.file, &args.set)?, &output)?;
    let global = Global { warm: Warm::keeping(), ..global.clone() };
    let names: Vec<&str> = plan.source.steps.iter().map(|s| s.name.as_str()).collect();
    out.event(
        "start",
        json!({
            "command": "run", "pipeline": args.file.to_string_lossy(), "output": output.to_string_lossy(), "steps": names,
            "vars": plan.source.vars,
        }),
    );
    let one_by_one = args.one_by_one;
    let mut work =
        Work { plan: &plan, global: &global, restart: args.restart, one_by_one, adapter: None, ends: BTreeMap::new() };
    if args.dry_run {
        return work.show(signals, out);
    }
    let _lock = StateDir::acquire(&OsIo, output.join(".state"))?;
    state::sweep(&output)?;
    let started = Instant::now();
    for at in plan.order.iter().copied() {
        if !work.ends.contains_key(&at) {
            signals.cancel.check()?;
            work.turn(at, out, signals, mode)?;
        }
    }
    work.finish(started.elapsed().as_secs_f64(), out)
}

/// A pipeline at work.
struct Work<'a> {
    plan: &'a Plan,
    global: &'a Global,
    restart: bool,
    one_by_one: bool,
    /// Name and driver of the device, once it was asked for.
    adapter: Option<String>,
    ends: BTreeMap<usize, End>,
}

impl Work<'_> {
    /// The file that a step said it wrote as `output`.
    fn told(&self, at: usize, output: &str) -> Option<String> {
        let step = self.plan.step(at).ok()?;
        let At::Told(pointer) = step.kind.left(output).ok()?.at else { return None };
        self.ends.get(&at)?.record()?.told(pointer).map(str::to_owned)
    }

    /// The first step that `at` uses and that is not there.
    fn lacks(&self, at: usize) -> Option<String> {
        let uses = self.plan.uses.get(at)?;
        let missing = uses.iter().find(|one| self.ends.get(one).is_none_or(|end| end.record().is_none()))?;
        Some(self.plan.step(*missing).ok()?.name.clone())
    }

    /// The device, by name and driver: results may depend on it. Without one, steps that need it will say so.
    fn adapter(&mut self) -> String {
        let global = self.global;
        let found = || {
            let options = GpuOptions { device: global.device.clone(), ..GpuOptions::default() };
            let caps = global.open(&options).map(|ctx| format!("{} ({})", ctx.caps().name, ctx.caps().driver));
            caps.unwrap_or_else(|_| "none".into())
        };
        self.adapter.get_or_insert_with(found).clone()
    }

    /// Named outputs of a step that is there.
    fn outputs(&self, step: &Step, record: &Record) -> BTreeMap<&'static str, String> {
        let folder = self.plan.folder(step);
        let path = |at: At| match at {
            At::Folder => Some(folder.clone()),
            At::Inside(file) => Some(folder.join(file)),
            At::Told(pointer) => record.told(pointer).map(|file| folder.join(file)),
        };
        let all = step.kind.outputs.iter().filter_map(|left| Some((left.name, path(left.at)?)));
        all.filter(|(_, p)| p.exists()).map(|(name, p)| (name, p.to_string_lossy().into_owned())).collect()
    }

    /// Its number among those that run, from 1.
    fn number(&self, at: usize) -> usize {
        self.plan.order.iter().position(|o| *o == at).unwrap_or_default() + 1
    }

    /// `with` are the names of steps that ran at the same time.
    fn tell(&self, at: usize, end: &End, (seconds, with): (f64, &[String]), out: &mut Output) -> Result<()> {
        let step = self.plan.step(at)?;
        let (n, of) = (self.number(at), self.plan.order.len());
        let why = match end {
            End::Failed(e) => format!(": {e}"),
            End::Waits(missing) => format!(": it uses `{missing}`"),
            End::Kept(_) | End::Ran(_) => format!(" ({seconds:.1} s)"),
        };
        out.text(&printable(&format!("{n}/{of} {}: {}{why}", step.name, end.word())));
        let exit = match end {
            End::Failed(e) => json!(e.exit_code()),
            End::Waits(_) => Value::Null,
            End::Kept(record) | End::Ran(record) => json!(if record.progress == Progress::Partial { 3 } else { 0 }),
        };
        let error = match end {
            End::Failed(e) => error_json(e),
            _ => Value::Null,
        };
        out.event(
            "step",
            json!({
                "step": step.name, "command": step.kind.name, "number": n, "of": of, "state": end.word(), "exit": exit,
                "folder": self.plan.folder(step).to_string_lossy(), "seconds": seconds, "with": with, "error": error,
                "outputs": end.record().map(|r| self.outputs(step, r)),
            }),
        );
        Ok(())
    }

    /// The page, the list of what was done, and the exit code.
    fn finish(mut self, seconds: f64, out: &mut Output) -> Result<u8> {
        let plan = self.plan;
        let mut steps = Vec::new();
        for (at, step) in plan.source.steps.iter().enumerate() {
            let end = self.ends.get(&at);
            let ready = plan.ready(at, &|from, output| self.told(from, output)).ok();
            let state = end.map(|e| if matches!(e, End::Kept(_)) { "done" } else { e.word() });
            steps.push(json!({
                "name": step.name, "command": step.kind.name, "folder": step.folder, "state": state,
                "arguments": ready.map(|r| r.words.shown()),
            }));
        }
        let told = json!({
            "schema": "pipeline", "schema_version": 1, "title": plan.source.title, "vars": plan.source.vars, "steps": steps,
        });
        commit_json(&OsIo, plan.output.join("pipeline.json"), &told)?;
        let index = page::write(plan, &self.ends, &|from, output| self.told(from, output))?;
        let count = |word: &str| self.ends.values().filter(|e| e.word() == word).count();
        let [failed, waits, partial, done, kept] = ["failed", "not run", "partial", "done", "kept"].map(count);
        let code = if failed + partial > 0 { 3 } else { 0 };
        out.text(&printable(&index.to_string_lossy()));
        if failed > 0 && self.ends.values().all(|e| e.record().is_none()) {
            // Nothing was done: the first failure is that of the whole.
            let first = plan.order.iter().find(|at| matches!(self.ends.get(at), Some(End::Failed(_)))).copied();
            if let Some(End::Failed(e)) = first.and_then(|at| self.ends.remove(&at)) {
                return Err(e);
            }
        }
        out.event(
            "result",
            json!({
                "report": index.to_string_lossy(), "steps": plan.order.len(), "done": done, "kept": kept,
                "partial": partial, "failed": failed, "not_run": waits, "seconds": seconds, "exit": code,
            }),
        );
        Ok(code)
    }

    /// `--dry-run`.
    fn show(mut self, signals: &Signals, out: &mut Output) -> Result<u8> {
        let plan = self.plan;
        let mut shown = BTreeSet::new();
        for first in plan.order.iter().copied() {
            if shown.contains(&first) {
                continue;
            }
            let all = self.at_once(first, &shown)?;
            let mut kept = BTreeMap::new();
            for at in &all {
                kept.insert(*at, self.kept(*at, signals)?);
            }
            let running: Vec<&str> = all
                .iter()
                .filter(|at| kept.get(at).is_some_and(Option::is_none))
                .filter_map(|at| Some(plan.step(*at).ok()?.name.as_str()))
                .collect();
            for at in all {
                let record = kept.remove(&at).flatten();
                self.show_step(at, &running, record.is_some(), out)?;
                if let Some(record) = record {
                    self.ends.insert(at, End::Kept(record));
                }
                shown.insert(at);
            }
        }
        out.event("result", json!({ "dry_run": true, "steps": plan.order.len(), "kept": self.ends.len() }));
        Ok(0)
    }

    /// `running` are the steps that would run at the same time.
    fn show_step(&self, at: usize, running: &[&str], kept: bool, out: &mut Output) -> Result<()> {
        let plan = self.plan;
        let step = plan.step(at)?;
        let ready = plan.ready(at, &|from, output| self.told(from, output))?;
        let after: Vec<&str> =
            plan.uses.get(at).into_iter().flatten().filter_map(|u| Some(plan.step(*u).ok()?.name.as_str())).collect();
        let with: Vec<&str> = running.iter().copied().filter(|n| !kept && *n != step.name).collect();
        let mut state = if kept { "is kept" } else { "runs" }.to_owned();
        if !after.is_empty() {
            state += &format!(", after {}", after.join(", "));
        }
        if !with.is_empty() {
            state += &format!(", each frame decoded once with {}", with.join(", "));
        }
        let (n, words) = (self.number(at), ready.words.shown());
        out.text(&printable(&format!("{n}/{} {}: {state}", plan.order.len(), step.name)));
        out.text(&printable(&format!("    frameloom {}", line(&words))));
        out.event(
            "item",
            json!({
                "step": step.name, "command": step.kind.name, "number": n, "of": plan.order.len(), "after": after,
                "with": with, "arguments": words, "folder": plan.folder(step).to_string_lossy(), "kept": kept,
            }),
        );
        Ok(())
    }

    /// What an earlier run left of a step, if it would be kept.
    fn kept(&mut self, at: usize, signals: &Signals) -> Result<Option<Record>> {
        let step = self.plan.step(at)?;
        if self.restart || self.lacks(at).is_some() {
            return Ok(None);
        }
        let Some(record) = Record::read(self.plan, &step.folder)? else { return Ok(None) };
        let ready = self.plan.ready(at, &|from, output| self.told(from, output))?;
        let (key, keepable) = state::key(self.plan, at, &ready, &self.adapter(), &signals.cancel)?;
        let same = keepable && record.progress == Progress::Done && record.key == key;
        let whole = same && record.is_whole(&self.plan.folder(step), &signals.cancel)?;
        Ok(whole.then_some(record))
    }
}
