//! How fast is this adapter, and what does a batch buy? Frames that lie on the device, a plan of yours, the clock of the host.
//!
//! `cargo run --release --example 16_gpu_bench [WIDTH HEIGHT]`
//!
//! `frameloom bench` times the whole catalogue with the device's own clock and against ceilings; this is how to time a plan in your own program.
//! Two things spoil such figures: compilation at the first use, so the first run is not counted; and one slow run, so medians are shown.
//! On a software adapter the figures say how it compares with itself, never with the bandwidth of memory.

use std::time::Instant;

use frameloom::core::{ColorSpec, DescriptorMethod, DescriptorSpec, FrameLayout, PixelFormat, Size};
use frameloom::gpu::{GpuContext, GpuOptions, Recorder};
use frameloom::ops::fused::describe_image::{DescribeParams, DescribePlan};
use frameloom::ops::stats::luma::{LumaParams, LumaStatsPlan};
use frameloom::ops::{GpuFrames, RowSample};
use frameloom::reference::pattern::Pattern;
use frameloom::{Error, Result};

/// A name, and what it records.
type Case<'a> = (&'a str, &'a dyn Fn(&mut Recorder<'_>));

/// Measured runs of each case.
const RUNS: usize = 9;

fn main() -> Result<()> {
    let mut args = std::env::args().skip(1).map(|a| a.parse::<u32>());
    let wrong = |_| Error::usage("wanted: WIDTH HEIGHT, two numbers");
    let width = args.next().transpose().map_err(wrong)?.unwrap_or(640);
    let height = args.next().transpose().map_err(wrong)?.unwrap_or(360);
    let size = Size::new(width, height);

    let ctx = GpuContext::new(&GpuOptions::default())?;
    println!("{} [{}], driver {}", ctx.caps().name, ctx.caps().kind, ctx.caps().driver);
    let layout = FrameLayout::of(PixelFormat::Nv12, size).ok_or_else(|| Error::usage("a frame needs pixels"))?;
    let bytes = f64::from(layout.slot_bytes());
    println!("{:<22} {:>6} {:>12} {:>11} {:>9}", format!("NV12 {size}"), "batch", "ms a frame", "frames/s", "GB/s in");
    for batch in [1u32, 4, 16] {
        let pictures: Vec<Vec<u8>> =
            (0..batch).map(|i| Pattern::Natural { seed: 1, shift: 7 * i }.frame(&layout)).collect();
        let slices: Vec<&[u8]> = pictures.iter().map(Vec::as_slice).collect();
        let frames = GpuFrames::from_host(&ctx, "frames", layout, &slices)?;

        let luma = LumaStatsPlan::new(&ctx, &layout, LumaParams { dark: 25, bright: 230 })?.bind(&ctx, &frames, 0)?;
        let params = DescribeParams {
            spec: DescriptorSpec::new(DescriptorMethod::Canny),
            color: ColorSpec::assumed_for_height(height),
            sample: RowSample::F32,
        };
        let describe = DescribePlan::new(&ctx, &layout, params)?.bind(&ctx, &frames, batch)?;
        let cases: [Case<'_>; 2] = [
            ("statistics of luma", &|rec| luma.record(rec, batch)),
            ("descriptor, 376", &|rec| describe.record(rec, batch)),
        ];
        for (name, record) in cases {
            let seconds = median(&ctx, record)? / f64::from(batch);
            println!(
                "{name:<22} {batch:>6} {:>12.3} {:>11.0} {:>9.2}",
                seconds * 1e3,
                1.0 / seconds,
                bytes / seconds / 1e9
            );
        }
    }
    Ok(())
}

/// Seconds from recording to the end on the device.
fn median(ctx: &GpuContext, record: &dyn Fn(&mut Recorder<'_>)) -> Result<f64> {
    let mut times = Vec::with_capacity(RUNS);
    for run in 0..=RUNS {
        let begun = Instant::now();
        let mut rec = Recorder::new(ctx, "a case");
        record(&mut rec);
        rec.submit()?.wait(ctx)?;
        if run > 0 {
            times.push(begun.elapsed().as_secs_f64());
        }
    }
    times.sort_by(f64::total_cmp);
    times.get(RUNS / 2).copied().ok_or_else(|| Error::Bug("no runs".into()))
}
