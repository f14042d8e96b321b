//! Figures of quality.

pub mod border_occlusion;
