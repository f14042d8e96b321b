use crate::gpu::on_every_adapter;
use crate::pictures::*;
use crate::resized::{Resize, wanted};
use crate::results::*;
use crate::table;
use frameloom::core::{Anchor, PixelFormat, Rect, Size};
use frameloom::gpu::GpuContext;
use frameloom::ops::color::gray_from_rgb::GrayFromRgbPlan;
use frameloom::ops::resize::letterbox::{LetterboxFilter, LetterboxParams, LetterboxPlan, letterbox};
use frameloom::ops::{BatchShape, GpuFrames, Record};
use frameloom::reference::Pattern;
use frameloom::reference::resize::letterbox::letterbox as reference;

const GRAY: [u8; 4] = [114, 20, 230, 255];

/// Runs `visit` with the letterbox of some parameters.
fn with(filter: LetterboxFilter, anchor: Anchor, visit: impl Fn(&Resize<'_>)) {
    let params = LetterboxParams { filter, anchor, color: GRAY };
    visit(&Resize {
        bind: &|ctx, [input, output], (src, first), (dst, dst_first)| {
            Ok(LetterboxPlan::new(ctx, input, output, params)?.bind(ctx, src, first, dst, dst_first)?.into())
        },
        want: &|plane, to| reference(plane, to, anchor, GRAY, filter == LetterboxFilter::Area).unwrap().0,
    });
}

#[test]
fn bilinear_equals_the_reference() {
    on_every_adapter("resize/letterbox bilinear equals the reference", |ctx| {
        with(LetterboxFilter::Bilinear, Anchor::Center, |r| r.check_all(ctx));
    });
}

#[test]
fn area_equals_the_reference() {
    on_every_adapter("resize/letterbox area equals the reference", |ctx| {
        with(LetterboxFilter::Area, Anchor::TopLeft, |r| r.check_all(ctx));
    });
}

/// Pictures of many shapes into one size, as a model wants them, with every alignment of the left edge.
#[test]
fn one_common_size_equals_the_reference() {
    on_every_adapter("resize/letterbox one size", |ctx| {
        for format in [PixelFormat::Nv12, PixelFormat::Rgba8] {
            let sizes: Vec<(u32, u32)> = (1..25).map(|i| (i * 3, 80 - 2 * i)).chain([(300, 20), (20, 300)]).collect();
            let trial = table::mixed(ctx, format, &sizes, 1);
            for filter in [LetterboxFilter::Area, LetterboxFilter::Bilinear] {
                with(filter, Anchor::Center, |r| r.check(ctx, &trial, &vec![Size::new(37, 29); sizes.len()]));
            }
        }
    });
}

#[test]
fn the_rectangles_are_returned() {
    on_every_adapter("resize/letterbox rectangles", |ctx| {
        let trial = table::mixed(ctx, PixelFormat::Gray8, &[(192, 108), (108, 192), (64, 64)], 0);
        let to = layout(PixelFormat::Gray8, (64, 64));
        let params = LetterboxParams { filter: LetterboxFilter::Area, anchor: Anchor::Center, color: GRAY };
        let plan = LetterboxPlan::new(ctx, BatchShape::of(trial.batch.as_ref()).unwrap(), &to, params).unwrap();
        let bound = plan.bind(ctx, trial.batch.as_ref(), 0, &poisoned(ctx, &to, 3), 0).unwrap();
        let rect = |x, y, width, height| Rect { x, y, width, height };
        assert_eq!(bound.contents(), [rect(0, 14, 64, 36), rect(14, 0, 36, 64), rect(0, 0, 64, 64)]);
        assert_eq!(bound.capacity(), 3);
    });
}

/// The result feeds another operation without a hop to the host.
#[test]
fn chains_into_other_operations() {
    on_every_adapter("resize/letterbox chain", |ctx| {
        let input = layout(PixelFormat::Rgba8, (40, 30));
        let slot = Pattern::Natural { seed: 1, shift: 0 }.frame(&input);
        let params = LetterboxParams { filter: LetterboxFilter::Area, anchor: Anchor::Center, color: GRAY };
        let between = poisoned(ctx, &layout(PixelFormat::Rgba8, (20, 20)), 1);
        let last = poisoned(ctx, &layout(PixelFormat::Gray8, (20, 20)), 1);
        let src = upload(ctx, &input, std::slice::from_ref(&slot));
        let fitted = LetterboxPlan::new(ctx, &input, between.layout(), params).unwrap();
        let gray = GrayFromRgbPlan::new(ctx, between.layout()).unwrap().bind(ctx, &between, 0, &last, 0).unwrap();
        let chain = fitted.bind(ctx, &src, 0, &between, 0).unwrap().chain(gray);
        run(ctx, |rec| chain.record(rec, 1));
        let rgba = wanted(&input, &slot, |p| reference(p, Size::new(20, 20), Anchor::Center, GRAY, true).unwrap().0);
        let gray = |p: &[u8]| {
            ((9798 * u32::from(p[0]) + 19235 * u32::from(p[1]) + 3735 * u32::from(p[2]) + 16384) >> 15) as u8
        };
        let want: Vec<u8> = rgba.chunks(4).map(gray).collect();
        same(&tight(last.layout(), 0, &last.read_slot(ctx, 0).unwrap()), &want, "grey of the letterbox");
    });
}

#[test]
fn slots_and_repeats() {
    on_every_adapter("resize/letterbox slots", |ctx| {
        with(LetterboxFilter::Bilinear, Anchor::TopLeft, |r| r.check_slots(ctx));
        with(LetterboxFilter::Area, Anchor::Center, |r| r.check_slots(ctx));
    });
}

#[test]
fn what_does_not_fit_is_refused() {
    on_every_adapter("resize/letterbox refuses", |ctx| {
        with(LetterboxFilter::Bilinear, Anchor::Center, |r| r.check_refusals(ctx));
        let params = LetterboxParams { filter: LetterboxFilter::Area, anchor: Anchor::Center, color: GRAY };
        let fit = |ctx: &GpuContext, src: &GpuFrames, to| letterbox(ctx, src, to, params);
        let src = poisoned(ctx, &layout(PixelFormat::Gray8, (400, 300)), 1);
        refused(fit(ctx, &src, Size::new(0, 4)), "to");
        // 120,000 sources for one pixel.
        refused(fit(ctx, &src, Size::new(1, 1)), "output");
    });
}

#[test]
fn a_sabotaged_reference_is_rejected() {
    on_every_adapter("resize/letterbox negative control", |ctx| {
        with(LetterboxFilter::Area, Anchor::Center, |r| {
            r.check_sabotage(ctx);
            // The other filter and the other corner are seen.
            let (input, to) = (layout(PixelFormat::Gray8, (60, 30)), Size::new(20, 20));
            let slot = Pattern::Random { seed: 2 }.frame(&input);
            let got = r.run(ctx, &input, &slot, to);
            for (anchor, by_area) in [(Anchor::TopLeft, true), (Anchor::Center, false)] {
                let other = wanted(&input, &slot, |p| reference(p, to, anchor, GRAY, by_area).unwrap().0);
                assert!(differ(&got, &other).is_some());
            }
        });
    });
}
