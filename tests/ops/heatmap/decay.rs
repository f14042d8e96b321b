use crate::fields::{self, Data};
use crate::gpu::on_every_adapter;
use crate::pictures::*;
use crate::results::{refused, run};
use crate::table;
use frameloom::core::Size;
use frameloom::gpu::GpuContext;
use frameloom::ops::heatmap::decay::{Decay, DecayPlan, decay};
use frameloom::ops::{GpuMaps, MapLayout, MapSample, Record};
use frameloom::reference::heatmap::decay::decay as reference;

/// Finite values of all magnitudes, of both signs.
fn values(seed: u64, n: usize) -> Vec<f32> {
    let value = |i| {
        let v = (fields::uniform(seed, i) * 200.0 - 115.0).exp2() as f32;
        if i % 3 == 0 { -v } else { v }
    };
    (0..n).map(value).collect()
}

fn upload(ctx: &GpuContext, shape: (u32, u32), seeds: &[u64]) -> (GpuMaps, Vec<Vec<f32>>) {
    let size = Size::new(shape.0, shape.1);
    let maps: Vec<Vec<f32>> = seeds.iter().map(|s| values(*s, size.area() as usize)).collect();
    let data: Vec<Data> = maps.iter().cloned().map(Data::Floats).collect();
    (fields::upload_maps(ctx, size, &data), maps)
}

fn read(ctx: &GpuContext, maps: &GpuMaps, index: u32) -> Vec<u32> {
    maps.read_as::<f32>(ctx, index).unwrap().iter().map(|v| v.to_bits()).collect()
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|v| v.to_bits()).collect()
}

#[test]
fn equals_the_reference() {
    on_every_adapter("heatmap/decay equals the reference", |ctx| {
        for (s, shape) in SHAPES.into_iter().chain([FULL_HD]).enumerate() {
            let seeds = &[7, 8, 9, 10, 11][..[1, 2, 5][s % 3]];
            for factor in [0.0, 0.3, 0.75, 0.999, 1.0] {
                let (maps, mut want) = upload(ctx, shape, seeds);
                decay(ctx, &maps, Decay::Factor(factor)).unwrap();
                for (i, want) in (0..).zip(&mut want) {
                    reference(want, factor);
                    assert!(read(ctx, &maps, i) == bits(want), "{shape:?} map {i} factor {factor}");
                }
            }
        }
    });
}

#[test]
fn the_same_bits_every_time() {
    on_every_adapter("heatmap/decay is deterministic", |ctx| {
        table::deterministic(|| {
            let (maps, _) = upload(ctx, (77, 55), &[3]);
            decay(ctx, &maps, Decay::Time { dt: 0.04, tau: 1.5 }).unwrap();
            read(ctx, &maps, 0)
        });
    });
}

#[test]
fn times_add_up() {
    on_every_adapter("heatmap/decay times", |ctx| {
        let size = Size::new(31, 5);
        let start = fields::floats(0, 155);
        let after = |times: &[f64]| {
            let maps = fields::upload_maps(ctx, size, &[Data::Floats(start.clone())]);
            for dt in times {
                decay(ctx, &maps, Decay::Time { dt: *dt, tau: 2.0 }).unwrap();
            }
            maps.read_as::<f32>(ctx, 0).unwrap()
        };
        crate::compare::ulp(&after(&[0.5, 1.0, 0.25]), &after(&[1.75]), 4).unwrap();
        assert_eq!(after(&[0.0]), start);
    });
}

#[test]
fn a_bound_plan_changes_only_its_slots_and_can_be_set_anew() {
    on_every_adapter("heatmap/decay slots", |ctx| {
        let (maps, mut want) = upload(ctx, (21, 5), &[1, 2, 3]);
        let bound = DecayPlan::new(ctx, maps.layout()).unwrap().bind(ctx, &maps, 1, Decay::Factor(0.5)).unwrap();
        assert_eq!(bound.capacity(), 2);
        run(ctx, |rec| bound.record(rec, 1));
        reference(&mut want[1], 0.5);
        bound.set(ctx, Decay::Factor(0.25)).unwrap();
        run(ctx, |rec| bound.record(rec, 9));
        reference(&mut want[1], 0.25);
        reference(&mut want[2], 0.25);
        for (i, want) in (0..).zip(&want) {
            assert_eq!(read(ctx, &maps, i), bits(want), "map {i}");
        }
    });
}

#[test]
fn what_does_not_fit_is_refused() {
    on_every_adapter("heatmap/decay refuses", |ctx| {
        let map = |sample, width| MapLayout::new(sample, Size::new(width, 4)).unwrap();
        refused(DecayPlan::new(ctx, &map(MapSample::U32, 4)), "maps");
        refused(DecayPlan::new(ctx, &map(MapSample::F32, 32_769)), "input");
        let (maps, _) = upload(ctx, (4, 4), &[1]);
        refused(DecayPlan::new(ctx, &map(MapSample::F32, 5)).unwrap().bind(ctx, &maps, 0, Decay::Factor(1.0)), "maps");
        refused(DecayPlan::new(ctx, maps.layout()).unwrap().bind(ctx, &maps, 1, Decay::Factor(1.0)), "first");
        for factor in [-0.1, 1.1, f32::NAN] {
            refused(decay(ctx, &maps, Decay::Factor(factor)), "factor");
        }
        for tau in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            refused(decay(ctx, &maps, Decay::Time { dt: 1.0, tau }), "tau");
        }
        refused(decay(ctx, &maps, Decay::Time { dt: -1.0, tau: 1.0 }), "dt");
        refused(decay(ctx, &maps, Decay::Time { dt: f64::NAN, tau: 1.0 }), "dt");
    });
}

#[test]
fn a_sabotaged_reference_is_rejected() {
    on_every_adapter("heatmap/decay negative control", |ctx| {
        let (maps, mut want) = upload(ctx, (33, 9), &[1]);
        decay(ctx, &maps, Decay::Factor(0.3)).unwrap();
        reference(&mut want[0], 0.300_000_05);
        assert_ne!(read(ctx, &maps, 0), bits(&want[0]));
    });
}
