//! Figures of quality.

pub mod border_occlusion;
pub mod complexity;
pub mod contrast_brightness;
pub mod lighting;
