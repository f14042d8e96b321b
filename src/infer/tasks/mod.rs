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

pub mod align;
pub mod classes;
pub mod classify;
pub mod detect;
pub mod embed;
pub mod face;
mod fit;
pub mod landmarks;
mod pyramid;
pub mod reid;
mod sieve;
