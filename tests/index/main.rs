//! Vector indexes: exactness with ties, recall, exclusion, files and their damage.
//!
//! `FRAMELOOM_INDEX_BIG=1` runs the large sets of the requirements too (100,000 and 500,000 x 376); in a release build, one test at a time.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    unreachable_pub,
    reason = "tests"
)]

#[cfg(feature = "faiss")]
mod approximate;
#[cfg(all(feature = "faiss", feature = "store"))]
mod big;
mod data;
mod exact;
mod exclude;
#[cfg(feature = "store")]
mod files;
#[path = "../support/gpu.rs"]
mod gpu;
mod refused;
#[cfg(all(feature = "faiss", feature = "store"))]
mod saved;
