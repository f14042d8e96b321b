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

mod color;
mod filter;
#[path = "../support/gpu.rs"]
mod gpu;
mod heatmap;
mod histogram;
mod motion;
#[path = "../support/pictures.rs"]
mod pictures;
mod resize;
#[path = "../support/resized.rs"]
mod resized;
#[path = "../support/results.rs"]
mod results;
mod stats;
#[path = "../support/table.rs"]
mod table;
mod tensor;
