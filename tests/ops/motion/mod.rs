mod frame_difference;
