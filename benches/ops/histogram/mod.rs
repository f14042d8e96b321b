pub mod luma;
