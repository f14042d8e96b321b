mod analyze_frame;
