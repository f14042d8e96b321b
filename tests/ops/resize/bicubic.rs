use crate::gpu::on_every_adapter;
use crate::pictures::*;
use crate::resized::Resize;
use crate::results::*;
use frameloom::core::{PixelFormat, Size};
use frameloom::ops::resize::bicubic::{BicubicPlan, bicubic};
use frameloom::reference::Pattern;
use frameloom::reference::resize::bicubic::bicubic as reference;

const RESIZE: Resize<'_> = Resize {
    bind: &|ctx, [input, output], (src, first), (dst, dst_first)| {
        BicubicPlan::new(ctx, input, output)?.bind(ctx, src, first, dst, dst_first)
    },
    want: &|plane, to| reference(plane, to).unwrap(),
};

#[test]
fn equals_the_reference() {
    on_every_adapter("resize/bicubic equals the reference", |ctx| RESIZE.check_all(ctx));
}

#[test]
fn the_longest_sides_equal_the_reference() {
    on_every_adapter("resize/bicubic long sides", |ctx| RESIZE.check_long(ctx));
}

#[test]
fn slots_constants_and_repeats() {
    on_every_adapter("resize/bicubic slots and invariants", |ctx| {
        RESIZE.check_slots(ctx);
        RESIZE.check_constants(ctx);
    });
}

/// A ramp stays a ramp where no border takes part: cubics reproduce straight lines.
#[test]
fn ramps_stay_ramps() {
    on_every_adapter("resize/bicubic ramps", |ctx| {
        let input = layout(PixelFormat::Gray8, (64, 4));
        let ramp: Vec<u8> = (0..input.slot_bytes()).map(|i| (i % 64 * 4) as u8).collect();
        let dst = bicubic(ctx, &upload(ctx, &input, &[ramp]), Size::new(128, 4)).unwrap();
        let got = tight(dst.layout(), 0, &dst.read_slot(ctx, 0).unwrap());
        // Place x / 2 - 1 / 4.
        assert!((4..124).all(|x| got[x].abs_diff((2 * x - 1) as u8) <= 1), "{got:?}");
        let slot = Pattern::Natural { seed: 1, shift: 0 }.frame(&input);
        let dst = bicubic(ctx, &upload(ctx, &input, std::slice::from_ref(&slot)), Size::new(64, 4)).unwrap();
        same(&dst.read_slot(ctx, 0).unwrap()[..256], &slot[..256], "the same size");
    });
}

#[test]
fn what_does_not_fit_is_refused() {
    on_every_adapter("resize/bicubic refuses", |ctx| {
        RESIZE.check_refusals(ctx);
        let gray = layout(PixelFormat::Gray8, (8, 8));
        refused(bicubic(ctx, &poisoned(ctx, &gray, 1), Size::new(4, 0)), "to");
    });
}

#[test]
fn a_sabotaged_reference_is_rejected() {
    on_every_adapter("resize/bicubic negative control", |ctx| RESIZE.check_sabotage(ctx));
}
