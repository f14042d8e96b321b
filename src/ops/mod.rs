//! The catalogue of operations. One file an operation: parameters, `plan`, `bind`, `record`.
//!
//! `plan` checks shapes, limits and parameters and compiles the kernel; `bind` ties a plan to buffers; `record` only records. A batch is
//! a dimension: frame `i` is `workgroup_id.z`. [`OPS`] is the single registry that the command line, the docs, the tests and the
//! benchmarks read.

mod batch;
mod bound;
mod chain;
mod color_map;
mod covering;
mod field;
mod frames;
mod gray_source;
mod luma_plane;
mod maps;
mod params;
mod passes;
mod plan;
mod registry;
mod rgb_source;
mod rows;
mod rows_bound;

pub mod bench;
pub mod blend;
pub mod color;
pub mod edges;
pub mod filter;
pub mod fused;
pub mod heatmap;
pub mod histogram;
pub mod hog;
pub mod motion;
pub mod occlusion;
pub mod placement;
pub mod quality;
pub mod resize;
pub mod search;
pub mod sharpness;
pub mod stats;
pub mod tensor;

pub use batch::{BatchShape, FrameBatch, GpuPictures};
pub use bound::FramesBound;
pub use chain::{Chained, ChainedBound, PicturesPlan, Plan};
pub use covering::CoverBound;
pub use field::{Field, FieldShape};
pub use frames::GpuFrames;
pub use maps::{GpuMaps, MapLayout, MapSample};
pub use passes::{Chain, Measure, Passes, Record};
pub use registry::{OPS, OpInfo, ParamDoc, find};
pub use rows::{GpuRows, RowSample, RowsLayout};
pub use rows_bound::RowsBound;

pub(crate) use batch::{PicturePair, PictureTable};
pub(crate) use bound::run_frames;
pub(crate) use chain::{makes_pictures, reads_pictures};
pub(crate) use covering::{bytes_of, counts, covering, on_copy, one_each};
pub(crate) use field::FieldTable;
pub(crate) use gray_source::{GraySource, gray_shape};
pub(crate) use maps::check_maps;
pub(crate) use params::{gpu_params, plan_error};
pub(crate) use passes::{words, words64};
pub(crate) use plan::{MAX_SIDE, check_count, check_layout, check_sides, grid};
pub(crate) use rgb_source::RgbSource;
pub(crate) use rows::check_rows;
