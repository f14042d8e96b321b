//! Operations that do in one recorded chain what several of the catalogue do one by one.

pub mod analyze_frame;
mod analyze_layout;
pub mod describe_image;
