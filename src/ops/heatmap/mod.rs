//! Maps of what happens where.

pub mod accumulate;
pub mod colormap;
pub mod decay;
pub mod normalize;
pub mod splat_gaussian;
pub mod stats;
