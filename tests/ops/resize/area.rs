use super::{Record, Trial, check_mixed, selections};
use crate::gpu::on_every_adapter;
use crate::pictures::*;
use crate::results::*;
use crate::table;
use frameloom::core::{FrameLayout, PixelFormat, Size};
use frameloom::gpu::GpuContext;
use frameloom::ops::resize::{
    PlaneSelect,
    area::{AreaPlan, area},
};
use frameloom::ops::{BatchShape, GpuFrames};
use frameloom::reference::resize::area::area as reference;
use frameloom::reference::{Pattern, Plane};

fn resize(ctx: &GpuContext, src: (&GpuFrames, PlaneSelect), dst: (&GpuFrames, PlaneSelect)) -> Record {
    let plan = AreaPlan::new(ctx, (src.0.layout(), src.1), (dst.0.layout(), dst.1)).unwrap();
    let bound = plan.bind(ctx, src.0, 0, dst.0, 1).unwrap();
    Box::new(move |rec, count| bound.record(rec, count))
}

fn check_gray(ctx: &GpuContext, from: (u32, u32), to: (u32, u32), patterns: &[Pattern]) {
    let (input, output) = (layout(PixelFormat::Gray8, from), layout(PixelFormat::Gray8, to));
    let trial = Trial { input: &input, from: PlaneSelect::FIRST, output: &output, to: PlaneSelect::FIRST };
    trial.check(ctx, patterns, resize, reference);
}

#[test]
fn whole_factors_equal_the_reference() {
    on_every_adapter("resize/area whole factors", |ctx| {
        for (i, (x, y)) in
            [(1, 1), (2, 2), (3, 3), (4, 4), (5, 5), (6, 6), (7, 7), (8, 8), (4, 2), (1, 8), (7, 3), (9, 2)]
                .into_iter()
                .enumerate()
        {
            for (j, (w, h)) in [(1, 1), (3, 3), (15, 4), (16, 2), (17, 3), (33, 5)].into_iter().enumerate() {
                check_gray(ctx, (w * x, h * y), (w, h), &batch_patterns(i + j));
            }
        }
    });
}

#[test]
fn fractional_factors_equal_the_reference() {
    on_every_adapter("resize/area fractional factors", |ctx| {
        for (i, (w, h)) in SHAPES.into_iter().enumerate() {
            let sizes =
                [(w, h), (w.div_ceil(2), h.div_ceil(2)), ((w * 2).div_ceil(3), (h * 3).div_ceil(4)), (1, h), (w, 1)];
            for (j, to) in sizes.into_iter().enumerate() {
                check_gray(ctx, (w, h), to, &batch_patterns(i + j));
            }
        }
        check_gray(ctx, (176, 113), (1, 1), &[Pattern::Random { seed: 1 }, Pattern::Constant { level: 255 }]);
    });
}

#[test]
fn the_longest_loops_end_where_they_should() {
    on_every_adapter("resize/area longest loops", |ctx| {
        // 101 * 258 and 181 * 181 of 32768 steps.
        check_gray(ctx, (1024, 100), (1, 1), &[Pattern::Random { seed: 7 }, Pattern::Constant { level: 255 }]);
        let (input, output) = (layout(PixelFormat::Rgba8, (180, 180)), layout(PixelFormat::Rgba8, (1, 1)));
        let trial = Trial { input: &input, from: PlaneSelect::FIRST, output: &output, to: PlaneSelect::FIRST };
        trial.check(ctx, &[Pattern::Random { seed: 8 }, Pattern::Constant { level: 255 }], resize, reference);
        let too_long = layout(PixelFormat::Rgba8, (182, 182));
        refused(AreaPlan::new(ctx, (&too_long, PlaneSelect::FIRST), (&output, PlaneSelect::FIRST)), "output");
    });
}

#[test]
fn sums_beyond_32_bits_are_exact() {
    on_every_adapter("resize/area large sums", |ctx| {
        // D = 32767 * 8191 (no common factors): sums of 255 need 36 bits.
        let patterns = [Pattern::Constant { level: 255 }, Pattern::Random { seed: 3 }];
        check_gray(ctx, (32_767, 5), (512, 3), &patterns[..1]);
        check_gray(ctx, (8191, 63), (8190, 62), &patterns);
        check_gray(ctx, (5, 32_767), (4, 1024), &patterns[..1]);
    });
}

#[test]
fn every_plane_and_channel_equals_the_reference() {
    on_every_adapter("resize/area planes and channels", |ctx| {
        for (i, (from_format, from, to_format, to)) in selections().into_iter().enumerate() {
            // The result has the size of the plane, halved, and in a fractional factor. Interleaved chroma of 2n pixels has n.
            let input = layout(from_format, (76, 36));
            let plane = input.planes()[from.plane].shape;
            let chroma = from.plane > 0 && to_format == PixelFormat::Nv12;
            let channels = if from_format == PixelFormat::Rgba8 {
                4
            } else {
                1 + u32::from(from_format.semi_planar() && from.plane == 1)
            };
            let scale = if chroma { 2 } else { 1 };
            let (w, h) = (plane.samples / channels * scale, plane.rows * scale);
            for (w, h) in [(w / 2, h / 2), (w / 2 + 3, h / 3), (w, h)] {
                let output = layout(to_format, (w, h));
                Trial { input: &input, from, output: &output, to }.check(ctx, &batch_patterns(i), resize, reference);
            }
        }
    });
}

#[test]
fn pictures_of_all_sizes_at_once_equal_the_reference() {
    on_every_adapter("resize/area mixed sizes", |ctx| {
        let to = (16, 10);
        check_mixed(
            ctx,
            &[(96, 70), (33, 41), (128, 20), (77, 55), (32, 20), (176, 113), (66, 40)],
            Size::new(to.0, to.1),
            area,
            reference,
        );
        // A mixed plan refuses pictures smaller than the result, or larger than planned.
        let shape = BatchShape::mixed(PixelFormat::Gray8, Size::new(40, 40)).unwrap();
        let mixed =
            AreaPlan::new(ctx, (shape, PlaneSelect::FIRST), (&layout(PixelFormat::Gray8, to), PlaneSelect::FIRST))
                .unwrap();
        let dst = poisoned(ctx, &layout(PixelFormat::Gray8, to), 2);
        for (width, height) in [(15, 30), (30, 9), (41, 20)] {
            let pictures = table::mixed(ctx, PixelFormat::Gray8, &[(20, 20), (width, height)], 0);
            refused(mixed.bind(ctx, pictures.batch.as_ref(), 0, &dst, 0), "input");
        }
        // Results only where there are slots, from the second picture on.
        let pictures = table::mixed(ctx, PixelFormat::Gray8, &[(40, 40), (33, 21), (17, 38), (40, 10)], 0);
        let shape = BatchShape::of(pictures.batch.as_ref()).unwrap();
        let output = layout(PixelFormat::Gray8, (16, 10));
        let plan = AreaPlan::new(ctx, (shape, PlaneSelect::FIRST), (&output, PlaneSelect::FIRST)).unwrap();
        let dst = poisoned(ctx, &output, 3);
        let bound = plan.bind(ctx, pictures.batch.as_ref(), 1, &dst, 1).unwrap();
        assert_eq!(bound.capacity(), 2);
        run(ctx, |rec| bound.record(rec, 9));
        untouched(ctx, &dst, 0);
        for (slot, (size, luma)) in pictures.lumas().enumerate().skip(1).take(2) {
            let want = reference(&Plane::tight(size, &luma).unwrap(), output.size).unwrap();
            same(&tight(&output, 0, &dst.read_slot(ctx, slot as u32).unwrap()), &want, slot);
        }
    });
}

/// A plan for pictures of more than 2^24 pixels takes another kernel: tried with smaller ones, which it takes as well.
#[test]
fn plans_for_large_packed_pictures_equal_the_reference() {
    on_every_adapter("resize/area large packed pictures", |ctx| {
        let shape = BatchShape::mixed(PixelFormat::Rgba8, Size::new(32_768, 513)).unwrap();
        let output = layout(PixelFormat::Rgba8, (513, 20));
        let plan = AreaPlan::new(ctx, (shape, PlaneSelect::FIRST), (&output, PlaneSelect::FIRST)).unwrap();
        let trial = table::mixed(ctx, PixelFormat::Rgba8, &[(600, 30), (513, 20), (1031, 41)], 3);
        let dst = poisoned(ctx, &output, 3);
        let bound = plan.bind(ctx, trial.batch.as_ref(), 0, &dst, 0).unwrap();
        run(ctx, |rec| bound.record(rec, 3));
        for (slot, (source, bytes)) in (0..).zip(&trial.pictures) {
            let stride = source.first().stride as usize;
            let want = reference(&Plane::interleaved(source.size, 4, stride, bytes).unwrap(), output.size).unwrap();
            same(&tight(&output, 0, &dst.read_slot(ctx, slot).unwrap()), &want, source.size);
        }
    });
}

#[test]
fn full_hd_equals_the_reference() {
    on_every_adapter("resize/area full HD", |ctx| {
        check_gray(ctx, (1920, 1080), (480, 270), &[Pattern::Natural { seed: 2, shift: 0 }]);
        check_gray(ctx, (1920, 1080), (398, 224), &[Pattern::Random { seed: 2 }]);
    });
}

#[test]
fn what_does_not_fit_is_refused() {
    on_every_adapter("resize/area refuses", |ctx| {
        let gray = layout(PixelFormat::Gray8, (16, 16));
        let nv12 = layout(PixelFormat::Nv12, (16, 16));
        let plan = |a: &FrameLayout, from, b: &FrameLayout, to| AreaPlan::new(ctx, (a, from), (b, to));
        let first = PlaneSelect::FIRST;
        refused(plan(&gray, first, &layout(PixelFormat::Gray8, (17, 16)), first), "output");
        refused(plan(&gray, PlaneSelect::plane(1), &gray, first), "input");
        refused(plan(&nv12, PlaneSelect { plane: 1, channel: Some(2) }, &gray, first), "input");
        refused(plan(&nv12, PlaneSelect::plane(1), &layout(PixelFormat::Gray8, (4, 4)), first), "output");
        refused(
            plan(&nv12, PlaneSelect { plane: 1, channel: Some(0) }, &nv12, PlaneSelect { plane: 1, channel: Some(0) }),
            "output",
        );
        refused(plan(&gray, first, &layout(PixelFormat::I010, (4, 4)), first), "output");
        refused(plan(&layout(PixelFormat::Gray8, (40_000, 1)), first, &gray, first), "input");
        refused(
            plan(&layout(PixelFormat::Gray8, (1920, 1080)), first, &layout(PixelFormat::Gray8, (1, 1)), first),
            "output",
        );
        refused(area(ctx, &poisoned(ctx, &nv12, 1), PlaneSelect::plane(1), Size::new(2, 2)), "input");
        refused(area(ctx, &poisoned(ctx, &gray, 1), first, Size::new(0, 2)), "to");
        let ready = plan(&gray, first, &gray, first).unwrap();
        let src = poisoned(ctx, &gray, 1);
        refused(ready.bind(ctx, &src, 0, &src, 0), "output");
        refused(ready.bind(ctx, &poisoned(ctx, &nv12, 1), 0, &src, 0), "input");
        let dst = poisoned(ctx, &gray, 2);
        for behind in [2, u32::MAX] {
            refused(ready.bind(ctx, &src, 0, &dst, behind), "dst_first");
        }
    });
}

#[test]
fn a_sabotaged_reference_is_rejected() {
    on_every_adapter("resize/area negative control", |ctx| {
        let input = layout(PixelFormat::Gray8, (64, 32));
        let frame = Pattern::Random { seed: 9 }.frame(&input);
        let dst = area(ctx, &upload(ctx, &input, std::slice::from_ref(&frame)), PlaneSelect::FIRST, Size::new(16, 8))
            .unwrap();
        let got = tight(dst.layout(), 0, &dst.read_slot(ctx, 0).unwrap());
        let plane = Plane::new(input.size, 64, &frame).unwrap();
        same(&got, &reference(&plane, Size::new(16, 8)).unwrap(), "as it is");
        // Truncated instead of rounded.
        let truncated: Vec<u8> = (0..128)
            .map(|i| {
                let (x, y) = (i % 16 * 4, i / 16 * 4);
                let sum: u32 = (0..16).map(|k| u32::from(plane.at(x + k % 4, y + k / 4, 0))).sum();
                (sum / 16) as u8
            })
            .collect();
        assert!(differ(&got, &truncated).is_some());
    });
}
