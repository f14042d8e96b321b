//! Neural networks: what may be loaded (manifest, registry), sessions of ONNX Runtime, and one adapter per task.
//!
//! | module | what is in it |
//! |---|---|
//! | [`runtime`] | finding and loading ONNX Runtime's shared library |
//! | [`manifest`] | `models.toml`: what a model is, whence, under which licence, what it takes and gives |
//! | [`tensor`] | tensors that are handed to a model and those that come back |
//! | [`io`] | names, types and shapes as a model declares them; [`io::TensorModel`], what adapters call |
//! | [`tasks`] | one adapter per task: from tensors to detections, faces, masks … |
//! | `caption` | captions from templates or from an endpoint (feature `caption`) |
//!
//! `ort::` appears in this folder only. Pictures become tensors on the GPU (`tensor/pack_nchw`, `tensor/pack_nhwc`, `resize/crop_resize`),
//! outside of this folder: a session takes a tensor that it is handed.

#[cfg(feature = "caption")]
pub mod caption;
pub mod io;
pub mod manifest;
pub mod runtime;
pub mod tasks;
pub mod tensor;

pub use io::{ElementType, Extent, IoInfo, NamedTensor, Outputs, TensorModel};
pub use manifest::{ModelEntry, PictureInput, Task};
pub use runtime::{OLDEST_RUNTIME, RuntimeInfo, load_runtime, search_path};
pub use tensor::{Tensor, TensorData, TensorSlice, TensorView};
