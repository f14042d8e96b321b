//! Edge detection.

mod bit_planes;
pub mod canny;
pub mod edge_density;
pub mod hysteresis;

pub use bit_planes::BitPlanes;
pub(crate) use bit_planes::check_edges;
//! Edges: derivatives of pictures.

mod stencil;

pub mod laplacian;
pub mod scharr;
pub mod sobel;

pub use stencil::{MapsPlan, PicturesPlan};
