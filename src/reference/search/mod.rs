//! Searches.

pub mod top_k;
