//! Changes of size.

pub mod area;
pub mod bicubic;
pub mod bilinear;
pub mod crop_resize;
pub mod lanczos3;
pub mod letterbox;
pub mod warp_affine;
