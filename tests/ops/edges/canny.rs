use super::edge_maps::{edges_of, shapes};
use crate::gpu::on_every_adapter;
use crate::pictures::*;
use crate::results::*;
use crate::table;
use frameloom::core::*;
use frameloom::gpu::GpuContext;
use frameloom::ops::edges::canny::{CannyParams, CannyPlan, canny};
use frameloom::ops::{BatchShape, FramesBound, GpuFrames};
use frameloom::reference::{Pattern, Plane, edges::canny::canny as reference};

fn plan(ctx: &GpuContext, trial: &table::Trial, low: u16, high: u16) -> CannyPlan {
    CannyPlan::new(ctx, BatchShape::of(trial.batch.as_ref()).unwrap(), CannyParams { low, high }).unwrap()
}

#[test]
fn equals_the_reference() {
    on_every_adapter("edges/canny equals the reference", |ctx| {
        let check = |trial: &table::Trial| {
            let plan = plan(ctx, trial, 50, 150);
            let got = table::mapped(ctx, trial, PixelFormat::Gray8, |dst| {
                plan.bind(ctx, trial.batch.as_ref(), 0, dst, 0).map(FramesBound::from)
            });
            for (got, (_, want)) in got.iter().zip(edges_of(trial, 50, 150)) {
                same(got, &want, &trial.name);
            }
        };
        table::each(ctx, &[PixelFormat::Gray8], check);
        // Formats differ in how rows are loaded: one plan each for all shapes, as compiling takes most of the time.
        for (format, start) in LUMA_FORMATS.into_iter().zip([6, 0, 6, 7]) {
            check(&table::mixed(ctx, format, &SHAPES, start));
        }
        check(&table::uniform(ctx, layout(PixelFormat::P010, (96, 33)), 6, 2));
    });
}

#[test]
fn thresholds_are_obeyed_in_either_order() {
    on_every_adapter("edges/canny thresholds", |ctx| {
        let trial = table::mixed(ctx, PixelFormat::Gray8, &[(77, 55), (130, 41), (64, 64)], 6);
        let mut seen = Vec::new();
        for (low, high) in [(0, 0), (10, 60), (60, 10), (49, 50), (150, 600), (1020, 2040), (40_000, 65_535)] {
            let plan = plan(ctx, &trial, low, high);
            let bound = plan.bind_bits(ctx, trial.batch.as_ref(), 0).unwrap();
            run(ctx, |rec| bound.record(rec, 3));
            assert!(bound.status().complete(ctx).unwrap());
            for (i, (_, want)) in (0..).zip(edges_of(&trial, low, high)) {
                let want: Vec<u8> = want.iter().map(|v| v / 255).collect();
                same(&bound.edges().read(ctx, i).unwrap(), &want, format!("{low} {high} picture {i}"));
                seen.push(want.iter().map(|v| u32::from(*v)).sum::<u32>());
            }
        }
        // The first picture is natural, the second noise: fewer edges the higher the thresholds, none above all magnitudes.
        let natural: Vec<u32> = seen.iter().step_by(3).copied().collect();
        assert!(
            natural[0] > natural[1] && natural[1] == natural[2] && natural[1] > natural[3] && natural[3] > 0,
            "{seen:?}"
        );
        assert!(seen[13] > 0 && seen[18..] == [0; 3], "{seen:?}");
    });
}

/// Lines drawn with a step of 40, strong at one end only: hysteresis follows them through words, tiles and columns.
#[test]
fn long_lines_are_followed_to_their_ends() {
    on_every_adapter("edges/canny long lines", |ctx| {
        let size = Size::new(300, 141);
        let layout = FrameLayout::of(PixelFormat::Gray8, size).unwrap();
        let mut frames = Vec::new();
        let mut lumas = Vec::new();
        for (_, weak, strong) in shapes(size) {
            let luma: Vec<u8> = weak.iter().zip(&strong).map(|(w, s)| w * 18 + s * 200).collect();
            let mut slot = vec![0xA5; layout.slot_bytes() as usize];
            for (to, row) in slot.chunks_mut(layout.first().stride as usize).zip(luma.chunks(300)) {
                to[..300].copy_from_slice(row);
            }
            frames.push(slot);
            lumas.push(luma);
        }
        let got = canny(ctx, &upload(ctx, &layout, &frames), CannyParams { low: 10, high: 300 }).unwrap();
        for (i, luma) in (0..).zip(&lumas) {
            let want = reference(&Plane::tight(size, luma).unwrap(), 10, 300).unwrap();
            same(&tight(&layout, 0, &got.read_slot(ctx, i).unwrap()), &want, format!("shape {i}"));
        }
    });
}

#[test]
fn the_same_bits_every_time() {
    on_every_adapter("edges/canny is deterministic", |ctx| {
        for pattern in [Pattern::Random { seed: 3 }, Pattern::Constant { level: 200 }] {
            let layout = layout(PixelFormat::Gray8, (333, 111));
            let src = upload(ctx, &layout, &[pattern.frame(&layout)]);
            let plan = CannyPlan::new(ctx, &layout, CannyParams::default()).unwrap();
            let dst = poisoned(ctx, &layout, 1);
            let bound = plan.bind(ctx, &src, 0, &dst, 0).unwrap();
            table::deterministic(|| {
                run(ctx, |rec| bound.record(rec, 1));
                dst.read_slot(ctx, 0).unwrap()
            });
        }
    });
}

#[test]
fn binds_from_a_later_slot_and_records_fewer() {
    on_every_adapter("edges/canny slots", |ctx| {
        let input = layout(PixelFormat::Gray8, (21, 25));
        let frames = paint(&input, &[1, 2, 3].map(|seed| Pattern::Random { seed }));
        let plan = CannyPlan::new(ctx, &input, CannyParams::default()).unwrap();
        let dst = poisoned(ctx, plan.output(), 3);
        let bound = plan.bind(ctx, &upload(ctx, &input, &frames), 1, &dst, 0).unwrap();
        assert_eq!((bound.capacity(), bound.edges().slots()), (2, 2));
        let want = |i: usize| {
            reference(&Plane::new(input.size, input.first().stride as usize, &frames[i]).unwrap(), 50, 150).unwrap()
        };
        run(ctx, |rec| bound.record(rec, 1));
        same(&tight(plan.output(), 0, &dst.read_slot(ctx, 0).unwrap()), &want(1), "second frame");
        untouched(ctx, &dst, 1);
        run(ctx, |rec| bound.record(rec, 99));
        same(&tight(plan.output(), 0, &dst.read_slot(ctx, 1).unwrap()), &want(2), "third frame");
        untouched(ctx, &dst, 2);
    });
}

/// Turned by 180 degrees and brightened, a picture has the same edges where no two neighbours are equal; without contrast it has none.
#[test]
fn brightness_does_not_matter_and_constants_have_no_edges() {
    on_every_adapter("edges/canny invariants", |ctx| {
        let input = layout(PixelFormat::Gray8, (97, 43));
        let edges = |data: Vec<u8>| -> Vec<u8> {
            let got = canny(ctx, &upload(ctx, &input, &[data]), CannyParams::default()).unwrap();
            tight(&input, 0, &got.read_slot(ctx, 0).unwrap())
        };
        let dim: Vec<u8> = Pattern::Random { seed: 8 }.frame(&input).into_iter().map(|v| v / 2).collect();
        let bright: Vec<u8> = dim.iter().map(|v| v + 100).collect();
        let inverse: Vec<u8> = dim.iter().map(|v| 255 - v).collect();
        let want = edges(dim);
        assert!(want.contains(&255) && want.contains(&0));
        assert_eq!(edges(bright), want);
        assert_eq!(edges(inverse), want);
        assert!(edges(vec![93; input.slot_bytes() as usize]).iter().all(|v| *v == 0));
    });
}

#[test]
fn what_does_not_fit_is_refused() {
    on_every_adapter("edges/canny refuses", |ctx| {
        let new = |format, size| CannyPlan::new(ctx, &layout(format, size), CannyParams::default());
        refused(new(PixelFormat::Rgba8, (4, 4)), "input");
        refused(new(PixelFormat::Gray8, (32_769, 1)), "input");
        let plan = new(PixelFormat::Gray8, (20, 4)).unwrap();
        let frames = |size| poisoned(ctx, &layout(PixelFormat::Gray8, size), 2);
        let src: GpuFrames = frames((20, 4));
        refused(plan.bind(ctx, &src, 0, &src, 1), "output");
        refused(plan.bind(ctx, &src, 0, &frames((21, 4)), 0), "output");
        refused(plan.bind(ctx, &frames((21, 4)), 0, &src, 0), "input");
        refused(plan.bind_bits(ctx, &src, 2), "first");
        refused(plan.bind_bits(ctx, &frames((21, 4)), 0), "input");
    });
}

#[test]
fn a_sabotaged_reference_is_rejected() {
    on_every_adapter("edges/canny negative control", |ctx| {
        let trial = table::uniform(ctx, layout(PixelFormat::Gray8, (33, 19)), 0, 1);
        let plan = plan(ctx, &trial, 50, 150);
        let got = table::mapped(ctx, &trial, PixelFormat::Gray8, |dst| {
            plan.bind(ctx, trial.batch.as_ref(), 0, dst, 0).map(FramesBound::from)
        });
        let (size, luma) = trial.lumas().next().unwrap();
        let turned: Vec<u8> = luma.iter().rev().copied().collect();
        let edges = |data: &[u8], low, high| reference(&Plane::tight(size, data).unwrap(), low, high).unwrap();
        assert!(differ(&got[0], &edges(&luma, 50, 150)).is_none());
        assert!(differ(&got[0], &edges(&luma, 50, 700)).is_some());
        // Turned by half, the comparisons with equal neighbours and the diagonals are others: only turned back is it nearly the same.
        assert!(differ(&got[0], &edges(&turned, 50, 150)).is_some());
        let mut one_off = edges(&luma, 50, 150);
        *one_off.last_mut().unwrap() ^= 255;
        assert!(differ(&got[0], &one_off).is_some());
    });
}
