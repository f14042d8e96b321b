//! Steps that read the same video at the same time, each frame decoded once.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::mpsc;
use std::thread::{self, Builder};
use std::time::Instant;

use frameloom::media::{Sharing, SharingCounts, SharingOptions};
use frameloom::{Error, Result};
use serde_json::Value;

use super::attempt::{Look, Task};
use super::plan::Ready;
use super::{End, Work};
use crate::args::Global;
use crate::output::Output;
use crate::progress::Mode;
use crate::signals::Signals;
use crate::warm::Warm;

/// Commands that read their first input frame by frame, from the first to the last.
const READERS: [&str; 8] =
    ["analyze", "heatmap", "chunk run", "collage", "curate run", "curate analyze", "sync", "track"];
/// Options on which it depends which frames come out of a video.
const TERMS: [&str; 3] = ["track", "hwaccel", "limit"];
/// As the main thread has it: commands run in both.
const STACK: usize = 8 << 20;
/// Exit code of what cannot be done within its memory.
const MEMORY: u8 = 6;
/// Steps at the same time at most: each plans memory for itself.
const MOST: usize = 4;

/// What a step reads: the same for steps that can share its frames.
type Reads = (PathBuf, Vec<Value>);

impl Work<'_> {
    /// The step `first` and those that run at the same time: no step of them waits for another, and all read the same video. `ended` are the steps
    /// that have had their turn.
    pub(super) fn at_once(&self, first: usize, ended: &BTreeSet<usize>) -> Result<Vec<usize>> {
        let mut all = vec![first];
        if self.one_by_one {
            return Ok(all);
        }
        let Some(video) = self.reads(first)? else { return Ok(all) };
        for at in self.plan.order.iter().copied() {
            let free = self.plan.uses.get(at).is_some_and(|uses| uses.iter().all(|u| ended.contains(u)));
            if all.len() < MOST
                && at != first
                && !ended.contains(&at)
                && free
                && self.reads(at)?.as_ref() == Some(&video)
            {
                all.push(at);
            }
        }
        Ok(all)
    }

    /// The video that a step reads, when it reads one.
    fn reads(&self, at: usize) -> Result<Option<Reads>> {
        let step = self.plan.step(at)?;
        let (Some(input), true) = (step.kind.inputs.first(), READERS.contains(&step.kind.name)) else {
            return Ok(None);
        };
        let Ready { words, options, .. } = self.plan.ready(at, &|from, output| self.told(from, output))?;
        // A command that takes several inputs is given one under `input`.
        let one = |name: &str| name.trim_end_matches('s').to_owned();
        let mut paths = words.paths.iter().filter(|(key, _)| one(key) == one(input)).map(|(_, path)| path);
        let (Some(path), None) = (paths.next(), paths.next()) else { return Ok(None) };
        let Some(file) = std::fs::canonicalize(path).ok().filter(|f| f.is_file()) else { return Ok(None) };
        let term = |name: &str| options.get(name).cloned().unwrap_or(Value::Null);
        Ok(Some((file, TERMS.iter().map(|t| term(t)).collect())))
    }

    /// The turn of a step, and of those that run with it.
    pub(super) fn turn(&mut self, first: usize, out: &mut Output, signals: &Signals, mode: Mode) -> Result<()> {
        let ended: BTreeSet<usize> = self.ends.keys().copied().collect();
        let mut tasks = Vec::new();
        for at in self.at_once(first, &ended)? {
            let begun = Instant::now();
            match self.look(at, out, signals)? {
                Look::Ended(end) => {
                    self.tell(at, &end, (begun.elapsed().as_secs_f64(), &[]), out)?;
                    self.ends.insert(at, end);
                }
                Look::Run(task) => tasks.push(*task),
            }
        }
        if tasks.len() > 1 {
            tasks = self.together(tasks, out, signals, mode)?;
        }
        for task in tasks {
            let begun = Instant::now();
            out.enter(&task.step.name, &task.label);
            let end = task.run(self.plan, self.global, out, signals, mode);
            out.leave();
            let end = end?;
            self.tell(task.at, &end, (begun.elapsed().as_secs_f64(), &[]), out)?;
            self.ends.insert(task.at, end);
        }
        Ok(())
    }

    /// Runs `tasks` at the same time, and gives those back that need all memory for themselves.
    fn together(&mut self, tasks: Vec<Task>, out: &mut Output, signals: &Signals, mode: Mode) -> Result<Vec<Task>> {
        let options = SharingOptions { cancel: signals.cancel.clone(), ..SharingOptions::default() };
        let places = Sharing::group(tasks.len(), &options);
        let names: Vec<String> = tasks.iter().map(|t| t.step.name.clone()).collect();
        out.note(&format!("{} read the same video: each frame is decoded once", names.join(", ")));
        // Bars would overwrite each other.
        let mode = if mode == Mode::Bar { Mode::Lines } else { mode };
        let (plan, global) = (self.plan, self.global);
        let counted = places.first().cloned();
        let (done, ends) = mpsc::channel();
        let mut again = BTreeSet::new();
        thread::scope(|scope| -> Result<()> {
            for (n, (task, place)) in tasks.iter().zip(places).enumerate() {
                let mut out = out.beside(&task.step.name, &task.label);
                // One of them may use what earlier steps opened; the memory of the others is counted apart.
                let warm = if n == 0 { global.warm.clone() } else { Warm::keeping() };
                let done = done.clone();
                let work = move || {
                    let begun = Instant::now();
                    let global = Global { warm, sharing: Some(place.clone()), ..global.clone() };
                    let end = task.run(plan, &global, &mut out, signals, mode);
                    place.leave();
                    // Whoever listens does so until all are done.
                    let _ = done.send((n, end, begun.elapsed().as_secs_f64()));
                };
                let thread = Builder::new().name(format!("step {}", task.step.name)).stack_size(STACK);
                thread.spawn_scoped(scope, work).map_err(|e| Error::Bug(format!("no thread for a step: {e}")))?;
            }
            drop(done);
            let mut all = Ok(());
            for (n, end, seconds) in ends {
                let Some(task) = tasks.get(n) else { continue };
                match end {
                    // What the others held may have been what it lacked.
                    Ok(End::Failed(e)) if e.exit_code() == MEMORY => {
                        again.insert(n);
                    }
                    Ok(end) => {
                        let with: Vec<String> = names.iter().filter(|o| **o != task.step.name).cloned().collect();
                        self.tell(task.at, &end, (seconds, &with), out)?;
                        self.ends.insert(task.at, end);
                    }
                    Err(e) => all = all.and(Err(e)),
                }
            }
            all
        })?;
        if let Some(counts) = counted.map(|c| c.counts()) {
            let SharingCounts { decoders, decoded, delivered, .. } = counts;
            let by = if decoders == 1 { String::new() } else { format!(" by {decoders} decoders") };
            out.note(&format!("{decoded} frames decoded{by}, {delivered} read by {}", names.join(", ")));
        }
        Ok(tasks.into_iter().enumerate().filter(|(n, _)| again.contains(n)).map(|(_, task)| task).collect())
    }
}
