//! Occlusion: parts of pictures blurred, covered or pasted over, in place. Pixels that are not covered, and alpha, keep their bits.

mod cover;
pub mod edge_blur;
pub mod erase;
pub mod grid_mask;
pub mod hide_and_seek;
pub mod overlay;
pub mod paste_object;
