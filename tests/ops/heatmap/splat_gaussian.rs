use crate::compare;
use crate::fields::{self, Data};
use crate::gpu::on_every_adapter;
use crate::pictures::*;
use crate::results::{refused, run};
use crate::table;
use frameloom::core::{Exactness, Rect, Size};
use frameloom::gpu::GpuContext;
use frameloom::ops::heatmap::splat_gaussian::{INFO, SplatParams, SplatPlan, WeightedBox, splat_gaussian};
use frameloom::ops::{MapLayout, MapSample, Record};
use frameloom::reference::heatmap::splat_gaussian::splat_gaussian as reference;

/// Boxes inside and beyond a picture, of many sizes, some of weight 0 or less.
fn boxes(seed: u64, count: usize, size: Size) -> Vec<WeightedBox> {
    let part = |k: usize, n: u32| (fields::uniform(seed, k) * f64::from(n)) as u32;
    (0..count)
        .map(|i| WeightedBox {
            rect: Rect {
                x: part(5 * i, size.width + 20),
                y: part(5 * i + 1, size.height + 20),
                width: 2 + part(5 * i + 2, 60),
                height: part(5 * i + 3, 60),
            },
            weight: (fields::uniform(seed, 5 * i + 4) * 4.0 - 1.0) as f32,
        })
        .collect()
}

/// The promise is per unit of added weight, and for the value that was there one rounding.
fn check(got: &[f32], before: &[f32], size: Size, boxes: &[WeightedBox], reach: Option<f32>, what: &str) {
    let mut want: Vec<f64> = before.iter().map(|v| f64::from(*v)).collect();
    let list: Vec<(Rect, f64)> = boxes.iter().map(|b| (b.rect, f64::from(b.weight))).collect();
    reference(&mut want, size, &list, reach.map(f64::from));
    let Exactness::Abs(each) = INFO.exactness else { panic!("{}", INFO.exactness) };
    let unit: f64 = 1.0 + list.iter().map(|b| b.1.abs()).sum::<f64>();
    let got: Vec<f64> = got.iter().map(|v| f64::from(*v)).collect();
    compare::abs(&got, &want, each * unit).unwrap_or_else(|m| panic!("{what}: {m} (accepted {})", each * unit));
}

fn map(size: Size, seed: u64) -> Vec<f32> {
    (0..size.area() as usize).map(|i| fields::uniform(seed, i) as f32).collect()
}

#[test]
fn equals_the_reference() {
    on_every_adapter("heatmap/splat_gaussian equals the reference", |ctx| {
        for (s, shape) in SHAPES.into_iter().enumerate() {
            let size = Size::new(shape.0, shape.1);
            for reach in [None, Some(1.3), Some(3.0)] {
                let before: Vec<Vec<f32>> = (0..3).map(|i| map(size, i)).collect();
                let lists = [0, 1, 37].map(|n| boxes(s as u64, n, size));
                let data: Vec<Data> = before.iter().cloned().map(Data::Floats).collect();
                let dst = fields::upload_maps(ctx, size, &data);
                let refs: Vec<&[WeightedBox]> = lists.iter().map(Vec::as_slice).collect();
                splat_gaussian(ctx, &refs, &dst, SplatParams { reach }).unwrap();
                for (i, (list, before)) in (0..).zip(lists.iter().zip(&before)) {
                    let got: Vec<f32> = dst.read_as(ctx, i).unwrap();
                    check(&got, before, size, list, reach, &format!("{shape:?} {} boxes {reach:?}", list.len()));
                }
            }
        }
        let size = Size::new(1920, 1080);
        let list = boxes(9, 6, size);
        let dst = fields::upload_maps(ctx, size, &[Data::Floats(vec![0.0; size.area() as usize])]);
        splat_gaussian(ctx, &[&list], &dst, SplatParams::default()).unwrap();
        check(&dst.read_as::<f32>(ctx, 0).unwrap(), &vec![0.0; size.area() as usize], size, &list, None, "full HD");
    });
}

#[test]
fn the_same_bits_every_time() {
    on_every_adapter("heatmap/splat_gaussian is deterministic", |ctx| {
        let size = Size::new(123, 66);
        let list = boxes(4, 50, size);
        table::deterministic(|| {
            let dst = fields::upload_maps(ctx, size, &[Data::Floats(map(size, 1))]);
            splat_gaussian(ctx, &[&list], &dst, SplatParams::default()).unwrap();
            dst.read(ctx, 0).unwrap()
        });
    });
}

/// A bell is highest, and exactly its weight, at the centre of its box, and symmetric about it.
#[test]
fn a_bell_has_its_top_at_the_centre_of_the_box() {
    on_every_adapter("heatmap/splat_gaussian top", |ctx| {
        let size = Size::new(41, 31);
        for (x, y, side) in [(10, 5, 7), (3, 12, 20), (30, 20, 2)] {
            let one = WeightedBox { rect: Rect { x, y, width: side, height: side }, weight: 2.5 };
            let dst = fields::upload_maps(ctx, size, &[Data::Floats(vec![0.0; 41 * 31])]);
            splat_gaussian(ctx, &[&[one]], &dst, SplatParams::default()).unwrap();
            let got: Vec<f32> = dst.read_as(ctx, 0).unwrap();
            let (cx, cy) = ((x + side / 2) as usize, (y + side / 2) as usize);
            assert_eq!(got[cy * 41 + cx], 2.5);
            assert!((0..got.len()).all(|i| i == cy * 41 + cx || got[i] < 2.5));
            assert_eq!(got[cy * 41 + cx - 2], got[cy * 41 + cx + 2]);
            assert_eq!(got[(cy - 2) * 41 + cx], got[(cy + 2) * 41 + cx]);
        }
    });
}

#[test]
fn later_maps_are_reached_and_others_left_alone() {
    on_every_adapter("heatmap/splat_gaussian slots", |ctx| {
        let size = Size::new(21, 9);
        let before = map(size, 3);
        let dst = fields::upload_maps(ctx, size, &vec![Data::Floats(before.clone()); 4]);
        let lists = [boxes(1, 4, size), boxes(2, 3, size)];
        let plan = SplatPlan::new(ctx, dst.layout(), SplatParams::default()).unwrap();
        let bound = plan.bind(ctx, &[&lists[0], &lists[1]], &dst, 1).unwrap();
        assert_eq!(bound.capacity(), 2);
        run(ctx, |rec| bound.record(rec, 9));
        for (slot, list) in [(1, &lists[0]), (2, &lists[1])] {
            check(&dst.read_as::<f32>(ctx, slot).unwrap(), &before, size, list, None, "slot");
        }
        for slot in [0, 3] {
            assert_eq!(dst.read_as::<f32>(ctx, slot).unwrap(), before);
        }
    });
}

fn one(width: u32, height: u32, weight: f32) -> WeightedBox {
    WeightedBox { rect: Rect { x: 1, y: 1, width, height }, weight }
}

fn refusals(ctx: &GpuContext) {
    let layout = |sample, width| MapLayout::new(sample, Size::new(width, 4)).unwrap();
    let all = SplatParams::default();
    refused(SplatPlan::new(ctx, &layout(MapSample::U32, 4), all), "maps");
    refused(SplatPlan::new(ctx, &layout(MapSample::F32, 32_769), all), "input");
    for reach in [0.0, -1.0, f32::NAN, f32::INFINITY] {
        refused(SplatPlan::new(ctx, &layout(MapSample::F32, 4), SplatParams { reach: Some(reach) }), "reach");
    }
    let plan = SplatPlan::new(ctx, &layout(MapSample::F32, 4), all).unwrap();
    let dst = fields::poisoned_maps(ctx, &layout(MapSample::F32, 4), 1);
    refused(plan.bind(ctx, &[], &dst, 0), "boxes");
    refused(plan.bind(ctx, &[&[], &[]], &dst, 0), "boxes");
    refused(plan.bind(ctx, &[&[one(1, 1, 1.0)]], &dst, 0), "boxes");
    refused(plan.bind(ctx, &[&[one(2, 0, f32::NAN)]], &dst, 0), "boxes");
    refused(plan.bind(ctx, &[&vec![one(4, 4, 1.0); 16_385]], &dst, 0), "boxes");
    refused(plan.bind(ctx, &[&[]], &dst, 1), "first");
    refused(plan.bind(ctx, &[&[]], &fields::poisoned_maps(ctx, &layout(MapSample::F32, 5), 1), 0), "maps");
}

#[test]
fn what_does_not_fit_is_refused() {
    on_every_adapter("heatmap/splat_gaussian refuses", refusals);
}

#[test]
fn a_sabotaged_reference_is_rejected() {
    on_every_adapter("heatmap/splat_gaussian negative control", |ctx| {
        let size = Size::new(33, 9);
        let mut list = boxes(2, 5, size);
        let dst = fields::upload_maps(ctx, size, &[Data::Floats(vec![0.0; 297])]);
        splat_gaussian(ctx, &[&list], &dst, SplatParams::default()).unwrap();
        let got: Vec<f32> = dst.read_as(ctx, 0).unwrap();
        check(&got, &[0.0; 297], size, &list, None, "right");
        list[0].rect.x += 1;
        let wrong = std::panic::catch_unwind(|| check(&got, &[0.0; 297], size, &list, None, "wrong"));
        assert!(wrong.is_err());
    });
}
