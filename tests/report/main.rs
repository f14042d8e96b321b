//! Tables come back as they were, pages are safe, and the same input gives the same bytes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]
#![cfg(feature = "report")]

mod arrays;
mod page;
mod sample;
mod tables;
