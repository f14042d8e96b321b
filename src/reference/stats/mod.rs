//! Statistics of a picture.

pub mod luma;
