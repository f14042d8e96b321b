use crate::gpu::on_every_adapter;
use crate::results::{refused, run};
use crate::table;
use crate::vectors::*;
use frameloom::core::{GridPooling, Size};
use frameloom::gpu::{GpuBuffer, GpuContext};
use frameloom::ops::tensor::grid_pool::{GridPoolParams, GridPoolPlan, INFO, grid_pool};
use frameloom::ops::{RowSample, RowsLayout};
use frameloom::reference::tensor::grid_pool::grid_pool as reference;

const POOLINGS: [GridPooling; 5] = [
    GridPooling::Average,
    GridPooling::GeneralizedMean { p: 3.0 },
    GridPooling::GeneralizedMean { p: 1.0 },
    GridPooling::GeneralizedMean { p: 2.5 },
    GridPooling::GeneralizedMean { p: 64.0 },
];

fn want(maps: &[f32], p: GridPoolParams) -> Vec<f32> {
    reference(maps, p.channels as usize, p.size, p.grid, p.pooling).unwrap()
}

/// What the registry promises for each number: in units of the largest magnitude of its cell. The maximum of the cell is GeM's
/// limit for large p, so the reference tells it for magnitudes.
fn allowed(maps: &[f32], params: GridPoolParams) -> Vec<f64> {
    let magnitudes: Vec<f32> = maps.iter().map(|v| v.abs()).collect();
    let pooling = GridPooling::GeneralizedMean { p: 256.0 };
    // (1 / 16384)^(1/256) = 0.963: at most 4 % below the maximum.
    want(&magnitudes, GridPoolParams { pooling, ..params }).iter().map(|m| promised(&INFO) * f64::from(*m)).collect()
}

fn check(ctx: &GpuContext, params: GridPoolParams, count: u32, seed: u32) {
    let n = (params.size.area() * u64::from(params.channels)) as usize;
    let maps: Vec<f32> = numbers(seed, n * (count as usize + 1)).iter().map(|v| v * 3.0).collect();
    let src = GpuBuffer::with_data(ctx, "test", bytemuck::cast_slice(&maps)).unwrap();
    let plan = GridPoolPlan::new(ctx, params).unwrap();
    let dst = poisoned_rows(ctx, *plan.output(), count + 2);
    // Maps from the second on, to rows from the second on.
    let bound = plan.bind(ctx, (&src, 1, count), &dst, 1).unwrap();
    for _ in 0..2 {
        run(ctx, |rec| bound.record(rec, count));
    }
    let got = dst.read(ctx, count + 1).unwrap();
    let allowed = allowed(&maps[n..], params);
    let dim = plan.output().dim as usize;
    close(&got[dim..], &want(&maps[n..], params), |i| allowed[i], format!("{params:?}"));
    assert_eq!(bound.run(ctx).unwrap(), got[dim..], "the rows that it made, not those before them");
    zero_padding(ctx, &dst, 1..count + 1);
}

#[test]
fn equals_the_reference() {
    on_every_adapter("tensor/grid_pool equals the reference", |ctx| {
        let shapes =
            [(1, 1, 1, 1), (3, 5, 7, 2), (2, 14, 14, 3), (24, 7, 7, 2), (5, 8, 3, 3), (1, 17, 40, 4), (65, 9, 4, 1)];
        for (i, (channels, width, height, grid)) in shapes.into_iter().enumerate() {
            for pooling in POOLINGS {
                let params = GridPoolParams { channels, size: Size::new(width, height), grid, pooling };
                check(ctx, params, [1, 2, 5][i % 3], i as u32);
            }
        }
        for pooling in POOLINGS {
            let params = GridPoolParams { channels: 1, size: Size::new(257, 129), grid: 1, pooling };
            refused(GridPoolPlan::new(ctx, params), "grid");
            check(ctx, GridPoolParams { size: Size::new(257, 256), grid: 2, ..params }, 1, 77);
        }
    });
}

#[test]
fn pooling_of_a_constant_is_the_constant_and_order_follows_the_cells() {
    on_every_adapter("tensor/grid_pool invariants", |ctx| {
        for pooling in POOLINGS {
            // Each cell of 4x4 a constant of its own, per channel: the row counts up.
            let (size, grid, channels) = (Size::new(13, 14), 3, 5);
            let mut map = Vec::new();
            for c in 0..channels {
                for y in 0..14u32 {
                    map.extend(
                        (0..13u32).map(|x| {
                            if x < 12 && y < 12 { ((y / 4 * 3 + x / 4) * channels + c + 1) as f32 } else { 1e9 }
                        }),
                    );
                }
            }
            let got = grid_pool(ctx, &map, GridPoolParams { channels, size, grid, pooling }).unwrap();
            let want: Vec<f32> = (1..=45).map(|v| v as f32).collect();
            close(&got, &want, |i| promised(&INFO) * f64::from(want[i]), format!("{pooling:?}"));
        }
        let params = GridPoolParams { channels: 7, size: Size::new(20, 20), grid: 2, pooling: POOLINGS[1] };
        let maps = numbers(4, 7 * 400);
        table::deterministic(|| grid_pool(ctx, &maps, params).unwrap());
    });
}

#[test]
fn what_does_not_fit_is_refused() {
    on_every_adapter("tensor/grid_pool refuses", |ctx| {
        let good = GridPoolParams { channels: 2, size: Size::new(6, 4), grid: 2, pooling: GridPooling::Average };
        let plan = |p| GridPoolPlan::new(ctx, p);
        refused(plan(GridPoolParams { grid: 0, ..good }), "grid");
        refused(plan(GridPoolParams { grid: 5, ..good }), "grid");
        refused(plan(GridPoolParams { channels: 0, ..good }), "channels");
        refused(plan(GridPoolParams { channels: u32::MAX, ..good }), "channels");
        for p in [0.5, 65.0, f32::NAN] {
            refused(plan(GridPoolParams { pooling: GridPooling::GeneralizedMean { p }, ..good }), "p");
        }
        let ready = plan(good).unwrap();
        let src = GpuBuffer::with_data(ctx, "test", &[0; 256]).unwrap();
        let dst = poisoned_rows(ctx, *ready.output(), 1);
        refused(ready.bind(ctx, (&src, 0, 0), &dst, 0), "count");
        refused(ready.bind(ctx, (&src, 1, 1), &dst, 0), "count");
        refused(ready.bind(ctx, (&src, 0, 1), &dst, 1), "output");
        let other = poisoned_rows(ctx, RowsLayout::new(RowSample::F32, 9).unwrap(), 1);
        refused(ready.bind(ctx, (&src, 0, 1), &other, 0), "output");
        refused(grid_pool(ctx, &[0.0; 47], good), "maps");
    });
}

#[test]
fn a_sabotaged_reference_is_rejected() {
    on_every_adapter("tensor/grid_pool negative control", |ctx| {
        let params = GridPoolParams { channels: 4, size: Size::new(14, 14), grid: 3, pooling: POOLINGS[1] };
        let maps = numbers(6, 4 * 196);
        let got = grid_pool(ctx, &maps, params).unwrap();
        let allowed = allowed(&maps, params);
        let against = |maps: &[f32], p| violation(&got, &want(maps, p), |i| allowed[i]);
        assert_eq!(against(&maps, params), None);
        assert!(against(&maps, GridPoolParams { pooling: GridPooling::Average, ..params }).is_some());
        assert!(
            against(&maps, GridPoolParams { pooling: GridPooling::GeneralizedMean { p: 3.01 }, ..params }).is_some()
        );
        let mut other = maps.clone();
        other[5 * 14 + 5] = 0.9;
        assert!(against(&other, params).is_some(), "a number of the middle cell");
        other = maps.clone();
        other[13 * 14 + 13] = 0.9;
        assert_eq!(against(&other, params), None, "the last row and column take no part");
    });
}
