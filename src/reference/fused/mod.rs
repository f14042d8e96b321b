//! Operations that do in one what several of the catalogue do one by one.

pub mod analyze_frame;
pub mod describe_image;
