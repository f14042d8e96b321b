//! Neural networks: what may be loaded (manifest, registry), sessions of ONNX Runtime, and one adapter per task.
//!
//! | module | what is in it |
//! |---|---|
//! | [`runtime`] | finding and loading ONNX Runtime's shared library |
//! | [`manifest`], [`manifest_file`] | `models.toml`: what a model is, whence, under which licence, what it takes and gives |
//! | [`registry`] | which models may be loaded: listed ones, unchanged; everything else is refused |
//! | [`graph`] | what an ONNX file says of itself, read without the runtime |
//! | [`import`](mod@import) | from a file to a proposed entry of a manifest |
//! | [`session`], [`provider`] | sessions of ONNX Runtime: threads, device, checks, batches, statistics |
//! | [`tensor`] | tensors that are handed to a model and those that come back |
//! | [`io`] | names, types and shapes as a model declares them; [`io::TensorModel`], what adapters call |
//! | [`tasks`] | one adapter per task: from tensors to detections, faces, masks … |
//! | `endpoint` | questions to a server over HTTP (feature `endpoint`) |
//! | `caption` | captions from templates or from an endpoint (feature `caption`) |
//!
//! `ort::` appears in this folder only. Pictures become tensors on the GPU (`tensor/pack_nchw`, `tensor/pack_nhwc`, `resize/crop_resize`),
//! outside of this folder: a session takes a tensor that it is handed.

#[cfg(feature = "caption")]
pub mod caption;
mod convert;
#[cfg(feature = "endpoint")]
pub mod endpoint;
mod files;
pub mod graph;
pub mod import;
pub mod io;
pub mod manifest;
pub mod manifest_file;
pub mod provider;
pub mod registry;
pub mod runtime;
pub mod session;
pub mod tasks;
pub mod tensor;

pub use files::MODEL_LIMIT;
pub use graph::GraphInfo;
pub use import::{Inspection, Proposal, import, inspect};
pub use io::{ElementType, Extent, IoInfo, NamedTensor, Outputs, TensorModel};
pub use manifest::{ExternalFile, ModelEntry, PictureInput, Task};
pub use manifest_file::{MANIFEST, parse_manifest, read_manifest, write_manifest};
pub use provider::Provider;
pub use registry::{Allow, ListedModel, MODELS_VARIABLE, ModelRegistry, VerifiedModel, model_folders};
pub use runtime::{OLDEST_RUNTIME, RuntimeInfo, load_runtime, search_path};
pub use session::{OnnxSession, Optimization, SessionOptions, SessionStats};
pub use tensor::{Tensor, TensorData, TensorSlice, TensorView};
