//! Edges: derivatives and edge maps.

mod canny;
#[path = "../../support/derivatives.rs"]
mod derivatives;
mod edge_density;
#[path = "../../support/edge_maps.rs"]
mod edge_maps;
mod hysteresis;
mod laplacian;
mod scharr;
mod sobel;

pub use edge_maps::{edges_of, planes_of};
