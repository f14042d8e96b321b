//! The single list of operations.

use crate::core::{Exactness, FrameLayout, Work};

/// A parameter of an operation, for its documentation.
#[derive(Debug, Clone, Copy)]
pub struct ParamDoc {
    /// Field name.
    pub name: &'static str,
    /// Accepted values, with unit.
    pub range: &'static str,
    /// Meaning.
    pub meaning: &'static str,
}

/// What an operation promises: read by `frameloom ops`, the README table, the tests and the benchmarks.
#[derive(Debug, Clone, Copy)]
pub struct OpInfo {
    /// `<family>/<op>`; the path of its files in `kernels/`, `src/ops/`, `src/reference/`, `tests/ops/` and `benches/ops/`.
    pub name: &'static str,
    /// One line.
    pub summary: &'static str,
    /// Input layout and data type.
    pub input: &'static str,
    /// Output layout, data type and unit.
    pub output: &'static str,
    /// Parameters.
    pub params: &'static [ParamDoc],
    /// Border rule.
    pub border: &'static str,
    /// Distance to the reference.
    pub exactness: Exactness,
    /// Why that distance.
    pub reason: &'static str,
    /// Where the algorithm comes from.
    pub source: &'static str,
    /// Entry points of the kernel.
    pub entries: &'static [&'static str],
    /// Fields of the kernel's `Params`: name and size in bytes, in order.
    pub fields: &'static [(&'static str, usize)],
    /// Least work for one frame.
    pub work: fn(&FrameLayout) -> Work,
}

/// All operations, by family and name.
pub static OPS: &[OpInfo] = &[
    super::color::gray_from_rgb::INFO,
    super::color::hsv_from_rgb::INFO,
    super::color::rgb_from_yuv::INFO,
    super::filter::r#box::INFO,
    super::filter::denoise::INFO,
    super::filter::gaussian::INFO,
    super::filter::median3::INFO,
    super::filter::unsharp_mask::INFO,
    super::heatmap::accumulate::INFO,
    super::histogram::luma::INFO,
    super::motion::frame_difference::INFO,
    super::resize::area::INFO,
    super::resize::bicubic::INFO,
    super::resize::bilinear::INFO,
    super::resize::lanczos3::INFO,
    super::resize::letterbox::INFO,
    super::stats::luma::INFO,
    super::tensor::pack_nchw::INFO,
];

/// The operation called `name`.
pub fn find(name: &str) -> Option<&'static OpInfo> {
    OPS.iter().find(|op| op.name == name)
}
