//! Statistics of whole frames.

pub mod luma;
