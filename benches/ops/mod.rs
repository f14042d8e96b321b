//! The cases of all operations, in the order of the catalogue. Used by `cargo bench` and, through a path, by `frameloom bench`.
#![allow(unreachable_pub, reason = "a bench and a command share these files")]

mod blend;
mod color;
mod covering;
mod heatmap;
mod histogram;
mod inputs;
mod mapping;
mod motion;
mod occlusion;
mod resize;
mod stats;
mod tensor;

use frameloom::ops::bench::CaseSet;

/// One set an operation; a run fails when an operation of the catalogue has none.
pub const ALL: &[CaseSet] = &[
    blend::alpha_over::CASES,
    blend::feather_composite::CASES,
    blend::temporal_blend::CASES,
    color::gray_from_rgb::CASES,
    color::hsv_from_rgb::CASES,
    color::rgb_from_yuv::CASES,
    heatmap::accumulate::CASES,
    histogram::luma::CASES,
    motion::frame_difference::CASES,
    occlusion::edge_blur::CASES,
    occlusion::erase::CASES,
    occlusion::grid_mask::CASES,
    occlusion::hide_and_seek::CASES,
    occlusion::overlay::CASES,
    occlusion::paste_object::CASES,
    resize::area::CASES,
    resize::bilinear::CASES,
    stats::luma::CASES,
    tensor::pack_nchw::CASES,
];
