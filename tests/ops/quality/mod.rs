mod border_occlusion;
mod contrast_brightness;
mod lighting;
