//! What users run. Workflows know everything below them and never each other.

pub mod analyze;
pub mod sync;
