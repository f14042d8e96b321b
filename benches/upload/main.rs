//! Two ways to upload eight 1080p NV12 frames, in turns, so that both see the same machine at the same time: through the mapped upload
//! ring, readable by kernels at the end, and with one `write_buffer` a frame. Prints both times and their ratio; the one argument is the
//! number of rounds.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a measuring tool"
)]

use std::time::{Duration, Instant};

use frameloom::core::{CancelToken, FrameLayout, PixelFormat, RowSink, Size};
use frameloom::gpu::{BufferUse, GpuBuffer, GpuContext, GpuOptions, Recorder, UploadRing};

/// Frames of an upload.
const BATCH: u64 = 8;

fn main() {
    let rounds = std::env::args().skip(1).find_map(|v| v.parse::<usize>().ok()).unwrap_or(60).max(1);
    let ctx = GpuContext::new(&GpuOptions::default()).expect("a device");
    let slot = u64::from(FrameLayout::of(PixelFormat::Nv12, Size::new(1920, 1080)).unwrap().slot_bytes());
    let ring = UploadRing::new(&ctx, "upload", BATCH * slot, 3).unwrap();
    let target = GpuBuffer::new(&ctx, "upload", BATCH * slot, BufferUse::Storage).unwrap();
    let touched = GpuBuffer::new(&ctx, "upload", 256, BufferUse::Storage).unwrap();
    let frame = vec![77u8; slot as usize];
    let through_ring = || {
        let mut slots = ring.acquire(Duration::from_secs(10), &CancelToken::new()).unwrap();
        for f in 0..BATCH {
            // Packed frames on both sides: `write_buffer` could not take rows with a stride.
            slots.write((f * slot) as usize, &frame);
        }
        let filled = slots.finish();
        let mut rec = Recorder::new(&ctx, "upload");
        filled.record_upload(&mut rec, BATCH * slot);
        rec.copy(filled.buffer(), 0, &touched, 0, 256);
        let submission = rec.submit().unwrap();
        filled.release();
        submission.wait(&ctx).unwrap();
    };
    let by_write_buffer = || {
        for f in 0..BATCH {
            target.write(&ctx, f * slot, &frame).unwrap();
        }
        let mut rec = Recorder::new(&ctx, "upload");
        rec.copy(&target, 0, &touched, 0, 256);
        rec.run().unwrap();
    };
    let ways: [(&str, &dyn Fn()); 2] = [("mapped ring", &through_ring), ("write_buffer", &by_write_buffer)];
    let mut times = [Vec::new(), Vec::new()];
    // The first rounds warm up.
    for round in 0..rounds + 5 {
        for ((_, upload), times) in ways.iter().zip(&mut times) {
            let started = Instant::now();
            upload();
            if round >= 5 {
                times.push(started.elapsed().as_secs_f64() * 1e3);
            }
        }
    }
    let caps = ctx.caps();
    println!("Adapter: {} [{}] {}; {rounds} rounds in turns\n", caps.name, caps.kind, caps.driver);
    println!("| upload of 8 NV12 frames, 1080p | ms, median | ms, least | ratio of medians |\n|---|---:|---:|---:|");
    for times in &mut times {
        times.sort_by(f64::total_cmp);
    }
    for ((name, _), own) in ways.iter().zip(&times) {
        let (median, first) = (own[own.len() / 2], times[0][rounds / 2]);
        println!("| {name} | {median:.2} | {:.2} | {:.2} |", own[0], median / first);
    }
}
