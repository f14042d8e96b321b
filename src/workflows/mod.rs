//! What users run. Workflows know everything below them and never each other.

pub mod analyze;
pub mod chunk;
pub mod collage;
pub mod curate;
mod encode;
mod kept;
mod letters;
mod reporter;
mod short;
pub mod sync;
pub mod track;
mod video;

pub use video::VideoFacts;
