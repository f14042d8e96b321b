pub mod border_occlusion;
