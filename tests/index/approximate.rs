use crate::data::*;
use frameloom::index::*;
use frameloom::ops::RowSample;

const KINDS: [&str; 7] =
    ["flat", "ivf", "ivf:codes=f16", "sqfp16", "hnsw", "PCA32,IVF32,Flat:nprobe=8", "IVF64,SQ8:nprobe=32"];

#[test]
fn inverted_lists_find_95_percent_at_their_default() {
    let values = clustered(11, 12_000, DIM, 300, 0.7);
    let queries = clustered(12, 64, DIM, 300, 0.7);
    let rows = held(DIM, &values);
    let options = IndexOptions::default();
    let index = build("ivf", &rows);
    assert_eq!(index.spec().to_string(), "ivf:nlist=307,nprobe=19,codes=f32");
    let recall = recall_at(index.as_ref(), &queries, 10, &options).unwrap();
    println!("{}: {recall}", index.spec());
    assert!(recall.mean >= 0.95 && !index.is_exact(), "{recall}");
    // What is measured can be low: one list is not enough.
    let one = build("ivf:nprobe=1", &rows);
    let low = recall_at(one.as_ref(), &queries, 10, &options).unwrap();
    assert!(low.mean < recall.mean && low.worst < 1.0, "{low}");
}

#[test]
fn the_same_vector_scores_one_and_comes_first() {
    let values = clustered(13, 4000, DIM, 60, 0.6);
    let rows = held(DIM, &values);
    let ids = [0u32, 17, 1234, 3999];
    let queries: Vec<f32> = ids.iter().flat_map(|id| rows.row(*id)).collect();
    // A projection to 32 numbers does not keep enough of a row to find it again.
    for text in KINDS.iter().filter(|text| !text.starts_with("PCA")) {
        for (id, found) in ids.iter().zip(build(text, &rows).search(&queries, 3).unwrap()) {
            assert_eq!(found[0].id, *id, "{text}");
            assert!((found[0].score - 1.0).abs() < 1e-6, "{text}: {}", found[0].score);
        }
    }
}

#[test]
fn scores_are_those_of_the_stored_rows_and_in_order() {
    let values = clustered(14, 3000, 64, 60, 0.6);
    let queries = clustered(15, 40, 64, 60, 0.6);
    for sample in [RowSample::F32, RowSample::F16] {
        let rows = Rows::new(64, sample, values.clone()).unwrap();
        let all = host(&rows).search(&queries, 3000).unwrap();
        for text in KINDS {
            let index = build(text, &rows);
            for (found, all) in index.search(&queries, 20).unwrap().iter().zip(&all) {
                let places: Vec<_> = found.iter().map(|n| all.iter().position(|a| a == n).expect(text)).collect();
                assert!(places.len() == 20 && places.is_sorted_by(|a, b| a < b), "{text}: {places:?}");
            }
        }
    }
}

#[test]
fn neither_batch_nor_threads_change_what_is_found() {
    let rows = held(64, &clustered(16, 5000, 64, 100, 0.8));
    let queries = clustered(17, 75, 64, 100, 0.8);
    for text in KINDS {
        let index = build(text, &rows);
        let wanted = bits(&index.search(&queries, 10).unwrap());
        if !text.starts_with(|c: char| c.is_uppercase()) {
            let single: Vec<_> = queries.chunks(64).flat_map(|q| bits(&index.search(q, 10).unwrap())).collect();
            assert_eq!(single, wanted, "{text}, one by one");
        }
        for threads in [1, 3] {
            let options = IndexOptions { threads: Some(threads), ..IndexOptions::default() };
            let again = build_index(&spec(text), &rows, &options).unwrap();
            assert_eq!(bits(&again.search(&queries, 10).unwrap()), wanted, "{text}, built on {threads} threads");
        }
    }
}

#[test]
fn several_threads_may_search_at_once() {
    let rows = held(64, &clustered(18, 3000, 64, 50, 0.6));
    let queries = clustered(19, 64, 64, 50, 0.6);
    for text in ["flat", "ivf", "hnsw"] {
        let index = build(text, &rows);
        let wanted = bits(&index.search(&queries, 5).unwrap());
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..5).for_each(|_| assert_eq!(bits(&index.search(&queries, 5).unwrap()), wanted)));
            }
        });
    }
}

#[test]
fn recall_counts_ties_as_found() {
    // All rows equal: any of them is as good.
    let rows = held(4, &[0.5; 4000]);
    let recall = recall_at(build("hnsw", &rows).as_ref(), &[1.0; 8], 10, &IndexOptions::default()).unwrap();
    assert_eq!((recall.mean, recall.worst, recall.queries, recall.k), (1.0, 1.0, 2, 10));
    let sample = sample_rows(&held(2, &[0.0, 1.0, 2.0, 3.0, 4.0, 5.0]), 2, 9);
    assert!(sample.len() == 4 && sample.chunks(2).all(|r| r[1] == r[0] + 1.0));
}
