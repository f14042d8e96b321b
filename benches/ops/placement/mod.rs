pub mod cell_sums;
pub mod integral;
pub mod window_scores;
