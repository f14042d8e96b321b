//! What is known of a step: what it was made from and what it left, under `.state/` of the output folder.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use frameloom::core::CancelToken;
use frameloom::error::StateError;
use frameloom::gpu::kernel_sources;
use frameloom::store::{Fingerprint, OsIo, OutputRef, RunKey, StoreIo, clean_temps, commit_json};
use frameloom::{Error, Result};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::plan::{Plan, Ready};
use crate::output::Said;

/// Version of the record.
const VERSION: u32 = 1;
/// What is written by us, not by steps.
const HIDDEN: &str = ".state";

/// How far a step is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Progress {
    /// It has begun; its folder may hold some of it.
    Begun,
    /// It is done.
    Done,
    /// It is done with what could be used of its input.
    Partial,
}

/// What is known of a step.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Record {
    version: u32,
    /// What it was made from.
    pub(super) key: RunKey,
    pub(super) progress: Progress,
    /// All files in its folder.
    pub(super) files: Vec<OutputRef>,
    /// Its first item and its result.
    pub(super) item: Value,
    pub(super) result: Value,
}

fn at(plan: &Plan, folder: &str) -> PathBuf {
    plan.output.join(HIDDEN).join(format!("{folder}.json"))
}

impl Record {
    /// One that says that a step begins.
    pub(super) fn begun(key: RunKey) -> Self {
        let (item, result, files) = (Value::Null, Value::Null, Vec::new());
        Self { version: VERSION, key, progress: Progress::Begun, files, item, result }
    }

    /// The same at its end.
    pub(super) fn ended(self, progress: Progress, files: Vec<OutputRef>, said: Said) -> Self {
        let item = said.items.into_iter().next().unwrap_or_default();
        Self { progress, files, item, result: said.result, ..self }
    }

    /// Whether there is a record of the step in `folder`, readable or not.
    pub(super) fn exists(plan: &Plan, folder: &str) -> bool {
        at(plan, folder).exists()
    }

    /// Reads the record of the step in `folder`, if there is one.
    ///
    /// # Errors
    /// [`StateError::Corrupt`], [`StateError::NewerVersion`].
    pub(super) fn read(plan: &Plan, folder: &str) -> Result<Option<Self>> {
        let path = at(plan, folder);
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(Error::storage("read", path, e)),
        };
        let corrupt = |e: serde_json::Error| StateError::Corrupt { path: path.clone(), reason: e.to_string() };
        let value: Value = serde_json::from_slice(&bytes).map_err(corrupt)?;
        if let Some(found) = value.get("version").and_then(Value::as_u64).filter(|v| *v > u64::from(VERSION)) {
            let found = u32::try_from(found).unwrap_or(u32::MAX);
            return Err(StateError::NewerVersion { path, found, known: VERSION }.into());
        }
        Ok(Some(serde_json::from_value(value).map_err(corrupt)?))
    }

    /// Writes it.
    pub(super) fn write(&self, plan: &Plan, folder: &str) -> Result<()> {
        commit_json(&OsIo, at(plan, folder), self).map(drop)
    }

    /// Whether all files are as they were left.
    ///
    /// # Errors
    /// [`Error::Cancelled`].
    pub(super) fn is_whole(&self, folder: &Path, cancel: &CancelToken) -> Result<bool> {
        for file in &self.files {
            let path = folder.join(&file.path);
            if !std::fs::metadata(&path).is_ok_and(|m| m.len() == file.bytes) {
                return Ok(false);
            }
            match Fingerprint::of_file(&path, cancel) {
                Ok(found) if found.blake3.to_hex().as_str() == file.blake3 => {}
                Err(Error::Cancelled) => return Err(Error::Cancelled),
                _ => return Ok(false),
            }
        }
        Ok(true)
    }

    /// A word that the command said, by its place in its result or first item.
    pub(super) fn told(&self, pointer: &str) -> Option<&str> {
        [&self.result, &self.item].into_iter().find_map(|v| v.pointer(pointer)?.as_str())
    }
}

/// All files below `folder`, in order of their paths.
///
/// # Errors
/// [`Error::Storage`], [`Error::Cancelled`].
pub(super) fn files(folder: &Path, cancel: &CancelToken) -> Result<Vec<OutputRef>> {
    let mut found = Vec::new();
    for path in below(folder)? {
        let print = Fingerprint::of_file(&path, cancel)?;
        let name = path.strip_prefix(folder).unwrap_or(&path).to_string_lossy().into_owned();
        found.push(OutputRef { path: name, bytes: print.size, blake3: print.blake3.to_hex().to_string() });
    }
    Ok(found)
}

/// Paths of all files below `folder`, sorted; state of commands left out, which holds no promise about bytes.
pub(in crate::commands) fn below(folder: &Path) -> Result<Vec<PathBuf>> {
    let (mut files, mut open) = (Vec::new(), vec![folder.to_path_buf()]);
    while let Some(dir) = open.pop() {
        let entries = std::fs::read_dir(&dir).map_err(|e| Error::storage("read", &dir, e))?;
        for entry in entries {
            let entry = entry.map_err(|e| Error::storage("read", &dir, e))?;
            let path = entry.path();
            // A link to a folder could lead in a circle.
            if entry.file_type().is_ok_and(|t| t.is_dir()) {
                if entry.file_name() != HIDDEN {
                    open.push(path);
                }
            } else if std::fs::metadata(&path).is_ok_and(|m| m.is_file()) {
                files.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}

/// Removes unfinished files of runs that were killed from a folder.
///
/// # Errors
/// [`Error::Storage`].
pub(super) fn sweep(folder: &Path) -> Result<()> {
    let dir = OsIo.open_dir(folder).map_err(|e| Error::storage("open", folder, e))?;
    clean_temps(dir.as_ref()).map(drop)
}

/// The same for all folders below it; not every command has state that does so.
///
/// # Errors
/// [`Error::Storage`].
pub(super) fn sweep_all(folder: &Path) -> Result<()> {
    sweep(folder)?;
    let folders: BTreeSet<PathBuf> = below(folder)?.iter().filter_map(|f| f.parent().map(Path::to_path_buf)).collect();
    folders.iter().try_for_each(|f| sweep(f))
}

/// Options that change speed and never results.
const SPEED: [&str; 11] = [
    "batch",
    "batch_size",
    "threads",
    "num_workers",
    "jobs",
    "max_workers",
    "memory_limit",
    "gpu_memory_limit",
    "decoder_cpu_seconds",
    "isolate",
    "checkpoint_batch",
];

/// Everything that can change a byte of what a step leaves. `false` when its inputs name files that are not looked at here: then the command itself
/// must find out what is new.
///
/// # Errors
/// [`Error::InputNotFound`] for an input that cannot be read; [`Error::Cancelled`].
pub(super) fn key(
    plan: &Plan,
    at: usize,
    ready: &Ready,
    adapter: &str,
    cancel: &CancelToken,
) -> Result<(RunKey, bool)> {
    let step = plan.step(at)?;
    let mut kernels = blake3::Hasher::new();
    for k in kernel_sources() {
        kernels.update(k.name.as_bytes()).update(k.text.as_bytes());
    }
    let mut key = RunKey::builder()
        .field("version", env!("CARGO_PKG_VERSION"))
        .field("kernels", kernels.finalize().to_hex())
        .field("adapter", adapter)
        .field("command", step.kind.name);
    let mut keepable = true;
    let mut read = Vec::new();
    for (n, (name, path)) in ready.words.paths.iter().enumerate() {
        read.push(name.as_str());
        let stamp = if name == "models" { stamp(&path.join("models.toml"), cancel)? } else { stamp(path, cancel)? };
        // Reports name their inputs, outputs are named after them.
        let shown = path.strip_prefix(&plan.output).ok().filter(|_| plan.is_made(path));
        let shown = shown.map_or_else(|| path.file_name().unwrap_or_default().into(), Path::to_path_buf);
        keepable &= !(path.extension().is_some_and(|e| e == "txt") && step.kind.name.starts_with("curate"));
        key = key.field(format!("input.{name}.{n}"), format!("{} {stamp}", shown.display()));
    }
    for (name, value) in &ready.options {
        if !read.contains(&name.as_str()) && !SPEED.contains(&name.replace('-', "_").as_str()) {
            key = key.field(format!("option.{}", name.replace('-', "_")), value);
        }
    }
    for (name, value) in variables(step.kind.name) {
        key = key.field(format!("variable.{name}"), value);
    }
    for (n, stamp) in manifests(cancel)?.into_iter().enumerate() {
        key = key.field(format!("models.{n}"), stamp);
    }
    Ok((key.finish()?, keepable))
}

/// Variables that a command reads its settings from.
fn variables(command: &str) -> Vec<(String, String)> {
    let word = if command == "chunk run" { "chunk_run" } else { command.split(' ').next().unwrap_or_default() };
    let prefix = format!("FRAMELOOM_{}_", word.to_uppercase());
    let text = |s: std::ffi::OsString| s.to_string_lossy().into_owned();
    let mut found: Vec<(String, String)> =
        std::env::vars_os().map(|(n, v)| (text(n), text(v))).filter(|(n, _)| n.starts_with(&prefix)).collect();
    found.sort();
    found
}

/// Content of the manifests that every command knows.
#[cfg(feature = "onnx")]
fn manifests(cancel: &CancelToken) -> Result<Vec<String>> {
    let files = frameloom::infer::model_folders(&[]).into_iter().map(|(f, _)| f.join(frameloom::infer::MANIFEST));
    files.filter(|f| f.is_file()).map(|f| stamp(&f, cancel)).collect()
}

#[cfg(not(feature = "onnx"))]
fn manifests(_: &CancelToken) -> Result<Vec<String>> {
    Ok(Vec::new())
}

/// What a file or all files of a folder contain. A pattern of names stands for the folder that they are in.
fn stamp(path: &Path, cancel: &CancelToken) -> Result<String> {
    let pattern = path.to_string_lossy().contains(['*', '?']) && !path.exists();
    let path = path.parent().filter(|_| pattern).unwrap_or(path);
    let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    if !path.is_dir() {
        return Ok(Fingerprint::of_file(path, cancel)?.to_string());
    }
    let mut all = blake3::Hasher::new();
    for file in files(path, cancel)? {
        for part in [file.path.as_str(), file.blake3.as_str()] {
            all.update(&(part.len() as u64).to_le_bytes());
            all.update(part.as_bytes());
        }
    }
    Ok(all.finalize().to_hex().to_string())
}
