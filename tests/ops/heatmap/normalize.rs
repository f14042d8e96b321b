use crate::compare;
use crate::fields::{self, Data};
use crate::gpu::on_every_adapter;
use crate::pictures::*;
use crate::results::{refused, run};
use crate::table;
use frameloom::core::{PixelFormat, Size};
use frameloom::ops::heatmap::normalize::{Divisor, INFO, NormalizeParams, NormalizePlan, normalize};
use frameloom::ops::{BatchShape, MapLayout, MapSample, Record};
use frameloom::reference::Field;
use frameloom::reference::heatmap::normalize::{Divisor as By, normalize as reference};

const CASES: [(Divisor, By); 4] = [
    (Divisor::Number(300.0 * 255.0), By::Number(300.0 * 255.0)),
    (Divisor::Number(0.0), By::Number(0.0)),
    (Divisor::Largest, By::Largest),
    (Divisor::Sum, By::Sum),
];

fn want(field: &Field<'_>, by: By, gain: f64) -> Vec<f32> {
    reference(field, by, gain).iter().map(|v| *v as f32).collect()
}

#[test]
fn equals_the_reference() {
    on_every_adapter("heatmap/normalize equals the reference", |ctx| {
        fields::each_uniform(ctx, |trial| {
            for (by, reference) in CASES {
                let params = NormalizeParams { by, gain: 3.0, add: false };
                let plan = NormalizePlan::new(ctx, trial.source().shape().unwrap(), params).unwrap();
                let dst = fields::poisoned_maps(ctx, plan.output(), trial.fields.len() as u32);
                let bound = plan.bind(ctx, trial.source(), 0, &dst, 0).unwrap();
                run(ctx, |rec| bound.record(rec, dst.slots()));
                for (i, field) in (0..).zip(trial.references()) {
                    let got: Vec<f32> = dst.read_as(ctx, i).unwrap();
                    compare::promised(&got, &want(&field, reference, 3.0), INFO.exactness)
                        .unwrap_or_else(|m| panic!("{} map {i} {by:?}: {m}", trial.name));
                }
            }
        });
    });
}

#[test]
fn the_same_bits_every_time() {
    on_every_adapter("heatmap/normalize is deterministic", |ctx| {
        let trial = fields::maps(ctx, (123, 66), true, 0, 2);
        table::deterministic(|| normalize(ctx, trial.source(), Divisor::Sum).unwrap().read(ctx, 1).unwrap());
    });
}

#[test]
fn the_largest_value_becomes_the_gain_and_shares_add_up_to_one() {
    on_every_adapter("heatmap/normalize invariants", |ctx| {
        for (float, seed) in [(false, 0), (false, 1), (false, 3), (true, 0), (true, 2), (true, 4)] {
            let trial = fields::maps(ctx, (77, 55), float, seed, 1);
            let read = |by| normalize(ctx, trial.source(), by).unwrap().read_as::<f32>(ctx, 0).unwrap();
            assert_eq!(read(Divisor::Largest).iter().copied().fold(0.0, f32::max), 1.0, "{}", trial.name);
            let sum: f64 = read(Divisor::Sum).iter().map(|v| f64::from(*v)).sum();
            assert!((sum - 1.0).abs() < 1e-6, "{} {sum}", trial.name);
        }
    });
}

/// `C = H + weight * F / max(F)`.
#[test]
fn adds_to_what_is_there() {
    on_every_adapter("heatmap/normalize adds", |ctx| {
        let size = Size::new(21, 6);
        let heat: Vec<f32> = fields::floats(0, 126);
        let faces: Vec<f32> = fields::floats(5, 126);
        let dst = fields::upload_maps(ctx, size, &[Data::Floats(heat.clone())]);
        let src = fields::upload_maps(ctx, size, &[Data::Floats(faces.clone())]);
        let params = NormalizeParams { by: Divisor::Largest, gain: 3.0, add: true };
        let bound = NormalizePlan::new(ctx, src.layout(), params).unwrap().bind(ctx, &src, 0, &dst, 0).unwrap();
        run(ctx, |rec| bound.record(rec, 1));
        let max = f64::from(faces.iter().copied().fold(0.0, f32::max));
        let want: Vec<f32> =
            heat.iter().zip(&faces).map(|(h, f)| (f64::from(*h) + 3.0 * f64::from(*f) / max) as f32).collect();
        compare::promised(&dst.read_as::<f32>(ctx, 0).unwrap(), &want, INFO.exactness).unwrap();
    });
}

#[test]
fn binds_from_later_slots() {
    on_every_adapter("heatmap/normalize slots", |ctx| {
        let trial = fields::maps(ctx, (19, 7), false, 0, 3);
        let plan = NormalizePlan::new(ctx, trial.source().shape().unwrap(), Divisor::Sum).unwrap();
        let dst = fields::poisoned_maps(ctx, plan.output(), 3);
        let bound = plan.bind(ctx, trial.source(), 1, &dst, 2).unwrap();
        assert_eq!(bound.capacity(), 1);
        run(ctx, |rec| bound.record(rec, 3));
        let field = trial.references().nth(1).unwrap();
        compare::promised(&dst.read_as::<f32>(ctx, 2).unwrap(), &want(&field, By::Sum, 1.0), INFO.exactness).unwrap();
        for slot in [0, 1] {
            assert!(dst.read(ctx, slot).unwrap().iter().all(|b| *b == 0xFF));
        }
    });
}

#[test]
fn what_does_not_fit_is_refused() {
    on_every_adapter("heatmap/normalize refuses", |ctx| {
        let map = |sample, width| MapLayout::new(sample, Size::new(width, 4)).unwrap();
        let by = Divisor::Largest;
        refused(NormalizePlan::new(ctx, &map(MapSample::I32, 4), by), "input");
        refused(NormalizePlan::new(ctx, &map(MapSample::U32, 32_769), by), "input");
        refused(NormalizePlan::new(ctx, &layout(PixelFormat::Rgba8, (4, 4)), by), "input");
        let mixed = BatchShape::mixed(PixelFormat::Gray8, Size::new(4, 4)).unwrap();
        refused(NormalizePlan::new(ctx, mixed, by), "input");
        for n in [-1.0, f64::NAN, f64::INFINITY] {
            refused(NormalizePlan::new(ctx, &map(MapSample::U32, 4), Divisor::Number(n)), "by");
        }
        let params = NormalizeParams { by, gain: f32::NAN, add: false };
        refused(NormalizePlan::new(ctx, &map(MapSample::U32, 4), params), "gain");
        let plan = NormalizePlan::new(ctx, &map(MapSample::F32, 4), by).unwrap();
        let maps = fields::poisoned_maps(ctx, &map(MapSample::F32, 4), 1);
        let other = fields::poisoned_maps(ctx, &map(MapSample::F32, 5), 1);
        refused(plan.bind(ctx, &maps, 0, &maps, 0), "output");
        refused(plan.bind(ctx, &maps, 0, &other, 0), "output");
        refused(plan.bind(ctx, &other, 0, &maps, 0), "input");
        refused(plan.bind(ctx, &maps, 1, &maps, 0), "first");
    });
}

#[test]
fn a_sabotaged_reference_is_rejected() {
    on_every_adapter("heatmap/normalize negative control", |ctx| {
        let trial = fields::maps(ctx, (33, 9), false, 1, 1);
        let got: Vec<f32> = normalize(ctx, trial.source(), Divisor::Sum).unwrap().read_as(ctx, 0).unwrap();
        let wrong: Vec<f32> =
            want(&trial.references().next().unwrap(), By::Sum, 1.0).iter().map(|v| v * 1.000_002).collect();
        assert!(compare::promised(&got, &wrong, INFO.exactness).is_err());
    });
}
