use crate::fields::{self, Data};
use crate::gpu::on_every_adapter;
use crate::pictures::*;
use crate::results::{refused, run};
use crate::table;
use frameloom::core::{PixelFormat, Size};
use frameloom::gpu::GpuContext;
use frameloom::ops::placement::integral::{IntegralPlan, integral};
use frameloom::ops::placement::{read_wide, wide_layout};
use frameloom::ops::{BatchShape, GpuMaps, MapLayout, MapSample, Record};
use frameloom::reference::Field;
use frameloom::reference::pattern::splitmix64;
use frameloom::reference::placement::integral::integral as reference;

const BITS: u32 = 20;

fn want(field: &Field<'_>) -> Vec<u64> {
    let values: Vec<u64> = (0..field.size().area() as usize).map(|i| u64::from(field.fixed(i, BITS as i32))).collect();
    reference(&values, field.size())
}

#[test]
fn equals_the_reference() {
    on_every_adapter("placement/integral equals the reference", |ctx| {
        fields::each_uniform(ctx, |trial| {
            let plan = IntegralPlan::new(ctx, trial.source().shape().unwrap(), BITS).unwrap();
            let dst = fields::poisoned_maps(ctx, plan.output(), trial.fields.len() as u32);
            let bound = plan.bind(ctx, trial.source(), 0, &dst).unwrap();
            for turn in 0..2 {
                run(ctx, |rec| bound.record(rec, dst.slots()));
                for (i, field) in (0..).zip(trial.references()) {
                    assert!(read_wide(ctx, &dst, i).unwrap() == want(&field), "{} {i} turn {turn}", trial.name);
                }
            }
        });
    });
}

/// 64-bit numbers of all sizes: sums wrap around.
fn wide_maps(ctx: &GpuContext, size: Size, count: u64) -> (GpuMaps, Vec<Vec<u64>>) {
    let values: Vec<Vec<u64>> =
        (0..count).map(|s| (0..size.area()).map(|i| splitmix64(i ^ s << 32)).collect()).collect();
    let bytes: Vec<Vec<u8>> = values.iter().map(|v| v.iter().flat_map(|v| v.to_le_bytes()).collect()).collect();
    let refs: Vec<&[u8]> = bytes.iter().map(Vec::as_slice).collect();
    (GpuMaps::from_host(ctx, "test", wide_layout(size).unwrap(), &refs).unwrap(), values)
}

#[test]
fn maps_of_64_bits_are_summed_modulo_2_64() {
    on_every_adapter("placement/integral wide", |ctx| {
        for shape in SHAPES {
            let size = Size::new(shape.0, shape.1);
            let (src, values) = wide_maps(ctx, size, 6);
            let plan = IntegralPlan::of_wide(ctx, src.layout(), 3).unwrap();
            let dst = fields::poisoned_maps(ctx, plan.output(), 6);
            let bound = plan.bind(ctx, &src, 0, &dst).unwrap();
            assert_eq!(bound.capacity(), 2);
            run(ctx, |rec| bound.record(rec, 2));
            for (i, values) in (0..).zip(&values) {
                assert!(read_wide(ctx, &dst, i).unwrap() == reference(values, size), "{size} map {i}");
            }
        }
    });
}

/// The sum of any rectangle is the difference of four entries, whatever the table wrapped to.
#[test]
fn rectangles_are_differences_of_corners() {
    on_every_adapter("placement/integral rectangles", |ctx| {
        let trial = fields::maps(ctx, (77, 55), false, 0, 1);
        let table = read_wide(ctx, &integral(ctx, trial.source(), 0).unwrap(), 0).unwrap();
        let Data::Integers(values) = &trial.fields[0].1 else { panic!("integers") };
        let at = |x: usize, y: usize| table[y * 78 + x];
        for (x0, y0, x1, y1) in [(0, 0, 77, 55), (3, 4, 4, 5), (10, 0, 70, 55), (76, 54, 77, 55), (5, 5, 5, 9)] {
            let sum: u64 = (y0..y1).flat_map(|y| (x0..x1).map(move |x| u64::from(values[y * 77 + x]))).sum();
            assert_eq!(at(x1, y1) + at(x0, y0) - at(x0, y1) - at(x1, y0), sum);
        }
    });
}

#[test]
fn long_rows_and_columns_are_whole() {
    on_every_adapter("placement/integral long", |ctx| {
        for shape in [(32_767, 1), (1, 32_767), (4099, 3), (3, 4099)] {
            let trial = fields::maps(ctx, shape, false, 0, 1);
            let got = read_wide(ctx, &integral(ctx, trial.source(), 0).unwrap(), 0).unwrap();
            assert!(got == want(&trial.references().next().unwrap()), "{shape:?}");
        }
    });
}

#[test]
fn the_same_bits_every_time() {
    on_every_adapter("placement/integral is deterministic", |ctx| {
        let trial = fields::maps(ctx, (333, 111), true, 0, 1);
        table::deterministic(|| integral(ctx, trial.source(), 31).unwrap().read(ctx, 0).unwrap());
    });
}

#[test]
fn binds_from_a_later_slot() {
    on_every_adapter("placement/integral slots", |ctx| {
        let trial = fields::maps(ctx, (33, 9), false, 0, 3);
        let plan = IntegralPlan::new(ctx, trial.source().shape().unwrap(), 0).unwrap();
        let dst = fields::poisoned_maps(ctx, plan.output(), 2);
        let bound = plan.bind(ctx, trial.source(), 1, &dst).unwrap();
        run(ctx, |rec| bound.record(rec, 1));
        assert_eq!(read_wide(ctx, &dst, 0).unwrap(), want(&trial.references().nth(1).unwrap()));
        assert!(dst.read(ctx, 1).unwrap().iter().all(|b| *b == 0xFF));
    });
}

#[test]
fn what_does_not_fit_is_refused() {
    on_every_adapter("placement/integral refuses", |ctx| {
        let map = |sample, width| MapLayout::new(sample, Size::new(width, 4)).unwrap();
        refused(IntegralPlan::new(ctx, &map(MapSample::I16, 8), 0), "input");
        refused(IntegralPlan::new(ctx, &map(MapSample::U32, 32_768), 0), "input");
        refused(IntegralPlan::new(ctx, &layout(PixelFormat::Rgba8, (8, 4)), 0), "input");
        let mixed = BatchShape::mixed(PixelFormat::Gray8, Size::new(8, 4)).unwrap();
        refused(IntegralPlan::new(ctx, mixed, 0), "input");
        refused(IntegralPlan::new(ctx, &map(MapSample::F32, 8), 32), "fraction_bits");
        refused(IntegralPlan::of_wide(ctx, &map(MapSample::U32, 7), 1), "input");
        refused(IntegralPlan::of_wide(ctx, &map(MapSample::F32, 8), 1), "input");
        refused(IntegralPlan::of_wide(ctx, &map(MapSample::U32, 8), 0), "slots");
        let plan = IntegralPlan::of_wide(ctx, &map(MapSample::U32, 8), 2).unwrap();
        let src = fields::poisoned_maps(ctx, &map(MapSample::U32, 8), 2);
        refused(plan.bind(ctx, &src, 0, &fields::poisoned_maps(ctx, plan.output(), 1)), "output");
        refused(plan.bind(ctx, &src, 0, &fields::poisoned_maps(ctx, &map(MapSample::U32, 12), 2)), "output");
        refused(plan.bind(ctx, &src, 2, &fields::poisoned_maps(ctx, plan.output(), 2)), "first");
        refused(plan.bind(ctx, &fields::poisoned_maps(ctx, plan.output(), 2), 0, &src), "input");
    });
}

#[test]
fn a_sabotaged_reference_is_rejected() {
    on_every_adapter("placement/integral negative control", |ctx| {
        let mut trial = fields::maps(ctx, (33, 9), false, 1, 1);
        let got = read_wide(ctx, &integral(ctx, trial.source(), 0).unwrap(), 0).unwrap();
        assert_eq!(got, want(&trial.references().next().unwrap()));
        let Data::Integers(values) = &mut trial.fields[0].1 else { panic!("integers") };
        *values.last_mut().unwrap() ^= 1;
        let off: Vec<usize> = want(&trial.references().next().unwrap())
            .iter()
            .zip(&got)
            .enumerate()
            .filter_map(|(i, (w, g))| (w != g).then_some(i))
            .collect();
        assert_eq!(off, [34 * 10 - 1]);
    });
}
