//! Models: what may be loaded and what is refused, sessions, import, adapters.
#![cfg(feature = "onnx")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    missing_docs,
    unreachable_pub,
    reason = "tests: they may panic, write scratch files and start processes"
)]

#[path = "../support/golden.rs"]
mod golden;
#[path = "../support/gpu.rs"]
mod gpu;
#[path = "../support/onnx.rs"]
mod onnx;

mod descriptors;
mod heads;
mod heads_by_hand;
mod heads_fit;
mod heads_points;
mod odd_files;
mod raw;
mod real_heads;
#[cfg(feature = "ffmpeg")]
mod real_kernels;
mod real_models;
mod refusals;
mod registry;
mod runtime;
mod session;
mod support;
mod suppression;
#[cfg(feature = "caption")]
mod task_caption;
#[cfg(feature = "caption")]
mod task_models;
#[cfg(feature = "caption")]
mod task_real;
#[cfg(feature = "caption")]
mod task_support;
mod zoo;
