//! Input tensors of models, and what becomes of their outputs.

pub mod grid_pool;
pub mod l2_normalize;
mod pack;
pub mod pack_nchw;
pub mod pack_nhwc;
pub mod random_projection;

pub(crate) use pack::{Pack, Uniform as PackUniform, wraps_tensor};
pub use pack::{PackParams, TensorBound, TensorBox};
