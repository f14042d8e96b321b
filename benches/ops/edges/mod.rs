pub mod canny;
pub mod edge_density;
pub mod hysteresis;
