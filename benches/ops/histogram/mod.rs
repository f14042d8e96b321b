pub mod gradient_texture;
pub mod luma;
