//! The ledger: one row a frame, with everything that a decision rests on. JSON Lines and Parquet.

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;

use serde_json::Value;

use super::{Decision, Decisions};
use crate::error::{Error, Result};
use crate::report::{Cell, ColumnType, Schema, TableFormats, TableSink};
use crate::store::{Committed, StoreIo};
use crate::workflows::curate::metrics::{FrameEntry, FrameMetrics};

/// Largest ledger that is read back, in bytes.
const MAX_LEDGER: u64 = 1 << 30;

/// Columns of the ledger.
pub fn ledger_schema() -> Schema {
    use ColumnType::{F64, Str, U64};
    let mut schema = Schema::new("curate.ledger", 1)
        .column("name", Str, "", "name that the outputs begin with")
        .column("file", Str, "", "file, with the number of the frame for videos")
        .column("path", Str, "", "path as it was given")
        .column("seconds", F64, "s", "time in its video")
        .column("strategy", Str, "", "what is done; null: left out")
        .column("confidence", F64, "1", "how sure the decision is")
        .column("rule", Str, "", "the rule that decided")
        .column("reasoning", Str, "", "why, in words")
        .column("margins", Str, "", "distance to every threshold, joined by ` | `")
        .column("alternatives", Str, "", "the other strategies with their scores or what bars them")
        .column("duplicate_of", Str, "", "the frame that this one nearly repeats")
        .column("error", Str, "", "why the frame could not be read");
    for name in FrameMetrics::NAMES {
        schema = schema.column(name, F64, "", "figure of the frame");
    }
    schema
        .column("shot", Str, "", "close-up, medium, full-body or far-shot")
        .column("phash", Str, "", "perceptual hash, hexadecimal")
        .column("order", U64, "", "position among the inputs")
}

fn row(order: usize, entry: &FrameEntry, d: &Decision) -> Vec<Cell> {
    let text = |t: &str| if t.is_empty() { Cell::Null } else { Cell::from(t) };
    let margins: Vec<&str> = d.margins.iter().map(|m| m.text.as_str()).collect();
    let alternatives: Vec<String> = d
        .alternatives
        .iter()
        .map(|a| match a.score {
            Some(score) => format!("{} {score:+.3}", a.strategy),
            None => format!("{}: {}", a.strategy, a.why_not),
        })
        .collect();
    let mut row: Vec<Cell> = vec![
        entry.name.as_str().into(),
        entry.label().into(),
        entry.place.path.to_string_lossy().into_owned().into(),
        entry.place.seconds.into(),
        d.strategy.as_deref().into(),
        d.confidence.into(),
        d.rule.as_str().into(),
        d.reasoning.as_str().into(),
        text(&margins.join(" | ")),
        text(&alternatives.join(" | ")),
        d.duplicate_of.as_deref().into(),
        entry.error.as_deref().into(),
    ];
    let m = entry.metrics.as_ref();
    row.extend(FrameMetrics::NAMES.iter().map(|name| Cell::from(m.and_then(|m| m.get(name)))));
    row.push(m.map(|m| m.shot.name()).into());
    row.push(m.map(|m| m.phash.as_str()).into());
    row.push(order.into());
    row
}

/// Writes `<stem>.jsonl`, `<stem>.parquet` and the schema.
///
/// # Errors
/// [`Error::Storage`].
pub fn write_ledger(
    io: &dyn StoreIo,
    stem: &Path,
    entries: &[FrameEntry],
    decisions: &Decisions,
) -> Result<Vec<Committed>> {
    let formats = TableFormats { jsonl: true, csv: false, parquet: true };
    let mut sink = TableSink::create(io, stem, ledger_schema(), formats)?;
    for (i, (entry, decision)) in entries.iter().zip(&decisions.all).enumerate() {
        sink.push(row(i, entry, decision))?;
    }
    Ok(sink.finish()?.files)
}

/// Rows of a ledger that was written.
///
/// # Errors
/// [`Error::InputNotFound`], [`Error::InputCorrupt`].
pub fn read_ledger(path: &Path) -> Result<Vec<Value>> {
    let failed = |e: std::io::Error| Error::unreadable(path, &e);
    let file = std::fs::File::open(path).map_err(failed)?;
    let mut rows = Vec::new();
    for (i, line) in BufReader::new(file.take(MAX_LEDGER)).lines().enumerate() {
        let row = serde_json::from_str(&line.map_err(failed)?)
            .map_err(|e| Error::InputCorrupt { path: path.to_path_buf(), reason: format!("line {}: {e}", i + 1) })?;
        rows.push(row);
    }
    Ok(rows)
}

/// What a ledger says of a frame, for people. `frame`: its name, or its file name.
///
/// # Errors
/// [`Error::Usage`] when there is no such frame.
pub fn explain(rows: &[Value], frame: &str) -> Result<String> {
    let is = |row: &&Value, key: &str| row.get(key).and_then(Value::as_str) == Some(frame);
    let row = rows.iter().find(|r| is(r, "name")).or_else(|| rows.iter().find(|r| is(r, "file")));
    let row = row.ok_or_else(|| Error::Usage {
        message: format!("the ledger has no frame `{frame}`"),
        hint: Some("frames are named by `name` or by the name of their file".into()),
    })?;
    let text = |key: &str| row.get(key).and_then(Value::as_str).unwrap_or("");
    let number = |key: &str| row.get(key).and_then(Value::as_f64);
    let mut out = String::new();
    // Writing into a string does not fail.
    let mut line = |s: String| {
        let _ = writeln!(out, "{s}");
    };
    line(format!("{} ({})", text("name"), text("path")));
    let strategy = text("strategy");
    match strategy {
        "" => line(format!("  left out: {}", text("reasoning"))),
        _ => {
            let sure = number("confidence").unwrap_or(0.0);
            line(format!("  {strategy}, confidence {sure:.2}: {}", text("reasoning")));
        }
    }
    line(format!("  rule: {}", text("rule")));
    if !text("error").is_empty() {
        line(format!("  error: {}", text("error")));
    }
    if !text("duplicate_of").is_empty() {
        line(format!("  near-duplicate of: {}", text("duplicate_of")));
    }
    let figures: Vec<String> =
        FrameMetrics::NAMES.iter().filter_map(|n| number(n).map(|v| format!("{n} {}", short(v)))).collect();
    if !figures.is_empty() {
        line(format!("  figures: {}; shot {}", figures.join(", "), text("shot")));
    }
    for (title, key) in [("thresholds", "margins"), ("others", "alternatives")] {
        if !text(key).is_empty() {
            line(format!("  {title}:"));
            text(key).split(" | ").for_each(|part| line(format!("    {part}")));
        }
    }
    Ok(out)
}

fn short(v: f64) -> String {
    if v.fract() == 0.0 { format!("{v:.0}") } else { format!("{v:.3}") }
}
