mod edge_grid;
mod gradient_texture;
mod luma;
