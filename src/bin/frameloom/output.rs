//! Standard output and standard error, in one place: events with `--json`, plain text without.

use std::io::Write;

use frameloom::{Error, Result};
use serde_json::{Value, json};

use crate::signals::Signals;

/// Version of the event format.
const EVENT_VERSION: u32 = 1;

/// Where results, warnings and errors go.
#[derive(Debug)]
pub(crate) struct Output {
    json: bool,
    quiet: bool,
    broken_pipe: bool,
    ended: bool,
}

impl Output {
    pub(crate) fn new(json: bool, quiet: bool) -> Self {
        Self { json, quiet, broken_pipe: false, ended: false }
    }

    /// Writes one event line, with `--json` only.
    pub(crate) fn event(&mut self, kind: &str, mut fields: Value) {
        if !self.json {
            return;
        }
        self.ended |= matches!(kind, "result" | "error");
        let mut line = json!({ "v": EVENT_VERSION, "event": kind });
        if let (Some(to), Some(from)) = (line.as_object_mut(), fields.as_object_mut()) {
            to.append(from);
        }
        self.line(&line.to_string());
    }

    /// Writes a line of data to standard output, without `--json` only.
    pub(crate) fn text(&mut self, line: &str) {
        if !self.json {
            self.line(line);
        }
    }

    fn line(&mut self, line: &str) {
        let mut stdout = std::io::stdout().lock();
        let written = writeln!(stdout, "{line}").and_then(|()| stdout.flush());
        if written.is_err_and(|e| e.kind() == std::io::ErrorKind::BrokenPipe) {
            self.broken_pipe = true;
        }
    }

    /// A note for the person at the terminal.
    pub(crate) fn note(&self, message: &str) {
        if !self.quiet {
            eprintln!("frameloom: {}", printable(message));
        }
    }

    /// A warning: an event and a line on standard error.
    pub(crate) fn warn(&mut self, message: &str) {
        self.event("warning", json!({ "message": message }));
        if !self.quiet {
            eprintln!("frameloom: warning: {}", printable(message));
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

/// Control characters of hostile file names must not reach a terminal.
pub(crate) fn printable(text: &str) -> String {
    text.chars().flat_map(|c| if c.is_control() { c.escape_default().collect::<Vec<_>>() } else { vec![c] }).collect()
}

/// The exit code after signals and a closed pipe were considered.
pub(crate) fn exit_code_of(code: u8, out: &Output, signals: &Signals) -> u8 {
    if let Some(signal) = signals.received() {
        return 128 + signal;
    }
    if out.broken_pipe { 141 } else { code }
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
    fn limits_parse_or_say_why() {
        assert_eq!(limits_from(&["side=100".into()]).expect("valid").side, 100);
        for bad in ["side", "side=x", "depth=3", "side=0"] {
            assert!(limits_from(&[bad.into()]).is_err(), "{bad}");
        }
    }
}
