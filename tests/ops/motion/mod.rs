mod block_motion;
mod frame_difference;
