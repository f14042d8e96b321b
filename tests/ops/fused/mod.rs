mod analyze_frame;
mod describe_image;
