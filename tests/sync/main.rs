//! Sound and picture in step: cutting, against truths and against FFmpeg's own tools; face tracks against golden values.
#![cfg(feature = "workflows")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    unreachable_pub,
    reason = "tests"
)]

mod cut;
mod fix;
mod golden;
#[cfg(feature = "onnx")]
mod lips;
mod support;
