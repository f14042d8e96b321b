//! One adapter per task: from the tensors of a model to typed results, and what comes before.
//!
//! Adapters know tensors and geometry, no GPU and no files. Boxes and points are in pixels of the picture: pixel `i` covers `i..i+1`.
//!
//! | module | task | result |
//! |---|---|---|
//! | [`segment`] | [`Task::Segment`](crate::infer::Task::Segment) | coverage or class per pixel; masks from points and boxes (SAM) |
//! | [`inpaint`] | [`Task::Inpaint`](crate::infer::Task::Inpaint) | the picture with its hole filled |
//! | [`upscale`] | [`Task::Upscale`](crate::infer::Task::Upscale) | a larger picture, made in tiles |
//! | [`restore_face`] | [`Task::RestoreFace`](crate::infer::Task::RestoreFace) | the picture with its faces repaired |
//! | [`lowlight`] | [`Task::Lowlight`](crate::infer::Task::Lowlight) | a lighter picture |
//! | [`vad`] | [`Task::Vad`](crate::infer::Task::Vad) | segments of speech, from a stream of samples |
//! | [`lipsync`] | [`Task::Lipsync`](crate::infer::Task::Lipsync) | vectors of lips and of sound |

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
