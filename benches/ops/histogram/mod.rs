pub mod edge_grid;
pub mod gradient_texture;
pub mod luma;
