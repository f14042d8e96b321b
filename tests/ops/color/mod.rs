mod gray_from_rgb;
mod hsv_from_rgb;
mod hsv_range;
mod rgb_from_yuv;
mod yuv_change;
