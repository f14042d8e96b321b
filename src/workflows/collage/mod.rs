//! `collage`: a video rebuilt from the pictures of a pool that look most like its frames.

mod config;
mod describe;
mod picture;
mod pool;

pub use config::{DescriptorConfig, FeatureLayout, FeatureMethod};
pub use describe::Describer;
pub use picture::Picture;
pub use pool::{Match, PictureFile, Pool, PoolPicture, PoolReport, PoolSettings, Scan, build_pool};
