mod contrast_brightness;
mod lighting;
