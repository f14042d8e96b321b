//! Edges: derivatives of pictures.

mod stencil;

pub mod laplacian;
pub mod scharr;
pub mod sobel;

pub use stencil::{MapsPlan, PicturesPlan};
