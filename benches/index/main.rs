//! Milliseconds per query of every kind of index, in batches.
//!
//! `cargo bench --bench index -- [ROWS] [BATCH] [ROUNDS] [KIND…]`: 100,000 rows of 376 numbers, batches of 64 and 15 rounds by default. Rows are synthetic:
//! clusters of unit vectors, 50 rows each. All kinds take turns in each round; the first round warms up. Before anything is timed, exact
//! kinds are compared with plain loops, to the bit, and the recall of the others is measured. `FRAMELOOM_BENCH_SMALL=1` only checks that all runs.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a measuring tool"
)]

#[path = "../../tests/index/data.rs"]
#[allow(dead_code, unreachable_pub, missing_docs, reason = "shared with the tests")]
mod data;

use std::time::Instant;

use data::{DIM, bits, clustered, host, mapped};
use frameloom::gpu::{GpuContext, GpuOptions};
use frameloom::index::{IndexOptions, IndexSpec, VectorIndex, build_index, recall_at};
use frameloom::ops::RowSample;

const K: usize = 10;
const KINDS: [&str; 8] = ["flat", "flat:held", "ivf", "ivf:codes=f16", "sqfp16", "hnsw", "host", "flat-gpu"];

struct Case {
    name: String,
    index: Box<dyn VectorIndex>,
    times: Vec<f64>,
    note: String,
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with("--")).collect();
    let small = std::env::var_os("FRAMELOOM_BENCH_SMALL").is_some();
    let number = |i: usize, or: usize| args.get(i).map_or(or, |v| v.parse().expect("a number"));
    let (rows, batch) = (number(0, if small { 2000 } else { 100_000 }), number(1, 64));
    let rounds = number(2, if small { 1 } else { 15 });
    let kinds: Vec<&str> = match args.get(3..) {
        Some(kinds) if !kinds.is_empty() => kinds.iter().map(String::as_str).collect(),
        _ => KINDS.to_vec(),
    };
    let clusters = (rows as u32 / 50).max(1);
    let values = clustered(51, rows as u32, DIM, clusters, 0.7);
    let queries = clustered(52, (batch * 8) as u32, DIM, clusters, 0.7);
    let (_folder, file) = mapped(RowSample::F32, DIM, &values);
    let held = data::held(DIM, &values);
    drop(values);
    let started = Instant::now();
    file.verify().unwrap();
    println!("content of {} bytes checked in {:.0} ms", file.bytes(), started.elapsed().as_secs_f64() * 1e3);
    let ctx = GpuContext::new(&GpuOptions::default()).expect("an adapter");
    let options = IndexOptions { gpu: Some(&ctx), threads: None };
    let sample = &queries[..DIM * batch.min(64)];
    let exact = bits(&host(&held).search(sample, K).unwrap());
    let mut cases = Vec::new();
    for kind in kinds {
        let started = Instant::now();
        let (spec, rows) = kind.strip_suffix(":held").map_or((kind, &file), |spec| (spec, &held));
        let spec: IndexSpec = spec.parse().unwrap();
        let index = build_index(&spec, rows, &options).unwrap();
        let built = started.elapsed().as_secs_f64();
        let found = bits(&index.search(sample, K).unwrap());
        assert!(!index.is_exact() || found == exact, "{kind}: not what plain loops find");
        let recall = recall_at(index.as_ref(), sample, K, &options).unwrap();
        let note = format!("built in {built:.2} s, recall@{K} {:.4}", recall.mean);
        cases.push(Case { name: format!("{kind} = {}", index.spec()), index, times: Vec::new(), note });
    }
    for round in 0..=rounds {
        let queries = &queries[round % 8 * batch * DIM..][..batch * DIM];
        for case in &mut cases {
            // A matrix product on a software adapter takes seconds: few rounds say enough.
            if ctx.caps().is_software() && case.name.starts_with("flat-gpu") && round > 2 {
                continue;
            }
            let started = Instant::now();
            let found = case.index.search(queries, K).unwrap();
            let time = started.elapsed().as_secs_f64() * 1e3 / batch as f64;
            assert!(found.iter().all(|f| f.len() == K));
            if round > 0 {
                case.times.push(time);
            }
        }
    }
    let threads = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    println!("{rows} x {DIM}, batches of {batch}, {rounds} rounds, {threads} threads, GPU: {}", ctx.caps().name);
    for case in &mut cases {
        case.times.sort_by(f64::total_cmp);
        let median = case.times[case.times.len() / 2];
        println!("{:58} median {median:8.3} min {:8.3} ms/query; {}", case.name, case.times[0], case.note);
    }
}
