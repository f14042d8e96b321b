//! Edges: derivatives of pictures, edge maps.

pub mod canny;
pub mod edge_density;
pub mod gradient;
pub mod hysteresis;
pub mod laplacian;
pub mod scharr;
pub mod sobel;
