//! One adapter per task: from the tensors of a model to typed results, and what comes before.
//!
//! Adapters know tensors and geometry, no GPU and no files. Boxes and points are in pixels of the picture: pixel `i` covers `i..i+1`.

pub mod inpaint;
mod io_roles;
pub mod lipsync;
pub mod lowlight;
mod picture_port;
mod planar;
mod resample;
pub mod restore_face;
pub mod segment;
pub mod upscale;
pub mod vad;

pub use planar::PlanarPicture;
