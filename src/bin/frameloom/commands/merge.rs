//! `frameloom merge`: the parts of a run as the one run that they are.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};

use frameloom::core::Shard;
use frameloom::store::{OsIo, StateDir, commit, commit_json};
use frameloom::workflows::curate;
use frameloom::{Error, Result};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::output::{Output, printable};
use crate::shard_args::MergeArgs;
use crate::signals::Signals;

/// What a part says of itself, at the top of its folder.
const NAME: &str = "shard.json";
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

/// What a part says of itself.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Part {
    schema: String,
    schema_version: u32,
    version: String,
    command: String,
    part: u32,
    of: u32,
    /// Units of the whole run.
    total: usize,
    settings: Value,
    units: Vec<PartUnit>,
}

impl Part {
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
            part: shard.index(),
            of: shard.count(),
            total,
            settings,
            units,
        })
    }

    /// Writes it into the folder of the part: the part is done.
    pub(crate) fn write(&self, folder: &Path) -> Result<()> {
        std::fs::create_dir_all(folder).map_err(|e| Error::storage("create", folder, e))?;
        commit_json(&OsIo, folder.join(NAME), self).map(drop)
    }

    fn read(folder: &Path) -> Result<Self> {
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

pub(crate) fn run(args: &MergeArgs, out: &mut Output, signals: &Signals) -> Result<u8> {
    out.event("start", json!({ "command": "merge", "parts": args.parts }));
    let here = |p: &PathBuf| p.join(NAME).is_file();
    if !args.parts.iter().any(here) && args.parts.iter().all(|p| p.join(".state/analysis").exists()) {
        let joined = curate::join(&args.parts, &args.output)?;
        out.note(&format!(
            "{} units and {} frames taken over; now the same command on it",
            joined.measured, joined.made
        ));
        out.text(&printable(&args.output.to_string_lossy()));
        out.event("result", json!({ "folder": args.output.to_string_lossy(), "joined": joined, "exit": 0 }));
        return Ok(0);
    }
    if let Some(missing) = args.parts.iter().find(|p| !here(p)) {
        let reason = format!("wanted: the folder of a part that is done, with {NAME}");
        return Err(Error::InputNotFound { path: missing.clone(), reason });
    }
    let parts: Vec<(&PathBuf, Part)> = args.parts.iter().map(|p| Ok((p, Part::read(p)?))).collect::<Result<_>>()?;
    let (command, total) = fit(&parts)?;
    let _lock = StateDir::acquire(&OsIo, args.output.join(".merge"))?;
    let mut files = 0;
    for (folder, _) in &parts {
        files += copy(folder, &args.output, signals)?;
    }
    let mut units: Vec<&PartUnit> = parts.iter().flat_map(|(_, p)| &p.units).collect();
    units.sort_by_key(|u| u.at);
    if command == "track" && total > 1 {
        let list: Vec<Value> = units.iter().map(|u| entry(u, &args.output)).collect();
        commit_json(&OsIo, args.output.join("streams.json"), &list)?;
    }
    drop(_lock);
    let _ = std::fs::remove_dir_all(args.output.join(".merge"));
    let mut states: BTreeMap<&str, usize> = BTreeMap::new();
    units.iter().for_each(|u| *states.entry(u.status.as_str()).or_default() += 1);
    let code = if states.contains_key("failed") || states.contains_key("partial") { 3 } else { 0 };
    out.note(&format!("{} parts, {total} inputs, {files} files", parts.len()));
    out.text(&printable(&args.output.to_string_lossy()));
    out.event(
        "result",
        json!({
            "folder": args.output.to_string_lossy(), "parts": parts.len(), "inputs": total, "files": files, "states": states,
            "exit": code,
        }),
    );
    Ok(code)
}

/// Whether these are all parts of one run; its command and its number of units.
fn fit(parts: &[(&PathBuf, Part)]) -> Result<(String, usize)> {
    let Some((first, one)) = parts.first() else { return Err(Error::usage("wanted: the folders of all parts")) };
    for (folder, other) in parts {
        let differ = [
            ("command", one.command != other.command),
            ("number of parts", one.of != other.of),
            ("number of inputs", one.total != other.total),
            ("version", one.version != other.version),
            ("settings", one.settings != other.settings),
        ];
        let differ: Vec<&str> = differ.into_iter().filter(|(_, d)| *d).map(|(name, _)| name).collect();
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
    Ok((one.command.clone(), one.total))
}

/// An entry of a part with the paths of the whole.
fn entry(unit: &PartUnit, output: &Path) -> Value {
    let mut entry = unit.entry.clone();
    let folder = output.join(&unit.folder);
    if let Some(fields) = entry.as_object_mut() {
        if fields.contains_key("report") {
            fields.insert("report".into(), folder.join("report.html").to_string_lossy().into());
        }
        fields.insert("folder".into(), folder.to_string_lossy().into());
    }
    entry
}

/// Copies all files of a part, state included; their number. What is there already must be the same.
fn copy(from: &Path, to: &Path, signals: &Signals) -> Result<usize> {
    let (mut count, mut open) = (0, vec![PathBuf::new()]);
    while let Some(dir) = open.pop() {
        let at = from.join(&dir);
        let entries = std::fs::read_dir(&at).map_err(|e| Error::storage("read", &at, e))?;
        for entry in entries {
            signals.cancel.check()?;
            let entry = entry.map_err(|e| Error::storage("read", &at, e))?;
            let name = dir.join(entry.file_name());
            let kind = entry.file_type().map_err(|e| Error::storage("read", from.join(&name), e))?;
            if kind.is_dir() {
                std::fs::create_dir_all(to.join(&name)).map_err(|e| Error::storage("create", to.join(&name), e))?;
                open.push(name);
            } else if kind.is_file() && name != Path::new(NAME) && entry.file_name() != ".lock" {
                one(&from.join(&name), &to.join(&name))?;
                count += 1;
            }
        }
    }
    Ok(count)
}

fn one(from: &Path, to: &Path) -> Result<()> {
    let open = |path: &Path| std::fs::File::open(path).map_err(|e| Error::storage("read", path, e));
    if to.exists() {
        let (a, b) = (content(&mut open(from)?), content(&mut open(to)?));
        return match (a, b) {
            (Ok(a), Ok(b)) if a == b => Ok(()),
            (Err(e), _) | (_, Err(e)) => Err(Error::storage("read", from, e)),
            _ => Err(Error::Usage {
                message: format!("there is another file already: {}", to.display()),
                hint: Some("merge into a folder of its own".into()),
            }),
        };
    }
    let mut file = open(from)?;
    commit(&OsIo, to, |w| std::io::copy(&mut file, w).map(drop)).map(drop)
}

fn content(file: &mut impl Read) -> std::io::Result<blake3::Hash> {
    let mut hasher = blake3::Hasher::new();
    std::io::copy(file, &mut hasher)?;
    Ok(hasher.finalize())
}
