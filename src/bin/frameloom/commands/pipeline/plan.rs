//! The plan: what each step runs, in which order, checked before anything runs.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use frameloom::{Error, Result};
use serde_json::{Map, Value};

use super::super::check::check;
use super::super::typed::{At, Problem, Within, Words, nearest, parse, words};
use super::file::{Source, Step};
use super::refer::{Reference, fill, order};
use crate::args::Command;

/// A checked pipeline.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) source: Source,
    /// Where everything goes.
    pub(super) output: PathBuf,
    /// Numbers of the steps, in the order in which they run.
    pub(super) order: Vec<usize>,
    /// Of each step, those that it uses.
    pub(super) uses: Vec<Vec<usize>>,
}

/// A step, ready to run.
#[derive(Debug)]
pub(super) struct Ready {
    pub(super) command: Command,
    pub(super) words: Words,
    /// Options with all references replaced.
    pub(super) options: Map<String, Value>,
}

/// Says what a step named: the value of an output of a step, by its number.
type Told<'a> = dyn Fn(usize, &str) -> Option<String> + 'a;

impl Plan {
    /// Follows all references and checks each command as far as it can be known before it runs.
    ///
    /// # Errors
    /// [`Error::Config`] with the line; [`Error::InputNotFound`], [`Error::Model`] and others with the step.
    pub(super) fn of(source: Source, output: &Path) -> Result<Self> {
        let uses: Vec<Vec<usize>> = (0..source.steps.len()).map(|at| used(&source, at)).collect::<Result<_>>()?;
        let order = order(&uses).map_err(|ring| {
            let name = |at: &usize| source.steps.get(*at).map(|s| s.name.as_str()).unwrap_or_default();
            let names: Vec<&str> = ring.iter().map(name).collect();
            let first = ring.first().copied().unwrap_or_default();
            source.wrong(first, None, format!("steps use each other in a circle: {}", names.join(" -> ")))
        })?;
        let plan = Self { source, output: output.to_path_buf(), order, uses };
        for at in &plan.order {
            let ready = plan.ready(*at, &|_, _| None)?;
            plan.files(*at, &ready.words)?;
            check(&ready.command).map_err(|e| plan.of_step(*at, e, &ready.words))?;
        }
        Ok(plan)
    }

    pub(super) fn step(&self, at: usize) -> Result<&Step> {
        self.source.steps.get(at).ok_or_else(|| Error::Bug(format!("no step {at}")))
    }

    /// The folder of a step.
    pub(super) fn folder(&self, step: &Step) -> PathBuf {
        self.output.join(&step.folder)
    }

    /// The command of a step. `told` says names of files that only a run tells; without one a stand-in is put.
    pub(super) fn ready(&self, at: usize, told: &Told<'_>) -> Result<Ready> {
        let step = self.step(at)?;
        let mut options = Map::new();
        for (key, value) in &step.options {
            let value = fill(value, &mut |r| self.value(r, told));
            options.insert(key.clone(), value.map_err(|m| self.source.wrong(at, Some(key), m))?);
        }
        let problem = |p: Problem| self.source.wrong(at, p.key.as_deref(), p.message);
        let words = words(step.kind, Within::Pipeline, &options, &self.folder(step)).map_err(problem)?;
        let command = parse(&words).map_err(problem)?;
        Ok(Ready { command, words, options })
    }

    fn value(&self, reference: &Reference, told: &Told<'_>) -> Result<Value, String> {
        let (name, output) = match reference {
            Reference::Var(name) => {
                let vars = &self.source.vars;
                let near =
                    || format!("there is no variable `{name}`; {}", nearest(name, vars.keys().map(String::as_str)));
                return vars.get(name).cloned().ok_or_else(near);
            }
            Reference::Output(name, output) => (name, output),
        };
        let at = number(&self.source, name)?;
        let step = self.step(at).map_err(|e| e.to_string())?;
        let folder = self.folder(step);
        let path = match step.kind.left(output)?.at {
            At::Folder => folder,
            At::Inside(file) => folder.join(file),
            At::Told(_) => match told(at, output) {
                Some(file) => folder.join(file),
                None => folder.join(format!("<{output}>")),
            },
        };
        let text = path.to_str().ok_or_else(|| format!("the output folder is not UTF-8: {}", path.display()))?;
        Ok(Value::String(text.to_owned()))
    }

    /// Whether a path is made by a step.
    pub(super) fn is_made(&self, path: &Path) -> bool {
        self.source.steps.iter().any(|s| path.starts_with(self.folder(s)))
    }

    /// What is read must be there, unless a step makes it.
    fn files(&self, at: usize, words: &Words) -> Result<()> {
        let curate = self.step(at)?.kind.name.starts_with("curate");
        for (key, path) in &words.paths {
            let pattern = curate && path.to_string_lossy().contains(['*', '?']);
            if self.is_made(path) || pattern {
                continue;
            }
            if let Err(e) = std::fs::metadata(path) {
                let name = &self.step(at)?.name;
                let place = self.source.place(&format!("steps[{at}].{key}"));
                let reason = match e.kind() {
                    std::io::ErrorKind::NotFound => "no such file".to_owned(),
                    _ => e.to_string(),
                };
                let reason = format!("{reason}, for `{key}` of step `{name}` ({place})");
                return Err(Error::InputNotFound { path: path.clone(), reason });
            }
        }
        Ok(())
    }

    /// An error of a command as one of the file: settings by their line.
    fn of_step(&self, at: usize, e: Error, words: &Words) -> Error {
        let name = self.source.steps.get(at).map(|s| s.name.clone()).unwrap_or_default();
        let place = self.source.place_of(at);
        match e {
            Error::Config { field, message } => {
                let parts = message.strip_suffix(')').and_then(|m| m.rsplit_once(" ("));
                match parts.and_then(|(text, from)| Some((text, from, words.key_of(from)?))) {
                    // A setting below the key that the file has.
                    Some((text, from, key)) if from.starts_with("--set ") && field.starts_with(key.as_str()) => {
                        self.source.wrong(at, Some(&field), text)
                    }
                    Some((text, _, key)) => self.source.wrong(at, Some(&key), text),
                    None => self.source.wrong(at, None, format!("setting `{field}`: {message}")),
                }
            }
            Error::Model { cause, message } => {
                Error::Model { cause, message: format!("{message}, for step `{name}` ({place})") }
            }
            Error::Usage { message, hint } => {
                Error::Usage { message: format!("{message}, for step `{name}` ({place})"), hint }
            }
            other => other,
        }
    }
}

fn number(source: &Source, name: &str) -> Result<usize, String> {
    let names = || source.steps.iter().map(|s| s.name.as_str());
    names().position(|n| n == name).ok_or_else(|| format!("there is no step `{name}`; {}", nearest(name, names())))
}

/// The steps that a step refers to, each reference checked.
fn used(source: &Source, at: usize) -> Result<Vec<usize>> {
    let mut found = BTreeSet::new();
    let options = source.steps.get(at).map(|s| &s.options);
    for (key, value) in options.into_iter().flatten() {
        let seen = fill(value, &mut |r| {
            if let Reference::Output(name, output) = r {
                let from = number(source, name)?;
                leaves(source, from, output)?;
                found.insert(from);
            }
            Ok(Value::Bool(true))
        });
        seen.map_err(|message| source.wrong(at, Some(key), message))?;
    }
    Ok(found.into_iter().collect())
}

/// Whether a step will leave what is asked for.
fn leaves(source: &Source, from: usize, output: &str) -> Result<(), String> {
    let Some(step) = source.steps.get(from) else { return Ok(()) };
    let left = step.kind.left(output)?;
    let option = |name: &str| step.options.iter().find(|(k, _)| k.replace('-', "_") == name).map(|(_, v)| v);
    // What a file of settings says is not known here.
    let made = left.needs.is_empty()
        || option("config").is_some()
        || option(left.needs).is_some_and(|v| !matches!(v, Value::Bool(false) | Value::Null));
    if !made {
        return Err(format!("step `{}` leaves a `{output}` only with `{}`", step.name, left.needs));
    }
    let several =
        ["input", "inputs"].iter().filter_map(|k| option(k)).any(|v| v.as_array().is_some_and(|l| l.len() > 1));
    let each = matches!(step.kind.name, "analyze" | "sync" | "track");
    if output != "output" && each && several && option("join") != Some(&Value::Bool(true)) {
        let message = "has several inputs and a folder for each; refer to one below its `output`";
        return Err(format!("step `{}` {message}", step.name));
    }
    Ok(())
}
