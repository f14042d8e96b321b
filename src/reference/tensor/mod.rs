//! Model inputs and outputs.

pub mod grid_pool;
pub mod l2_normalize;
pub mod pack;
pub mod pack_nchw;
pub mod pack_nhwc;
pub mod random_projection;
