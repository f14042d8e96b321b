//! The GPU room itself, on every adapter: what drivers really do, and that the wrappers tell.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    unreachable_pub,
    reason = "tests"
)]

#[path = "../support/gpu.rs"]
mod gpu;

mod adapters;
mod bench;
mod canary;
mod kernels;
mod loss;
mod memory;
mod rings;

use frameloom::gpu::{DeviceChoice, GpuContext, GpuOptions};

/// A context of its own on the adapter of `ctx`, for tests that spoil or limit it.
fn own(ctx: &GpuContext, change: impl FnOnce(&mut GpuOptions)) -> GpuContext {
    let mut options = GpuOptions { device: DeviceChoice::Name(ctx.caps().name.clone()), ..GpuOptions::default() };
    change(&mut options);
    GpuContext::new(&options).unwrap()
}
