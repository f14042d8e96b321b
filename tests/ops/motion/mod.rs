mod block_motion;
mod frame_difference;
mod hsv_cut_score;
mod optical_flow;
