//! Histograms.

pub mod luma;
