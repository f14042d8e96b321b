//! Models: from raw outputs to results.
#![cfg(feature = "onnx")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    unreachable_pub,
    reason = "tests"
)]

#[path = "../support/golden.rs"]
mod golden;
mod heads;
mod heads_by_hand;
mod heads_fit;
mod heads_points;
mod raw;
mod suppression;
