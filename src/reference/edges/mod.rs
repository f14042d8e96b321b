//! References of `edges/`.

pub mod canny;
pub mod edge_density;
pub mod hysteresis;
//! Edges: derivatives of a picture.

pub mod gradient;
pub mod laplacian;
pub mod scharr;
pub mod sobel;
