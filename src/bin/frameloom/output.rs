//! Standard output and standard error, in one place: events with `--json`, plain text without.

use std::collections::HashSet;
use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use frameloom::{Error, Result};
use serde_json::{Value, json};

use crate::signals::Signals;

/// Version of the event format.
const EVENT_VERSION: u32 = 1;

/// Items of a command that runs within another that are kept; of more only the number is.
const MOST_ITEMS: usize = 100;

/// Where results, warnings and errors go.
#[derive(Debug)]
pub(crate) struct Output {
    json: bool,
    quiet: bool,
    broken_pipe: Arc<AtomicBool>,
    ended: bool,
    inner: Option<Inner>,
    /// Warnings of steps so far.
    warned: Arc<Mutex<HashSet<String>>>,
    /// Whether other commands run in this process at the same time.
    beside: bool,
}

/// A command that runs within another: a step of a pipeline, a unit of a worker.
#[derive(Debug)]
struct Inner {
    name: String,
    /// Before each line on standard error.
    label: String,
    /// Whether its events are told.
    told: bool,
    said: Said,
}

/// What a command within another said.
#[derive(Debug, Default, Clone)]
pub(crate) struct Said {
    /// The fields of its items, the first ones.
    pub(crate) items: Vec<Value>,
    /// The fields of its result.
    pub(crate) result: Value,
}

impl Output {
    pub(crate) fn new(json: bool, quiet: bool) -> Self {
        Self {
            json,
            quiet,
            broken_pipe: Arc::default(),
            ended: false,
            inner: None,
            warned: Arc::default(),
            beside: false,
        }
    }

    /// For a command whose words go nowhere but to standard error, each line after `[label]`.
    pub(crate) fn silent(quiet: bool, label: &str) -> Self {
        let (name, label, said) = (String::new(), label.to_owned(), Said::default());
        let inner = Some(Inner { name, label, told: false, said });
        Self { inner, ..Self::new(false, quiet) }
    }

    /// Whether the reader of standard output has gone away.
    pub(crate) fn is_closed(&self) -> bool {
        self.broken_pipe.load(Ordering::Relaxed)
    }

    /// For a command that runs within this one at the same time as others; see [`Self::enter`].
    pub(crate) fn beside(&self, step: &str, label: &str) -> Self {
        let mut other = Self {
            broken_pipe: Arc::clone(&self.broken_pipe),
            warned: Arc::clone(&self.warned),
            beside: true,
            ..Self::new(self.json, self.quiet)
        };
        other.enter(step, label);
        other
    }

    /// Whether other commands run in this process at the same time: what the process holds is not this one's alone.
    pub(crate) const fn is_beside_others(&self) -> bool {
        self.beside
    }

    /// What follows is said by a command within this one, until [`Self::leave`]: its events carry `step` and, but for items, warnings and progress,
    /// a name that begins with `step-`; its lines of data become notes.
    pub(crate) fn enter(&mut self, step: &str, label: &str) {
        let said = Said::default();
        self.inner = Some(Inner { name: step.to_owned(), label: label.to_owned(), told: true, said });
    }

    /// What it has said so far.
    pub(crate) fn said(&self) -> Said {
        self.inner.as_ref().map(|i| i.said.clone()).unwrap_or_default()
    }

    /// Ends what [`Self::enter`] began.
    pub(crate) fn leave(&mut self) {
        self.inner = None;
    }

    /// Writes one event line, with `--json` only.
    pub(crate) fn event(&mut self, kind: &str, mut fields: Value) {
        let Some(inner) = &mut self.inner else {
            if self.json {
                self.ended |= matches!(kind, "result" | "error");
                self.event_line(kind, &mut fields);
            }
            return;
        };
        match kind {
            "item" if inner.said.items.len() < MOST_ITEMS => inner.said.items.push(fields.clone()),
            "result" => inner.said.result = fields.clone(),
            _ => {}
        }
        if self.json && inner.told {
            if let Some(fields) = fields.as_object_mut() {
                fields.insert("step".into(), inner.name.clone().into());
            }
            let kind =
                if matches!(kind, "item" | "warning" | "progress") { kind.into() } else { format!("step-{kind}") };
            self.event_line(&kind, &mut fields);
        }
    }

    fn event_line(&mut self, kind: &str, fields: &mut Value) {
        let mut line = json!({ "v": EVENT_VERSION, "event": kind });
        if let (Some(to), Some(from)) = (line.as_object_mut(), fields.as_object_mut()) {
            to.append(from);
        }
        self.line(&line.to_string());
    }

    /// Writes a line of data to standard output, without `--json` only.
    pub(crate) fn text(&mut self, line: &str) {
        match &self.inner {
            Some(_) => self.note(line),
            None if !self.json => self.line(line),
            None => {}
        }
    }

    fn line(&mut self, line: &str) {
        let mut stdout = std::io::stdout().lock();
        let written = writeln!(stdout, "{line}").and_then(|()| stdout.flush());
        if written.is_err_and(|e| e.kind() == std::io::ErrorKind::BrokenPipe) {
            self.broken_pipe.store(true, Ordering::Relaxed);
        }
    }

    /// A note for the person at the terminal.
    pub(crate) fn note(&self, message: &str) {
        if !self.quiet {
            eprintln!("frameloom: {}{}", self.label(), printable(message));
        }
    }

    fn label(&self) -> String {
        self.inner.as_ref().map(|i| format!("[{}] ", printable(&i.label))).unwrap_or_default()
    }

    /// A warning: an event and a line on standard error.
    pub(crate) fn warn(&mut self, message: &str) {
        self.event("warning", json!({ "message": message }));
        // Every step opens the same device: a person is told about it once.
        let mut warned = self.warned.lock().unwrap_or_else(PoisonError::into_inner);
        let again = self.inner.is_some() && !warned.insert(message.to_owned());
        if !self.quiet && !again {
            eprintln!("frameloom: {}warning: {}", self.label(), printable(message));
        }
    }

    /// Reports an error and returns its exit code.
    pub(crate) fn fail(&mut self, e: &Error) -> u8 {
        if !self.ended {
            self.event("error", error_json(e));
        }
        eprintln!("frameloom: error[{}]: {}", e.code(), printable(&e.to_string()));
        if let Some(hint) = e.hint() {
            eprintln!("  hint: {hint}");
        }
        e.exit_code()
    }
}

/// An error as it appears in events and reports.
pub(crate) fn error_json(e: &Error) -> Value {
    let mut causes = Vec::new();
    let mut source = std::error::Error::source(e);
    while let Some(s) = source {
        causes.push(s.to_string());
        source = s.source();
    }
    let mut all = json!({
        "code": e.code(), "message": e.to_string(), "cause": causes, "retryable": e.retryable(), "hint": e.hint(),
        "exit": e.exit_code(),
    });
    if let (Error::DecodeWorker { frames, stderr, .. }, Some(all)) = (e, all.as_object_mut()) {
        all.insert("frames".into(), json!(frames));
        all.insert("stderr".into(), json!(stderr));
    }
    all
}

/// What the parser of arguments says, as an error like all others: its first paragraph in one line, its tips as the hint.
pub(crate) fn usage_error(e: &clap::Error) -> Error {
    if e.kind() == clap::error::ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        // The parser says the whole help then.
        return Error::usage("arguments are missing: `--help` says which there are");
    }
    let text = e.render().to_string();
    let first: Vec<&str> = text.lines().map(str::trim).take_while(|line| !line.is_empty()).collect();
    let message = first.join(" ");
    let tips: Vec<&str> = text.lines().filter_map(|line| line.trim().strip_prefix("tip: ")).collect();
    Error::Usage {
        message: message.strip_prefix("error: ").unwrap_or(&message).to_owned(),
        hint: (!tips.is_empty()).then(|| tips.join("; ")),
    }
}

/// Control characters of hostile file names must not reach a terminal.
pub(crate) fn printable(text: &str) -> String {
    text.chars().flat_map(|c| if c.is_control() { c.escape_default().collect::<Vec<_>>() } else { vec![c] }).collect()
}

/// The exit code after signals and a closed pipe were considered.
pub(crate) fn exit_code_of(code: u8, out: &Output, signals: &Signals) -> u8 {
    if let Some(signal) = signals.received() {
        return 128 + signal;
    }
    if out.is_closed() { 141 } else { code }
}

/// Reads `NAME=N` pairs into limits.
pub(crate) fn limits_from(pairs: &[String]) -> Result<frameloom::core::Limits> {
    let mut limits = frameloom::core::Limits::default();
    for pair in pairs {
        let (name, value) = pair.split_once('=').ok_or_else(|| {
            Error::usage(format!(
                "`--limit` must be NAME=N with NAME one of {}, got `{pair}`",
                frameloom::core::Limits::NAMES.join(", ")
            ))
        })?;
        let value: u64 = value
            .trim()
            .parse()
            .map_err(|_| Error::usage(format!("`--limit {name}` must be a whole number, got `{value}`")))?;
        limits.set(name.trim(), value)?;
    }
    Ok(limits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_shown_not_sent() {
        assert_eq!(printable("a\nb\u{1b}[31m"), "a\\nb\\u{1b}[31m");
    }

    #[test]
    fn what_the_parser_says_is_an_error_like_others() {
        use clap::Parser;
        let of = |line: &[&str]| {
            let e = crate::args::Cli::try_parse_from([&["frameloom"], line].concat()).unwrap_err();
            error_json(&usage_error(&e))
        };
        let e = of(&["analyze", "x.mp4", "--thumbnail", "3"]);
        assert_eq!((&e["code"], &e["exit"]), (&"usage".into(), &2.into()), "{e}");
        assert_eq!(e["message"], "unexpected argument '--thumbnail' found");
        assert!(e["hint"].as_str().unwrap().contains("'--thumbnails'"), "{e}");
        // What is missing stands in lines of its own.
        let e = of(&["heatmap", "x.mp4"]);
        assert!(e["message"].as_str().unwrap().contains("--output <DIR>") && e["hint"].is_null(), "{e}");
        // The help that stands in for an error is none.
        let e = of(&["chunk"]);
        let message = e["message"].as_str().unwrap();
        // A variable of the environment counts as an argument.
        assert!(message.starts_with("arguments are missing") || message.contains("requires a subcommand"), "{e}");
    }

    #[test]
    fn limits_parse_or_say_why() {
        assert_eq!(limits_from(&["side=100".into()]).expect("valid").side, 100);
        for bad in ["side", "side=x", "depth=3", "side=0"] {
            assert!(limits_from(&[bad.into()]).is_err(), "{bad}");
        }
    }
}
