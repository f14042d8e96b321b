mod border_occlusion;
