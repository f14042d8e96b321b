//! How often each value occurs.

pub mod gradient_texture;
pub mod luma;
