use crate::gpu::on_every_adapter;
use crate::pictures::*;
use crate::table;
use frameloom::Error;
use frameloom::core::*;
use frameloom::gpu::{AdapterClass, GpuContext, Recorder};
use frameloom::ops::{BatchShape, GpuFrames, histogram::luma::*};
use frameloom::reference::{self, FrameSlot, Plane};

fn want(layout: &FrameLayout, frame: &[u8], p: HistogramParams) -> Vec<u32> {
    let samples = FrameSlot::new(*layout, frame).unwrap().luma8().unwrap();
    reference::histogram::luma::luma(&Plane::tight(layout.size, &samples).unwrap(), p.bins, p.row_step).unwrap()
}

/// Counts of `count` frames from slot `first` on, into poisoned memory.
fn run(
    ctx: &GpuContext,
    src: &GpuFrames,
    p: HistogramParams,
    class: AdapterClass,
    first: u32,
    count: u32,
) -> Vec<Vec<u32>> {
    let plan = LumaHistogramPlan::for_class(ctx, src.layout(), p, class).unwrap();
    let bound = plan.bind(ctx, src, first).unwrap();
    poison(ctx, bound.results());
    let mut rec = Recorder::new(ctx, "test");
    bound.record(&mut rec, count);
    rec.run().unwrap();
    bound.decode(&bound.results().read(ctx, plan.result_bytes() * u64::from(count)).unwrap())
}

const BOTH: [AdapterClass; 2] = [AdapterClass::Cpu, AdapterClass::Gpu];

#[test]
fn equals_the_reference_for_all_shapes_and_patterns() {
    on_every_adapter("histogram/luma equals the reference", |ctx| {
        for format in LUMA_FORMATS {
            for shape in SHAPES {
                let layout = layout(format, shape);
                let frames = frames(&layout, 0, 7);
                let src = upload(ctx, &layout, &frames);
                for class in BOTH {
                    let p = HistogramParams::default();
                    for (f, got) in frames.iter().zip(run(ctx, &src, p, class, 0, 7)) {
                        assert_eq!(got, want(&layout, f, p), "{format} {shape:?} {class:?}");
                    }
                }
            }
        }
    });
}

#[test]
fn equals_the_reference_for_bins_steps_and_batches() {
    on_every_adapter("histogram/luma bins, row steps, batches", |ctx| {
        let layout = layout(PixelFormat::Nv12, (123, 66));
        let frames = frames(&layout, 0, 7);
        let src = upload(ctx, &layout, &frames);
        for class in BOTH {
            for (bins, row_step) in
                [(2, 1), (3, 2), (8, 7), (64, 65), (100, 66), (128, 1000), (255, u32::MAX), (256, 3)]
            {
                let p = HistogramParams { bins, row_step };
                for (first, count) in [(0, 1), (1, 2), (2, 5)] {
                    let got = run(ctx, &src, p, class, first, count);
                    assert_eq!(got.len(), count as usize);
                    for (f, got) in frames.iter().skip(first as usize).zip(got) {
                        assert_eq!(got, want(&layout, f, p), "{bins} bins, step {row_step}, {class:?}");
                    }
                }
            }
        }
    });
}

#[test]
fn sizes_may_differ_within_a_batch() {
    on_every_adapter("histogram/luma mixed sizes", |ctx| {
        for (f, format) in LUMA_FORMATS.into_iter().enumerate() {
            let trial = table::mixed(ctx, format, &SHAPES, f);
            let shape = BatchShape::of(trial.batch.as_ref()).unwrap();
            for (class, bins, row_step) in [(BOTH[0], 256, 1), (BOTH[1], 256, 1), (BOTH[0], 7, 3), (BOTH[1], 91, 2)] {
                let p = HistogramParams { bins, row_step };
                let plan = LumaHistogramPlan::for_class(ctx, shape, p, class).unwrap();
                let bound = plan.bind(ctx, trial.batch.as_ref(), 2).unwrap();
                poison(ctx, bound.results());
                let wanted: Vec<_> = trial.pictures[2..].iter().map(|(layout, f)| want(layout, f, p)).collect();
                assert_eq!(bound.run(ctx).unwrap(), wanted, "{format} {class:?} {bins} bins, step {row_step}");
            }
        }
    });
}

#[test]
fn full_hd_is_exact_and_the_same_every_time() {
    on_every_adapter("histogram/luma full HD", |ctx| {
        let layout = layout(PixelFormat::Gray8, FULL_HD);
        let frames = [frames(&layout, 0, 2), frames(&layout, 6, 1)].concat();
        let src = upload(ctx, &layout, &frames);
        for class in BOTH {
            let p = HistogramParams::default();
            let first = run(ctx, &src, p, class, 0, 3);
            for (f, got) in frames.iter().zip(&first) {
                assert_eq!(*got, want(&layout, f, p));
                assert_eq!(got.iter().map(|n| u64::from(*n)).sum::<u64>(), layout.size.area());
            }
            for _ in 0..3 {
                assert_eq!(run(ctx, &src, p, class, 0, 3), first);
            }
        }
        assert_eq!(
            luma(ctx, &src, HistogramParams::default()).unwrap()[1],
            want(&layout, &frames[1], HistogramParams::default())
        );
    });
}

#[test]
fn one_pixel_more_or_less_is_seen() {
    on_every_adapter("histogram/luma negative control", |ctx| {
        let layout = layout(PixelFormat::Gray8, (77, 55));
        let mut frames = frames(&layout, 6, 1);
        let p = HistogramParams::default();
        let before = want(&layout, &frames[0], p);
        let last = 54 * layout.first().stride as usize + 76;
        frames[0][last] = frames[0][last].wrapping_add(1);
        let src = upload(ctx, &layout, &frames);
        for class in BOTH {
            let got = run(ctx, &src, p, class, 0, 1);
            assert_ne!(got[0], before);
            assert_eq!(got[0], want(&layout, &frames[0], p));
        }
    });
}

#[test]
fn wrong_parameters_are_named() {
    on_every_adapter("histogram/luma refusals", |ctx| {
        let named = |format, shape, bins, row_step| match LumaHistogramPlan::new(
            ctx,
            &layout(format, shape),
            HistogramParams { bins, row_step },
        ) {
            Err(Error::Parameter { op: "histogram/luma", name, .. }) => name,
            other => panic!("{other:?}"),
        };
        assert_eq!(named(PixelFormat::Gray8, (4, 4), 1, 1), "bins");
        assert_eq!(named(PixelFormat::Gray8, (4, 4), 257, 1), "bins");
        assert_eq!(named(PixelFormat::Gray8, (4, 4), 256, 0), "row_step");
        assert_eq!(named(PixelFormat::Rgba8, (4, 4), 256, 1), "input");
        assert_eq!(named(PixelFormat::Gray8, (32_769, 1), 256, 1), "input");
        let plan =
            LumaHistogramPlan::new(ctx, &layout(PixelFormat::Gray8, (4, 4)), HistogramParams::default()).unwrap();
        let other = GpuFrames::new(ctx, "t", PixelFormat::Gray8, Size::new(5, 4), 1).unwrap();
        assert!(matches!(plan.bind(ctx, &other, 0), Err(Error::Parameter { name: "input", .. })));
    });
}
