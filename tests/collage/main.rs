//! The workflow `collage` as a library: descriptors, the pool and its index, whole runs.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    missing_docs,
    unreachable_pub,
    reason = "tests"
)]

#[path = "../support/gpu.rs"]
mod gpu;
#[path = "../support/seed_frames.rs"]
mod seed_frames;

mod descriptors;
#[cfg(feature = "onnx")]
mod networks;
mod pool;
mod support;
mod video;
