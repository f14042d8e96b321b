//! One adapter per task: from the tensors of a model to typed results, and what comes before.
//!
//! Adapters know tensors and geometry, no GPU and no files. Boxes and points are in pixels of the picture: pixel `i` covers `i..i+1`.
//!
//! | module | task | result |
//! |---|---|---|
//! | [`detect`] | [`Task::Detect`](crate::infer::Task::Detect) | boxes of objects with class and score |
//! | [`face`] | [`Task::Face`](crate::infer::Task::Face) | boxes of faces with key points |
//! | [`landmarks`] | [`Task::Landmarks`](crate::infer::Task::Landmarks) | 68, 468 or 478 points of one face, contours of lips and eyes |
//! | [`align`] | | the transform and the box that bring a face where recognition networks want it |
//! | [`embed`] | [`Task::Embed`](crate::infer::Task::Embed) | a unit vector, or a feature map for `tensor/grid_pool` |
//! | [`reid`] | [`Task::Reid`](crate::infer::Task::Reid) | a unit vector of a person |
//! | [`classify`] | [`Task::Classify`](crate::infer::Task::Classify) | the likeliest classes |
//! | [`classes`] | | names of the classes of COCO and Pascal VOC |
//! | [`segment`] | [`Task::Segment`](crate::infer::Task::Segment) | coverage or class per pixel; masks from points and boxes (SAM) |
//! | [`inpaint`] | [`Task::Inpaint`](crate::infer::Task::Inpaint) | the picture with its hole filled |
//! | [`upscale`] | [`Task::Upscale`](crate::infer::Task::Upscale) | a larger picture, made in tiles |
//! | [`restore_face`] | [`Task::RestoreFace`](crate::infer::Task::RestoreFace) | the picture with its faces repaired |
//! | [`lowlight`] | [`Task::Lowlight`](crate::infer::Task::Lowlight) | a lighter picture |
//! | [`vad`] | [`Task::Vad`](crate::infer::Task::Vad) | segments of speech, from a stream of samples |
//! | [`lipsync`] | [`Task::Lipsync`](crate::infer::Task::Lipsync) | vectors of lips and of sound |

pub mod align;
pub mod classes;
pub mod classify;
pub mod detect;
pub mod embed;
pub mod face;
mod fit;
mod holes;
pub mod inpaint;
mod io_roles;
pub mod landmarks;
pub mod lipsync;
pub mod lowlight;
mod picture_port;
mod planar;
mod pyramid;
pub mod reid;
mod resample;
pub mod restore_face;
pub mod segment;
mod sieve;
pub mod upscale;
pub mod vad;

pub use planar::PlanarPicture;
