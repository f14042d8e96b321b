//! Edges: derivatives and edge maps.

mod canny;
mod derivatives;
mod edge_density;
mod edge_maps;
mod hysteresis;
mod laplacian;
mod scharr;
mod sobel;

pub use edge_maps::edges_of;
