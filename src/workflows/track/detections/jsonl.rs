//! Our own format: a line of JSON per frame, with its time, so that a varying frame rate survives.

use std::io::{self, BufRead, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{Detections, Put, corrupt};
use crate::error::Result;

/// The first line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    schema: String,
    version: u32,
    #[serde(default)]
    classes: Vec<String>,
}

const SCHEMA: &str = "track.detections";
const VERSION: u32 = 1;

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    /// From 0.
    frame: u64,
    /// Seconds; by the frame rate when left out.
    #[serde(default)]
    time: Option<f64>,
    #[serde(default)]
    detections: Vec<Item>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Item {
    /// Left, top, width, height in pixels.
    #[serde(rename = "box")]
    rect: [f64; 4],
    #[serde(default = "one")]
    score: f64,
    #[serde(default)]
    class: u32,
}

fn one() -> f64 {
    1.0
}

/// Frames must come in order. The head may be missing. Frames passed over get times between their neighbours', those before the first line
/// by the rate.
pub(super) fn read(reader: impl BufRead, path: &Path, rate: f64) -> Result<Detections> {
    let mut out = Detections::default();
    for (number, line) in (1u64..).zip(reader.lines()) {
        let wrong = |e: &dyn std::fmt::Display| corrupt(path, format!("line {number}: {e}"));
        let text = line.map_err(|e| wrong(&e))?;
        if text.trim().is_empty() {
            continue;
        }
        if number == 1
            && let Ok(head) = serde_json::from_str::<Head>(&text)
        {
            if head.schema != SCHEMA || head.version != VERSION {
                return Err(wrong(&format!("{} {} is not {SCHEMA} {VERSION}", head.schema, head.version)));
            }
            out.classes = head.classes;
            continue;
        }
        let line: Line = serde_json::from_str(&text).map_err(|e| wrong(&e))?;
        let before = out.frames.last().map(|f| (f.index, f.seconds));
        let seconds = line.time.unwrap_or(line.frame as f64 / rate);
        if before.is_some_and(|(index, _)| line.frame <= index) {
            return Err(wrong(&"frames must come in order"));
        }
        if !seconds.is_finite() || before.is_some_and(|(_, t)| seconds < t) {
            return Err(wrong(&"times must not run backwards"));
        }
        out.frame(line.frame, rate)?.seconds = seconds;
        let first = before.map_or(0, |(index, _)| index + 1);
        for frame in out.frames.get_mut(first as usize..line.frame as usize).unwrap_or_default() {
            frame.seconds = match before {
                Some((i, t)) => t + (seconds - t) * (frame.index - i) as f64 / (line.frame - i) as f64,
                None => seconds - (line.frame - frame.index) as f64 / rate,
            };
        }
        for item in line.detections {
            if out.put(line.frame, rate, item.rect, item.score, item.class)? == Put::NotFinite {
                return Err(wrong(&"boxes and scores must be finite"));
            }
        }
    }
    Ok(out)
}

/// Writes detections so that [`Detections::read`] gives them back.
///
/// # Errors
/// Those of `to`.
pub fn write_jsonl(to: &mut dyn Write, detections: &Detections) -> io::Result<()> {
    let head = Head { schema: SCHEMA.into(), version: VERSION, classes: detections.classes.clone() };
    serde_json::to_writer(&mut *to, &head)?;
    to.write_all(b"\n")?;
    for frame in &detections.frames {
        let items = frame.detections.iter().map(|d| Item {
            rect: [d.rect.x, d.rect.y, d.rect.width, d.rect.height].map(f64::from),
            score: f64::from(d.score),
            class: d.class,
        });
        let line = Line { frame: frame.index, time: Some(frame.seconds), detections: items.collect() };
        serde_json::to_writer(&mut *to, &line)?;
        to.write_all(b"\n")?;
    }
    Ok(())
}
