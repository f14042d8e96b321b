//! Pictures of another size.
//!
//! Resizing works plane by plane: a [`PlaneSelect`] names the plane of the source, and one of its interleaved channels or all; another
//! names the plane of the result. So Y, U and V of an NV12 frame can become the three planes of a small I444 frame.

pub mod area;
pub mod bilinear;
pub mod crop_resize;
mod plane;

pub use plane::PlaneSelect;
