pub mod edge_grid;
pub mod gradient_texture;
pub mod hsv3d;
pub mod luma;
pub mod rgb_grid;
pub mod unique_colors;
