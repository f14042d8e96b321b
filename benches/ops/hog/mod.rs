#[allow(clippy::module_inception, reason = "named after the operation")]
pub mod hog;
