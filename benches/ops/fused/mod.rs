pub mod analyze_frame;
