//! Changes of size.

pub mod area;
pub mod bilinear;
