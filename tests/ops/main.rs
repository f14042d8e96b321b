//! Operations against their references, on every adapter.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    unreachable_pub,
    reason = "tests"
)]

mod blend;
mod chain;
mod color;
#[path = "../support/colors.rs"]
mod colors;
#[path = "../support/compare.rs"]
mod compare;
mod edges;
#[path = "../support/fields.rs"]
mod fields;
mod filter;
mod fused;
#[path = "../support/gpu.rs"]
mod gpu;
mod heatmap;
mod histogram;
mod hog;
mod motion;
mod occlusion;
#[path = "../support/packing.rs"]
mod packing;
#[path = "../support/pictures.rs"]
mod pictures;
mod placement;
mod quality;
mod resize;
#[path = "../support/resized.rs"]
mod resized;
#[path = "../support/results.rs"]
mod results;
mod search;
#[path = "../support/seed_frames.rs"]
mod seed_frames;
mod sharpness;
mod stats;
#[path = "../support/table.rs"]
mod table;
mod tensor;
#[path = "../support/vectors.rs"]
mod vectors;
