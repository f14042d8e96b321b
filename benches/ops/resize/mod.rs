pub mod area;
pub mod bilinear;
