use super::{BOTH, InPlace, plane, read};
use crate::gpu::on_every_adapter;
use crate::pictures::layout;
use crate::results::refused;
use crate::table;
use frameloom::core::occlusion::{Erasing, Fill};
use frameloom::core::random::Draw;
use frameloom::core::{PixelFormat, Size};
use frameloom::gpu::GpuContext;
use frameloom::ops::occlusion::erase::{Erase, ErasePlan, erase};
use frameloom::ops::{BatchShape, FrameBatch};
use frameloom::reference::occlusion::erase::erase as reference;
use proptest::prelude::*;

const FILLS: [Fill; 3] = [Fill::Noise, Fill::Mean, Fill::Constant([10, 200, 30])];

fn param(index: usize, _: Size) -> Erase {
    let erasing = Erasing { count: 3, probability: 0.9, area: [0.05, 0.3], aspect: [0.5, 2.0] };
    let draw = Draw { seed: 11, picture: 100 + index as u32 };
    Erase { erasing, fill: FILLS[index % 3], draw }
}

fn with(ctx: &GpuContext, check: impl Fn(&InPlace<'_, Erase>)) {
    check(&InPlace {
        op: &|src, params| erase(ctx, src, params),
        bind: &|frames, first, params| ErasePlan::new(ctx, BatchShape::of(frames)?)?.bind(ctx, frames, first, params),
        reference: &|src, p| reference(src, &p.erasing.rects(src.size(), p.draw), p.fill, p.draw).unwrap(),
        param: &param,
    });
}

#[test]
fn equals_the_reference() {
    on_every_adapter("occlusion/erase equals the reference", |ctx| with(ctx, |op| op.equals(ctx, &BOTH)));
}

#[test]
fn slots_and_repeats() {
    on_every_adapter("occlusion/erase slots, determinism, negative control", |ctx| {
        with(ctx, |op| {
            op.slots(ctx, PixelFormat::Rgba8);
            op.deterministic(ctx, PixelFormat::Gray8);
        });
    });
}

/// A picture is erased alike whatever batch it is in, and differently with another seed or number.
#[test]
fn batches_do_not_matter() {
    on_every_adapter("occlusion/erase in any batch", |ctx| {
        let all = table::uniform(ctx, layout(PixelFormat::Rgba8, (40, 30)), 0, 3);
        let params = [0, 1, 2].map(|i| param(0, Size::new(i, 0))).map(|p| Erase { fill: Fill::Noise, ..p });
        let numbered: Vec<Erase> =
            (0..3).map(|i| Erase { draw: Draw { seed: 1, picture: i }, ..params[i as usize] }).collect();
        let (together, _) = erase(ctx, all.batch.as_ref(), &numbered).unwrap();
        let one = table::uniform(ctx, layout(PixelFormat::Rgba8, (40, 30)), 2, 1);
        let (alone, _) = erase(ctx, one.batch.as_ref(), &numbered[2..]).unwrap();
        assert_eq!(read(ctx, &together, 2), read(ctx, &alone, 0));
        for draw in [Draw { seed: 2, picture: 2 }, Draw { seed: 1, picture: 3 }] {
            let (other, _) = erase(ctx, one.batch.as_ref(), &[Erase { draw, ..numbered[2] }]).unwrap();
            assert_ne!(read(ctx, &other, 0), read(ctx, &alone, 0));
        }
    });
}

#[test]
fn what_does_not_fit_is_refused() {
    on_every_adapter("occlusion/erase refuses", |ctx| {
        refused(ErasePlan::new(ctx, &layout(PixelFormat::Nv12, (4, 4))), "input");
        let trial = table::uniform(ctx, layout(PixelFormat::Rgba8, (8, 8)), 0, 1);
        let of = |erasing| {
            let p = Erase { erasing, ..param(0, Size::new(8, 8)) };
            erase(ctx, trial.batch.as_ref(), &[p])
        };
        let good = Erasing::default();
        assert!(of(good).is_ok());
        refused(of(Erasing { count: 65, ..good }), "count");
        refused(of(Erasing { probability: 1.5, ..good }), "probability");
        refused(of(Erasing { area: [0.5, 0.4], ..good }), "area");
        refused(of(Erasing { area: [f64::NAN, 0.4], ..good }), "area");
        refused(of(Erasing { aspect: [0.0, 0.4], ..good }), "aspect");
        refused(of(Erasing { aspect: [1.0, f64::INFINITY], ..good }), "aspect");
        let other = ErasePlan::new(ctx, &layout(PixelFormat::Rgba8, (9, 8))).unwrap();
        refused(other.bind(ctx, trial.batch.as_ref(), 0, &[param(0, Size::new(9, 8))]), "input");
    });
}

/// The mean of a huge constant picture is that constant: 64-bit sums do not wrap.
#[test]
fn the_mean_of_many_pixels_is_right() {
    on_every_adapter("occlusion/erase mean of many pixels", |ctx| {
        let l = layout(PixelFormat::Gray8, (8192, 4096));
        let frames = crate::pictures::upload(ctx, &l, &[vec![255; l.slot_bytes() as usize]]);
        let p =
            Erase { fill: Fill::Mean, erasing: Erasing { probability: 1.0, ..Erasing::default() }, ..param(0, l.size) };
        let bound = ErasePlan::new(ctx, &l).unwrap().bind(ctx, &frames, 0, &[p]).unwrap();
        assert!(bound.run(ctx).unwrap()[0].share() > 0.01);
        assert!(read(ctx, &frames as &dyn FrameBatch, 0).iter().all(|v| *v == 255));
    });
}

#[test]
fn any_parameters_agree_with_the_reference() {
    on_every_adapter("occlusion/erase properties", |ctx| {
        let mut runner =
            proptest::test_runner::TestRunner::new(ProptestConfig { cases: 12, ..ProptestConfig::default() });
        let sides = (1u32..70, 1u32..40);
        runner
            .run(
                &(sides, any::<u32>(), 0u32..20, 0.0..0.5f64, 0.1..1.0f64, 0usize..3),
                |(size, seed, count, area, flat, fill)| {
                    let trial = table::uniform(ctx, layout(PixelFormat::Rgba8, size), seed as usize % 7, 1);
                    let erasing =
                        Erasing { count, probability: 0.7, area: [area / 2.0, area], aspect: [flat, 1.0 / flat] };
                    let p = Erase { erasing, fill: FILLS[fill], draw: Draw { seed, picture: count } };
                    let (pictures, covered) = erase(ctx, trial.batch.as_ref(), &[p]).unwrap();
                    let (l, bytes) = &trial.pictures[0];
                    let rects = erasing.rects(l.size, p.draw);
                    let (want, area) = reference(&plane(l, bytes), &rects, p.fill, p.draw).unwrap();
                    prop_assert_eq!(read(ctx, &pictures, 0), want);
                    prop_assert_eq!(covered[0], area);
                    prop_assert!(rects.iter().all(|r| r.fits(l.size)));
                    Ok(())
                },
            )
            .unwrap();
    });
}
