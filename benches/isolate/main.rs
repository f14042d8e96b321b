//! What decoding in a process of its own costs: one video decoded both ways in turns, so that both see the same machine at the same time. Each
//! frame is copied into memory laid out for kernels, as a source thread does. Also an example of a program that is its own decoder process.
//!
//! `cargo bench --bench isolate -- VIDEO [ROUNDS] [THREADS]` prints medians and their ratio; with `work=N` the consumer spends N
//! milliseconds of a core on each frame, as kernels on a software adapter do.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a measuring tool"
)]

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use frameloom::core::FrameLayout;
use frameloom::media::isolate::{WORKER_COMMAND, decode_worker};
use frameloom::media::{DecodeOptions, Isolation, VideoDecoder};

fn main() -> ExitCode {
    if std::env::args().nth(1).is_some_and(|a| a == WORKER_COMMAND) {
        return decode_worker();
    }
    let arguments: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with("--")).collect();
    let work = arguments.iter().find_map(|a| a.strip_prefix("work=")?.parse::<f64>().ok()).unwrap_or(0.0);
    let plain: Vec<&String> = arguments.iter().filter(|a| !a.contains('=')).collect();
    let Some(video) = plain.first().map(PathBuf::from) else {
        eprintln!("a video is wanted: cargo bench --bench isolate -- VIDEO [ROUNDS] [THREADS] [work=MS]");
        return ExitCode::from(2);
    };
    let number = |at: usize, or: u32| plain.get(at).map_or(or, |n| n.parse().expect("a number"));
    let (rounds, threads) = (number(1, 7), number(2, 2));
    let apart = Isolation::this_program().unwrap();
    let ways = [None, Some(apart)];
    let mut times = [Vec::new(), Vec::new()];
    let mut openings = [Vec::new(), Vec::new()];
    let mut frames = [0, 0];
    // The first round warms up.
    for round in 0..=rounds {
        for (way, isolation) in ways.iter().enumerate() {
            let options = DecodeOptions { threads, isolation: isolation.clone(), ..DecodeOptions::default() };
            let (opening, all, count) = decode(&video, &options, Duration::from_secs_f64(work / 1e3));
            frames[way] = count;
            if round > 0 {
                times[way].push(all);
                openings[way].push(opening);
            }
        }
    }
    assert_eq!(frames[0], frames[1], "both ways give the same frames");
    let [here, there] = times.map(median);
    let [open_here, open_there] = openings.map(median);
    println!(
        "{} frames of {}, {threads} threads, {rounds} rounds, {work} ms of work a frame",
        frames[0],
        video.display()
    );
    println!("in this process {here:8.1} ms, opening {open_here:6.1} ms");
    println!("in its own      {there:8.1} ms, opening {open_there:6.1} ms");
    println!("ratio {:.3}, without opening {:.3}", there / here, (there - open_there) / (here - open_here));
    ExitCode::SUCCESS
}

/// Milliseconds to open, milliseconds in all, and frames.
fn decode(video: &Path, options: &DecodeOptions, work: Duration) -> (f64, f64, u64) {
    let started = Instant::now();
    let mut decoder = VideoDecoder::open(video, options).unwrap();
    let opening = started.elapsed().as_secs_f64() * 1e3;
    let (mut slot, mut frames) = (Vec::new(), 0);
    while let Some(frame) = decoder.next_frame().unwrap() {
        let layout = FrameLayout::new(&frame.desc()).unwrap();
        slot.resize(layout.slot_bytes() as usize, 0u8);
        frame.copy_into(&layout, &mut slot[..]).unwrap();
        frames += 1;
        let until = Instant::now() + work;
        while Instant::now() < until {
            std::hint::spin_loop();
        }
    }
    (opening, started.elapsed().as_secs_f64() * 1e3, frames)
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}
