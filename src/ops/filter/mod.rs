//! Pictures from the neighbourhoods of their pixels.
//!
//! Filters take the luma plane of any format, which gives 8-bit grey, or packed RGBA, whose channels are filtered each on its own,
//! alpha too: opaque pictures stay opaque. Sizes may differ within a batch.

pub mod r#box;
pub mod denoise;
pub mod gaussian;
pub mod median3;
mod picture;
mod similarity;
mod taps;
pub mod unsharp_mask;

pub use taps::GaussianParams;
