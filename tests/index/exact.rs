use crate::data::*;
use crate::gpu::on_every_adapter;
use frameloom::core::Metric;
use frameloom::index::*;
use frameloom::ops::RowSample;
use frameloom::reference::search::top_k::top_k;

/// All exact indexes of this build over `values`, without a GPU.
fn exact_indexes(dim: usize, values: &[f32]) -> Vec<(String, Box<dyn VectorIndex>)> {
    let rows = held(dim, values);
    #[cfg_attr(not(feature = "faiss"), allow(unused_mut, reason = "there is no other"))]
    let mut all: Vec<(String, Box<dyn VectorIndex>)> = vec![("host".into(), build("host", &rows))];
    #[cfg(feature = "faiss")]
    {
        all.push(("flat".into(), build("flat", &rows)));
        all.push(("ivf, all lists".into(), build("ivf:nlist=4,nprobe=4", &rows)));
    }
    #[cfg(all(feature = "faiss", feature = "store"))]
    {
        // The mapping outlives the name.
        let (_folder, mapped) = mapped(RowSample::F32, dim, values);
        all.push(("flat, mapped".into(), build("flat", &mapped)));
    }
    all
}

#[test]
fn equals_brute_force_with_ties_at_every_batch_size() {
    const ROWS: usize = 3000;
    let values = integers(1, ROWS * 13);
    let queries = integers(2, 70 * 13);
    for (name, index) in exact_indexes(13, &values) {
        assert!(index.is_exact() && index.len() == ROWS as u32 && index.dim() == 13, "{name}");
        for k in [1, 10, 150, ROWS + 5] {
            let wanted = top_k(&queries, &values, 13, k, Metric::InnerProduct).unwrap();
            for batch in [1, 19, 20, 33, 70] {
                let queries = &queries[..batch * 13];
                for (at, found) in index.search(queries, k).unwrap().iter().enumerate() {
                    let found: Vec<_> = found.iter().map(|n| (n.id, f64::from(n.score))).collect();
                    assert_eq!(found, wanted[at], "{name}, k {k}, query {at} of {batch}");
                }
            }
        }
    }
}

/// Comparers that cannot fail show nothing: a result with two ties swapped is another one.
#[test]
fn swapped_ties_would_be_noticed() {
    let rows = held(2, &[1.0, 0.0, 1.0, 0.0]);
    let found = bits(&host(&rows).search(&[1.0, 0.0], 2).unwrap());
    let mut swapped = found.clone();
    swapped[0].swap(0, 1);
    assert_eq!(found[0][0].1, found[0][1].1);
    assert_ne!(found, swapped);
}

#[test]
fn thousands_of_equal_rows_come_by_id() {
    // More than any number of candidates: the engine alone could not know which are first.
    let mut values = vec![0.5f32; 12_000 * 4];
    values[8000 * 4] = 0.75;
    for (name, index) in exact_indexes(4, &values) {
        for found in index.search(&vec![1.0; 40 * 4], 4).unwrap() {
            assert_eq!(found.iter().map(|n| n.id).collect::<Vec<_>>(), [8000, 0, 1, 2], "{name}");
        }
    }
}

#[test]
fn scores_have_the_same_bits_in_every_index_batch_and_thread_count() {
    let values = clustered(7, 4000, 64, 40, 0.5);
    let queries = clustered(8, 90, 64, 40, 0.5);
    let rows = held(64, &values);
    let wanted = bits(&host(&rows).search(&queries, 12).unwrap());
    for (name, index) in exact_indexes(64, &values) {
        assert_eq!(bits(&index.search(&queries, 12).unwrap()), wanted, "{name}");
        let backwards: Vec<f32> = queries.chunks(64).rev().flatten().copied().collect();
        let mut found = bits(&index.search(&backwards, 12).unwrap());
        found.reverse();
        assert_eq!(found, wanted, "{name}, other order");
        let one_by_one: Vec<_> = queries.chunks(64).flat_map(|q| bits(&index.search(q, 12).unwrap())).collect();
        assert_eq!(one_by_one, wanted, "{name}, one by one");
    }
    for threads in [1, 2, 7] {
        let options = IndexOptions { threads: Some(threads), ..IndexOptions::default() };
        for text in if cfg!(feature = "faiss") { &["host", "flat"][..] } else { &["host"] } {
            let index = build_index(&spec(text), &rows, &options).unwrap();
            assert_eq!(bits(&index.search(&queries, 12).unwrap()), wanted, "{text}, {threads} threads");
        }
    }
}

#[test]
fn on_the_gpu_equals_the_host() {
    let dim = 48;
    let mut values = clustered(3, 5000, dim, 30, 0.4);
    // Equal rows, far apart.
    values.copy_within(0..dim * 50, dim * 4000);
    let queries = clustered(4, 300, dim, 30, 0.4);
    let floats = held(dim, &values);
    let halves = Rows::new(dim, RowSample::F16, values.clone()).unwrap();
    on_every_adapter("index flat-gpu", |ctx| {
        let options = IndexOptions { gpu: Some(ctx), ..IndexOptions::default() };
        for (text, rows, exact) in
            [("flat-gpu", &floats, true), ("flat-gpu:f16", &halves, true), ("flat-gpu:f16", &floats, false)]
        {
            let index = build_index(&spec(text), rows, &options).unwrap();
            assert_eq!((index.is_exact(), index.spec().to_string()), (exact, text.into()));
            for k in [1, 10, 300] {
                let wanted = host(rows).search(&queries, k).unwrap();
                let found = index.search(&queries, k).unwrap();
                if exact {
                    assert_eq!(bits(&found), bits(&wanted), "{text}, k {k}");
                }
                assert!(found.iter().all(|f| f.len() == k));
            }
            let recall = recall_at(index.as_ref(), &queries, 10, &options).unwrap();
            assert!(recall.mean > 0.999, "{text}: {recall}");
        }
        let ties = integers(5, 900 * 6);
        let index = build_index(&spec("flat-gpu"), &held(6, &ties), &options).unwrap();
        let wanted = top_k(&ties[..60], &ties, 6, 20, Metric::InnerProduct).unwrap();
        for (found, wanted) in index.search(&ties[..60], 20).unwrap().iter().zip(&wanted) {
            assert_eq!(&found.iter().map(|n| (n.id, f64::from(n.score))).collect::<Vec<_>>(), wanted);
        }
    });
}

#[test]
fn few_rows_no_rows_and_no_queries() {
    let texts: &[&str] = if cfg!(feature = "faiss") { &["host", "flat", "ivf", "sqfp16", "hnsw"] } else { &["host"] };
    for text in texts {
        let none = build(text, &held(5, &[]));
        assert!(none.is_empty() && none.search(&[1.0; 10], 3).unwrap() == [vec![], vec![]], "{text}");
        let two = build(text, &held(2, &[0.0, 1.0, 1.0, 0.0]));
        let found = two.search(&[1.0, 0.25], 9).unwrap();
        assert_eq!(found[0].iter().map(|n| (n.id, n.score)).collect::<Vec<_>>(), [(1, 1.0), (0, 0.25)], "{text}");
        assert!(two.search(&[], 1).unwrap().is_empty());
    }
}
