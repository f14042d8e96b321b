use crate::gpu::on_every_adapter;
use crate::pictures::*;
use crate::results::*;
use crate::table;
use frameloom::core::{FrameLayout, PixelFormat};
use frameloom::gpu::GpuContext;
use frameloom::ops::BatchShape;
use frameloom::ops::color::hsv_from_rgb::{HsvFromRgbPlan, hsv_from_rgb};
use frameloom::reference::color::hsv_from_rgb::{hsv_from_rgb as reference, hsv_of};
use frameloom::reference::{Pattern, Plane};

fn want(layout: &FrameLayout, frame: &[u8]) -> Vec<u8> {
    let plane = Plane::interleaved(layout.size, 4, layout.first().stride as usize, frame).unwrap();
    reference(&plane).unwrap().into_iter().flat_map(u32::to_le_bytes).collect()
}

fn check(ctx: &GpuContext, size: (u32, u32), patterns: &[Pattern]) {
    let input = layout(PixelFormat::Rgba8, size);
    let frames = paint(&input, patterns);
    let count = frames.len() as u32;
    let src = upload(ctx, &input, &frames);
    let dst = poisoned(ctx, &input, count + 2);
    let bound = HsvFromRgbPlan::new(ctx, &input).unwrap().bind(ctx, &src, 0, &dst, 1).unwrap();
    for turn in 0..2 {
        run(ctx, |rec| bound.record(rec, count));
        for (i, frame) in frames.iter().enumerate() {
            let got = dst.read_slot(ctx, i as u32 + 1).unwrap();
            same(&tight(&input, 0, &got), &want(&input, frame), format!("{size:?} frame {i} turn {turn}"));
        }
    }
    untouched(ctx, &dst, 0);
    untouched(ctx, &dst, count + 1);
}

#[test]
fn equals_the_reference() {
    on_every_adapter("color/hsv_from_rgb equals the reference", |ctx| {
        for (i, shape) in SHAPES.into_iter().enumerate() {
            check(ctx, shape, &batch_patterns(i));
        }
        check(ctx, (1920, 1080), &[Pattern::Natural { seed: 4, shift: 0 }]);
    });
}

#[test]
fn sizes_may_differ_within_a_batch() {
    on_every_adapter("color/hsv_from_rgb mixed sizes", |ctx| {
        let trial = table::mixed(ctx, PixelFormat::Rgba8, &SHAPES, 0);
        let plan = HsvFromRgbPlan::new(ctx, BatchShape::of(trial.batch.as_ref()).unwrap()).unwrap();
        let src = trial.batch.as_ref();
        let got = table::mapped(ctx, &trial, PixelFormat::Rgba8, |dst| plan.bind(ctx, src, 0, dst, 0));
        for ((layout, frame), got) in trial.pictures.iter().zip(got) {
            same(&got, &want(layout, frame), format!("mixed {}", layout.size));
        }
    });
}

#[test]
fn all_colours_equal_the_reference() {
    on_every_adapter("color/hsv_from_rgb on all 2^24 colours", |ctx| {
        // A slice of 4096x256 holds 2^20 colours.
        let input = layout(PixelFormat::Rgba8, (4096, 256));
        let src = poisoned(ctx, &input, 1);
        let dst = poisoned(ctx, &input, 1);
        let bound = HsvFromRgbPlan::new(ctx, &input).unwrap().bind(ctx, &src, 0, &dst, 0).unwrap();
        for slice in 0..16u32 {
            let first = slice << 20;
            let bytes: Vec<u8> = (first..first + (1 << 20)).flat_map(u32::to_le_bytes).collect();
            src.buffer().write(ctx, 0, &bytes).unwrap();
            run(ctx, |rec| bound.record(rec, 1));
            let got = dst.read_slot(ctx, 0).unwrap();
            for (colour, hsv) in (first..).zip(got.as_chunks::<4>().0) {
                let [r, g, b, _] = colour.to_le_bytes();
                let [h, s, v] = hsv_of([r, g, b]);
                assert_eq!(*hsv, [h, s, v, 0], "{:?}", [r, g, b]);
            }
        }
    });
}

#[test]
fn what_does_not_fit_is_refused() {
    on_every_adapter("color/hsv_from_rgb refuses", |ctx| {
        refused(HsvFromRgbPlan::new(ctx, &layout(PixelFormat::I420, (4, 4))), "input");
        let input = layout(PixelFormat::Rgba8, (4, 4));
        let plan = HsvFromRgbPlan::new(ctx, &input).unwrap();
        let src = poisoned(ctx, &input, 1);
        refused(plan.bind(ctx, &src, 0, &poisoned(ctx, &layout(PixelFormat::Rgba8, (4, 5)), 1), 0), "output");
        // In place would read what it has written.
        refused(plan.bind(ctx, &src, 0, &src, 0), "output");
    });
}

#[test]
fn a_sabotaged_reference_is_rejected() {
    on_every_adapter("color/hsv_from_rgb negative control", |ctx| {
        let input = layout(PixelFormat::Rgba8, (33, 9));
        let frame = Pattern::Random { seed: 9 }.frame(&input);
        let src = upload(ctx, &input, std::slice::from_ref(&frame));
        let dst = hsv_from_rgb(ctx, &src).unwrap();
        let got = tight(&input, 0, &dst.read_slot(ctx, 0).unwrap());
        let swapped: Vec<u8> = frame.chunks(4).flat_map(|p| [p[2], p[1], p[0], p[3]]).collect();
        assert!(differ(&got, &want(&input, &frame)).is_none());
        assert!(differ(&got, &want(&input, &swapped)).is_some());
    });
}
