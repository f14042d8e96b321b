//! Picture quality.

pub mod contrast_brightness;
pub mod lighting;
