//! A unit of work: what is asked, and the answer.

use std::path::{Path, PathBuf};
use std::time::Instant;

use crossbeam_channel::{Sender, bounded};
use frameloom::{Error, Result};
use serde_json::{Map, Value, json};

use crate::args::{Command, Global};
use crate::commands::pipeline::below;
use crate::commands::typed::{Kind, Within, kind, nearest, parse, words};
use crate::dispatch::dispatch;
use crate::output::{Output, Said, error_json};
use crate::progress::Mode;
use crate::signals::Signals;
use crate::warm::Warm;

/// Longest id in characters.
const LONGEST_ID: usize = 256;
/// Files that an answer names; of more it says the number.
const MOST_FILES: usize = 1000;
/// Keys of a unit beside those of the inputs of its command.
const KEYS: [&str; 6] = ["id", "command", "input", "inputs", "output", "options"];

/// What a line asks for.
#[derive(Debug)]
pub(super) enum Request {
    Unit(Box<Unit>),
    /// Stop the unit of this id.
    Cancel(String),
}

/// A unit. What is wrong with its command is found when its turn comes, and is its result.
#[derive(Debug)]
pub(super) struct Unit {
    pub(super) id: String,
    command: String,
    output: PathBuf,
    options: Map<String, Value>,
}

/// A unit that has ended.
#[derive(Debug)]
pub(super) struct Done {
    pub(super) slot: usize,
    pub(super) id: String,
    pub(super) message: Value,
}

/// Reads a line.
///
/// # Errors
/// What is wrong with it, with the id where it has one.
pub(super) fn request(line: &str) -> Result<Request, (Option<String>, String)> {
    let value: Value = serde_json::from_str(line).map_err(|e| (None, format!("not JSON: {e}")))?;
    let Value::Object(mut fields) = value else {
        return Err((None, "wanted: an object with `id`, `command`, `input`, `output`".into()));
    };
    let id = match fields.get("cancel").or_else(|| fields.get("id")) {
        Some(Value::String(id)) if !id.is_empty() && id.chars().count() <= LONGEST_ID => id.clone(),
        Some(_) => return Err((None, format!("an id is a text of 1 to {LONGEST_ID} characters"))),
        None => return Err((None, "`id` is missing".into())),
    };
    let wrong = |message: String| (Some(id.clone()), message);
    if fields.contains_key("cancel") {
        return match fields.len() {
            1 => Ok(Request::Cancel(id)),
            _ => Err(wrong("`cancel` stands alone".into())),
        };
    }
    let mut text = |key: &str| match fields.remove(key) {
        Some(Value::String(text)) if !text.is_empty() => Ok(text),
        Some(_) => Err(wrong(format!("`{key}` must be a text"))),
        None => Err(wrong(format!("`{key}` is missing"))),
    };
    let (command, output) = (text("command")?, text("output")?.into());
    fields.remove("id");
    let mut options = match fields.remove("options") {
        Some(Value::Object(options)) => options,
        Some(_) => return Err(wrong("`options` must be an object".into())),
        None => Map::new(),
    };
    // What is typed without a name may stand beside `command`.
    let inputs = kind(&command).map(|k| k.inputs).unwrap_or_default();
    for (key, value) in fields {
        if !KEYS.contains(&key.as_str()) && !inputs.contains(&key.as_str()) {
            let known = KEYS.iter().chain(inputs).copied();
            return Err(wrong(format!("unknown key `{key}`; {}; options go into `options`", nearest(&key, known))));
        }
        if options.insert(key.clone(), value).is_some() {
            return Err(wrong(format!("`{key}` is given twice")));
        }
    }
    Ok(Request::Unit(Box::new(Unit { id, command, output, options })))
}

impl Unit {
    /// The answer to one that has not begun and will not.
    pub(super) fn given_back(&self) -> Value {
        json!({
            "id": self.id, "status": "cancelled", "exit": Error::Cancelled.exit_code(), "error": error_json(&Error::Cancelled),
            "output": self.output.to_string_lossy(), "begun": false,
        })
    }

    fn command(&self) -> Result<(&'static Kind, Command)> {
        let kind = kind(&self.command).map_err(Error::usage)?;
        let wrong = |p: super::super::typed::Problem| match p.key {
            Some(key) => Error::Config { field: key, message: p.message },
            None => Error::usage(p.message),
        };
        let words = words(kind, Within::Worker, &self.options, &self.output).map_err(wrong)?;
        Ok((kind, parse(&words).map_err(wrong)?))
    }

    fn run(self, global: &Global, signals: &Signals) -> Value {
        let started = Instant::now();
        let mut out = Output::silent(global.quiet, &self.id);
        let ended = self.command().and_then(|(kind, command)| {
            signals.cancel.check()?;
            let folder = if kind.file.is_some() { Some(self.output.as_path()) } else { self.output.parent() };
            if let Some(folder) = folder.filter(|f| !f.as_os_str().is_empty()) {
                std::fs::create_dir_all(folder).map_err(|e| Error::storage("create", folder, e))?;
            }
            dispatch(&command, global, &mut out, signals, Mode::Nothing)
        });
        let Said { items, result } = out.said();
        let (status, exit, error) = match &ended {
            Ok(0) => ("complete", 0, Value::Null),
            Ok(3) => ("partial", 3, Value::Null),
            Ok(code) => ("failed", *code, Value::Null),
            Err(e @ Error::Cancelled) => ("cancelled", e.exit_code(), error_json(e)),
            Err(e) => ("failed", e.exit_code(), error_json(e)),
        };
        let mut files = if ended.is_ok() { names(&self.output) } else { Vec::new() };
        let count = files.len();
        files.truncate(MOST_FILES);
        json!({
            "id": self.id, "status": status, "exit": exit, "error": error, "output": self.output.to_string_lossy(),
            "begun": true, "files": files, "files_count": count, "items": items, "result": result,
            "seconds": started.elapsed().as_secs_f64(),
        })
    }
}

/// Files below a folder, relative to it.
fn names(folder: &Path) -> Vec<String> {
    let all = below(folder).unwrap_or_default();
    all.iter().filter_map(|p| Some(p.strip_prefix(folder).ok()?.to_string_lossy().into_owned())).collect()
}

/// A thread that does units, one after the other, with a device and networks that it keeps.
///
/// # Errors
/// [`Error::Bug`] when there is no thread.
pub(super) fn job(slot: usize, global: &Global, done: Sender<Done>) -> Result<Sender<(Unit, Signals)>> {
    let (to, units) = bounded::<(Unit, Signals)>(1);
    let global = Global { warm: Warm::keeping(), ..global.clone() };
    let work = move || {
        for (unit, signals) in units {
            let id = unit.id.clone();
            let message = unit.run(&global, &signals);
            if done.send(Done { slot, id, message }).is_err() {
                return;
            }
        }
    };
    let thread = std::thread::Builder::new().name(format!("job {slot}")).spawn(work);
    thread.map_err(|e| Error::Bug(format!("no thread for units: {e}")))?;
    Ok(to)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(line: &str) -> (Option<String>, String) {
        request(line).unwrap_err()
    }

    #[test]
    fn lines_become_units() {
        let line = r#"{"id":"a","command":"collage","video":"v.mp4","images":"p","output":"o","options":{"seed":3}}"#;
        let Request::Unit(unit) = request(line).unwrap() else { panic!() };
        assert_eq!((unit.id.as_str(), unit.command.as_str(), unit.output.as_path()), ("a", "collage", Path::new("o")));
        assert_eq!(Value::Object(unit.options), json!({ "seed": 3, "video": "v.mp4", "images": "p" }));
        assert!(matches!(request(r#"{"cancel":"a"}"#).unwrap(), Request::Cancel(id) if id == "a"));
    }

    #[test]
    fn what_is_no_unit_is_said_with_its_id() {
        assert!(wrong("{").1.starts_with("not JSON"));
        assert_eq!(wrong("[]").0, None);
        assert_eq!(wrong(r#"{"command":"analyze"}"#), (None, "`id` is missing".into()));
        assert_eq!(wrong(r#"{"id":7}"#).1, "an id is a text of 1 to 256 characters");
        let of = |message: &str| (Some("a".to_owned()), message.to_owned());
        assert_eq!(wrong(r#"{"id":"a"}"#), of("`command` is missing"));
        assert_eq!(wrong(r#"{"id":"a","command":"analyze"}"#), of("`output` is missing"));
        assert_eq!(wrong(r#"{"cancel":"a","x":1}"#), of("`cancel` stands alone"));
        assert_eq!(
            wrong(r#"{"id":"a","command":"analyze","inptu":"x","output":"o"}"#),
            of("unknown key `inptu`; did you mean `input`?; options go into `options`")
        );
        assert_eq!(
            wrong(r#"{"id":"a","command":"analyze","input":"x","output":"o","options":{"input":"y"}}"#),
            of("`input` is given twice")
        );
    }
}
