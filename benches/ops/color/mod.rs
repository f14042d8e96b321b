pub mod gray_from_rgb;
pub mod hsv_from_rgb;
pub mod hsv_range;
pub mod rgb_from_yuv;
pub mod yuv_change;
