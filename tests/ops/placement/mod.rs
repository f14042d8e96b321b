mod cell_sums;
mod integral;
mod window_scores;
