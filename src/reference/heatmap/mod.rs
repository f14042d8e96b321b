//! Heat maps over time.

pub mod accumulate;
