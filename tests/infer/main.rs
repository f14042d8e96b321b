//! Models: what may be loaded and what is refused, sessions, import, adapters.
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

#[cfg(feature = "caption")]
mod task_caption;
#[cfg(feature = "caption")]
mod task_models;
#[cfg(feature = "caption")]
mod task_real;
#[cfg(feature = "caption")]
mod task_support;
mod zoo;
