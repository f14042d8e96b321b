pub mod block_motion;
pub mod frame_difference;
pub mod optical_flow;
