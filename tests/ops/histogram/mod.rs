mod edge_grid;
mod luma;
