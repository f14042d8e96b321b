//! Observers of workflows: what they hear adds up, and a break ends the call, keeps its state, and lets the same call go on to the same bytes.
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

#[cfg(feature = "onnx")]
#[path = "../support/speech.rs"]
mod speech_models;

mod pictures;
#[cfg(feature = "onnx")]
mod speech;
mod support;
mod videos;
