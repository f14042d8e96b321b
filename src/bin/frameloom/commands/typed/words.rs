//! A table of options as the arguments that would be typed.

use std::any::TypeId;
use std::error::Error as _;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgAction, CommandFactory, Parser};
use serde_json::{Map, Value};

use super::{Kind, nearest};
use crate::args::{Cli, Command};

/// Options that whoever runs the command gives it.
const OURS: [&str; 8] = ["help", "version", "device", "json", "progress", "quiet", "output", "dry-run"];
/// The same, for reasons of their own.
const OURS_TOO: [&str; 2] = ["metrics-listen", "set"];
/// What a step of a pipeline may not be told: the pipeline itself says what is made anew. A unit of a worker has an output of its own.
const NO_STEP: [&str; 1] = ["restart"];
/// Paths of what is written.
const WRITTEN: [&str; 2] = ["index", "analysis"];

/// Whose table it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Within {
    /// A step of a pipeline.
    Pipeline,
    /// A unit of a worker.
    Worker,
}

impl Within {
    /// Whether the option of this name, with dashes, is not for such a table.
    fn keeps(self, name: &str) -> bool {
        OURS.contains(&name) || OURS_TOO.contains(&name) || (self == Self::Pipeline && NO_STEP.contains(&name))
    }
}

/// What is wrong with a table, and with which of its keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    /// The key, where it is one.
    pub(crate) key: Option<String>,
    /// What was wanted and what was given.
    pub(crate) message: String,
}

impl Problem {
    fn of(key: &str, message: impl Into<String>) -> Self {
        Self { key: Some(key.to_owned()), message: message.into() }
    }
}

/// A command line.
#[derive(Debug, Clone)]
pub(crate) struct Words {
    /// Without the name of the program.
    pub(crate) list: Vec<OsString>,
    /// What is read, with its key.
    pub(crate) paths: Vec<(String, PathBuf)>,
    /// Flags as they were typed, with their keys.
    flags: Vec<(String, String)>,
}

impl Words {
    /// For people: what is not UTF-8 is replaced.
    pub(crate) fn shown(&self) -> Vec<String> {
        self.list.iter().map(|w| w.to_string_lossy().into_owned()).collect()
    }

    /// The key behind a flag such as `--dark`, or behind `--set NAME`.
    pub(crate) fn key_of(&self, flag: &str) -> Option<String> {
        match flag.strip_prefix("--set ") {
            Some(name) => Some(name.to_owned()),
            None => self.flags.iter().find(|(f, _)| f == flag).map(|(_, key)| key.clone()),
        }
    }
}

/// The arguments for `options`, with outputs in `output`.
///
/// # Errors
/// The option that is unknown or of a kind that the command does not take.
pub(crate) fn words(
    kind: &Kind,
    within: Within,
    options: &Map<String, Value>,
    output: &Path,
) -> Result<Words, Problem> {
    let mut root = Cli::command();
    root.build();
    let command = kind.words().try_fold(&root, |at, word| at.find_subcommand(word));
    let Some(command) = command else {
        return Err(Problem { key: None, message: format!("`{}` is not in this build", kind.name) });
    };
    let mut made = Words { list: kind.words().map(OsString::from).collect(), paths: Vec::new(), flags: Vec::new() };
    for (at, name) in kind.inputs.iter().enumerate() {
        made.inputs(options, name, at == 0)?;
    }
    made.list.push("-o".into());
    made.list.push(kind.file.map_or_else(|| output.to_path_buf(), |file| output.join(file)).into());
    let settings = (kind.settings)();
    for (key, value) in options {
        if !is_input(kind, key) {
            made.option((command, &settings), key, value, (kind, within))?;
        }
    }
    Ok(made)
}

/// Whether `key` names something that is typed without a name.
fn is_input(kind: &Kind, key: &str) -> bool {
    kind.inputs.contains(&key) || matches!(key, "input" | "inputs")
}

impl Words {
    /// What is typed without a name. The first of it goes by `input` and `inputs` too.
    fn inputs(&mut self, options: &Map<String, Value>, name: &str, first: bool) -> Result<(), Problem> {
        let names = [name, "input", "inputs"];
        let mut given = names.iter().take(if first { 3 } else { 1 }).filter_map(|n| options.get_key_value(*n));
        let Some((key, value)) = given.next() else { return Ok(()) };
        if let Some((other, _)) = given.find(|(k, _)| *k != key) {
            return Err(Problem::of(other, format!("is the same as `{key}`")));
        }
        let several = name == "inputs";
        let list = match value {
            Value::Array(list) if several => list.as_slice(),
            one => std::slice::from_ref(one),
        };
        for one in list {
            let text = one.as_str().filter(|t| !t.is_empty()).ok_or_else(|| {
                let wanted = if several { "a path or a list of paths" } else { "a path" };
                Problem::of(key, format!("must be {wanted}, got {}", describe(one)))
            })?;
            // A name that begins with a dash is no option.
            let path = if text.starts_with('-') { format!("./{text}") } else { text.to_owned() };
            self.paths.push((key.clone(), path.clone().into()));
            self.list.push(path.into());
        }
        Ok(())
    }

    /// An option by its flag, or as a setting without one.
    fn option(
        &mut self,
        (command, settings): (&clap::Command, &Value),
        key: &str,
        value: &Value,
        (kind, within): (&Kind, Within),
    ) -> Result<(), Problem> {
        let name = key.replace('_', "-");
        if within.keeps(&name) {
            let one = if within == Within::Worker { "unit" } else { "step" };
            return Err(Problem::of(
                key,
                format!("is not for a single {one}: it belongs to the command that runs them"),
            ));
        }
        let flag = command.get_arguments().filter(|a| !a.is_positional() && !a.is_hide_set()).find(|a| named(a, &name));
        if let Some(arg) = flag
            && self.flag(arg, key, value)?
        {
            return Ok(());
        }
        let (top, below) = key.split_once('.').unwrap_or((key, ""));
        let top = top.replace('-', "_");
        if settings.get(&top).is_some() {
            let path = if below.is_empty() { top } else { format!("{top}.{below}") };
            self.list.push("--set".into());
            self.list.push(format!("{path}={value}").into());
            return Ok(());
        }
        match flag {
            Some(arg) => Err(Problem::of(key, format!("must be {}, got {}", wanted(arg), describe(value)))),
            None => {
                let flags = command.get_arguments().filter(|a| !a.is_hide_set()).filter_map(Arg::get_long);
                let flags = flags.filter(|n| !within.keeps(n)).map(|n| n.replace('-', "_"));
                let settings = settings.as_object().into_iter().flatten().map(|(k, _)| k.clone());
                let known: Vec<String> =
                    flags.chain(settings).chain(kind.inputs.iter().map(|i| (*i).to_owned())).collect();
                let near = nearest(&key.replace('-', "_"), known.iter().map(String::as_str));
                Err(Problem::of(key, format!("unknown option of `{}`; {near}", kind.name)))
            }
        }
    }

    /// Adds `arg` with `value`; `false` when it takes no value of this kind.
    fn flag(&mut self, arg: &Arg, key: &str, value: &Value) -> Result<bool, Problem> {
        let Some(long) = arg.get_long() else { return Ok(false) };
        let flag = format!("--{long}");
        let optional = arg.get_num_args().is_some_and(|n| n.min_values() == 0);
        let several = matches!(arg.get_action(), ArgAction::Append);
        let mut add = |text: Option<String>| {
            if let Some(text) = text.as_ref().filter(|_| is_read(arg, long)) {
                self.paths.push((key.to_owned(), text.into()));
            }
            self.flags.push((flag.clone(), key.to_owned()));
            self.list.push(text.map_or_else(|| flag.clone(), |t| format!("{flag}={t}")).into());
        };
        match (arg.get_action(), value) {
            (ArgAction::SetTrue, Value::Bool(on)) => {
                if *on {
                    add(None);
                }
                Ok(true)
            }
            (ArgAction::SetTrue, _) => Ok(false),
            (_, Value::Bool(true)) if optional => {
                add(None);
                Ok(true)
            }
            (_, Value::Bool(false)) if optional => Ok(true),
            (_, Value::Array(list)) if several => {
                let texts: Option<Vec<String>> = list.iter().map(scalar).collect();
                let Some(texts) = texts else { return Ok(false) };
                texts.into_iter().for_each(|t| add(Some(t)));
                Ok(true)
            }
            (_, value) => match scalar(value) {
                Some(text) => {
                    add(Some(text));
                    Ok(true)
                }
                None => Ok(false),
            },
        }
    }
}

/// Whether `name`, with dashes, is the name of `arg` or one of its other names.
fn named(arg: &Arg, name: &str) -> bool {
    let aliases = arg.get_all_aliases().unwrap_or_default();
    arg.get_long().into_iter().chain(aliases).any(|n| n.replace('_', "-") == name)
}

/// Whether `arg` names a file or folder that is read.
fn is_read(arg: &Arg, long: &str) -> bool {
    arg.get_value_parser().type_id() == TypeId::of::<PathBuf>() && !WRITTEN.contains(&long)
}

/// A text, a number or a truth value as it is typed.
fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(n) => Some(n.to_string()),
        Value::Bool(b) => Some(b.to_string()),
        _ => None,
    }
}

fn wanted(arg: &Arg) -> &'static str {
    match arg.get_action() {
        ArgAction::SetTrue => "true or false",
        ArgAction::Append => "one value or a list of them",
        _ => "one value",
    }
}

pub(super) fn describe(value: &Value) -> String {
    match value {
        Value::Null => "nothing".into(),
        Value::Bool(b) => b.to_string(),
        Value::Number(n) => n.to_string(),
        Value::String(s) => format!("the text `{}`", s.chars().take(60).collect::<String>()),
        Value::Array(_) => "a list".into(),
        Value::Object(_) => "a table".into(),
    }
}

/// Reads the arguments as the command line is read.
///
/// # Errors
/// What the parser says, with the key that it is about.
pub(crate) fn parse(words: &Words) -> Result<Command, Problem> {
    let line = std::iter::once(OsString::from("frameloom")).chain(words.list.iter().cloned());
    Cli::try_parse_from(line).map(|cli| cli.command).map_err(|e| problem(&e, words))
}

fn problem(e: &clap::Error, words: &Words) -> Problem {
    let texts = |kind| match e.get(kind) {
        Some(ContextValue::String(text)) => vec![text.clone()],
        Some(ContextValue::Strings(texts)) => texts.clone(),
        _ => Vec::new(),
    };
    let args = texts(ContextKind::InvalidArg);
    let flag = |text: &String| text.split([' ', '=', '[']).next().unwrap_or_default().to_owned();
    let key = args.first().and_then(|a| words.key_of(&flag(a)));
    let value = texts(ContextKind::InvalidValue).pop().unwrap_or_default();
    let shown = |texts: &[String]| {
        let names =
            texts.iter().map(|t| flag(t).trim_start_matches("--").trim_matches(['<', '>', '.']).replace('-', "_"));
        names.map(|n| format!("`{}`", n.to_lowercase())).collect::<Vec<_>>().join(", ")
    };
    let message = match e.kind() {
        ErrorKind::InvalidValue => {
            format!("must be one of {}, got `{value}`", texts(ContextKind::ValidValue).join(", "))
        }
        ErrorKind::ValueValidation => {
            let why = e.source().map(ToString::to_string).unwrap_or_default();
            if why.contains(&value) { why } else { format!("{why}, got `{value}`") }
        }
        ErrorKind::MissingRequiredArgument => format!("wanted: {}", shown(&args)),
        ErrorKind::ArgumentConflict => {
            format!("cannot be given together with {}", shown(&texts(ContextKind::PriorArg)))
        }
        _ => {
            let text = e.render().to_string();
            let first = text.lines().next().unwrap_or_default();
            first.trim_start_matches("error: ").to_owned()
        }
    };
    Problem { key, message }
}

#[cfg(test)]
mod tests {
    use super::super::kind;
    use super::*;
    use serde_json::json;

    fn line(name: &str, options: Value) -> Result<String, Problem> {
        line_within(Within::Pipeline, name, options)
    }

    fn line_within(within: Within, name: &str, options: Value) -> Result<String, Problem> {
        let options = options.as_object().cloned().unwrap();
        let words = words(kind(name).unwrap(), within, &options, Path::new("out"))?;
        parse(&words)?;
        Ok(words.shown().join(" "))
    }

    fn wrong(name: &str, options: Value) -> (String, String) {
        let p = line(name, options).unwrap_err();
        (p.key.unwrap_or_default(), p.message)
    }

    #[test]
    fn options_become_flags_and_settings_without_flags_are_set() {
        assert_eq!(
            line("analyze", json!({ "inputs": ["a.mp4", "b.mp4"], "dark": 0.2, "limit": ["side=100"] })).unwrap(),
            "analyze a.mp4 b.mp4 -o out --dark=0.2 --limit=side=100"
        );
        assert_eq!(
            line("chunk plan", json!({ "heat": "h.npy", "sizes": ["64x64", "96x96"], "lead-in": 1 })).unwrap(),
            "chunk plan h.npy -o out --lead-in=1 --sizes=64x64 --sizes=96x96"
        );
        assert_eq!(
            line("chunk plan", json!({ "input": "h.npy", "sizes": [[64, 64]], "objects": true })).unwrap(),
            "chunk plan h.npy -o out --objects --set sizes=[[64,64]]"
        );
        assert_eq!(
            line("collage", json!({ "video": "-v.mp4", "images": "p", "selection": { "seed": 3 }, "no_repeat": true }))
                .unwrap(),
            "collage ./-v.mp4 p -o out --no-repeat --set selection={\"seed\":3}"
        );
        assert_eq!(
            line("track", json!({ "input": "v.mp4", "annotate": false, "isolate": "off", "motion.side": 200 }))
                .unwrap(),
            "track v.mp4 -o out --isolate=off --set motion.side=200"
        );
        assert_eq!(
            line("proxy", json!({ "input": "v.mp4", "scale": 0.5 })).unwrap(),
            "proxy v.mp4 -o out/proxy.mp4 --scale=0.5"
        );
    }

    #[test]
    fn a_unit_may_begin_anew_and_a_step_may_not() {
        let unit = |name: &str, options: Value| line_within(Within::Worker, name, options);
        let input = json!({ "input": "v.mp4", "restart": true });
        assert_eq!(unit("analyze", input.clone()).unwrap(), "analyze v.mp4 -o out --restart");
        assert_eq!(unit("track", json!({ "input": "v.mp4", "restart": false })).unwrap(), "track v.mp4 -o out");
        assert!(wrong("analyze", input).1.contains("not for a single step"));
        // A command without it says so as of any other option.
        let e = unit("proxy", json!({ "input": "v.mp4", "restart": true })).unwrap_err();
        assert!(e.message.starts_with("unknown option of `proxy`"), "{}", e.message);
        let e = unit("analyze", json!({ "input": "v.mp4", "device": "cpu" })).unwrap_err();
        assert!(e.message.contains("not for a single unit"), "{}", e.message);
    }

    #[test]
    fn what_is_wrong_is_said_of_its_key() {
        let text = |k: &str, m: &str| (k.to_owned(), m.to_owned());
        let v = |more: Value| {
            let mut all = json!({ "input": "v.mp4" });
            all.as_object_mut().unwrap().append(&mut more.as_object().cloned().unwrap());
            all
        };
        assert_eq!(
            wrong("analyze", v(json!({ "drak": 1 }))),
            text("drak", "unknown option of `analyze`; did you mean `dark`?")
        );
        assert_eq!(wrong("analyze", v(json!({ "batch": 0 }))), text("batch", "0 is not in 1..=512"));
        assert_eq!(
            wrong("analyze", v(json!({ "batch": "many" }))),
            text("batch", "invalid digit found in string, got `many`")
        );
        assert_eq!(wrong("analyze", v(json!({ "batch": [1] }))), text("batch", "must be one value, got a list"));
        // A setting of this name exists: its kind is checked with the settings.
        assert_eq!(line("track", v(json!({ "annotate": 3 }))).unwrap(), "track v.mp4 -o out --set annotate=3");
        assert_eq!(wrong("index build", v(json!({ "flat": 3 }))), text("flat", "must be true or false, got 3"));
        assert_eq!(
            wrong("track", v(json!({ "tracker": "sort" }))),
            text("tracker", "must be one of byte-track, oc-sort, iou, greedy, got `sort`")
        );
        assert_eq!(wrong("collage", json!({ "video": "v.mp4" })).1, "wanted: `images`");
        assert_eq!(wrong("analyze", json!({})).1, "wanted: `input`");
        assert_eq!(
            wrong("collage", json!({ "video": "v", "images": "p", "no_repeat": true, "max_uses": 2 })).1,
            "cannot be given together with `no_repeat`"
        );
        assert_eq!(
            wrong("analyze", json!({ "inputs": [3] })),
            text("inputs", "must be a path or a list of paths, got 3")
        );
        assert_eq!(wrong("heatmap", json!({ "input": ["a"] })), text("input", "must be a path, got a list"));
        assert_eq!(wrong("analyze", json!({ "input": "a", "inputs": "b" })), text("input", "is the same as `inputs`"));
        for ours in ["json", "output", "dry_run", "restart", "device", "set"] {
            let (key, message) = wrong("analyze", v(json!({ ours: true })));
            assert!(key == ours && message.contains("not for a single step"), "{ours}: {message}");
        }
    }
}
