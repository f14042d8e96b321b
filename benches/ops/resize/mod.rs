pub mod area;
pub mod bilinear;
pub mod crop_resize;
