mod gradient_texture;
mod luma;
