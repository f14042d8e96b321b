mod border_occlusion;
mod complexity;
mod contrast_brightness;
mod lighting;
