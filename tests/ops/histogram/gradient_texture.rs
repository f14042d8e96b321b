use crate::gpu::on_every_adapter;
use crate::pictures::*;
use crate::results::refused;
use crate::table;
use frameloom::core::{GradientTexture, PixelFormat, Size};
use frameloom::gpu::{AdapterClass, GpuContext};
use frameloom::ops::histogram::gradient_texture::{GradientTexturePlan, gradient_texture};
use frameloom::ops::{BatchShape, FrameBatch};
use frameloom::reference::histogram::gradient_texture::gradient_texture as reference;
use frameloom::reference::{Pattern, Plane};

const CLASSES: [AdapterClass; 2] = [AdapterClass::Cpu, AdapterClass::Gpu];

fn want(size: Size, data: &[u8], bins: u32) -> GradientTexture {
    reference(&Plane::tight(size, data).unwrap(), bins).unwrap()
}

fn plan(ctx: &GpuContext, shape: BatchShape, bins: u32, class: AdapterClass) -> GradientTexturePlan {
    GradientTexturePlan::for_class(ctx, shape, bins, class).unwrap()
}

fn of(ctx: &GpuContext, src: &dyn FrameBatch, plan: &GradientTexturePlan) -> Vec<GradientTexture> {
    let bound = plan.bind(ctx, src, 0).unwrap();
    let first = bound.run(ctx).unwrap();
    assert_eq!(first, bound.run(ctx).unwrap(), "the second run");
    first
}

#[test]
fn equals_the_reference() {
    on_every_adapter("histogram/gradient_texture equals the reference", |ctx| {
        let mut trials = 0;
        table::each(ctx, &LUMA_FORMATS, |trial| {
            // Either variant with either number of bins, in turns.
            let (bins, class) = ([32, 64][trials % 2], CLASSES[trials / 2 % 2]);
            trials += 1;
            let want: Vec<_> = trial.lumas().map(|(size, data)| want(size, &data, bins)).collect();
            let src = trial.batch.as_ref();
            let plan = plan(ctx, BatchShape::of(src).unwrap(), bins, class);
            assert_eq!(of(ctx, src, &plan), want, "{} {bins} {class:?}", trial.name);
        });
    });
}

/// Magnitudes at and beside the limits of bins: gradients that are whole multiples of each other.
#[test]
fn limits_are_decided_exactly() {
    on_every_adapter("histogram/gradient_texture limits", |ctx| {
        let (width, height) = (256u32, 4);
        let layout = layout(PixelFormat::Gray8, (width, height));
        let variants = [32, 64].map(|bins| CLASSES.map(|class| (bins, plan(ctx, (&layout).into(), bins, class))));
        for peak in [51u32, 85, 102, 170, 204, 255] {
            // Steps of 0..=peak in pairs of columns, each alone on grey 0: gx = 4 step at both sides.
            let row: Vec<u8> = (0..width).map(|x| if x % 4 == 1 { (x / 4 * peak / 63) as u8 } else { 0 }).collect();
            let mut slot = vec![0; layout.slot_bytes() as usize];
            slot.chunks_mut(layout.first().stride as usize)
                .take(height as usize)
                .for_each(|r| r[..row.len()].copy_from_slice(&row));
            let src = upload(ctx, &layout, &[slot]);
            let data: Vec<u8> = (0..height).flat_map(|_| row.iter().copied()).collect();
            for (bins, plan) in variants.iter().flatten() {
                let got = of(ctx, &src, plan).remove(0);
                assert_eq!(got, want(layout.size, &data, *bins), "{peak} {bins} {plan:?}");
                assert_eq!((got.peak, got.counts.iter().sum::<u32>()), (16 * peak * peak, width * height));
            }
        }
    });
}

/// Brightness and contrast by whole factors change nothing but the peak.
#[test]
fn contrast_does_not_matter() {
    on_every_adapter("histogram/gradient_texture of less contrast", |ctx| {
        for (seed, (w, h)) in [(1, 1), (9, 5), (37, 23)].into_iter().enumerate() {
            let layout = layout(PixelFormat::Gray8, (w, h));
            let frame: Vec<u8> = Pattern::Random { seed: seed as u64 }.frame(&layout).iter().map(|v| v / 5).collect();
            let brighter: Vec<u8> = frame.iter().map(|v| v * 4 + 40).collect();
            let [a, b] =
                [frame, brighter].map(|f| gradient_texture(ctx, &upload(ctx, &layout, &[f]), 32).unwrap().remove(0));
            assert_eq!((a.counts, a.peak * 16), (b.counts, b.peak));
        }
    });
}

#[test]
fn the_same_bits_every_time() {
    on_every_adapter("histogram/gradient_texture is deterministic", |ctx| {
        for pattern in [Pattern::Random { seed: 3 }, Pattern::Constant { level: 200 }] {
            let layout = layout(PixelFormat::Gray8, (133, 111));
            let src = upload(ctx, &layout, &[pattern.frame(&layout)]);
            for class in CLASSES {
                let plan = GradientTexturePlan::for_class(ctx, &layout, 32, class).unwrap();
                let bound = plan.bind(ctx, &src, 0).unwrap();
                table::deterministic(|| bound.run(ctx).unwrap());
            }
        }
    });
}

#[test]
fn binds_from_a_later_slot() {
    on_every_adapter("histogram/gradient_texture slots", |ctx| {
        let trial = table::mixed(ctx, PixelFormat::Nv12, &[(5, 4), (40, 31), (17, 3)], 0);
        let src = trial.batch.as_ref();
        let plan = GradientTexturePlan::new(ctx, BatchShape::of(src).unwrap(), 64).unwrap();
        let bound = plan.bind(ctx, src, 1).unwrap();
        assert_eq!(bound.capacity(), 2);
        let want: Vec<_> = trial.lumas().skip(1).map(|(size, data)| want(size, &data, 64)).collect();
        assert_eq!(bound.run(ctx).unwrap(), want);
    });
}

#[test]
fn what_does_not_fit_is_refused() {
    on_every_adapter("histogram/gradient_texture refuses", |ctx| {
        let gray = layout(PixelFormat::Gray8, (20, 4));
        refused(GradientTexturePlan::new(ctx, &layout(PixelFormat::Rgba8, (4, 4)), 32), "input");
        for bins in [0, 16, 33, 128] {
            refused(GradientTexturePlan::new(ctx, &gray, bins), "bins");
        }
        let small = table::uniform(ctx, gray, 0, 2);
        let src = small.batch.as_ref();
        let other = GradientTexturePlan::new(ctx, &layout(PixelFormat::Gray8, (21, 4)), 32).unwrap();
        refused(other.bind(ctx, src, 0), "input");
        refused(GradientTexturePlan::new(ctx, &gray, 32).unwrap().bind(ctx, src, 2), "first");
    });
}

#[test]
fn a_sabotaged_reference_is_rejected() {
    on_every_adapter("histogram/gradient_texture negative control", |ctx| {
        let trial = table::uniform(ctx, layout(PixelFormat::Gray8, (33, 9)), 0, 1);
        let got = gradient_texture(ctx, trial.batch.as_ref(), 32).unwrap();
        let (size, data) = trial.lumas().next().unwrap();
        assert_eq!(got, [want(size, &data, 32)]);
        let mut moved = want(size, &data, 32);
        moved.counts.rotate_left(1);
        assert_ne!(got, [moved]);
        assert_ne!(got, [want(size, &data, 64)]);
    });
}
