//! Where to put windows over a heat map.

pub mod cell_sums;
pub mod integral;
pub mod window_scores;
