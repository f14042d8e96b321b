pub mod frame_difference;
