//! `collage`: a video rebuilt from the pictures of a pool that look most like its frames.

pub mod select;
