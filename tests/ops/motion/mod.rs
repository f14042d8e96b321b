mod block_motion;
mod frame_difference;
mod optical_flow;
