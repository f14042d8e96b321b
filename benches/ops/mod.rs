//! The cases of all operations, in the order of the catalogue. Used by `cargo bench` and, through a path, by `frameloom bench`.
#![allow(unreachable_pub, reason = "a bench and a command share these files")]

mod blend;
mod color;
mod colors;
mod covering;
mod edges;
mod fields;
mod filter;
mod fused;
mod heatmap;
mod histogram;
mod hog;
mod inputs;
mod mapping;
mod measure;
mod measuring;
mod motion;
mod occlusion;
mod packing;
mod peer;
mod placement;
mod quality;
mod resize;
mod search;
mod sharpness;
mod stats;
mod tensor;
mod vectors;

use frameloom::ops::bench::CaseSet;

pub use peer::ProcessPeer;

/// One set an operation; a run fails when an operation of the catalogue has none.
pub const ALL: &[CaseSet] = &[
    blend::alpha_over::CASES,
    blend::feather_composite::CASES,
    blend::temporal_blend::CASES,
    color::gray_from_rgb::CASES,
    color::hsv_from_rgb::CASES,
    color::hsv_range::CASES,
    color::rgb_from_yuv::CASES,
    color::yuv_change::CASES,
    edges::canny::CASES,
    edges::edge_density::CASES,
    edges::hysteresis::CASES,
    edges::laplacian::CASES,
    edges::scharr::CASES,
    edges::sobel::CASES,
    filter::r#box::CASES,
    filter::denoise::CASES,
    filter::gaussian::CASES,
    filter::median3::CASES,
    filter::unsharp_mask::CASES,
    fused::analyze_frame::CASES,
    fused::describe_image::CASES,
    heatmap::accumulate::CASES,
    heatmap::colormap::CASES,
    heatmap::decay::CASES,
    heatmap::normalize::CASES,
    heatmap::splat_gaussian::CASES,
    heatmap::stats::CASES,
    histogram::edge_grid::CASES,
    histogram::gradient_texture::CASES,
    histogram::hsv3d::CASES,
    histogram::luma::CASES,
    histogram::rgb_grid::CASES,
    histogram::unique_colors::CASES,
    hog::hog::CASES,
    motion::block_motion::CASES,
    motion::frame_difference::CASES,
    motion::hsv_cut_score::CASES,
    motion::optical_flow::CASES,
    occlusion::edge_blur::CASES,
    occlusion::erase::CASES,
    occlusion::grid_mask::CASES,
    occlusion::hide_and_seek::CASES,
    occlusion::overlay::CASES,
    occlusion::paste_object::CASES,
    placement::cell_sums::CASES,
    placement::integral::CASES,
    placement::window_scores::CASES,
    quality::border_occlusion::CASES,
    quality::complexity::CASES,
    quality::contrast_brightness::CASES,
    quality::lighting::CASES,
    resize::area::CASES,
    resize::bicubic::CASES,
    resize::bilinear::CASES,
    resize::crop_resize::CASES,
    resize::lanczos3::CASES,
    resize::letterbox::CASES,
    resize::warp_affine::CASES,
    search::top_k::CASES,
    sharpness::blur_map::CASES,
    sharpness::laplacian_variance::CASES,
    sharpness::noise_residual::CASES,
    sharpness::tenengrad::CASES,
    stats::luma::CASES,
    tensor::grid_pool::CASES,
    tensor::l2_normalize::CASES,
    tensor::pack_nchw::CASES,
    tensor::pack_nhwc::CASES,
    tensor::random_projection::CASES,
];
