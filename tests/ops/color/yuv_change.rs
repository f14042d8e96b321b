use crate::gpu::on_every_adapter;
use crate::pictures::*;
use crate::results::*;
use crate::table::{self, Trial};
use frameloom::core::{ChromaSiting, ColorRange, ColorSpec, PixelFormat, YuvMatrix};
use frameloom::gpu::GpuContext;
use frameloom::ops::color::yuv_change::{Change, YuvChangePlan, yuv_change};
use frameloom::ops::{BatchShape, FrameBatch, GpuPictures};
use frameloom::reference::color::yuv_change::{Samples, yuv_change as reference};
use frameloom::reference::{FrameSlot, Plane};

const SPECS: [ColorSpec; 3] = [
    ColorSpec::BT709,
    ColorSpec { matrix: YuvMatrix::Bt601, range: ColorRange::Full, siting: ChromaSiting::Center },
    ColorSpec { matrix: YuvMatrix::Bt2020, range: ColorRange::Limited, siting: ChromaSiting::TopLeft },
];

fn yuv_formats() -> Vec<PixelFormat> {
    PixelFormat::ALL.into_iter().filter(|f| f.has_luma()).collect()
}

fn samples(slot: &FrameSlot<'_>) -> Samples {
    let (size, format) = (slot.size(), slot.format());
    [0u32, 1, 2].map(|c| {
        let size = match c {
            0 => size,
            _ if format.has_chroma() => format.chroma_size(size),
            _ => return Vec::new(),
        };
        (0..size.height).flat_map(|y| (0..size.width).map(move |x| (x, y))).map(|(x, y)| slot.sample(c, x, y)).collect()
    })
}

/// RGBA pictures of the sizes of a trial.
fn pictures(ctx: &GpuContext, trial: &Trial, start: usize) -> Trial {
    let sizes: Vec<_> = trial.pictures.iter().map(|(l, _)| (l.size.width, l.size.height)).collect();
    table::mixed(ctx, PixelFormat::Rgba8, &sizes, start)
}

fn want(trial: &Trial, before: &Trial, after: &Trial, color: ColorSpec) -> Vec<Samples> {
    trial
        .slots()
        .zip(before.pictures.iter().zip(&after.pictures))
        .map(|(slot, ((l, b), (_, a)))| {
            let stride = l.first().stride as usize;
            let of = |bytes| Plane::interleaved(l.size, 4, stride, bytes).unwrap();
            reference(&slot, &of(b), &of(a), color).unwrap()
        })
        .collect()
}

fn check(ctx: &GpuContext, trial: &Trial, start: usize, color: ColorSpec) {
    let (before, after) = (pictures(ctx, trial, start), pictures(ctx, trial, start + 3));
    let src = trial.batch.as_ref();
    let plan = YuvChangePlan::new(ctx, BatchShape::of(src).unwrap(), color).unwrap();
    let dst = GpuPictures::like(ctx, "test result", src.format(), src).unwrap();
    poison(ctx, FrameBatch::buffer(&dst));
    let change = Change { before: (before.batch.as_ref(), 0), after: (after.batch.as_ref(), 0) };
    let bound = plan.bind(ctx, (src, 0), change, (&dst, 0)).unwrap();
    for _ in 0..2 {
        run(ctx, |rec| bound.record(rec, dst.slots()));
    }
    for (i, want) in (0..).zip(want(trial, &before, &after, color)) {
        let bytes = dst.read_slot(ctx, i).unwrap();
        let got = samples(&FrameSlot::new(dst.slot(i).unwrap().1, &bytes).unwrap());
        for (c, (got, want)) in got.iter().zip(&want).enumerate() {
            let at = got.iter().zip(want).position(|(g, w)| g != w);
            assert!(got == want, "{} picture {i} component {c} {color:?}: first at {at:?}", trial.name);
        }
    }
}

#[test]
fn equals_the_reference() {
    on_every_adapter("color/yuv_change equals the reference", |ctx| {
        let mut turn = 0;
        table::each(ctx, &yuv_formats(), |trial| {
            turn += 1;
            check(ctx, trial, turn, SPECS[turn % 3]);
        });
    });
}

/// Where both pictures are equal the frame keeps its bits, whatever the bits above and below a 10-bit value hold.
#[test]
fn what_did_not_change_keeps_its_bits() {
    on_every_adapter("color/yuv_change keeps bits", |ctx| {
        for format in yuv_formats() {
            let input = layout(format, (45, 31));
            let mut bytes = frames(&input, 5, 1).remove(0);
            // Noise in all bits.
            bytes.iter_mut().enumerate().for_each(|(i, b)| *b = (i.wrapping_mul(2_654_435_761) >> 11) as u8);
            let src = upload(ctx, &input, std::slice::from_ref(&bytes));
            let rgba = layout(PixelFormat::Rgba8, (45, 31));
            let before = frames(&rgba, 5, 1).remove(0);
            let mut after = before.clone();
            // One pixel in the middle changes.
            let at = (15 * rgba.first().stride + 20 * 4) as usize;
            after[at] ^= 0x80;
            let (b, a) = (upload(ctx, &rgba, &[before]), upload(ctx, &rgba, &[after]));
            let all = yuv_change(ctx, &src, &b, &b, ColorSpec::BT601).unwrap().read_slot(ctx, 0).unwrap();
            let one = yuv_change(ctx, &src, &b, &a, ColorSpec::BT601).unwrap().read_slot(ctx, 0).unwrap();
            let mut touched = 0;
            for plane in 0..input.planes().len() {
                let (was, all, one) =
                    (tight(&input, plane, &bytes), tight(&input, plane, &all), tight(&input, plane, &one));
                same(&all, &was, format!("{format} plane {plane}"));
                touched += one.iter().zip(&was).filter(|(a, b)| a != b).count();
            }
            // One sample of each component, of at most two bytes.
            assert!((1..=6).contains(&touched), "{format}: {touched}");
        }
    });
}

#[test]
fn slots_repeats_and_refusals() {
    on_every_adapter("color/yuv_change slots, determinism, refusals, negative control", |ctx| {
        let input = layout(PixelFormat::Nv12, (34, 18));
        let trial = table::uniform(ctx, input, 5, 3);
        let (before, after) = (pictures(ctx, &trial, 2), pictures(ctx, &trial, 6));
        let dst = poisoned(ctx, &input, 3);
        let plan = YuvChangePlan::new(ctx, &input, ColorSpec::BT709).unwrap();
        let src = trial.batch.as_ref();
        let (b, a) = (before.batch.as_ref(), after.batch.as_ref());
        let bound = plan.bind(ctx, (src, 1), Change { before: (b, 1), after: (a, 1) }, (&dst, 1)).unwrap();
        run(ctx, |rec| bound.record(rec, 1));
        untouched(ctx, &dst, 0);
        untouched(ctx, &dst, 2);
        let read = || dst.read_slot(ctx, 1).unwrap();
        let got = samples(&FrameSlot::new(input, &read()).unwrap());
        assert!(got == want(&trial, &before, &after, ColorSpec::BT709)[1]);
        for wrong in [ColorSpec::BT601, ColorSpec { range: ColorRange::Full, ..ColorSpec::BT709 }] {
            assert!(got != want(&trial, &before, &after, wrong)[1], "{wrong:?}");
        }
        table::deterministic(|| {
            run(ctx, |rec| bound.record(rec, 2));
            read()
        });

        let rgba = layout(PixelFormat::Rgba8, (34, 18));
        refused(YuvChangePlan::new(ctx, &rgba, ColorSpec::BT709), "input");
        let other = poisoned(ctx, &layout(PixelFormat::Rgba8, (32, 18)), 3);
        let of = |before: &dyn FrameBatch, after: &dyn FrameBatch, dst: &dyn FrameBatch| {
            plan.bind(ctx, (src, 0), Change { before: (before, 0), after: (after, 0) }, (dst, 0))
        };
        assert!(of(b, a, &dst).is_ok());
        refused(of(&other, a, &dst), "before");
        refused(of(b, &other, &dst), "after");
        refused(of(src, a, &dst), "before");
        refused(of(b, a, src), "output");
        refused(of(b, a, &poisoned(ctx, &layout(PixelFormat::I420, (34, 18)), 3)), "output");
    });
}
