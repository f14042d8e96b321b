use super::{Record, Trial, check_mixed, selections};
use crate::gpu::on_every_adapter;
use crate::pictures::*;
use crate::results::*;
use crate::table;
use frameloom::core::{FrameLayout, PixelFormat, Size};
use frameloom::gpu::GpuContext;
use frameloom::ops::resize::{
    PlaneSelect,
    bilinear::{BilinearPlan, bilinear},
};
use frameloom::ops::{BatchShape, GpuFrames};
use frameloom::reference::resize::bilinear::bilinear as reference;
use frameloom::reference::{Pattern, Plane};

fn resize(ctx: &GpuContext, src: (&GpuFrames, PlaneSelect), dst: (&GpuFrames, PlaneSelect)) -> Record {
    let plan = BilinearPlan::new(ctx, (src.0.layout(), src.1), (dst.0.layout(), dst.1)).unwrap();
    let bound = plan.bind(ctx, src.0, 0, dst.0, 1).unwrap();
    Box::new(move |rec, count| bound.record(rec, count))
}

fn check_gray(ctx: &GpuContext, from: (u32, u32), to: (u32, u32), patterns: &[Pattern]) {
    let (input, output) = (layout(PixelFormat::Gray8, from), layout(PixelFormat::Gray8, to));
    let trial = Trial { input: &input, from: PlaneSelect::FIRST, output: &output, to: PlaneSelect::FIRST };
    trial.check(ctx, patterns, resize, reference);
}

#[test]
fn equals_the_reference() {
    on_every_adapter("resize/bilinear equals the reference", |ctx| {
        for (i, (w, h)) in SHAPES.into_iter().enumerate() {
            for (j, to) in [(w, h), (w * 2, h * 2), (w.div_ceil(2), h * 3), (w + 1, h.div_ceil(3)), (15, 16), (1, 1)]
                .into_iter()
                .enumerate()
            {
                check_gray(ctx, (w, h), to, &batch_patterns(i + j));
            }
        }
    });
}

#[test]
fn the_longest_sides_equal_the_reference() {
    on_every_adapter("resize/bilinear long sides", |ctx| {
        let noise = [Pattern::Random { seed: 1 }];
        check_gray(ctx, (32_768, 2), (32_767, 2), &noise);
        check_gray(ctx, (3, 2), (32_768, 1), &noise);
        check_gray(ctx, (2, 32_768), (1, 32_768), &noise);
        check_gray(ctx, (32_768, 1), (7, 3), &noise);
    });
}

#[test]
fn every_plane_and_channel_equals_the_reference() {
    on_every_adapter("resize/bilinear planes and channels", |ctx| {
        for (i, (from_format, from, to_format, to)) in selections().into_iter().enumerate() {
            let input = layout(from_format, (77, 35));
            for (w, h) in [(50, 20), (131, 66)] {
                let output = layout(to_format, (w, h));
                Trial { input: &input, from, output: &output, to }.check(ctx, &batch_patterns(i), resize, reference);
            }
        }
    });
}

#[test]
fn pictures_of_all_sizes_at_once_equal_the_reference() {
    on_every_adapter("resize/bilinear mixed sizes", |ctx| {
        let to = (33, 18);
        check_mixed(ctx, &SHAPES, Size::new(to.0, to.1), bilinear, reference);
        // Results only where there are slots, from the second picture on.
        let pictures = table::mixed(ctx, PixelFormat::Gray8, &[(40, 40), (33, 21), (17, 38), (40, 10)], 0);
        let shape = BatchShape::of(pictures.batch.as_ref()).unwrap();
        let output = layout(PixelFormat::Gray8, (16, 10));
        let plan = BilinearPlan::new(ctx, (shape, PlaneSelect::FIRST), (&output, PlaneSelect::FIRST)).unwrap();
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

#[test]
fn full_hd_equals_the_reference() {
    on_every_adapter("resize/bilinear full HD", |ctx| {
        check_gray(ctx, (1920, 1080), (1280, 720), &[Pattern::Natural { seed: 2, shift: 0 }]);
    });
}

#[test]
fn what_does_not_fit_is_refused() {
    on_every_adapter("resize/bilinear refuses", |ctx| {
        let gray = layout(PixelFormat::Gray8, (16, 16));
        let nv12 = layout(PixelFormat::Nv12, (16, 16));
        let plan = |a: &FrameLayout, from, b: &FrameLayout, to| BilinearPlan::new(ctx, (a, from), (b, to));
        let first = PlaneSelect::FIRST;
        refused(plan(&gray, PlaneSelect::plane(1), &gray, first), "input");
        refused(plan(&gray, first, &gray, PlaneSelect::plane(3)), "output");
        refused(plan(&nv12, PlaneSelect::plane(1), &gray, first), "output");
        refused(plan(&gray, first, &layout(PixelFormat::P010, (4, 4)), first), "output");
        refused(plan(&gray, first, &layout(PixelFormat::Gray8, (32_769, 1)), first), "output");
        refused(bilinear(ctx, &poisoned(ctx, &gray, 1), first, Size::new(4, 0)), "to");
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
    on_every_adapter("resize/bilinear negative control", |ctx| {
        let input = layout(PixelFormat::Gray8, (64, 32));
        let frame = Pattern::Random { seed: 9 }.frame(&input);
        let to = Size::new(50, 41);
        let dst = bilinear(ctx, &upload(ctx, &input, std::slice::from_ref(&frame)), PlaneSelect::FIRST, to).unwrap();
        let got = tight(dst.layout(), 0, &dst.read_slot(ctx, 0).unwrap());
        let want = reference(&Plane::new(input.size, 64, &frame).unwrap(), to).unwrap();
        same(&got, &want, "as it is");
        let mut shifted = want.clone();
        shifted.rotate_right(1);
        assert!(differ(&got, &shifted).is_some());
        // A picture that is one code brighter in one pixel.
        let mut other = frame;
        other[5 * 64 + 7] ^= 16;
        assert!(differ(&got, &reference(&Plane::new(input.size, 64, &other).unwrap(), to).unwrap()).is_some());
    });
}
