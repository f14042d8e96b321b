//! Input tensors of models.

pub mod pack_nchw;
