use crate::gpu::on_every_adapter;
use crate::pictures::*;
use frameloom::Error;
use frameloom::core::*;
use frameloom::gpu::{GpuContext, Recorder};
use frameloom::ops::{GpuFrames, motion::frame_difference::*};
use frameloom::reference::{self, FrameSlot, Plane};

fn want(layout: &FrameLayout, a: &[u8], b: &[u8], threshold: u8) -> DifferenceSums {
    let luma = |f| FrameSlot::new(*layout, f).unwrap().luma8().unwrap();
    let (a, b) = (luma(a), luma(b));
    let plane = |s| Plane::tight(layout.size, s).unwrap();
    reference::motion::frame_difference::frame_difference(&plane(&a), &plane(&b), threshold).unwrap()
}

/// Sums of `count` frames from slot `first` on, into poisoned memory.
fn run(ctx: &GpuContext, src: &GpuFrames, threshold: u8, first: u32, count: u32) -> Vec<DifferenceSums> {
    let plan = FrameDifferencePlan::new(ctx, src.layout(), threshold).unwrap();
    let bound = plan.bind(ctx, src, first).unwrap();
    poison(ctx, bound.results());
    let mut rec = Recorder::new(ctx, "test");
    bound.record(&mut rec, count);
    rec.run().unwrap();
    bound.decode(&bound.results().read(ctx, FrameDifferencePlan::RESULT_BYTES * u64::from(count)).unwrap())
}

#[test]
fn equals_the_reference_for_all_shapes_and_patterns() {
    on_every_adapter("motion/frame_difference equals the reference", |ctx| {
        for format in LUMA_FORMATS {
            for shape in SHAPES {
                let layout = layout(format, shape);
                let frames = frames(&layout, 0, 10);
                let src = upload(ctx, &layout, &frames);
                for threshold in [0, 1, 20, 254, 255] {
                    let got = run(ctx, &src, threshold, 1, 9);
                    for (pair, got) in frames.windows(2).zip(got) {
                        assert_eq!(got, want(&layout, &pair[0], &pair[1], threshold), "{format} {shape:?} {threshold}");
                    }
                }
            }
        }
    });
}

#[test]
fn batches_may_begin_and_end_anywhere() {
    on_every_adapter("motion/frame_difference batches", |ctx| {
        let layout = layout(PixelFormat::Nv12, (123, 66));
        let frames = frames(&layout, 0, 8);
        let src = upload(ctx, &layout, &frames);
        for (first, count) in [(1, 1), (3, 2), (3, 5), (7, 1)] {
            let got = run(ctx, &src, 12, first, count);
            assert_eq!(got.len(), count as usize);
            for (pair, got) in frames.windows(2).skip(first as usize - 1).zip(got) {
                assert_eq!(got, want(&layout, &pair[0], &pair[1], 12));
            }
        }
        assert_eq!(frame_difference(ctx, &upload(ctx, &layout, &frames[..1]), 12).unwrap(), []);
    });
}

#[test]
fn full_hd_is_exact_up_to_the_largest_sum_and_the_same_every_time() {
    on_every_adapter("motion/frame_difference full HD", |ctx| {
        let layout = layout(PixelFormat::Gray8, FULL_HD);
        let frames = frames(&layout, 0, 4);
        let src = upload(ctx, &layout, &frames);
        let first = frame_difference(ctx, &src, 254).unwrap();
        for (pair, got) in frames.windows(2).zip(&first) {
            assert_eq!(*got, want(&layout, &pair[0], &pair[1], 254));
        }
        // Frames 1 and 2 are all 0 and all 255.
        let n = layout.size.area();
        assert_eq!(first[1], DifferenceSums { sum_abs: 255 * n, over: n, n, sum_both: 255 * n });
        assert_eq!(first[1].mean_relative(), 2.0);
        for _ in 0..3 {
            assert_eq!(run(ctx, &src, 254, 1, 3), first);
        }
    });
}

/// The largest picture needs more workgroups than one dimension of a dispatch holds; its frames are beyond a binding of most adapters.
#[test]
fn the_largest_picture_can_be_planned() {
    on_every_adapter("motion/frame_difference largest picture", |ctx| {
        FrameDifferencePlan::new(ctx, &layout(PixelFormat::Gray8, (32_768, 32_768)), 1).unwrap();
    });
}

/// Half the light, half the differences, half the mean: the relative figure stays.
#[test]
fn the_relative_figure_does_not_follow_the_light() {
    on_every_adapter("motion/frame_difference relative", |ctx| {
        let layout = layout(PixelFormat::Gray8, (64, 9));
        let bright: Vec<Vec<u8>> =
            (0..2).map(|t| (0..layout.slot_bytes()).map(|i| (i * 7 + t * 40) as u8 & 0xFE).collect()).collect();
        let dark: Vec<Vec<u8>> = bright.iter().map(|f| f.iter().map(|v| v / 2).collect()).collect();
        let figure =
            |frames: &[Vec<u8>]| frame_difference(ctx, &upload(ctx, &layout, frames), 0).unwrap()[0].mean_relative();
        assert!(figure(&bright) > 0.1);
        assert_eq!(figure(&bright), figure(&dark));
    });
}

#[test]
fn one_changed_pixel_is_seen() {
    on_every_adapter("motion/frame_difference negative control", |ctx| {
        for shape in SHAPES {
            let layout = layout(PixelFormat::Gray8, shape);
            let mut frames = vec![frames(&layout, 6, 1).remove(0); 2];
            let last = ((shape.1 - 1) * layout.first().stride + shape.0 - 1) as usize;
            frames[1][last] ^= 64;
            let got = frame_difference(ctx, &upload(ctx, &layout, &frames), 63).unwrap();
            let want = want(&layout, &frames[0], &frames[1], 63);
            assert_eq!((want.sum_abs, want.over, want.n), (64, 1, layout.size.area()));
            assert_eq!(got, [want]);
        }
    });
}

#[test]
fn wrong_parameters_are_named() {
    on_every_adapter("motion/frame_difference refusals", |ctx| {
        let named = |r: frameloom::Result<()>| match r {
            Err(Error::Parameter { op: "motion/frame_difference", name, .. }) => name,
            other => panic!("{other:?}"),
        };
        let plan = |format, shape| FrameDifferencePlan::new(ctx, &layout(format, shape), 1);
        assert_eq!(named(plan(PixelFormat::Rgba8, (4, 4)).map(drop)), "input");
        assert_eq!(named(plan(PixelFormat::Gray8, (1, 32_769)).map(drop)), "input");
        let plan = plan(PixelFormat::Gray8, (4, 4)).unwrap();
        let src = |w| GpuFrames::new(ctx, "t", PixelFormat::Gray8, Size::new(w, 4), 2).unwrap();
        assert_eq!(named(plan.bind(ctx, &src(4), 0).map(drop)), "first");
        assert_eq!(named(plan.bind(ctx, &src(4), 2).map(drop)), "first");
        assert_eq!(named(plan.bind(ctx, &src(4), 3).map(drop)), "first");
        assert_eq!(named(plan.bind(ctx, &src(5), 1).map(drop)), "input");
    });
}
