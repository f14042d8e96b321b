//! The cases of all operations, in the order of the catalogue. Used by `cargo bench` and, through a path, by `frameloom bench`.
#![allow(unreachable_pub, reason = "a bench and a command share these files")]

mod color;
mod filter;
mod heatmap;
mod histogram;
mod inputs;
mod mapping;
mod motion;
mod resize;
mod stats;
mod tensor;

use frameloom::ops::bench::CaseSet;

/// One set an operation; a run fails when an operation of the catalogue has none.
pub const ALL: &[CaseSet] = &[
    color::gray_from_rgb::CASES,
    color::hsv_from_rgb::CASES,
    color::rgb_from_yuv::CASES,
    filter::r#box::CASES,
    filter::denoise::CASES,
    filter::gaussian::CASES,
    filter::median3::CASES,
    filter::unsharp_mask::CASES,
    heatmap::accumulate::CASES,
    histogram::luma::CASES,
    motion::frame_difference::CASES,
    resize::area::CASES,
    resize::bicubic::CASES,
    resize::bilinear::CASES,
    resize::lanczos3::CASES,
    resize::letterbox::CASES,
    stats::luma::CASES,
    tensor::pack_nchw::CASES,
];
