//! Sharpness and blur.

pub mod blur_map;
pub mod laplacian_variance;
pub mod noise_residual;
pub mod tenengrad;
