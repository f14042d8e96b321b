pub mod analyze_frame;
pub mod describe_image;
