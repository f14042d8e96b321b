//! Input tensors of models, and what becomes of their outputs.

pub mod grid_pool;
pub mod l2_normalize;
pub mod pack_nchw;
pub mod random_projection;
