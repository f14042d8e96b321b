//! Motion between frames.

pub mod frame_difference;
