//! Pictures in GPU memory to a network and back: the place where kernels and models meet.
//!
//! ```text
//! frames (GPU) --boxes--> resize/crop_resize: crop, scale, letterbox, normalise, one dispatch --> mapped tensor --> model --> outputs
//!             `--warps--> resize/warp_affine: the same for turned boxes, faces with their eyes level
//! ```
//! The tensor is handed to the model where the readback put it: nothing is copied on the host. Whoever wants speed records the tensors
//! of the next batch ([`PictureModel::submit`]) before it runs the model on those of this one ([`PictureModel::finish`]). [`DescriptorModel`] goes on to rows for an index.

mod descriptors;
mod model;
mod stage;
mod stream;

pub use descriptors::{DescriptorModel, DescriptorOptions, Descriptors};
pub use model::{PictureModel, Prepared, Run, Spent, whole};
pub use stage::{TensorStage, TensorStageOptions};
pub use stream::{StreamRun, stream};
