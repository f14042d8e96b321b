//! Pictures of another size.
//!
//! `area` and `bilinear` work plane by plane: a [`PlaneSelect`] names the plane of the source, and one of its interleaved channels or all; another
//! names the plane of the result. So Y, U and V of an NV12 frame can become the three planes of a small I444 frame.
//! `bicubic`, `lanczos3` and `letterbox` take whole pictures, luma or packed RGBA, whose sizes may differ within a batch.

pub mod area;
pub mod bicubic;
pub mod bilinear;
pub mod crop_resize;
pub mod lanczos3;
pub mod letterbox;
mod on_host;
mod plane;
mod resample;
mod spans;
pub mod warp_affine;

pub use on_host::AreaOnHost;
pub use plane::PlaneSelect;
