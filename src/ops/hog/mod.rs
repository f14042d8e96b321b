//! Histograms of oriented gradients.

#[allow(clippy::module_inception, reason = "the family has one operation, of the same name")]
pub mod hog;
