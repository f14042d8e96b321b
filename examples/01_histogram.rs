//! Histogram of a few frames: frames on the host, one call, counts back.
//!
//! `cargo run --example 01_histogram [DEVICE]` where DEVICE is auto, cpu, gpu, a number or part of an adapter's name.
//! Needs no feature: this is the pure kernel library.

use frameloom::core::{FrameLayout, PixelFormat, Size};
use frameloom::gpu::{GpuContext, GpuOptions};
use frameloom::ops::GpuFrames;
use frameloom::ops::histogram::luma::{HistogramParams, luma};
use frameloom::reference::pattern::Pattern;

fn main() -> frameloom::Result<()> {
    let device = std::env::args().nth(1).unwrap_or_else(|| "auto".into()).parse()?;
    let ctx = GpuContext::new(&GpuOptions { device, ..GpuOptions::default() })?;
    println!("adapter: {} [{}]", ctx.caps().name, ctx.caps().kind);

    // A layout says where planes and rows lie in a frame slot. Frames on the host have the same bytes, padding included.
    let layout = FrameLayout::of(PixelFormat::Nv12, Size::new(1280, 720))
        .ok_or_else(|| frameloom::Error::usage("a frame needs at least one pixel"))?;
    let patterns = [
        Pattern::Natural { seed: 7, shift: 0 },
        Pattern::Random { seed: 7 },
        Pattern::Ramp,
        Pattern::Constant { level: 90 },
    ];
    let pictures: Vec<Vec<u8>> = patterns.iter().map(|p| p.frame(&layout)).collect();
    let slices: Vec<&[u8]> = pictures.iter().map(Vec::as_slice).collect();
    let frames = GpuFrames::from_host(&ctx, "frames", layout, &slices)?;

    // One histogram a frame; the whole batch is one dispatch.
    let histograms = luma(&ctx, &frames, HistogramParams::default())?;
    for (pattern, counts) in patterns.iter().zip(&histograms) {
        let [low, median, high] = [0.05, 0.5, 0.95].map(|share| percentile(counts, share));
        println!("\n{}: 5 % at or below {low}, half at or below {median}, 95 % at or below {high}", pattern.name());
        draw(counts);
    }
    Ok(())
}

/// The least code at or below which `share` of the pixels lie.
fn percentile(counts: &[u32], share: f64) -> usize {
    let total: u64 = counts.iter().map(|c| u64::from(*c)).sum();
    let wanted = (total as f64 * share).ceil() as u64;
    let mut seen = 0;
    let reached = counts.iter().position(|c| {
        seen += u64::from(*c);
        seen >= wanted
    });
    reached.unwrap_or(0)
}

/// Eight bars of 32 codes each.
fn draw(counts: &[u32]) {
    let bars: Vec<u64> = counts.chunks(32).map(|c| c.iter().map(|v| u64::from(*v)).sum()).collect();
    let most = bars.iter().copied().max().unwrap_or(0).max(1);
    for (i, bar) in bars.iter().enumerate() {
        println!("{:>4}..{:<3} {:>7} {}", i * 32, i * 32 + 31, bar, "#".repeat((bar * 50 / most) as usize));
    }
}
