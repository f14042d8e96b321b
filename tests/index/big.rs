//! The sizes of the requirements, behind `FRAMELOOM_INDEX_BIG`.

use crate::data::*;
use frameloom::index::*;
use frameloom::ops::RowSample;
use frameloom::store::OsIo;
use std::time::Instant;

const IVF: &str = "ivf:nlist=1024";

fn wanted() -> bool {
    let wanted = std::env::var_os("FRAMELOOM_INDEX_BIG").is_some();
    if !wanted {
        eprintln!("NOT RUN: set FRAMELOOM_INDEX_BIG=1 for the large sets");
    }
    wanted
}

/// Resident and, of that, anonymous bytes of this process.
fn resident() -> (u64, u64) {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let field = |name: &str| {
        let line = status.lines().find(|l| l.starts_with(name)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
    };
    (field("VmRSS:"), field("RssAnon:"))
}

#[test]
fn a_hundred_thousand_rows_have_recall_95_at_the_default() {
    if !wanted() {
        return;
    }
    let rows = held(DIM, &clustered(51, 100_000, DIM, 2000, 0.7));
    let queries = clustered(52, 500, DIM, 2000, 0.7);
    let options = IndexOptions::default();
    for text in ["ivf", "ivf:codes=f16", "sqfp16", "hnsw"] {
        let start = Instant::now();
        let index = build(text, &rows);
        let seconds = start.elapsed().as_secs_f64();
        let recall = recall_at(index.as_ref(), &queries, 10, &options).unwrap();
        println!("{}: built in {seconds:.1} s, {recall}", index.spec());
        assert!(recall.mean >= 0.95, "{text}: {recall}");
        if text == "hnsw" {
            // A graph may miss a whole cluster that few links lead to.
            continue;
        }
        for id in [0, 50_000, 99_999] {
            let found = index.search(&rows.row(id), 1).unwrap();
            assert!(found[0][0].id == id && (found[0][0].score - 1.0).abs() < 1e-6, "{text}");
        }
    }
}

#[test]
fn half_a_million_rows_reload_within_50_ms_and_the_planned_memory() {
    if !wanted() {
        return;
    }
    const ROWS: u32 = 500_000;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.rows");
    let mut writer = RowsWriter::create(&OsIo, &path, DIM, RowSample::F32).unwrap();
    for part in 0..50 {
        writer.push(&clustered(part, ROWS / 50, DIM, 3000, 0.7)).unwrap();
    }
    let written = writer.commit().unwrap();
    let queries = clustered(99, 64, DIM, 3000, 0.7);
    let (before, anonymous) = resident();
    let start = Instant::now();
    let rows = Rows::open(&path, Some(&written.content)).unwrap();
    let plan = spec("flat").memory(&rows, false).unwrap();
    let index = build("flat", &rows);
    let opened = start.elapsed().as_secs_f64() * 1e3;
    let start = Instant::now();
    rows.verify().unwrap();
    let hashed = start.elapsed().as_secs_f64() * 1e3;
    let start = Instant::now();
    let found = index.search(&queries, 10).unwrap();
    let first = start.elapsed().as_secs_f64() * 1e3;
    let (after, anonymous_after) = resident();
    let (grown, planned) = (after - before, plan.resident());
    println!(
        "flat, {ROWS} x {DIM}: opened in {opened:.1} ms, content checked in {hashed:.0} ms, first search of 64 in {first:.0} ms; \
         planned {planned}, resident growth {grown}, of it anonymous {}",
        anonymous_after.saturating_sub(anonymous)
    );
    assert!(found.iter().all(|f| f.len() == 10));
    assert!(opened < 50.0, "{opened} ms");
    assert!((grown as f64 / planned as f64 - 1.0).abs() < 0.1, "{grown} for {planned}");
    drop(index);
    // An index that has to be built: the plan is about the one that is loaded.
    let index_path = folder.path().join("x.index");
    let text = IVF;
    let start = Instant::now();
    drop(open_index(&OsIo, &index_path, &spec(text), &rows, &IndexOptions::default()).unwrap());
    let built = start.elapsed().as_secs_f64();
    println!("{text}: built and saved in {built:.1} s");
    // In a process that built nothing: what building left in the allocator would hide what loading takes.
    #[allow(clippy::disallowed_methods, reason = "this test again, in a process of its own")]
    let child = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["big::a_loaded_index_takes_what_was_planned", "--exact", "--nocapture"])
        .env("FRAMELOOM_INDEX_BIG_FOLDER", folder.path())
        .status()
        .unwrap();
    assert!(child.success());
}

/// The second half of the test above, which starts it.
#[test]
fn a_loaded_index_takes_what_was_planned() {
    let Some(folder) = std::env::var_os("FRAMELOOM_INDEX_BIG_FOLDER").map(std::path::PathBuf::from) else { return };
    let rows = Rows::open(folder.join("x.rows"), None).unwrap();
    let plan = spec(IVF).memory(&rows, false).unwrap();
    let (_, before) = resident();
    let start = Instant::now();
    let (index, origin) =
        open_index(&OsIo, folder.join("x.index"), &spec(IVF), &rows, &IndexOptions::default()).unwrap();
    let loaded = start.elapsed().as_secs_f64();
    let (_, after) = resident();
    let grown = after - before;
    println!("{}: loaded in {loaded:.2} s; planned {}, anonymous growth {grown}", index.spec(), plan.index);
    assert_eq!(origin, IndexOrigin::Loaded);
    assert!((grown as f64 / plan.index as f64 - 1.0).abs() < 0.1, "{grown} for {}", plan.index);
}
