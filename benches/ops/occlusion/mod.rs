pub mod edge_blur;
pub mod erase;
pub mod grid_mask;
pub mod hide_and_seek;
pub mod overlay;
pub mod paste_object;
