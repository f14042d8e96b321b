mod hsv3d;
mod luma;
mod rgb_grid;
mod unique_colors;
