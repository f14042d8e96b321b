//! Edges: derivatives of a picture.

pub mod gradient;
pub mod laplacian;
pub mod scharr;
pub mod sobel;
