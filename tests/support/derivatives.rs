//! Trials of derivatives.

use crate::pictures::*;
use crate::results::*;
use crate::table;
use frameloom::core::{FrameLayout, PixelFormat, Size};
use frameloom::gpu::GpuContext;
use frameloom::ops::edges::{StencilMapsPlan, StencilPicturesPlan};
use frameloom::ops::{BatchShape, FrameBatch, GpuFrames, GpuMaps, MapLayout, MapSample, Record};
use frameloom::reference::edges::gradient::Derivatives;
use frameloom::reference::{Pattern, Plane};

pub(super) type Plans<P> = fn(&GpuContext, BatchShape) -> frameloom::Result<P>;

/// The bits of signed numbers.
pub(super) fn bits(values: &[i16]) -> Vec<u16> {
    values.iter().map(|v| v.cast_unsigned()).collect()
}

/// Maps of the pictures of a trial, written behind a poisoned slot, twice.
pub(super) fn maps<const N: usize>(
    ctx: &GpuContext,
    plan: &StencilMapsPlan<N>,
    src: &dyn FrameBatch,
) -> Vec<[Vec<u16>; N]> {
    let dst: [GpuMaps; N] = std::array::from_fn(|_| {
        let maps = GpuMaps::new(ctx, "test result", *plan.maps(), src.slots() + 1).unwrap();
        poison(ctx, maps.buffer());
        maps
    });
    let bound = plan.bind(ctx, (src, 0), dst.each_ref(), 1).unwrap();
    assert_eq!(bound.capacity(), src.slots());
    for _ in 0..2 {
        run(ctx, |rec| bound.record(rec, src.slots()));
    }
    for maps in &dst {
        assert!(maps.read_as::<u16>(ctx, 0).unwrap().iter().all(|v| *v == 0xFFFF), "the slot before was written to");
    }
    (1..=src.slots()).map(|i| dst.each_ref().map(|maps| maps.read_as(ctx, i).unwrap())).collect()
}

/// Pictures of the pictures of a trial.
pub(super) fn pictures(ctx: &GpuContext, plan: &StencilPicturesPlan, trial: &table::Trial) -> Vec<Vec<u8>> {
    table::mapped(ctx, trial, PixelFormat::Gray8, |dst| plan.bind(ctx, (trial.batch.as_ref(), 0), (dst, 0)))
}

/// First derivatives under test.
pub(super) struct Operator {
    pub(super) derivatives: Plans<StencilMapsPlan<2>>,
    pub(super) magnitude: Plans<StencilPicturesPlan>,
    pub(super) norm: Plans<StencilMapsPlan<1>>,
    pub(super) reference: fn(&Plane<'_>) -> frameloom::Result<Derivatives>,
}

impl Operator {
    pub(super) fn equals_the_reference(&self, ctx: &GpuContext) {
        table::each(ctx, &LUMA_FORMATS, |trial| {
            let of = |(size, data): (Size, Vec<u8>)| (self.reference)(&Plane::tight(size, &data).unwrap()).unwrap();
            let want: Vec<Derivatives> = trial.lumas().map(of).collect();
            let shape = BatchShape::of(trial.batch.as_ref()).unwrap();
            for (got, want) in pictures(ctx, &(self.magnitude)(ctx, shape).unwrap(), trial).iter().zip(&want) {
                same(got, &want.magnitude(), &trial.name);
            }
            if shape.is_mixed() {
                return;
            }
            let derivatives = maps(ctx, &(self.derivatives)(ctx, shape).unwrap(), trial.batch.as_ref());
            let norms = maps(ctx, &(self.norm)(ctx, shape).unwrap(), trial.batch.as_ref());
            assert_eq!(norms.len(), want.len());
            for (([gx, gy], [norm]), want) in derivatives.iter().zip(&norms).zip(&want) {
                assert!(*gx == bits(&want.gx), "gx of {}", trial.name);
                assert!(*gy == bits(&want.gy), "gy of {}", trial.name);
                assert!(*norm == want.norm(), "norm of {}", trial.name);
            }
        });
    }

    /// A transposed picture swaps both derivatives; a brighter one has the same.
    pub(super) fn turns_with_the_picture(&self, ctx: &GpuContext) {
        for (seed, (w, h)) in [(2, 2), (5, 3), (16, 19), (33, 18)].into_iter().enumerate() {
            let random = Pattern::Random { seed: seed as u64 }.plane(Size::new(w, h), 1, w as usize);
            let dim: Vec<u8> = random.iter().map(|v| v / 2).collect();
            let turned = (0..w).flat_map(|x| (0..h).map(move |y| (x, y))).map(|(x, y)| dim[(y * w + x) as usize]);
            let of = |size: (u32, u32), data: Vec<u8>| {
                let layout = layout(PixelFormat::Gray8, size);
                let plan = (self.derivatives)(ctx, BatchShape::from(&layout)).unwrap();
                maps(ctx, &plan, &upload(ctx, &layout, &[slot(&layout, &data)])).remove(0)
            };
            let [gx, gy] = of((w, h), dim.clone());
            let [ty, tx] = of((h, w), turned.collect());
            let back = |v: &[u16]| -> Vec<u16> {
                (0..h).flat_map(|y| (0..w).map(move |x| (x, y))).map(|(x, y)| v[(x * h + y) as usize]).collect()
            };
            assert_eq!((&gx, &gy), (&back(&tx), &back(&ty)), "{w}x{h}");
            assert_eq!([gx, gy], of((w, h), dim.iter().map(|v| v + 100).collect()), "{w}x{h}");
        }
    }

    pub(super) fn refuses(&self, ctx: &GpuContext) {
        refuses_pictures(ctx, self.magnitude);
        refuses_maps(ctx, self.norm, MapSample::U16);
        let gray = layout(PixelFormat::Gray8, (20, 4));
        let plan = (self.derivatives)(ctx, BatchShape::from(&gray)).unwrap();
        let (src, one) = (poisoned(ctx, &gray, 1), GpuMaps::new(ctx, "test", *plan.maps(), 1).unwrap());
        refused(plan.bind(ctx, (&src, 0), [&one, &one], 0), "output");
    }

    pub(super) fn rejects_a_sabotaged_reference(&self, ctx: &GpuContext) {
        let trial = table::uniform(ctx, layout(PixelFormat::Gray8, (33, 9)), 0, 1);
        let shape = BatchShape::of(trial.batch.as_ref()).unwrap();
        let (size, mut data) = trial.lumas().next().unwrap();
        let right = (self.reference)(&Plane::tight(size, &data).unwrap()).unwrap();
        data[1] ^= 1;
        let wrong = (self.reference)(&Plane::tight(size, &data).unwrap()).unwrap();
        let [[gx, gy]] = &maps(ctx, &(self.derivatives)(ctx, shape).unwrap(), trial.batch.as_ref())[..] else {
            panic!("one picture");
        };
        assert!(*gx == bits(&right.gx) && *gx != bits(&wrong.gx) && *gx != *gy);
        let mut one_off = right.norm();
        *one_off.last_mut().unwrap() ^= 1;
        let norms = maps(ctx, &(self.norm)(ctx, shape).unwrap(), trial.batch.as_ref());
        assert!(norms[0][0] == right.norm() && norms[0][0] != one_off);
        let mut one_off = right.magnitude();
        *one_off.last_mut().unwrap() ^= 1;
        let got = &pictures(ctx, &(self.magnitude)(ctx, shape).unwrap(), &trial)[0];
        assert!(differ(got, &right.magnitude()).is_none() && differ(got, &one_off).is_some());
    }

    pub(super) fn deterministic(&self, ctx: &GpuContext) {
        let trial = table::uniform(ctx, layout(PixelFormat::Gray8, (99, 41)), 0, 2);
        let plan = (self.norm)(ctx, BatchShape::of(trial.batch.as_ref()).unwrap()).unwrap();
        table::deterministic(|| maps(ctx, &plan, trial.batch.as_ref()));
    }

    pub(super) fn binds_from_a_later_slot(&self, ctx: &GpuContext) {
        let of = |size, data: &[u8]| (self.reference)(&Plane::tight(size, data).unwrap()).unwrap();
        later_pictures(ctx, self.magnitude, &|size, data| of(size, data).magnitude());
        later_maps(ctx, self.norm, &|size, data| of(size, data).norm());
    }
}

/// A slot that holds a grey picture.
pub(super) fn slot(layout: &FrameLayout, data: &[u8]) -> Vec<u8> {
    let mut slot = vec![0xFF; layout.slot_bytes() as usize];
    for (to, row) in slot.chunks_mut(layout.first().stride as usize).zip(data.chunks(layout.size.width as usize)) {
        to[..row.len()].copy_from_slice(row);
    }
    slot
}

/// Pictures of different sizes from slot 1 on, and only the first of them recorded.
pub(super) fn later_pictures(
    ctx: &GpuContext,
    plan: Plans<StencilPicturesPlan>,
    want: &dyn Fn(Size, &[u8]) -> Vec<u8>,
) {
    let trial = table::mixed(ctx, PixelFormat::Nv12, &[(5, 4), (40, 31), (17, 3)], 0);
    let src = trial.batch.as_ref();
    let plan = plan(ctx, BatchShape::of(src).unwrap()).unwrap();
    let dst = frameloom::ops::GpuPictures::like(ctx, "test", PixelFormat::Gray8, src).unwrap();
    poison(ctx, FrameBatch::buffer(&dst));
    let bound = plan.bind(ctx, (src, 1), (&dst, 1)).unwrap();
    assert_eq!(bound.capacity(), 2);
    run(ctx, |rec| bound.record(rec, 1));
    let (size, data) = trial.lumas().nth(1).unwrap();
    same(&tight(&dst.slot(1).unwrap().1, 0, &dst.read_slot(ctx, 1).unwrap()), &want(size, &data), "second picture");
    for slot in [0, 2] {
        assert!(dst.read_slot(ctx, slot).unwrap().iter().all(|b| *b == 0xFF), "slot {slot} was written to");
    }
}

/// Maps of pictures from slot 1 on, in slot 2 on: as many as there is room for.
pub(super) fn later_maps(ctx: &GpuContext, plan: Plans<StencilMapsPlan<1>>, want: &dyn Fn(Size, &[u8]) -> Vec<u16>) {
    let trial = table::uniform(ctx, layout(PixelFormat::Nv12, (21, 5)), 4, 4);
    let src = trial.batch.as_ref();
    let plan = plan(ctx, BatchShape::of(src).unwrap()).unwrap();
    let dst = GpuMaps::new(ctx, "test", *plan.maps(), 4).unwrap();
    poison(ctx, dst.buffer());
    let bound = plan.bind(ctx, (src, 1), [&dst], 2).unwrap();
    assert_eq!(bound.capacity(), 2);
    run(ctx, |rec| bound.record(rec, 99));
    for (i, (size, data)) in trial.lumas().skip(1).take(2).enumerate() {
        assert!(dst.read_as::<u16>(ctx, i as u32 + 2).unwrap() == want(size, &data), "picture {i}");
    }
    assert!(dst.read_as::<u16>(ctx, 1).unwrap().iter().all(|v| *v == 0xFFFF));
}

pub(super) fn refuses_pictures(ctx: &GpuContext, plan: Plans<StencilPicturesPlan>) {
    let shape = |format, size| BatchShape::from(&layout(format, size));
    refused(plan(ctx, shape(PixelFormat::Rgba8, (4, 4))), "input");
    let gray = layout(PixelFormat::Gray8, (20, 4));
    let (planned, src) = (plan(ctx, BatchShape::from(&gray)).unwrap(), poisoned(ctx, &gray, 1));
    let dst = |size| poisoned(ctx, &layout(PixelFormat::Gray8, size), 1);
    refused(planned.bind(ctx, (&src, 0), (&dst((21, 4)), 0)), "output");
    refused(planned.bind(ctx, (&src, 0), (&src, 0)), "output");
    refused(planned.bind(ctx, (&dst((19, 4)), 0), (&src, 0)), "input");
    refused(planned.bind(ctx, (&src, 1), (&dst((20, 4)), 0)), "first");
}

pub(super) fn refuses_maps(ctx: &GpuContext, plan: Plans<StencilMapsPlan<1>>, sample: MapSample) {
    let gray = layout(PixelFormat::Gray8, (20, 4));
    refused(plan(ctx, BatchShape::from(&layout(PixelFormat::Rgba8, (4, 4)))), "input");
    refused(plan(ctx, BatchShape::mixed(PixelFormat::Gray8, Size::new(20, 4)).unwrap()), "input");
    let (planned, src): (_, GpuFrames) = (plan(ctx, BatchShape::from(&gray)).unwrap(), poisoned(ctx, &gray, 1));
    let maps = |sample, (w, h)| GpuMaps::new(ctx, "test", MapLayout::new(sample, Size::new(w, h)).unwrap(), 1).unwrap();
    let good = maps(sample, (20, 4));
    assert_eq!(planned.maps(), good.layout());
    refused(planned.bind(ctx, (&src, 0), [&maps(MapSample::F32, (20, 4))], 0), "output");
    refused(planned.bind(ctx, (&src, 0), [&maps(sample, (20, 5))], 0), "output");
    refused(planned.bind(ctx, (&src, 0), [&good], 1), "dst_first");
    refused(planned.bind(ctx, (&src, 1), [&good], 0), "first");
    let alias = GpuMaps::in_buffer(src.buffer().clone(), *planned.maps(), 1).unwrap();
    refused(planned.bind(ctx, (&src, 0), [&alias], 0), "output");
}
