//! Sharpness and blur: single measures, and a map of them.

mod sums;

pub mod blur_map;
pub mod laplacian_variance;
pub mod noise_residual;
pub mod tenengrad;

pub use sums::SumsPlan;
