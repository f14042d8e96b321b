//! Networks that curation uses, and what stands in where there is none.
//!
//! A strategy names a model as the original does. It is looked for in the model list, then among `model_paths`; where it is nowhere, the first
//! listed model for the same task does the work, and where there is none of them a rule without a network. What was taken is said, always.

#[cfg(not(feature = "onnx"))]
mod absent;
#[cfg(feature = "onnx")]
mod look;
#[cfg(feature = "onnx")]
mod paint;
#[cfg(feature = "onnx")]
mod prompted;

#[cfg(not(feature = "onnx"))]
pub(super) use absent::{Describe, Detect, Faces, Fill, Restore, Subject, Upscale};
#[cfg(feature = "onnx")]
pub(super) use look::{Describe, Detect, Faces, Subject};
#[cfg(feature = "onnx")]
pub(super) use paint::{Fill, Restore, Upscale};

#[cfg(feature = "onnx")]
use std::path::{Path, PathBuf};
#[cfg(feature = "onnx")]
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::config::CurateConfig;
use crate::core::Size;
#[cfg(feature = "onnx")]
use crate::error::Error;
use crate::error::Result;
use crate::gpu::GpuContext;
#[cfg(feature = "onnx")]
use crate::infer::{Allow, ModelRegistry, OnnxSession, SessionOptions, Task, VerifiedModel};

/// What does a job: a network, or a rule in its place.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelUse {
    /// The job: `detect`, `face`, `embed`, `segment`, `inpaint`, `upscale`, `restore-face`.
    pub task: String,
    /// Name that was asked for.
    pub wanted: String,
    /// Name of what is used; nothing for a rule.
    pub name: Option<String>,
    /// SHA-256 of its file.
    pub sha256: Option<String>,
    /// What a reader should know: another model than the one asked for, a rule, made-up weights.
    pub notice: Option<String>,
}

/// Where networks come from. The default has none.
#[derive(Debug, Clone, Default)]
pub struct Networks {
    #[cfg(feature = "onnx")]
    registry: Option<Arc<ModelRegistry>>,
}

/// A mask of bytes, 255 inside, row by row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ByteMask {
    /// Width and height.
    pub(super) size: Size,
    /// One byte a pixel.
    pub(super) values: Vec<u8>,
}

impl ByteMask {
    /// Share of pixels that are inside.
    pub(super) fn share(&self) -> f64 {
        self.inside() as f64 / self.values.len().max(1) as f64
    }

    /// Pixels that are at least half inside.
    pub(super) fn inside(&self) -> usize {
        self.values.iter().filter(|v| **v >= 128).count()
    }
}

/// Opens networks, and keeps count of what is used.
#[derive(Debug)]
pub(super) struct Opener<'a> {
    #[cfg_attr(not(feature = "onnx"), allow(dead_code, reason = "a build without networks looks for none"))]
    pub(super) networks: &'a Networks,
    pub(super) config: &'a CurateConfig,
    pub(super) uses: Vec<ModelUse>,
}

/// What is done where there is no network for a task.
fn instead(task: &str) -> &'static str {
    match task {
        "detect" => "every frame counts as one instance",
        "face" => "shot types come from instances alone",
        "embed" => "near-duplicates are found by perceptual hashes alone",
        "segment" => "a disk in the middle stands for the character",
        "inpaint" => "holes are filled with patches of the rest of the picture",
        "upscale" => "frames keep their size",
        _ => "faces stay as they are",
    }
}

impl Networks {
    /// The networks of `folders` and of the usual places.
    ///
    /// # Errors
    /// As [`ModelRegistry::find`].
    #[cfg(feature = "onnx")]
    pub fn find(folders: &[PathBuf]) -> Result<Self> {
        Ok(Self { registry: Some(Arc::new(ModelRegistry::find(folders)?)) })
    }
}

impl<'a> Opener<'a> {
    pub(super) fn new(networks: &'a Networks, config: &'a CurateConfig) -> Self {
        Self { networks, config, uses: Vec::new() }
    }

    fn note(&mut self, task: &str, wanted: &str, found: Option<(&str, &str, bool)>, stand_in: Option<&str>) {
        let notice = match found {
            Some((name, _, other)) => {
                let other = other.then(|| format!("`{wanted}` is not there: `{name}` does its work"));
                let made_up = stand_in.map(|s| format!("`{name}` has made-up weights: {s}"));
                let all: Vec<String> = other.into_iter().chain(made_up).collect();
                (!all.is_empty()).then(|| all.join("; "))
            }
            None if wanted == "none" => None,
            None if wanted == "auto" => Some(format!("no model for {task}: {}", instead(task))),
            None => Some(format!("`{wanted}` is not there, nor another model for {task}: {}", instead(task))),
        };
        self.uses.push(ModelUse {
            task: task.into(),
            wanted: wanted.into(),
            name: found.map(|f| f.0.into()),
            sha256: found.map(|f| f.1.into()),
            notice,
        });
    }

    #[cfg(not(feature = "onnx"))]
    fn open(&mut self, task: &str, wanted: &str) {
        self.note(task, wanted, None, None);
    }

    /// The model for `task` that `wanted` names, or what does its work.
    #[cfg(feature = "onnx")]
    fn open(&mut self, task: Task, wanted: &str) -> Result<Option<(OnnxSession, VerifiedModel)>> {
        let found = if wanted == "none" || self.config.parity { None } else { self.resolve(task, wanted)? };
        let Some((model, other)) = found else {
            self.note(task.name(), wanted, None, None);
            return Ok(None);
        };
        let entry = &model.entry;
        let why = entry.note.clone().unwrap_or_else(|| "for tests".into());
        let stand_in = entry.stand_in.then_some(why.as_str());
        self.note(task.name(), wanted, Some((&entry.name, &model.sha256, other)), stand_in);
        Ok(Some((OnnxSession::open(&model, &SessionOptions::default())?, model)))
    }

    #[cfg(feature = "onnx")]
    fn resolve(&self, task: Task, wanted: &str) -> Result<Option<(VerifiedModel, bool)>> {
        let Some(registry) = &self.networks.registry else { return Ok(None) };
        // Models of several graphs (SAM) need prompts, and those that describe faces know nothing of frames: they are taken by name only.
        let whole = |m: &&crate::infer::ListedModel| {
            let faces = task == Task::Embed && m.entry.classes.as_deref() == Some("face");
            !faces && !m.entry.decoder.as_deref().is_some_and(|d| d.starts_with("sam"))
        };
        if wanted != "auto" && registry.list().iter().any(|m| m.entry.name == wanted) {
            return registry.load_for(task, wanted, Allow::Pinned).map(|m| Some((m, false)));
        }
        if let Some(path) = self.config.model_paths.get(wanted).map(Path::new)
            && path.is_file()
        {
            return registry.load_file(path, task, Allow::Pinned).map(|m| Some((m, false)));
        }
        let real = || registry.by_task(task).filter(whole).find(|m| !m.entry.stand_in);
        let Some(first) = real().or_else(|| registry.by_task(task).find(whole)) else { return Ok(None) };
        let model = registry.load_for(task, &first.entry.name, Allow::Pinned)?;
        Ok(Some((model, wanted != "auto")))
    }

    /// The detector that counts instances.
    pub(super) fn detect(&mut self, ctx: &GpuContext) -> Result<Option<Detect>> {
        Detect::open(self, ctx)
    }

    /// The face detector.
    pub(super) fn faces(&mut self, ctx: &GpuContext) -> Result<Option<Faces>> {
        Faces::open(self, ctx)
    }

    /// The network that describes frames.
    pub(super) fn describe(&mut self, ctx: &GpuContext) -> Result<Option<Describe>> {
        Describe::open(self, ctx)
    }

    /// The segmentation model.
    pub(super) fn subject(&mut self, ctx: &GpuContext) -> Result<Option<Subject>> {
        Subject::open(self, ctx)
    }

    /// The inpainting model; nothing for fast marching.
    pub(super) fn fill(&mut self) -> Result<Option<Fill>> {
        Fill::open(self)
    }

    /// The upscaler.
    pub(super) fn upscale(&mut self) -> Result<Option<Upscale>> {
        Upscale::open(self)
    }

    /// The face restorer.
    pub(super) fn restore(&mut self) -> Result<Option<Restore>> {
        Restore::open(self)
    }

    /// Whether `name` asks for a rule, not a network.
    fn is_rule(name: &str) -> bool {
        Self::marches(name) || matches!(name, "patches" | "none")
    }

    /// Whether `name` asks for fast marching.
    fn marches(name: &str) -> bool {
        matches!(name, "opencv" | "telea")
    }

    /// Whether holes that no network fills are filled by fast marching: with parity, and where the settings say so.
    pub(super) fn fills_by_marching(config: &CurateConfig) -> bool {
        let segment = &config.strategies.segment;
        let model = segment.inpainting_model.as_str();
        let other = segment.inpainting_fallback.as_str();
        config.parity || Self::marches(model) || (!Self::is_rule(model) && Self::marches(other))
    }
}

/// Bytes of a picture as red, green, blue.
pub(super) fn rgb_of(rgba: &[u8]) -> Vec<u8> {
    rgba.as_chunks::<4>().0.iter().flat_map(|[r, g, b, _]| [*r, *g, *b]).collect()
}

/// Bytes red, green, blue with full alpha.
pub(super) fn rgba_of(rgb: &[u8]) -> Vec<u8> {
    rgb.as_chunks::<3>().0.iter().flat_map(|[r, g, b]| [*r, *g, *b, 255]).collect()
}

#[cfg(feature = "onnx")]
fn shape_error(what: &str) -> Error {
    Error::model("shape", format!("{what} of another size than the picture"))
}
