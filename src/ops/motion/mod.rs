//! Motion between frames.

pub mod frame_difference;
pub mod hsv_cut_score;
