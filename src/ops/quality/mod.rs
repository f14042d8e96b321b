//! Figures of quality.

pub mod border_occlusion;
//! Picture quality.

pub mod contrast_brightness;
pub mod lighting;
