//! Model inputs.

pub mod pack_nchw;
