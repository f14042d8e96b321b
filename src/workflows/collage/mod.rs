//! `collage`: a video rebuilt from the pictures of a pool that look most like its frames.
//!
//! | part | what it does |
//! |---|---|
//! | [`DescriptorConfig`], [`Describer`] | what pictures and frames are compared by; the same crop and filter for both |
//! | [`build_pool`], [`Pool`] | pictures of folders with their descriptors in an index on disk, brought up to date by what changed |
//! | [`select`] | a picture for every frame, by rules |
//! | [`collage`](run::collage) | a video in, its collage out |

mod config;
mod describe;
mod network;
mod picture;
mod pool;
pub mod run;
pub mod select;
mod settings;

pub use config::{DescriptorConfig, FeatureLayout, FeatureMethod};
pub use describe::Describer;
pub use network::{FeaturePooling, NetworkUse, Networks};
pub use picture::{Picture, Sight};
pub use pool::{
    Match, PictureFile, Pool, PoolConfig, PoolOptions, PoolPart, PoolPicture, PoolReport, Scan, build_pool, join_pool,
    pool_part,
};
pub use settings::{
    CollageSettings, DescriptorSettings, IndexSettings, OutputSettings, ParitySystem, SelectionSettings,
};
