pub mod alpha_over;
pub mod feather_composite;
pub mod temporal_blend;
