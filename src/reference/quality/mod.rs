//! References of `quality/`.

pub mod border_occlusion;
