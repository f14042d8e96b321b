//! From an ONNX file to an entry of a manifest: what the file says is taken over, what it does not say is guessed and marked as guessed.

mod guess;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::files::{HardLinks, MODEL_LIMIT, escapes, folder_of, read_inside, read_plain, sha256};
use super::graph::GraphInfo;
use super::manifest::{ExternalFile, ModelEntry, Task};
use super::manifest_file::write_manifest;
use super::registry::at;
use crate::error::{Error, Result};

/// A model file, looked at without ONNX Runtime.
#[derive(Debug, Clone, PartialEq)]
pub struct Inspection {
    /// The file.
    pub path: PathBuf,
    /// Its size.
    pub bytes: u64,
    /// SHA-256 of its content.
    pub sha256: String,
    /// What it says of itself.
    pub graph: GraphInfo,
    /// Why it would not be loaded, if so: code and message.
    pub refused: Option<(&'static str, String)>,
}

/// An entry for a manifest.
#[derive(Debug, Clone, PartialEq)]
pub struct Proposal {
    /// The entry.
    pub entry: ModelEntry,
    /// Remarks by key of the entry: what was guessed, and from what.
    pub notes: BTreeMap<&'static str, String>,
}

/// Looks at a model file. Custom operators and data outside of the folder are told, not refused: this is how to find out.
///
/// # Errors
/// [`Error::Model`] with cause `missing`, `unreadable`, `symlink`, `no-file`, `too-large`, `truncated` or `invalid`.
pub fn inspect(path: &Path) -> Result<Inspection> {
    let bytes = read_plain(path, MODEL_LIMIT, HardLinks::Allowed)?;
    let graph = GraphInfo::read(&bytes).map_err(|e| at(e, path))?;
    let refused = super::registry::check_graph(&graph).err().and_then(|e| match e {
        Error::Model { cause, message } => Some((cause, message)),
        _ => None,
    });
    Ok(Inspection { path: path.to_path_buf(), bytes: bytes.len() as u64, sha256: sha256(&bytes), graph, refused })
}

/// Proposes an entry for a model file, called `name` (the name of the file when not given). Files of weights are read and listed too.
///
/// # Errors
/// As [`inspect`], and causes `custom-operator`, `external-data`, `hard-link` and `path` for what would not be loaded anyway.
pub fn import(path: &Path, task: Task, name: Option<&str>) -> Result<Proposal> {
    let seen = inspect(path)?;
    if let Some((cause, message)) = seen.refused {
        return Err(at(Error::Model { cause, message }, path));
    }
    let mut proposal = propose(&seen.graph, task, path, &seen.sha256);
    if let Some(name) = name {
        proposal.entry.name = name.to_owned();
    }
    let folder = folder_of(path);
    let mut left = MODEL_LIMIT.saturating_sub(seen.bytes);
    for file in seen.graph.external_files() {
        let bytes = read_inside(&folder, file, left, HardLinks::Refused)?;
        left = left.saturating_sub(bytes.len() as u64);
        proposal.entry.external.push(ExternalFile { file: file.to_owned(), sha256: sha256(&bytes) });
    }
    Ok(proposal)
}

/// An entry for a graph; `path` gives name and file.
pub(super) fn propose(graph: &GraphInfo, task: Task, path: &Path, hash: &str) -> Proposal {
    let plain = |c: char| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '-' };
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let name: String = stem.chars().map(plain).collect();
    let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let mut proposal = Proposal { entry: ModelEntry::new(name, task, file, hash), notes: BTreeMap::new() };
    proposal.notes.insert("licence", "to be filled in: SPDX expression of the weights".into());
    proposal.notes.insert("source", "to be filled in: where the file comes from".into());
    if escapes(&proposal.entry.file).is_some() {
        proposal.notes.insert("file", "cannot be listed by this name: rename the file".into());
    }
    guess::fill(&mut proposal, graph);
    proposal
}

impl Proposal {
    /// The entry as TOML, remarks as comments behind the keys.
    ///
    /// # Errors
    /// [`Error::Bug`] when the entry cannot be written.
    pub fn to_toml(&self) -> Result<String> {
        let mut text = String::new();
        for line in write_manifest(std::slice::from_ref(&self.entry))?.lines() {
            text.push_str(line);
            let key = line.split_once(" = ").map(|(key, _)| key);
            if let Some(note) = key.and_then(|k| self.notes.get(k)) {
                text.push_str("  # ");
                text.push_str(&note.replace(char::is_control, " "));
            }
            text.push('\n');
        }
        for (key, note) in &self.notes {
            if !text.lines().any(|l| l.starts_with(&format!("{key} = "))) {
                text.push_str(&format!("# {key}: {}\n", note.replace(char::is_control, " ")));
            }
        }
        Ok(text)
    }
}
