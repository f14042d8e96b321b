//! The oracle: every operation once more, as plain loops, in integers or f64. Checked against golden values made with
//! OpenCV and scikit-image; never used instead of a kernel.
//!
//! The documentation of each function is the *definition* of the operation: what the kernel of the same name must
//! deliver, bit by bit where integers are used. Pictures come as a [`Plane`] or a
//! [`FrameSlot`], both checked when made; results are tightly packed.
#![allow(
    clippy::indexing_slicing,
    reason = "plain loops over buffers whose sizes are checked when a Plane or FrameSlot is made"
)]

pub mod blend;
pub mod color;
pub mod colors;
pub mod edges;
pub mod field;
pub mod filter;
pub mod fused;
pub mod heatmap;
pub mod histogram;
pub mod hog;
pub mod motion;
pub mod occlusion;
pub mod pattern;
pub mod placement;
pub mod plane;
pub mod quality;
pub mod resize;
pub mod search;
pub mod sharpness;
pub mod stats;
pub mod tensor;

pub use colors::Colors;
pub use field::{Field, Numbers};
pub use pattern::Pattern;
pub use plane::{FrameSlot, Plane};
