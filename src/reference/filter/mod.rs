//! Pictures from the neighbourhoods of their pixels. Channels are filtered each on its own, alpha like a colour.

pub mod r#box;
pub mod denoise;
pub mod gaussian;
pub mod median3;
pub mod unsharp_mask;
