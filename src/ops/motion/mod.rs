//! Motion between frames.

pub mod block_motion;
pub mod frame_difference;
pub mod hsv_cut_score;
pub mod optical_flow;
