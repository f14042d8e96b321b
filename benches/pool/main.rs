//! Pictures per second of building an index, against nothing but decoding them, and against another program.
//!
//! `cargo bench --bench pool -- FOLDER [ROUNDS] [--peer "COMMAND"]`: two rounds by default, all cases in turns. Both cases of ours read the
//! same files with the same threads. `decode` decodes at the smallest scale of the JPEG that is no smaller than the pictures compared, and
//! drops what comes out; `build` makes a whole index, durable on disk, with the descriptor `canny`. A peer is a command in
//! which `{}` stands for the folder, such as `python3 scripts/peers/collage_baseline.py build {}`; it answers with a line of JSON that holds
//! `per_second`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a measuring tool"
)]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use frameloom::core::{Limits, Size};
use frameloom::gpu::{GpuContext, GpuOptions};
use frameloom::media::{DecodeHint, decode_image_bytes, read_image};
use frameloom::workflows::collage::{PoolConfig, PoolOptions, Scan, build_pool};

fn main() {
    let mut args = std::env::args().skip(1).filter(|a| a != "--bench");
    let (mut plain, mut peers) = (Vec::new(), Vec::new());
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--peer" => peers.push(args.next().expect("a command behind --peer")),
            _ => plain.push(arg),
        }
    }
    let Some(folder) = plain.first().map(PathBuf::from) else {
        println!("pool: no folder of pictures given, nothing measured");
        return;
    };
    let rounds = plain.get(1).map_or(2, |n| n.parse().expect("a number of rounds"));
    let options = PoolOptions::default();
    let scan = Scan::of(std::slice::from_ref(&folder), true, &options.limits).unwrap();
    let files: Vec<String> = scan.files.iter().map(|f| f.path.clone()).collect();
    let ctx = GpuContext::new(&GpuOptions::default()).expect("an adapter");
    println!("{} pictures, {} threads, {}", files.len(), options.threads, ctx.caps().name);
    let mut names = vec!["decode".to_string(), "build".into()];
    names.extend(peers.iter().cloned());
    let mut rates = vec![Vec::new(); names.len()];
    for round in 0..rounds {
        for (case, rate) in rates.iter_mut().enumerate() {
            let got = match case {
                0 => decode(&files, options.threads, &options.limits),
                1 => build(&ctx, &scan, &options),
                _ => peer(&peers[case - 2], &folder),
            };
            println!("round {round}: {:>7.1} pictures/s  {}", got, names[case]);
            rate.push(got);
        }
    }
    let medians: Vec<f64> = rates.iter_mut().map(|r| median(r)).collect();
    println!("build: {:.3} of decode", medians[1] / medians[0]);
    for (name, rate) in names.iter().zip(&medians).skip(2) {
        println!("build: {:.2} times {name}", medians[1] / rate);
    }
}

fn decode(files: &[String], threads: usize, limits: &Limits) -> f64 {
    let next = AtomicUsize::new(0);
    let hint = DecodeHint { min_size: Some(Size::new(256, 144)) };
    let started = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some(file) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let path = Path::new(file);
                    let bytes = read_image(path, limits).unwrap();
                    std::hint::black_box(decode_image_bytes(&bytes, path, limits, hint).unwrap());
                }
            });
        }
    });
    files.len() as f64 / started.elapsed().as_secs_f64()
}

fn build(ctx: &GpuContext, scan: &Scan, options: &PoolOptions) -> f64 {
    let folder = tempfile::tempdir().unwrap();
    let started = Instant::now();
    let report = build_pool(ctx, scan.clone(), folder.path(), &PoolConfig::default(), options, &mut ()).unwrap();
    let seconds = started.elapsed().as_secs_f64();
    assert_eq!(
        report.computed + report.unusable.len(),
        scan.files.len(),
        "pictures with equal content are counted once"
    );
    scan.files.len() as f64 / seconds
}

fn peer(command: &str, folder: &Path) -> f64 {
    let out = Command::new("sh").arg("-c").arg(command.replace("{}", "\"$0\"")).arg(folder).output().unwrap();
    let text = String::from_utf8_lossy(&out.stdout);
    let value: serde_json::Value = serde_json::from_str(text.lines().last().unwrap_or_default())
        .unwrap_or_else(|e| panic!("{command}: {e}: {text}{}", String::from_utf8_lossy(&out.stderr)));
    value["per_second"].as_f64().expect("per_second")
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    let n = values.len();
    (values[(n - 1) / 2] + values[n / 2]) / 2.0
}
