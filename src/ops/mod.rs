//! The catalogue of operations. One file an operation: parameters, `plan`, `bind`, `record`.
//!
//! `plan` checks shapes, limits and parameters and compiles the kernel; `bind` ties a plan to buffers; `record` only records. A batch is
//! a dimension: frame `i` is `workgroup_id.z`. [`OPS`] is the single registry that the command line, the docs, the tests and the
//! benchmarks read.

mod batch;
mod bound;
mod field;
mod frames;
mod luma_plane;
mod maps;
mod params;
mod passes;
mod plan;
mod registry;

pub mod bench;
pub mod color;
pub mod heatmap;
pub mod histogram;
pub mod motion;
pub mod placement;
pub mod resize;
pub mod stats;
pub mod tensor;

pub use batch::{BatchShape, FrameBatch, GpuPictures};
pub use bound::FramesBound;
pub use field::{Field, FieldShape};
pub use frames::GpuFrames;
pub use maps::{GpuMaps, MapLayout, MapSample};
pub use passes::{Chain, Measure, Passes, Record};
pub use registry::{OPS, OpInfo, ParamDoc, find};

pub(crate) use batch::{PicturePair, PictureTable};
pub(crate) use bound::run_frames;
pub(crate) use field::FieldTable;
#[allow(unused_imports, reason = "for operations to come")]
pub(crate) use maps::check_maps;
pub(crate) use params::{gpu_params, plan_error};
pub(crate) use passes::{words, words64};
pub(crate) use plan::{MAX_SIDE, check_layout, check_pair, check_sides, grid};
