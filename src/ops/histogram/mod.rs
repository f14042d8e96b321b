//! How often each value occurs.

pub mod luma;
