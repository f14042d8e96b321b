use crate::gpu::on_every_adapter;
use crate::pictures::*;
use crate::results::*;
use crate::table;
use frameloom::core::{FrameLayout, HsvRange, PixelFormat};
use frameloom::gpu::GpuContext;
use frameloom::ops::BatchShape;
use frameloom::ops::color::hsv_range::{HsvRangePlan, hsv_range};
use frameloom::reference::color::hsv_range::hsv_range as reference;
use frameloom::reference::{Pattern, Plane};

/// All, reds through 0, one colour, bright ones.
const RANGES: [HsvRange; 4] = [
    HsvRange { low: [0, 0, 0], high: [179, 255, 255] },
    HsvRange { low: [150, 30, 20], high: [40, 255, 220] },
    HsvRange { low: [20, 10, 10], high: [120, 200, 255] },
    HsvRange { low: [0, 0, 201], high: [179, 255, 255] },
];

fn want(layout: &FrameLayout, frame: &[u8], range: HsvRange) -> Vec<u8> {
    reference(&Plane::interleaved(layout.size, 4, layout.first().stride as usize, frame).unwrap(), range).unwrap()
}

fn check(ctx: &GpuContext, size: (u32, u32), patterns: &[Pattern], range: HsvRange) {
    let input = layout(PixelFormat::Rgba8, size);
    let frames = paint(&input, patterns);
    let count = frames.len() as u32;
    let plan = HsvRangePlan::new(ctx, &input, range).unwrap();
    let src = upload(ctx, &input, &frames);
    let dst = poisoned(ctx, plan.output(), count + 2);
    let bound = plan.bind(ctx, &src, 0, &dst, 1).unwrap();
    for turn in 0..2 {
        run(ctx, |rec| bound.record(rec, count));
        for (i, frame) in frames.iter().enumerate() {
            let got = dst.read_slot(ctx, i as u32 + 1).unwrap();
            let name = format!("{size:?} frame {i} turn {turn} {range:?}");
            same(&tight(plan.output(), 0, &got), &want(&input, frame, range), name);
        }
    }
    untouched(ctx, &dst, 0);
    untouched(ctx, &dst, count + 1);
}

#[test]
fn equals_the_reference() {
    on_every_adapter("color/hsv_range equals the reference", |ctx| {
        for (i, shape) in SHAPES.into_iter().enumerate() {
            check(ctx, shape, &batch_patterns(i), RANGES[i % 4]);
        }
        for range in RANGES {
            check(ctx, (123, 66), &[Pattern::Random { seed: 3 }, Pattern::Natural { seed: 4, shift: 0 }], range);
        }
        check(ctx, (1920, 1080), &[Pattern::Random { seed: 4 }], RANGES[1]);
    });
}

#[test]
fn sizes_may_differ_within_a_batch() {
    on_every_adapter("color/hsv_range mixed sizes", |ctx| {
        table::each(ctx, &[PixelFormat::Rgba8], |trial| {
            let plan = HsvRangePlan::new(ctx, BatchShape::of(trial.batch.as_ref()).unwrap(), RANGES[1]).unwrap();
            let got =
                table::mapped(ctx, trial, PixelFormat::Gray8, |dst| plan.bind(ctx, trial.batch.as_ref(), 0, dst, 0));
            for ((layout, frame), got) in trial.pictures.iter().zip(got) {
                same(&got, &want(layout, frame, RANGES[1]), &trial.name);
            }
        });
    });
}

#[test]
fn what_does_not_fit_is_refused() {
    on_every_adapter("color/hsv_range refuses", |ctx| {
        let plan = |format, range| HsvRangePlan::new(ctx, &layout(format, (4, 4)), range);
        refused(plan(PixelFormat::Nv12, RANGES[0]), "input");
        refused(plan(PixelFormat::Rgba8, HsvRange { high: [180, 0, 0], ..RANGES[0] }), "hue");
        refused(plan(PixelFormat::Rgba8, HsvRange { low: [0, 9, 0], high: [9, 8, 255] }), "range");
        let plan = plan(PixelFormat::Rgba8, RANGES[0]).unwrap();
        let src = poisoned(ctx, &layout(PixelFormat::Rgba8, (4, 4)), 1);
        refused(plan.bind(ctx, &src, 0, &poisoned(ctx, &layout(PixelFormat::Gray8, (5, 4)), 1), 0), "output");
    });
}

#[test]
fn a_sabotaged_reference_is_rejected() {
    on_every_adapter("color/hsv_range negative control", |ctx| {
        let input = layout(PixelFormat::Rgba8, (33, 9));
        let frame = Pattern::Random { seed: 9 }.frame(&input);
        let dst = hsv_range(ctx, &upload(ctx, &input, std::slice::from_ref(&frame)), RANGES[1]).unwrap();
        let got = tight(dst.layout(), 0, &dst.read_slot(ctx, 0).unwrap());
        assert!(differ(&got, &want(&input, &frame, RANGES[1])).is_none());
        let narrower = HsvRange { high: [39, 255, 220], ..RANGES[1] };
        assert!(differ(&got, &want(&input, &frame, narrower)).is_some());
    });
}
