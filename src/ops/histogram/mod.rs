//! How often each value occurs.

pub mod hsv3d;
pub mod luma;
