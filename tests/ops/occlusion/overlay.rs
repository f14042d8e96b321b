use super::{BOTH, InPlace, read};
use crate::gpu::on_every_adapter;
use crate::pictures::layout;
use crate::results::refused;
use crate::table;
use frameloom::core::occlusion::{LayMode, Region, Side};
use frameloom::core::{PixelFormat, Rect, Size};
use frameloom::gpu::GpuContext;
use frameloom::ops::BatchShape;
use frameloom::ops::occlusion::overlay::{Overlay, OverlayPlan, overlay};
use frameloom::reference::occlusion::overlay::overlay as reference;

fn param(index: usize, size: Size) -> Overlay {
    let band = |side| Region::Band { side, share: 0.4 };
    let within = Rect { x: size.width / 3, y: size.height / 4, width: size.width / 2, height: 7 };
    Overlay {
        region: [
            Region::Rect(within),
            band(Side::Right),
            Region::Rect(Rect { x: size.width - 1, y: 0, width: u32::MAX, height: 9 }),
            band(Side::Bottom),
            band(Side::Left),
        ][index % 5],
        colour: [250, 50, 120],
        opacity: [0.3, 1.0, 0.7, 0.001, 0.5][index % 5],
        mode: [LayMode::Blend, LayMode::Add][index / 2 % 2],
    }
}

fn with(ctx: &GpuContext, check: impl Fn(&InPlace<'_, Overlay>)) {
    check(&InPlace {
        op: &|src, params| overlay(ctx, src, params),
        bind: &|frames, first, params| OverlayPlan::new(ctx, BatchShape::of(frames)?)?.bind(ctx, frames, first, params),
        reference: &|src, p| reference(src, p.region, p.colour, p.opacity, p.mode).unwrap(),
        param: &param,
    });
}

#[test]
fn equals_the_reference() {
    on_every_adapter("occlusion/overlay equals the reference", |ctx| with(ctx, |op| op.equals(ctx, &BOTH)));
}

#[test]
fn slots_and_repeats() {
    on_every_adapter("occlusion/overlay slots, determinism, negative control", |ctx| {
        with(ctx, |op| {
            op.slots(ctx, PixelFormat::Rgba8);
            op.deterministic(ctx, PixelFormat::Gray8);
        });
    });
}

/// Blending never makes a picture lighter than its pixels and the colour; adding does.
#[test]
fn a_blend_stays_between_pixel_and_colour() {
    on_every_adapter("occlusion/overlay stays between", |ctx| {
        let trial = table::uniform(ctx, layout(PixelFormat::Gray8, (64, 16)), 0, 1);
        let (l, bytes) = &trial.pictures[0];
        let before = crate::results::tight(l, 0, bytes);
        let all = Region::Rect(Rect::full(l.size));
        for opacity in [0.0, 0.1, 0.5, 0.9, 1.0] {
            let p = Overlay { region: all, colour: [100, 0, 0], opacity, mode: LayMode::Blend };
            let (pictures, covered) = overlay(ctx, trial.batch.as_ref(), &[p]).unwrap();
            let got = read(ctx, &pictures, 0);
            assert!(before.iter().zip(&got).all(|(old, new)| (*old.min(&100)..=*old.max(&100)).contains(new)));
            assert_eq!((opacity == 0.0, opacity == 1.0), (got == before, got.iter().all(|v| *v == 100)));
            assert_eq!(covered[0].share(), 1.0);
        }
    });
}

#[test]
fn what_does_not_fit_is_refused() {
    on_every_adapter("occlusion/overlay refuses", |ctx| {
        refused(OverlayPlan::new(ctx, &layout(PixelFormat::Nv12, (4, 4))), "input");
        let trial = table::uniform(ctx, layout(PixelFormat::Rgba8, (8, 8)), 0, 1);
        let good = param(0, Size::new(8, 8));
        refused(overlay(ctx, trial.batch.as_ref(), &[Overlay { opacity: 1.01, ..good }]), "opacity");
        let region = Region::Band { side: Side::Top, share: -0.5 };
        refused(overlay(ctx, trial.batch.as_ref(), &[Overlay { region, ..good }]), "region");
    });
}
