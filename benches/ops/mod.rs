//! The cases of all operations, in the order of the catalogue. Used by `cargo bench` and, through a path, by `frameloom bench`.
#![allow(unreachable_pub, reason = "a bench and a command share these files")]

mod color;
mod heatmap;
mod histogram;
mod inputs;
mod mapping;
mod motion;
mod packing;
mod resize;
mod search;
mod stats;
mod tensor;
mod vectors;

use frameloom::ops::bench::CaseSet;

/// One set an operation; a run fails when an operation of the catalogue has none.
pub const ALL: &[CaseSet] = &[
    color::gray_from_rgb::CASES,
    color::hsv_from_rgb::CASES,
    color::rgb_from_yuv::CASES,
    heatmap::accumulate::CASES,
    histogram::luma::CASES,
    motion::frame_difference::CASES,
    resize::area::CASES,
    resize::bilinear::CASES,
    resize::crop_resize::CASES,
    search::top_k::CASES,
    stats::luma::CASES,
    tensor::grid_pool::CASES,
    tensor::l2_normalize::CASES,
    tensor::pack_nchw::CASES,
    tensor::pack_nhwc::CASES,
    tensor::random_projection::CASES,
];
