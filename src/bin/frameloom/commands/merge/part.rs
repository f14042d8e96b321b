//! What a part of a run says of itself, and whether parts belong together.

use std::path::{Path, PathBuf};

use frameloom::core::Shard;
use frameloom::store::{OsIo, commit_json};
use frameloom::{Error, Result};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::output::{Output, printable};

/// Its file, at the top of the folder of a part.
pub(super) const NAME: &str = "shard.json";
/// Version of it.
const VERSION: u32 = 1;

/// One unit of a part.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct PartUnit {
    /// Its number in the whole run, from 0.
    pub(crate) at: usize,
    /// Its folder in that of the part; empty for the folder itself.
    pub(crate) folder: String,
    /// How it ended: `complete`, `partial`, `unverifiable` or `failed`.
    pub(crate) status: String,
    /// What the list of the whole run says of it, for commands that write one. Its paths are within the part.
    pub(crate) entry: Value,
}

/// What a part of one input has done.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PartDone<'a> {
    /// Units of this part.
    pub(crate) mine: u64,
    /// Frames of the input, for commands that say it.
    pub(crate) frames: Option<u64>,
    /// Why the input is not whole.
    pub(crate) reasons: &'a [String],
    pub(crate) seconds: f64,
    /// What its units are, in a sentence after their number.
    pub(crate) what: &'a str,
    /// What `merge` does with it.
    pub(crate) next: &'a str,
}

/// What a part says of itself.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Part {
    schema: String,
    schema_version: u32,
    version: String,
    pub(super) command: String,
    /// Of one input: what of it was found, for the same command to go on with. Without it, parts are of several inputs and hold their outputs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) stage: Option<String>,
    pub(super) part: u32,
    of: u32,
    /// Units of the whole run.
    pub(super) total: usize,
    settings: Value,
    pub(super) units: Vec<PartUnit>,
}

impl Part {
    /// A part of a run over several inputs.
    pub(crate) fn new(
        command: &str,
        shard: Shard,
        total: usize,
        settings: &impl Serialize,
        units: Vec<PartUnit>,
    ) -> Result<Self> {
        let settings = serde_json::to_value(settings).map_err(|e| Error::Bug(format!("settings: {e}")))?;
        Ok(Self {
            schema: "shard".into(),
            schema_version: VERSION,
            version: env!("CARGO_PKG_VERSION").into(),
            command: command.into(),
            stage: None,
            part: shard.index(),
            of: shard.count(),
            total,
            settings,
            units,
        })
    }

    /// A part of a run over one input, which found its share of what is called `stage`, of `total` units in all.
    pub(crate) fn of_one(
        (command, stage): (&str, &str),
        shard: Shard,
        total: usize,
        settings: &impl Serialize,
        whole: bool,
    ) -> Result<Self> {
        let status = if whole { "complete" } else { "partial" }.to_owned();
        let unit = PartUnit { at: shard.index() as usize - 1, folder: String::new(), status, entry: Value::Null };
        Ok(Self { stage: Some(stage.into()), ..Self::new(command, shard, total, settings, vec![unit])? })
    }

    /// Writes it into the folder of the part: the part is done.
    pub(crate) fn write(&self, folder: &Path) -> Result<()> {
        std::fs::create_dir_all(folder).map_err(|e| Error::storage("create", folder, e))?;
        commit_json(&OsIo, folder.join(NAME), self).map(drop)
    }

    /// Writes a part of one input, and says what it did. Gives the exit code.
    pub(crate) fn tell(&self, folder: &Path, done: &PartDone<'_>, out: &mut Output) -> Result<u8> {
        self.write(folder)?;
        let PartDone { mine, frames, reasons, seconds, what, next } = *done;
        let (part, total) = (format!("{}/{}", self.part, self.of), self.total);
        reasons.iter().for_each(|reason| out.warn(reason));
        out.note(&format!("part {part}: {mine} of {total} {what} ({seconds:.1} s); `frameloom merge` {next}"));
        out.text(&printable(&folder.to_string_lossy()));
        let code = if reasons.is_empty() { 0 } else { 3 };
        let mut result = json!({
            "folder": folder.to_string_lossy(), "part": part, "stage": self.stage, "units": mine, "of_units": total,
            "reasons": reasons, "seconds": seconds, "exit": code,
        });
        if let (Some(frames), Some(fields)) = (frames, result.as_object_mut()) {
            fields.insert("frames".into(), frames.into());
        }
        out.event("result", result);
        Ok(code)
    }

    pub(super) fn read(folder: &Path) -> Result<Self> {
        let path = folder.join(NAME);
        let bad = |reason: String| Error::InputCorrupt { path: path.clone(), reason };
        let bytes = std::fs::read(&path).map_err(|e| bad(e.to_string()))?;
        let part: Self = serde_json::from_slice(&bytes).map_err(|e| bad(format!("no part of a run: {e}")))?;
        if part.schema_version > VERSION {
            return Err(bad(format!("written by a newer version ({})", part.version)));
        }
        Ok(part)
    }
}

/// Whether these are all parts of one run, each once.
pub(super) fn fit(parts: &[(PathBuf, Part)]) -> Result<()> {
    let Some((first, one)) = parts.first() else { return Err(Error::usage("wanted: the folders of all parts")) };
    let units = if one.stage.is_some() { "number of units" } else { "number of inputs" };
    for (folder, other) in parts {
        let mut differ: Vec<String> = [
            ("command", one.command != other.command),
            ("stage", one.stage != other.stage),
            ("number of parts", one.of != other.of),
            (units, one.total != other.total),
            ("version", one.version != other.version),
        ]
        .into_iter()
        .filter(|(_, d)| *d)
        .map(|(name, _)| name.to_owned())
        .collect();
        if one.settings != other.settings {
            differ.push(format!("settings ({})", differing(&one.settings, &other.settings, "").join(", ")));
        }
        if !differ.is_empty() {
            let (a, b, what) = (first.display(), folder.display(), differ.join(", "));
            return Err(Error::Usage {
                message: format!("{a} and {b} are no parts of one run: they differ in {what}"),
                hint: Some("run all parts with the same inputs, settings and version".into()),
            });
        }
    }
    for number in 1..=one.of {
        match parts.iter().filter(|(_, p)| p.part == number).count() {
            1 => {}
            0 => return Err(Error::usage(format!("part {number}/{} is missing", one.of))),
            n => return Err(Error::usage(format!("part {number}/{} is given {n} times", one.of))),
        }
    }
    Ok(())
}

/// Names of the settings that differ.
fn differing(a: &Value, b: &Value, name: &str) -> Vec<String> {
    match (a, b) {
        (Value::Object(x), Value::Object(y)) => {
            let mut keys: Vec<&String> = x.keys().chain(y.keys()).collect();
            keys.sort();
            keys.dedup();
            let of = |map: &serde_json::Map<String, Value>, key: &str| map.get(key).cloned().unwrap_or_default();
            let inner = |key: &String| {
                let name = if name.is_empty() { key.clone() } else { format!("{name}.{key}") };
                differing(&of(x, key), &of(y, key), &name)
            };
            keys.into_iter().flat_map(inner).collect()
        }
        _ if a == b => Vec::new(),
        _ => vec![name.to_owned()],
    }
}
