mod edge_grid;
mod gradient_texture;
mod hsv3d;
mod luma;
mod rgb_grid;
mod unique_colors;
