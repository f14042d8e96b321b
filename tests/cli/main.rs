//! The command as its users run it: exit codes, events, outputs, resume, invariance, bad input.
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
#![cfg(feature = "cli")]

#[cfg(feature = "onnx")]
#[path = "../support/onnx.rs"]
mod onnx;

#[path = "../support/scene.rs"]
mod scene;

#[cfg(feature = "onnx")]
#[path = "../support/speech.rs"]
mod speech_models;

mod analyze;
mod bad_input;
mod chunk;
#[cfg(feature = "onnx")]
mod chunk_real;
#[cfg(feature = "onnx")]
mod chunk_recall;
mod chunk_run;
#[cfg(feature = "faiss")]
mod collage;
mod config;
mod curate;
#[cfg(feature = "onnx")]
mod curate_models;
#[cfg(feature = "caption")]
mod curate_more;
#[cfg(feature = "onnx")]
mod curate_real;
mod demo;
mod examples;
mod help;
#[cfg(target_os = "linux")]
mod isolate;
mod messages;
#[cfg(feature = "onnx")]
mod models;
mod pages;
mod pipeline;
mod readme;
mod real_data;
mod schema;
mod shards;
mod shards_one;
mod split;
mod support;
#[cfg(feature = "onnx")]
mod sync;
#[cfg(feature = "onnx")]
mod sync_shards;
#[cfg(feature = "onnx")]
mod sync_videos;
mod track;
#[cfg(feature = "endpoint")]
mod track_names;
mod track_plan;
mod track_real;
mod turned;
mod worker;
