use crate::gpu::on_every_adapter;
use crate::results::{refused, run};
use crate::table;
use crate::vectors::*;
use frameloom::gpu::{AdapterClass, GpuContext};
use frameloom::ops::tensor::l2_normalize::{INFO, L2NormalizePlan, l2_normalize};
use frameloom::ops::{RowSample, RowsLayout};
use frameloom::reference::tensor::l2_normalize::l2_normalize as reference;

fn check(ctx: &GpuContext, dim: usize, values: &[f32]) {
    let src = upload_rows(ctx, RowSample::F32, dim, values);
    let count = src.rows();
    for class in [AdapterClass::Cpu, AdapterClass::Gpu] {
        let dst = poisoned_rows(ctx, *src.layout(), count + 2);
        let bound = L2NormalizePlan::for_class(ctx, src.layout(), class).unwrap().bind(ctx, &src, 0, &dst, 1).unwrap();
        for _ in 0..2 {
            run(ctx, |rec| bound.record(rec, count));
        }
        let got = dst.read(ctx, count + 1).unwrap();
        let what = format!("{count} x {dim} {class:?}");
        close(&got[dim..], &reference(values, dim).unwrap(), |_| promised(&INFO), what);
        zero_padding(ctx, &dst, 1..count + 1);
    }
}

#[test]
fn equals_the_reference() {
    on_every_adapter("tensor/l2_normalize equals the reference", |ctx| {
        for (seed, dim) in [1, 2, 3, 4, 5, 31, 32, 33, 63, 64, 127, 512, 513, 2051, 16_384].into_iter().enumerate() {
            check(ctx, dim, &numbers(seed as u32, dim * [1, 2, 5, 17][seed % 4]));
        }
        check(ctx, 16_384, &vec![1.0; 16_384]);
    });
}

#[test]
fn zeros_and_the_ends_of_the_range() {
    on_every_adapter("tensor/l2_normalize range", |ctx| {
        let one = numbers(3, 40);
        let scaled = |by: f32| one.iter().map(|v| v * by).collect::<Vec<_>>();
        let mut single = vec![0.0; 40];
        single[17] = -f32::MAX;
        // Subnormal numbers count as zero on some drivers.
        let tiny = scaled(1e-37).into_iter().map(|v| if v.is_subnormal() { 0.0 } else { v }).collect();
        let rows = [vec![0.0; 40], scaled(1e38), scaled(2e-30), tiny, scaled(3e38), single, vec![f32::MAX; 40]];
        check(ctx, 40, &rows.concat());
    });
}

#[test]
fn binds_from_a_later_row_and_twice_changes_nothing() {
    on_every_adapter("tensor/l2_normalize slots", |ctx| {
        let values = numbers(8, 7 * 50);
        let src = upload_rows(ctx, RowSample::F32, 50, &values);
        let dst = poisoned_rows(ctx, *src.layout(), 9);
        let plan = L2NormalizePlan::new(ctx, src.layout()).unwrap();
        let bound = plan.bind(ctx, &src, 3, &dst, 2).unwrap();
        assert_eq!(bound.capacity(), 4);
        run(ctx, |rec| bound.record(rec, 9));
        zero_padding(ctx, &dst, 2..6);
        let got = dst.read(ctx, 6).unwrap()[100..].to_vec();
        close(&got, &reference(&values[150..], 50).unwrap(), |_| promised(&INFO), "from row 3");
        assert_eq!(bound.run(ctx).unwrap(), got, "the rows that it made, not those before them");
        // Lengths are 1 now, also in f64.
        let again = l2_normalize(ctx, &upload_rows(ctx, RowSample::F32, 50, &got)).unwrap().read(ctx, 4).unwrap();
        close(&again, &got, |_| 2.0 * promised(&INFO), "again");
        table::deterministic(|| l2_normalize(ctx, &src).unwrap().read(ctx, 7).unwrap());
    });
}

#[test]
fn what_does_not_fit_is_refused() {
    on_every_adapter("tensor/l2_normalize refuses", |ctx| {
        let layout = |sample, dim| RowsLayout::new(sample, dim).unwrap();
        refused(L2NormalizePlan::new(ctx, &layout(RowSample::F16, 8)), "input");
        refused(L2NormalizePlan::new(ctx, &layout(RowSample::F32, 16_385)), "input");
        let rows = upload_rows(ctx, RowSample::F32, 8, &numbers(1, 16));
        let other = upload_rows(ctx, RowSample::F32, 9, &numbers(1, 18));
        let plan = L2NormalizePlan::new(ctx, rows.layout()).unwrap();
        refused(plan.bind(ctx, &other, 0, &rows, 0), "input");
        refused(plan.bind(ctx, &rows, 0, &other, 0), "output");
        refused(plan.bind(ctx, &rows, 0, &rows, 0), "output");
        let dst = poisoned_rows(ctx, *rows.layout(), 2);
        refused(plan.bind(ctx, &rows, 2, &dst, 0), "rows");
    });
}

#[test]
fn a_sabotaged_reference_is_rejected() {
    on_every_adapter("tensor/l2_normalize negative control", |ctx| {
        let values = numbers(5, 3 * 100);
        let got = l2_normalize(ctx, &upload_rows(ctx, RowSample::F32, 100, &values)).unwrap().read(ctx, 3).unwrap();
        let want = reference(&values, 100).unwrap();
        close(&got, &want, |_| promised(&INFO), "as it is");
        // The last number left out of the sum.
        let mut short = values.clone();
        short[299] = 0.0;
        assert!(violation(&got, &reference(&short, 100).unwrap(), |_| promised(&INFO)).is_some());
        let mut off = want.clone();
        off[150] += 3.0 * promised(&INFO) as f32;
        assert!(violation(&got, &off, |_| promised(&INFO)).is_some(), "the bound is too wide");
    });
}
