//! Operations that do in one recorded chain what several of the catalogue do one by one.

pub mod describe_image;
