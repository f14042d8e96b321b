use crate::fields::{self, Data, FieldTrial};
use crate::gpu::on_every_adapter;
use crate::pictures::*;
use crate::results::refused;
use crate::table;
use frameloom::core::*;
use frameloom::ops::heatmap::stats::{HeatStatsPlan, stats};
use frameloom::ops::{BatchShape, MapLayout, MapSample};
use frameloom::reference::heatmap::stats::stats as reference;

fn want(trial: &FieldTrial, threshold: f32) -> Vec<ActivitySums> {
    trial.references().map(|f| reference(&f, threshold)).collect()
}

#[test]
fn equals_the_reference() {
    on_every_adapter("heatmap/stats equals the reference", |ctx| {
        fields::each(ctx, |trial| {
            for threshold in [0.0, 0.1, 200.0] {
                let got = stats(ctx, trial.source(), threshold).unwrap();
                assert_eq!(got, want(trial, threshold), "{} {threshold}", trial.name);
            }
        });
    });
}

#[test]
fn the_same_bits_every_time_and_in_any_order() {
    on_every_adapter("heatmap/stats is deterministic", |ctx| {
        let size = Size::new(333, 111);
        let mut values = fields::floats(0, size.area() as usize);
        let src = fields::upload_maps(ctx, size, &[Data::Floats(values.clone())]);
        table::deterministic(|| stats(ctx, &src, 0.5).unwrap());
        values.reverse();
        let turned = fields::upload_maps(ctx, size, &[Data::Floats(values)]);
        assert_eq!(stats(ctx, &turned, 0.5).unwrap(), stats(ctx, &src, 0.5).unwrap());
    });
}

/// The fixed point loses at most `2^-31` of the largest value.
#[test]
fn figures_of_floats_are_close_to_those_of_f64() {
    on_every_adapter("heatmap/stats figures", |ctx| {
        for scale in [1.0, 3e-9, 7e12] {
            let size = Size::new(123, 66);
            let values: Vec<f32> = (0..size.area() as usize).map(|i| (fields::uniform(7, i) * scale) as f32).collect();
            let n = values.len() as f64;
            let mean = values.iter().map(|v| f64::from(*v)).sum::<f64>() / n;
            let std = (values.iter().map(|v| (f64::from(*v) - mean).powi(2)).sum::<f64>() / n).sqrt();
            let got = stats(ctx, &fields::upload_maps(ctx, size, &[Data::Floats(values)]), 0.0).unwrap()[0];
            assert!((got.mean() - mean).abs() <= 1e-9 * scale, "{} {mean}", got.mean());
            assert!((got.std() - std).abs() <= 1e-9 * scale, "{} {std}", got.std());
        }
    });
}

#[test]
fn binds_from_a_later_slot_and_records_fewer() {
    on_every_adapter("heatmap/stats slots", |ctx| {
        let trial = fields::maps(ctx, (19, 7), true, 3, 3);
        let bound = HeatStatsPlan::new(ctx, trial.source().shape().unwrap(), 0.1).unwrap();
        let bound = bound.bind(ctx, trial.source(), 1).unwrap();
        assert_eq!(bound.capacity(), 2);
        poison(ctx, bound.results());
        crate::results::run(ctx, |rec| bound.record(rec, 1));
        let got = bound.decode(&bound.results().read(ctx, HeatStatsPlan::RESULT_BYTES).unwrap());
        assert_eq!(got, want(&trial, 0.1)[1..2]);
        assert_eq!(bound.run(ctx).unwrap(), want(&trial, 0.1)[1..]);
    });
}

#[test]
fn what_does_not_fit_is_refused() {
    on_every_adapter("heatmap/stats refuses", |ctx| {
        let map = |sample| MapLayout::new(sample, Size::new(8, 4)).unwrap();
        for sample in [MapSample::Bit, MapSample::I16, MapSample::I32] {
            refused(HeatStatsPlan::new(ctx, &map(sample), 0.0), "input");
        }
        refused(HeatStatsPlan::new(ctx, &layout(PixelFormat::P010, (4, 4)), 0.0), "input");
        refused(HeatStatsPlan::new(ctx, &layout(PixelFormat::Gray8, (40_000, 1)), 0.0), "input");
        for threshold in [-1.0, f32::NAN, f32::INFINITY] {
            refused(HeatStatsPlan::new(ctx, &map(MapSample::F32), threshold), "threshold");
        }
        let plan = HeatStatsPlan::new(ctx, &map(MapSample::F32), 0.0).unwrap();
        refused(plan.bind(ctx, fields::maps(ctx, (8, 5), true, 0, 1).source(), 0), "input");
        refused(plan.bind(ctx, fields::maps(ctx, (8, 4), false, 0, 1).source(), 0), "input");
        refused(plan.bind(ctx, fields::maps(ctx, (8, 4), true, 0, 1).source(), 1), "first");
        let pictures = table::uniform(ctx, layout(PixelFormat::Gray8, (8, 4)), 0, 1);
        refused(plan.bind(ctx, pictures.batch.as_ref(), 0), "input");
        let of_pictures = HeatStatsPlan::new(ctx, BatchShape::of(pictures.batch.as_ref()).unwrap(), 0.0).unwrap();
        refused(of_pictures.bind(ctx, fields::maps(ctx, (8, 4), true, 0, 1).source(), 0), "input");
    });
}

#[test]
fn a_sabotaged_reference_is_rejected() {
    on_every_adapter("heatmap/stats negative control", |ctx| {
        let mut trial = fields::maps(ctx, (33, 9), false, 1, 1);
        let got = stats(ctx, trial.source(), 0.0).unwrap();
        assert_eq!(got, want(&trial, 0.0));
        let Data::Integers(values) = &mut trial.fields[0].1 else { panic!("integers") };
        *values.last_mut().unwrap() ^= 1;
        assert_ne!(got, want(&trial, 0.0));
    });
}
