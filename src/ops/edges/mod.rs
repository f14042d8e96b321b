//! Edge detection.

mod bit_planes;
pub mod canny;
pub mod edge_density;
pub mod hysteresis;

pub use bit_planes::BitPlanes;
pub(crate) use bit_planes::check_edges;
