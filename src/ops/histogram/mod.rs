//! How often each value occurs.

pub mod edge_grid;
pub mod luma;
