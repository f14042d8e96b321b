//! One side of a paired measurement: does a job each time a line asks for it and answers with nanoseconds.
//!
//! `scripts/bench/opencv_pairs.py` runs it turn by turn with OpenCV, so that both sides see the same machine at the same time.
//! Jobs: `luma` (statistics of one 1080p luma plane that lies in GPU memory, results read back), `ring` (a batch of eight 1080p NV12 frames
//! through the mapped upload ring, readable by kernels at the end), `write` (the same bytes with one `write_buffer` per frame).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a measuring tool"
)]

use std::io::{BufRead, Write};
use std::time::{Duration, Instant};

use frameloom::core::{CancelToken, FrameLayout, PixelFormat, RowSink, Size};
use frameloom::gpu::{BufferUse, GpuBuffer, GpuContext, GpuOptions, ReadbackRing, Recorder, UploadRing};
use frameloom::ops::GpuFrames;
use frameloom::ops::stats::luma::{LumaParams, LumaStatsPlan};

/// Frames of an upload.
const BATCH: u64 = 8;

/// The picture of the script: the low byte of a product that mixes both coordinates, so that all codes and edges occur.
fn picture(size: Size, stride: usize) -> Vec<u8> {
    let mut data = vec![0u8; stride * size.height as usize];
    for y in 0..size.height as usize {
        for x in 0..size.width as usize {
            data[y * stride + x] = ((x * 7 + y * 13 + (x * y) / 64) & 255) as u8;
        }
    }
    data
}

fn main() {
    let ctx = GpuContext::new(&GpuOptions::default()).expect("a device");
    let size = Size::new(1920, 1080);
    let nv12 = FrameLayout::of(PixelFormat::Nv12, size).unwrap();
    let gray = FrameLayout::of(PixelFormat::Gray8, size).unwrap();
    let mut plane = picture(size, gray.first().stride as usize);
    plane.resize(gray.slot_bytes() as usize, 0);
    let src = GpuFrames::from_host(&ctx, "peer", gray, &[&plane]).unwrap();
    let bound =
        LumaStatsPlan::new(&ctx, &gray, LumaParams { dark: 16, bright: 235 }).unwrap().bind(&ctx, &src, 0).unwrap();
    let mut results = ReadbackRing::new(&ctx, "peer", LumaStatsPlan::RESULT_BYTES, 1).unwrap();
    let ring = UploadRing::new(&ctx, "peer", BATCH * u64::from(nv12.slot_bytes()), 3).unwrap();
    let target = GpuBuffer::new(&ctx, "peer", BATCH * u64::from(nv12.slot_bytes()), BufferUse::Storage).unwrap();
    let touched = GpuBuffer::new(&ctx, "peer", 256, BufferUse::Storage).unwrap();
    let frame = vec![77u8; nv12.slot_bytes() as usize];
    let mut last = Vec::new();
    println!("ready {} [{}] {}", ctx.caps().name, ctx.caps().kind, ctx.caps().driver);
    for line in std::io::stdin().lock().lines() {
        let started = Instant::now();
        match line.unwrap().as_str() {
            "luma" => {
                let mut rec = Recorder::new(&ctx, "peer");
                bound.record(&mut rec, 1);
                let ticket = results.record(&mut rec, &[(bound.results(), 0, LumaStatsPlan::RESULT_BYTES)]).unwrap();
                let submission = rec.submit().unwrap();
                let readback = results.submitted(ticket, submission);
                last = bound.decode(&results.collect(&ctx, readback).unwrap());
            }
            "ring" => {
                let mut slot = ring.acquire(Duration::from_secs(10), &CancelToken::new()).unwrap();
                for f in 0..BATCH as usize {
                    // Packed frames on both sides: `write_buffer` could not take rows with a stride.
                    slot.write(f * nv12.slot_bytes() as usize, &frame);
                }
                let filled = slot.finish();
                let mut rec = Recorder::new(&ctx, "peer");
                filled.record_upload(&mut rec, BATCH * u64::from(nv12.slot_bytes()));
                rec.copy(filled.buffer(), 0, &touched, 0, 256);
                let submission = rec.submit().unwrap();
                filled.release();
                submission.wait(&ctx).unwrap();
            }
            "write" => {
                for f in 0..BATCH {
                    target.write(&ctx, f * u64::from(nv12.slot_bytes()), &frame).unwrap();
                }
                let mut rec = Recorder::new(&ctx, "peer");
                rec.copy(&target, 0, &touched, 0, 256);
                rec.run().unwrap();
            }
            "show" => {
                let stats = last[0].stats(size);
                println!("{} {} {} {}", stats.mean, stats.variance.sqrt(), stats.laplacian_variance, stats.tenengrad);
                continue;
            }
            _ => break,
        }
        println!("{}", started.elapsed().as_nanos());
        std::io::stdout().flush().unwrap();
    }
}
