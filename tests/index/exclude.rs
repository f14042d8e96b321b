use crate::data::*;
use crate::gpu::on_every_adapter;
use frameloom::core::random::pcg4d;
use frameloom::index::*;

const ROWS: u32 = 3000;

/// For sets of any size: never one of them, never too few, and exact indexes give what is exact.
fn check(name: &str, index: &dyn VectorIndex, queries: &[f32]) {
    let exact = host(index.rows());
    for excluded in [0, 1, 30, 700, 2500, ROWS - 4, ROWS] {
        let mut set = BitSet::new(ROWS);
        // The best ones first: the hardest case.
        for found in index.search(queries, 40).unwrap() {
            set.extend(found.iter().map(|n| n.id).take(excluded as usize));
        }
        let mut i = 0;
        while set.len() < excluded {
            set.insert(pcg4d([7, i, 0, 0])[0] % ROWS);
            i += 1;
        }
        for k in [1, 10, 50] {
            let found = index.search_excluding(queries, k, &set).unwrap();
            let left = (ROWS - set.len()) as usize;
            for found in &found {
                assert_eq!(found.len(), k.min(left), "{name}: {excluded} excluded, k {k}");
                assert!(found.iter().all(|n| !set.contains(n.id)), "{name}: {excluded} excluded");
                assert!(found.is_sorted_by(|a, b| a.score > b.score || a.score == b.score && a.id < b.id), "{name}");
            }
            if index.is_exact() {
                let wanted = exact.search_excluding(queries, k, &set).unwrap();
                assert_eq!(bits(&found), bits(&wanted), "{name}: {excluded} excluded, k {k}");
            }
        }
    }
}

#[test]
fn excluded_rows_are_never_found_and_never_missed() {
    let rows = held(32, &clustered(21, ROWS, 32, 30, 0.5));
    let queries = clustered(22, 40, 32, 30, 0.5);
    let texts: &[&str] = match cfg!(feature = "faiss") {
        true => &["host", "flat", "ivf", "ivf:nprobe=1", "sqfp16", "hnsw", "hnsw:m=2,ef=1"],
        false => &["host"],
    };
    for text in texts {
        check(text, build(text, &rows).as_ref(), &queries);
    }
}

#[test]
fn on_the_gpu_too() {
    let rows = held(32, &clustered(21, ROWS, 32, 30, 0.5));
    let queries = clustered(22, 20, 32, 30, 0.5);
    on_every_adapter("index exclude", |ctx| {
        let options = IndexOptions { gpu: Some(ctx), ..IndexOptions::default() };
        check("flat-gpu", build_index(&spec("flat-gpu"), &rows, &options).unwrap().as_ref(), &queries);
    });
}

#[test]
fn each_row_once_until_none_is_left() {
    let rows = held(16, &clustered(23, 200, 16, 10, 0.5));
    let texts: &[&str] = if cfg!(feature = "faiss") { &["host", "flat", "ivf:nprobe=1", "hnsw"] } else { &["host"] };
    for text in texts {
        let index = build(text, &rows);
        let mut used = BitSet::new(200);
        for step in 0..200 {
            let query = rows.row(step * 7 % 13);
            let found = index.search_excluding(&query, 1, &used).unwrap();
            assert!(used.insert(found[0][0].id), "{text}: a repetition after {step}");
        }
        assert_eq!(index.search_excluding(&rows.row(0), 1, &used).unwrap(), [[]]);
    }
}

#[test]
fn ids_that_there_are_not_do_not_count() {
    let rows = held(1, &[3.0, 2.0, 1.0]);
    let mut set = BitSet::new(1000);
    set.extend([0, 3, 500]);
    let found = host(&rows).search_excluding(&[1.0], 5, &set).unwrap();
    assert_eq!(found[0].iter().map(|n| n.id).collect::<Vec<_>>(), [1, 2]);
}
