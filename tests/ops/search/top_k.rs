use crate::gpu::on_every_adapter;
use crate::results::refused;
use crate::table;
use crate::vectors::*;
use frameloom::core::{Metric, Neighbor};
use frameloom::gpu::{AdapterClass, GpuContext};
use frameloom::ops::search::RowStore;
use frameloom::ops::search::top_k::{INFO, TopKParams, TopKPlan, top_k};
use frameloom::ops::{RowSample, RowsLayout};
use frameloom::reference::search::top_k::{score, top_k as reference};

const METRICS: [Metric; 2] = [Metric::InnerProduct, Metric::L2];
const BOTH: [AdapterClass; 2] = [AdapterClass::Cpu, AdapterClass::Gpu];

fn layout(sample: RowSample, dim: usize) -> RowsLayout {
    RowsLayout::new(sample, dim as u32).unwrap()
}

/// A store with small blocks, filled in three goes of different lengths.
fn store(ctx: &GpuContext, sample: RowSample, dim: usize, rows: &[f32]) -> RowStore {
    let layout = layout(sample, dim);
    let mut store = RowStore::with_block_bytes(ctx, layout, 300 * u64::from(layout.stride_bytes())).unwrap();
    let count = rows.len() / dim;
    let (one, rest) = rows.split_at(count / 5 * dim);
    let (two, three) = rest.split_at((count / 3).min(rest.len() / dim) * dim);
    for part in [one, two, three] {
        let before = store.len();
        assert_eq!(store.append(ctx, part).unwrap(), before);
    }
    assert_eq!(store.len() as usize, count);
    store
}

/// Numbers as they lie in the store.
fn stored(sample: RowSample, values: Vec<f32>) -> Vec<f32> {
    match sample {
        RowSample::F32 => values,
        RowSample::F16 => values.into_iter().map(|v| half::f16::from_f32(v).to_f32()).collect(),
    }
}

/// How far a score may be off: the promise of the registry for each rounding, in units of the magnitudes added.
fn allowed(query: &[f32], row: &[f32], metric: Metric) -> f64 {
    let absolute = |v: &[f32]| v.iter().map(|v| v.abs()).collect::<Vec<_>>();
    let magnitude = match metric {
        Metric::InnerProduct => score(&absolute(query), &absolute(row), metric),
        // The difference is rounded before it is squared.
        Metric::L2 => 2.0 * score(query, row, metric),
    };
    promised(&INFO) * (query.len() + 4) as f64 * magnitude
}

/// Scores are those of their ids within the tolerance; ids are those of the reference, or of rows whose exact scores are as near to the
/// reference's as twice the tolerance.
fn violation(
    got: &[Vec<Neighbor>],
    queries: &[f32],
    rows: &[f32],
    dim: usize,
    k: usize,
    metric: Metric,
) -> Option<String> {
    let want = reference(queries, rows, dim, k, metric).unwrap();
    if got.len() != want.len() {
        return Some(format!("{} queries for {}", got.len(), want.len()));
    }
    for (q, (got, want)) in got.iter().zip(&want).enumerate() {
        if got.len() != want.len() {
            return Some(format!("query {q}: {} found, not {}", got.len(), want.len()));
        }
        let query = &queries[q * dim..(q + 1) * dim];
        let row = |id: u32| &rows[id as usize * dim..(id as usize + 1) * dim];
        let mut seen = std::collections::BTreeSet::new();
        for (rank, (g, (id, exact))) in got.iter().zip(want).enumerate() {
            if g.id as usize >= rows.len() / dim || !seen.insert(g.id) {
                return Some(format!("query {q}, rank {rank}: id {}", g.id));
            }
            let of_got = score(query, row(g.id), metric);
            let bound = allowed(query, row(g.id), metric);
            let distance = (f64::from(g.score) - of_got).abs();
            if distance.is_nan() || distance > bound {
                return Some(format!("query {q}, rank {rank}: score {} of {} is {of_got}", g.score, g.id));
            }
            if g.id != *id && (of_got - exact).abs() > bound + allowed(query, row(*id), metric) {
                return Some(format!("query {q}, rank {rank}: {g:?} for {id} {exact}"));
            }
        }
    }
    None
}

fn check(ctx: &GpuContext, dim: usize, rows: usize, queries: usize, k: u32, sample: RowSample) {
    let matrix = stored(sample, numbers(rows as u32, rows * dim));
    let asked = numbers(77 + k, queries * dim);
    let store = store(ctx, sample, dim, &matrix);
    let uploaded = upload_rows(ctx, RowSample::F32, dim, &asked);
    for (metric, class) in METRICS.into_iter().flat_map(|m| BOTH.map(|c| (m, c))) {
        // Scores of a few rows at a time, so that there are several tiles.
        let params = TopKParams { score_bytes: (queries * 4 * 128).max(256) as u64, ..TopKParams::new(k, metric) };
        let plan = TopKPlan::for_class(ctx, store.layout(), params, class).unwrap();
        let bound = plan.bind(ctx, &store, (&uploaded, 0, queries as u32)).unwrap();
        let got = bound.run(ctx).unwrap();
        let what = format!("{queries} queries, {rows} x {dim} {sample}, {k} by {metric:?}, {class:?}");
        if let Some(text) = violation(&got, &asked, &matrix, dim, k as usize, metric) {
            panic!("{what}: {text}");
        }
        assert_eq!(bound.run(ctx).unwrap(), got, "{what}, again");
    }
}

#[test]
fn equals_the_exhaustive_search() {
    on_every_adapter("search/top_k equals the reference", |ctx| {
        for (i, (dim, rows, queries, k)) in [
            (1, 1, 1, 1),
            (3, 5, 2, 8),
            (4, 31, 5, 7),
            (17, 33, 1, 33),
            (64, 257, 3, 10),
            (30, 700, 65, 5),
            (128, 1000, 4, 100),
            (9, 3000, 2, 256),
        ]
        .into_iter()
        .enumerate()
        {
            check(ctx, dim, rows, queries, k, [RowSample::F32, RowSample::F16][i % 2]);
        }
    });
}

/// Whole numbers: every score is exact in f32, and most of them are equal to others.
#[test]
fn ties_go_to_the_smaller_id() {
    on_every_adapter("search/top_k ties", |ctx| {
        let (dim, rows, queries, k) = (3usize, 2500usize, 6usize, 120u32);
        for sample in [RowSample::F32, RowSample::F16] {
            let (matrix, asked) = (integers(5, rows * dim), integers(6, queries * dim));
            let store = store(ctx, sample, dim, &matrix);
            let uploaded = upload_rows(ctx, RowSample::F32, dim, &asked);
            for (metric, class) in METRICS.into_iter().flat_map(|m| BOTH.map(|c| (m, c))) {
                let params = TopKParams { score_bytes: 16_384, ..TopKParams::new(k, metric) };
                let plan = TopKPlan::for_class(ctx, store.layout(), params, class).unwrap();
                let got = plan.bind(ctx, &store, (&uploaded, 0, queries as u32)).unwrap().run(ctx).unwrap();
                let got: Vec<Vec<(u32, f64)>> =
                    got.iter().map(|q| q.iter().map(|n| (n.id, f64::from(n.score))).collect()).collect();
                assert_eq!(
                    got,
                    reference(&asked, &matrix, dim, k as usize, metric).unwrap(),
                    "{sample} {metric:?} {class:?}"
                );
            }
        }
        // All equal, and the worst order for a heap: each row nearer than all before.
        let mut store = RowStore::new(ctx, layout(RowSample::F32, 1)).unwrap();
        store.append(ctx, &vec![3.0; 5000]).unwrap();
        let one = upload_rows(ctx, RowSample::F32, 1, &[1.0]);
        let ids = |found: &[Vec<Neighbor>]| found[0].iter().map(|n| n.id).collect::<Vec<_>>();
        let params = TopKParams::new(256, Metric::InnerProduct);
        assert_eq!(ids(&top_k(ctx, &store, &one, params).unwrap()), (0..256).collect::<Vec<_>>());
        store.append(ctx, &(4..=12_003).map(|v| v as f32).collect::<Vec<_>>()).unwrap();
        assert_eq!(ids(&top_k(ctx, &store, &one, params).unwrap()), (16_744..17_000).rev().collect::<Vec<_>>());
    });
}

#[test]
fn tiles_and_blocks_do_not_change_results_and_rows_are_added_later() {
    on_every_adapter("search/top_k tiles", |ctx| {
        let (dim, k) = (20usize, 40);
        let (matrix, asked) = (numbers(11, 1500 * dim), numbers(12, 7 * dim));
        let uploaded = upload_rows(ctx, RowSample::F32, dim, &asked);
        let params = TopKParams::new(k, Metric::L2);
        let mut whole = RowStore::new(ctx, layout(RowSample::F32, dim)).unwrap();
        whole.append(ctx, &matrix[..900 * dim]).unwrap();
        let plan = TopKPlan::new(ctx, whole.layout(), params).unwrap();
        let before = plan.bind(ctx, &whole, (&uploaded, 0, 7)).unwrap();
        assert_eq!(whole.append(ctx, &matrix[900 * dim..]).unwrap(), 900);
        // What was bound sees the rows of then.
        assert_eq!(violation(&before.run(ctx).unwrap(), &asked, &matrix[..900 * dim], dim, 40, Metric::L2), None);
        let all = top_k(ctx, &whole, &uploaded, params).unwrap();
        let pieces = store(ctx, RowSample::F32, dim, &matrix);
        let small = TopKParams { score_bytes: 2000, ..params };
        assert_eq!(top_k(ctx, &pieces, &uploaded, small).unwrap(), all);
        // Queries from the third on; and fewer of them than bound.
        let later = plan.bind(ctx, &whole, (&uploaded, 2, 3)).unwrap();
        assert_eq!(later.run(ctx).unwrap(), all[2..5]);
        let mut rec = frameloom::gpu::Recorder::new(ctx, "test");
        later.record(&mut rec, 1);
        rec.run().unwrap();
        assert_eq!(later.decode(&later.results().read(ctx, later.result_bytes()).unwrap()), all[2..3]);
        table::deterministic(|| top_k(ctx, &whole, &uploaded, params).unwrap());
    });
}

#[test]
fn what_is_no_number_is_never_found() {
    on_every_adapter("search/top_k NaN", |ctx| {
        let mut store = RowStore::new(ctx, layout(RowSample::F32, 2)).unwrap();
        store.append(ctx, &[1.0, 2.0, 3.0, 4.0]).unwrap();
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            refused(store.append(ctx, &[0.0, 1.0, bad, 0.0]), "rows");
        }
        let mut half = RowStore::new(ctx, layout(RowSample::F16, 2)).unwrap();
        refused(half.append(ctx, &[0.0, 65_520.0]), "rows");
        assert_eq!((store.len(), half.len()), (2, 0));
        let asked = upload_rows(ctx, RowSample::F32, 2, &[f32::NAN, 0.0, 0.0, -1.0]);
        for metric in METRICS {
            let found = top_k(ctx, &store, &asked, TopKParams::new(3, metric)).unwrap();
            assert_eq!((found[0].len(), found[1].len()), (0, 2), "{metric:?}");
        }
    });
}

#[test]
fn what_does_not_fit_is_refused() {
    on_every_adapter("search/top_k refuses", |ctx| {
        let good = TopKParams::new(3, Metric::L2);
        let four = layout(RowSample::F32, 4);
        let plan = |p| TopKPlan::new(ctx, &four, p);
        refused(plan(TopKParams { k: 0, ..good }), "k");
        refused(plan(TopKParams { k: 257, ..good }), "k");
        refused(plan(TopKParams { score_bytes: 255, ..good }), "score_bytes");
        refused(plan(TopKParams { score_bytes: u64::MAX, ..good }), "score_bytes");
        refused(RowStore::with_block_bytes(ctx, four, 15), "bytes");
        refused(RowStore::with_block_bytes(ctx, four, u64::MAX), "bytes");
        let mut store = RowStore::new(ctx, four).unwrap();
        refused(store.append(ctx, &[1.0; 6]), "rows");
        let ready = plan(good).unwrap();
        let queries = upload_rows(ctx, RowSample::F32, 4, &numbers(1, 8));
        refused(ready.bind(ctx, &store, (&queries, 0, 2)), "store");
        store.append(ctx, &numbers(2, 40)).unwrap();
        refused(ready.bind(ctx, &store, (&queries, 0, 0)), "queries");
        refused(ready.bind(ctx, &store, (&queries, 1, 2)), "queries");
        refused(ready.bind(ctx, &store, (&upload_rows(ctx, RowSample::F16, 4, &numbers(1, 8)), 0, 1)), "queries");
        refused(ready.bind(ctx, &RowStore::new(ctx, layout(RowSample::F16, 4)).unwrap(), (&queries, 0, 1)), "store");
        let many = upload_rows(ctx, RowSample::F32, 4, &numbers(1, 4 * 40));
        let narrow = plan(TopKParams { score_bytes: 256, ..good }).unwrap();
        refused(narrow.bind(ctx, &store, (&many, 0, 40)), "queries");
    });
}

#[test]
fn a_sabotaged_reference_is_rejected() {
    on_every_adapter("search/top_k negative control", |ctx| {
        let (dim, k) = (50usize, 12usize);
        let (matrix, asked) = (numbers(21, 400 * dim), numbers(22, 3 * dim));
        let store = store(ctx, RowSample::F32, dim, &matrix);
        let uploaded = upload_rows(ctx, RowSample::F32, dim, &asked);
        let got = top_k(ctx, &store, &uploaded, TopKParams::new(k as u32, Metric::InnerProduct)).unwrap();
        let against = |got: &[Vec<Neighbor>], matrix: &[f32], metric| violation(got, &asked, matrix, dim, k, metric);
        assert_eq!(against(&got, &matrix, Metric::InnerProduct), None);
        assert!(against(&got, &matrix, Metric::L2).is_some());
        let mut other = matrix.clone();
        other[got[2][5].id as usize * dim + 49] += 0.01;
        assert!(against(&got, &other, Metric::InnerProduct).is_some(), "a row that changed by a hundredth");
        let mut swapped = got.clone();
        swapped[1].swap(3, 4);
        assert!(against(&swapped, &matrix, Metric::InnerProduct).is_some(), "two ranks exchanged");
        let mut short = got;
        short[0].pop();
        assert!(against(&short, &matrix, Metric::InnerProduct).is_some());
    });
}
