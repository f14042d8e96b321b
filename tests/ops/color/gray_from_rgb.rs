use crate::gpu::on_every_adapter;
use crate::pictures::*;
use crate::results::*;
use crate::table;
use frameloom::core::{FrameLayout, PixelFormat, Size};
use frameloom::gpu::GpuContext;
use frameloom::ops::BatchShape;
use frameloom::ops::color::gray_from_rgb::{GrayFromRgbPlan, gray_from_rgb};
use frameloom::reference::color::gray_from_rgb::gray_from_rgb as reference;
use frameloom::reference::{Pattern, Plane};

fn want(layout: &FrameLayout, frame: &[u8]) -> Vec<u8> {
    reference(&Plane::interleaved(layout.size, 4, layout.first().stride as usize, frame).unwrap()).unwrap()
}

fn check(ctx: &GpuContext, size: (u32, u32), patterns: &[Pattern]) {
    let input = layout(PixelFormat::Rgba8, size);
    let frames = paint(&input, patterns);
    let count = frames.len() as u32;
    let plan = GrayFromRgbPlan::new(ctx, &input).unwrap();
    let src = upload(ctx, &input, &frames);
    // Results go to slots 1 .. count; the ones around them must stay as they are.
    let dst = poisoned(ctx, plan.output(), count + 2);
    let bound = plan.bind(ctx, &src, 0, &dst, 1).unwrap();
    for turn in 0..2 {
        run(ctx, |rec| bound.record(rec, count));
        for (i, frame) in frames.iter().enumerate() {
            let got = dst.read_slot(ctx, i as u32 + 1).unwrap();
            same(&tight(plan.output(), 0, &got), &want(&input, frame), format!("{size:?} frame {i} turn {turn}"));
        }
    }
    untouched(ctx, &dst, 0);
    untouched(ctx, &dst, count + 1);
}

#[test]
fn equals_the_reference() {
    on_every_adapter("color/gray_from_rgb equals the reference", |ctx| {
        for (i, shape) in SHAPES.into_iter().enumerate() {
            check(ctx, shape, &batch_patterns(i));
        }
        check(ctx, (1920, 1080), &[Pattern::Random { seed: 4 }]);
    });
}

#[test]
fn sizes_may_differ_within_a_batch() {
    on_every_adapter("color/gray_from_rgb mixed sizes", |ctx| {
        table::each(ctx, &[PixelFormat::Rgba8], |trial| {
            let plan = GrayFromRgbPlan::new(ctx, BatchShape::of(trial.batch.as_ref()).unwrap()).unwrap();
            let got =
                table::mapped(ctx, trial, PixelFormat::Gray8, |dst| plan.bind(ctx, trial.batch.as_ref(), 0, dst, 0));
            for ((layout, frame), got) in trial.pictures.iter().zip(got) {
                same(&got, &want(layout, frame), &trial.name);
            }
        });
    });
}

#[test]
fn binds_from_a_later_slot_and_records_fewer() {
    on_every_adapter("color/gray_from_rgb slots", |ctx| {
        let input = layout(PixelFormat::Rgba8, (21, 5));
        let frames = paint(&input, &[1, 2, 3].map(|seed| Pattern::Random { seed }));
        let plan = GrayFromRgbPlan::new(ctx, &input).unwrap();
        let dst = poisoned(ctx, plan.output(), 3);
        let bound = plan.bind(ctx, &upload(ctx, &input, &frames), 1, &dst, 0).unwrap();
        run(ctx, |rec| bound.record(rec, 1));
        same(&tight(plan.output(), 0, &dst.read_slot(ctx, 0).unwrap()), &want(&input, &frames[1]), "second frame");
        untouched(ctx, &dst, 1);
        run(ctx, |rec| bound.record(rec, 99));
        same(&tight(plan.output(), 0, &dst.read_slot(ctx, 1).unwrap()), &want(&input, &frames[2]), "third frame");
        untouched(ctx, &dst, 2);
    });
}

#[test]
fn what_does_not_fit_is_refused() {
    on_every_adapter("color/gray_from_rgb refuses", |ctx| {
        refused(GrayFromRgbPlan::new(ctx, &layout(PixelFormat::Nv12, (4, 4))), "input");
        let input = layout(PixelFormat::Rgba8, (4, 4));
        let plan = GrayFromRgbPlan::new(ctx, &input).unwrap();
        let src = poisoned(ctx, &input, 1);
        refused(plan.bind(ctx, &src, 0, &poisoned(ctx, &layout(PixelFormat::Gray8, (5, 4)), 1), 0), "output");
        refused(plan.bind(ctx, &poisoned(ctx, plan.output(), 1), 0, &src, 0), "input");
        assert!(FrameLayout::of(PixelFormat::Rgba8, Size::new(0, 4)).is_none());
    });
}

#[test]
fn a_sabotaged_reference_is_rejected() {
    on_every_adapter("color/gray_from_rgb negative control", |ctx| {
        let input = layout(PixelFormat::Rgba8, (33, 9));
        let frame = Pattern::Random { seed: 9 }.frame(&input);
        let src = upload(ctx, &input, std::slice::from_ref(&frame));
        let dst = gray_from_rgb(ctx, &src).unwrap();
        let got = tight(dst.layout(), 0, &dst.read_slot(ctx, 0).unwrap());
        let swapped: Vec<u8> = frame.chunks(4).flat_map(|p| [p[2], p[1], p[0], p[3]]).collect();
        assert!(differ(&got, &want(&input, &frame)).is_none());
        assert!(differ(&got, &want(&input, &swapped)).is_some());
        let mut one_off = want(&input, &frame);
        *one_off.last_mut().unwrap() ^= 1;
        assert!(differ(&got, &one_off).is_some());
    });
}
