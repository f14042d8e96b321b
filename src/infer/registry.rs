//! Which models may be loaded: those that a manifest lists, with the content that it lists.
//!
//! A file is read once, whole, by this module; its hash is of the bytes that were read, and these very bytes are what a session is made of.
//! Nothing opens the file again, so that a file which changes in between changes nothing.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::files::{HardLinks, MODEL_LIMIT, escapes, folder_of, read_inside, read_plain, sha256};
use super::graph::GraphInfo;
use super::import;
use super::manifest::{ModelEntry, Task};
use super::manifest_file::{MANIFEST, read_manifest};
use super::runtime::data_folder;
use crate::error::{Error, Result};

/// Environment variable with folders of models, separated as in `PATH`.
pub const MODELS_VARIABLE: &str = "FRAMELOOM_MODELS";

/// Whether content that no manifest lists may be loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Allow {
    /// Only what a manifest lists, unchanged.
    #[default]
    Pinned,
    /// Also files that no manifest lists, and changed ones: the caller insists. The command never does.
    Unverified,
}

/// A model of a manifest.
#[derive(Debug, Clone, PartialEq)]
pub struct ListedModel {
    /// What the manifest says.
    pub entry: ModelEntry,
    /// Folder of the manifest.
    pub folder: PathBuf,
}

/// Weights of a model that lie in a file of their own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExternalData {
    /// Name as the model says it.
    pub file: String,
    /// Content.
    pub bytes: Arc<[u8]>,
    /// SHA-256 of the content.
    pub sha256: String,
}

/// A model that was read and checked: what a session is made of.
#[derive(Debug, Clone)]
pub struct VerifiedModel {
    /// What the manifest says, or what was guessed from the file for one that no manifest lists.
    pub entry: ModelEntry,
    /// Content of the file.
    pub bytes: Arc<[u8]>,
    /// SHA-256 of the content.
    pub sha256: String,
    /// Weights outside of the file.
    pub external: Vec<ExternalData>,
    /// What the file says of itself.
    pub graph: GraphInfo,
    /// Whether a manifest lists all of this content. `false` only with [`Allow::Unverified`].
    pub pinned: bool,
}

/// The models of some folders.
#[derive(Debug, Clone, Default)]
pub struct ModelRegistry {
    folders: Vec<PathBuf>,
    models: Vec<ListedModel>,
    hidden: Vec<ListedModel>,
}

/// Folders that are searched when `given` comes first, in order: `given`, those of `$FRAMELOOM_MODELS`, `frameloom/models` in the user's data
/// folder. The flag says whether the folder was named by somebody and so must have a manifest.
pub fn model_folders(given: &[PathBuf]) -> Vec<(PathBuf, bool)> {
    let named = std::env::var_os(MODELS_VARIABLE);
    let named = named.iter().flat_map(std::env::split_paths).filter(|p| !p.as_os_str().is_empty());
    let mut folders: Vec<(PathBuf, bool)> = given.iter().cloned().chain(named).map(|p| (p, true)).collect();
    folders.extend(data_folder().map(|d| (d.join("models"), false)));
    folders
}

impl ModelRegistry {
    /// The models of these folders. Each must have a manifest.
    ///
    /// # Errors
    /// [`Error::Model`] with cause `no-manifest` or `manifest`.
    pub fn open(folders: &[PathBuf]) -> Result<Self> {
        Self::of(folders.iter().map(|f| (f.clone(), true)))
    }

    /// The models of the folders that [`model_folders`] names.
    ///
    /// # Errors
    /// As [`Self::open`]; a data folder of the user without a manifest is none.
    pub fn find(given: &[PathBuf]) -> Result<Self> {
        Self::of(model_folders(given))
    }

    fn of(folders: impl IntoIterator<Item = (PathBuf, bool)>) -> Result<Self> {
        let mut registry = Self::default();
        for (folder, required) in folders {
            // A folder named twice would only hide its own models.
            if registry.folders.contains(&folder) {
                continue;
            }
            let Some(entries) = read_manifest(&folder)? else {
                if required {
                    return Err(Error::model("no-manifest", format!("there is no {MANIFEST} in {}", folder.display())));
                }
                continue;
            };
            for entry in entries {
                let model = ListedModel { entry, folder: folder.clone() };
                let known = registry.models.iter().any(|m| m.entry.name == model.entry.name);
                if known { registry.hidden.push(model) } else { registry.models.push(model) }
            }
            registry.folders.push(folder);
        }
        Ok(registry)
    }

    /// Folders with a manifest, in the order of the search.
    pub fn folders(&self) -> &[PathBuf] {
        &self.folders
    }

    /// All models, in the order of the search. Of several of one name, this is the first.
    pub fn list(&self) -> &[ListedModel] {
        &self.models
    }

    /// Models that one of the same name hides, which was found earlier.
    pub fn hidden(&self) -> &[ListedModel] {
        &self.hidden
    }

    /// Models for a task.
    pub fn by_task(&self, task: Task) -> impl Iterator<Item = &ListedModel> {
        self.models.iter().filter(move |m| m.entry.task == task)
    }

    /// The model of this name.
    ///
    /// # Errors
    /// [`Error::Model`] with cause `unknown`, naming those that there are.
    pub fn get(&self, name: &str) -> Result<&ListedModel> {
        self.models.iter().find(|m| m.entry.name == name).ok_or_else(|| {
            let names: Vec<&str> = self.models.iter().map(|m| m.entry.name.as_str()).collect();
            let known =
                if names.is_empty() { "none is listed".into() } else { format!("there are {}", names.join(", ")) };
            Error::model("unknown", format!("no manifest lists a model `{name}`; {known}"))
        })
    }

    /// Reads a model and checks it.
    ///
    /// # Errors
    /// [`Error::Model`] with cause `unknown`, `missing`, `unreadable`, `symlink`, `hard-link`, `no-file`, `too-large`, `truncated`, `hash-mismatch`,
    /// `invalid`, `custom-operator`, `external-data` or `unpinned`. Nothing is loaded then.
    pub fn load(&self, name: &str, allow: Allow) -> Result<VerifiedModel> {
        read_listed(self.get(name)?, allow)
    }

    /// The same for a model that must be one for `task`.
    ///
    /// # Errors
    /// As [`Self::load`], and cause `task`.
    pub fn load_for(&self, task: Task, name: &str, allow: Allow) -> Result<VerifiedModel> {
        let model = self.get(name)?;
        if model.entry.task != task {
            let fitting: Vec<&str> = self.by_task(task).map(|m| m.entry.name.as_str()).collect();
            let fitting = if fitting.is_empty() { "none".into() } else { fitting.join(", ") };
            return Err(Error::model(
                "task",
                format!(
                    "model `{name}` is for `{}`, one for `{task}` is wanted; listed for it: {fitting}",
                    model.entry.task
                ),
            ));
        }
        read_listed(model, allow)
    }

    /// Reads a file that need not be listed. When a manifest lists its content for `task`, wherever it lies, that entry is used.
    ///
    /// # Errors
    /// As [`Self::load`]. An unlisted file is cause `unpinned`, unless `allow` is [`Allow::Unverified`]: then its entry is guessed from the file.
    pub fn load_file(&self, path: &Path, task: Task, allow: Allow) -> Result<VerifiedModel> {
        let bytes = read_plain(path, MODEL_LIMIT, HardLinks::Allowed)?;
        let hash = sha256(&bytes);
        let same: Vec<&ListedModel> = self.models.iter().filter(|m| m.entry.sha256 == hash).collect();
        if let Some(listed) = same.iter().find(|m| m.entry.task == task) {
            return assemble(listed.entry.clone(), &folder_of(path), bytes, hash, true, allow);
        }
        if let Some(other) = same.first() {
            return Err(Error::model(
                "task",
                format!(
                    "this model is listed for `{}`, one for `{task}` is wanted: {}",
                    other.entry.task,
                    path.display()
                ),
            ));
        }
        if allow == Allow::Pinned {
            // What is no model at all should hear that first.
            GraphInfo::read(&bytes).map_err(|e| at(e, path))?;
            return Err(Error::model(
                "unpinned",
                format!("no manifest lists this file (SHA-256 {hash}): {}", path.display()),
            ));
        }
        let graph = GraphInfo::read(&bytes).map_err(|e| at(e, path))?;
        let entry = import::propose(&graph, task, path, &hash).entry;
        assemble(entry, &folder_of(path), bytes, hash, false, allow)
    }

    /// Reads and checks every model, one after the other.
    pub fn verify(&self) -> impl Iterator<Item = (&ListedModel, Result<()>)> {
        self.models.iter().map(|m| (m, read_listed(m, Allow::Pinned).map(|_| ())))
    }
}

/// Adds the path to a message about content.
pub(super) fn at(e: Error, path: &Path) -> Error {
    match e {
        Error::Model { cause, message } => Error::Model { cause, message: format!("{message}: {}", path.display()) },
        other => other,
    }
}

fn read_listed(model: &ListedModel, allow: Allow) -> Result<VerifiedModel> {
    let ListedModel { entry, folder } = model;
    let path = folder.join(&entry.file);
    let bytes = read_inside(folder, &entry.file, MODEL_LIMIT, HardLinks::Allowed)?;
    let hash = sha256(&bytes);
    let pinned = hash == entry.sha256;
    if !pinned {
        // A file that is not whole is a changed file, but there is something better to say about it.
        if let Err(e @ Error::Model { cause: "truncated", .. }) = GraphInfo::read(&bytes) {
            return Err(at(e, &path));
        }
        if allow == Allow::Pinned {
            return Err(Error::model(
                "hash-mismatch",
                format!(
                    "model `{}` has changed: the manifest lists SHA-256 {}, the file has {hash}: {}",
                    entry.name,
                    entry.sha256,
                    path.display()
                ),
            ));
        }
    }
    assemble(entry.clone(), &folder_of(&path), bytes, hash, pinned, allow)
}

/// Checks what the bytes say and reads what lies outside of them, in `folder`, where the model lies.
fn assemble(
    entry: ModelEntry,
    folder: &Path,
    bytes: Vec<u8>,
    hash: String,
    pinned: bool,
    allow: Allow,
) -> Result<VerifiedModel> {
    let path = folder.join(Path::new(&entry.file).file_name().unwrap_or_default());
    let graph = GraphInfo::read(&bytes).map_err(|e| at(e, &path))?;
    check_graph(&graph).map_err(|e| at(e, &path))?;
    let (external, external_pinned) = read_external(&entry, &graph, folder, bytes.len() as u64, allow)?;
    let pinned = pinned && external_pinned;
    Ok(VerifiedModel { entry, bytes: bytes.into(), sha256: hash, external, graph, pinned })
}

/// Whether the graph is one that may be loaded, whoever wrote it: no custom operators, tensors only, data outside only where it may lie.
pub(super) fn check_graph(graph: &GraphInfo) -> Result<()> {
    let custom = graph.custom_operators();
    if !custom.is_empty() {
        let names: Vec<String> = custom.iter().map(ToString::to_string).collect();
        return Err(Error::model(
            "custom-operator",
            format!(
                "the model needs operators that ONNX Runtime does not have, {}; libraries of operators are never loaded",
                names.join(", ")
            ),
        ));
    }
    if let Some(name) = graph.not_tensors.first() {
        return Err(Error::model(
            "invalid",
            format!("`{name}` of the model is a sequence or map; only tensors can be given and taken"),
        ));
    }
    let outside = |message: String| Err(Error::model("external-data", message));
    for tensor in &graph.external {
        if let Some(why) = escapes(&tensor.location) {
            return outside(format!(
                "data of tensor `{}` must lie in the folder of the model, but its file name {why}: `{}`",
                tensor.tensor, tensor.location
            ));
        }
        if !tensor.initializer {
            return outside(format!(
                "data of `{}` lies in `{}`, but it is no initialiser of the main graph; only those may lie outside",
                tensor.tensor, tensor.location
            ));
        }
    }
    Ok(())
}

fn read_external(
    entry: &ModelEntry,
    graph: &GraphInfo,
    folder: &Path,
    used: u64,
    allow: Allow,
) -> Result<(Vec<ExternalData>, bool)> {
    let outside = |message: String| Error::model("external-data", format!("model `{}`: {message}", entry.name));
    let files = graph.external_files();
    if let Some(unused) = entry.external.iter().find(|e| !files.contains(e.file.as_str())) {
        return Err(outside(format!("the manifest lists the file `{}`, which the model does not name", unused.file)));
    }
    let (mut read, mut pinned, mut left) = (Vec::new(), true, MODEL_LIMIT.saturating_sub(used));
    for file in files {
        let bytes = read_inside(folder, file, left, HardLinks::Refused)?;
        left = left.saturating_sub(bytes.len() as u64);
        let hash = sha256(&bytes);
        match entry.external.iter().find(|e| e.file == file) {
            Some(listed) if listed.sha256 == hash => {}
            Some(listed) if allow == Allow::Pinned => {
                return Err(Error::model(
                    "hash-mismatch",
                    format!(
                        "weights of model `{}` have changed: the manifest lists SHA-256 {}, the file has {hash}: {}",
                        entry.name,
                        listed.sha256,
                        folder.join(file).display()
                    ),
                ));
            }
            None if allow == Allow::Pinned => {
                let path = folder.join(file);
                return Err(Error::model(
                    "unpinned",
                    format!(
                        "the manifest does not list weights of model `{}` (`external`): {}",
                        entry.name,
                        path.display()
                    ),
                ));
            }
            _ => pinned = false,
        }
        for tensor in graph.external.iter().filter(|t| t.location == file) {
            let length =
                tensor.length.ok_or_else(|| outside(format!("`{}` does not say how long it is", tensor.tensor)))?;
            let end = tensor.offset.checked_add(length);
            if end.is_none_or(|end| end > bytes.len() as u64) {
                return Err(outside(format!(
                    "`{}` reaches beyond its file: {length} bytes from byte {}, `{file}` has {}",
                    tensor.tensor,
                    tensor.offset,
                    bytes.len()
                )));
            }
        }
        read.push(ExternalData { file: file.to_owned(), bytes: bytes.into(), sha256: hash });
    }
    Ok((read, pinned))
}
