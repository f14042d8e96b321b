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

/// What an operation promises: read by `frameloom ops`, the table of docs/operations.md, the tests and the benchmarks.
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
    super::blend::alpha_over::INFO,
    super::blend::feather_composite::INFO,
    super::blend::temporal_blend::INFO,
    super::color::gray_from_rgb::INFO,
    super::color::hsv_from_rgb::INFO,
    super::color::hsv_range::INFO,
    super::color::rgb_from_yuv::INFO,
    super::color::yuv_change::INFO,
    super::edges::canny::INFO,
    super::edges::edge_density::INFO,
    super::edges::hysteresis::INFO,
    super::edges::laplacian::INFO,
    super::edges::scharr::INFO,
    super::edges::sobel::INFO,
    super::filter::r#box::INFO,
    super::filter::denoise::INFO,
    super::filter::gaussian::INFO,
    super::filter::median3::INFO,
    super::filter::unsharp_mask::INFO,
    super::fused::analyze_frame::INFO,
    super::fused::describe_image::INFO,
    super::heatmap::accumulate::INFO,
    super::heatmap::colormap::INFO,
    super::heatmap::decay::INFO,
    super::heatmap::normalize::INFO,
    super::heatmap::splat_gaussian::INFO,
    super::heatmap::stats::INFO,
    super::histogram::edge_grid::INFO,
    super::histogram::gradient_texture::INFO,
    super::histogram::hsv3d::INFO,
    super::histogram::luma::INFO,
    super::histogram::rgb_grid::INFO,
    super::histogram::unique_colors::INFO,
    super::hog::hog::INFO,
    super::motion::block_motion::INFO,
    super::motion::frame_difference::INFO,
    super::motion::hsv_cut_score::INFO,
    super::motion::optical_flow::INFO,
    super::occlusion::edge_blur::INFO,
    super::occlusion::erase::INFO,
    super::occlusion::grid_mask::INFO,
    super::occlusion::hide_and_seek::INFO,
    super::occlusion::overlay::INFO,
    super::occlusion::paste_object::INFO,
    super::placement::cell_sums::INFO,
    super::placement::integral::INFO,
    super::placement::window_scores::INFO,
    super::quality::border_occlusion::INFO,
    super::quality::complexity::INFO,
    super::quality::contrast_brightness::INFO,
    super::quality::lighting::INFO,
    super::resize::area::INFO,
    super::resize::bicubic::INFO,
    super::resize::bilinear::INFO,
    super::resize::crop_resize::INFO,
    super::resize::lanczos3::INFO,
    super::resize::letterbox::INFO,
    super::resize::warp_affine::INFO,
    super::search::top_k::INFO,
    super::sharpness::blur_map::INFO,
    super::sharpness::laplacian_variance::INFO,
    super::sharpness::noise_residual::INFO,
    super::sharpness::tenengrad::INFO,
    super::stats::luma::INFO,
    super::tensor::grid_pool::INFO,
    super::tensor::l2_normalize::INFO,
    super::tensor::pack_nchw::INFO,
    super::tensor::pack_nhwc::INFO,
    super::tensor::random_projection::INFO,
];

/// The operation called `name`.
pub fn find(name: &str) -> Option<&'static OpInfo> {
    OPS.iter().find(|op| op.name == name)
}
