pub mod edge_grid;
pub mod luma;
