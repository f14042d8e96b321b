//! Maps of what happens where.

pub mod accumulate;
