//! Edges: derivatives of pictures, edge maps.

mod bit_planes;
pub mod canny;
pub mod edge_density;
pub mod hysteresis;
pub mod laplacian;
pub mod scharr;
pub mod sobel;
mod stencil;

pub use bit_planes::BitPlanes;
pub(crate) use bit_planes::check_edges;
pub use stencil::{StencilMapsPlan, StencilPicturesPlan};
