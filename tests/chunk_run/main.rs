//! Chunks cut, processed and put back: on frames and videos that the tests make.
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

mod frames;
#[path = "../support/gpu.rs"]
mod gpu;
#[cfg(feature = "onnx")]
mod models;
mod put_back;
mod video;
