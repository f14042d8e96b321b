use super::{Filter, binding};
use crate::gpu::on_every_adapter;
use crate::pictures::*;
use crate::results::*;
use frameloom::core::PixelFormat;
use frameloom::ops::filter::GaussianParams;
use frameloom::ops::filter::unsharp_mask::{Sharpening, UnsharpMaskPlan, unsharp_mask};
use frameloom::reference::{Pattern, filter::unsharp_mask as reference};

fn with(size: u32, sigma: Option<f64>, amount: f64, visit: impl Fn(&Filter<'_>)) {
    visit(&Filter {
        plan: &|ctx, input| {
            let sharpening = Sharpening::Mask { blur: GaussianParams { size, sigma }, amount };
            binding!(UnsharpMaskPlan::new(ctx, input, sharpening))
        },
        want: &|plane| reference::unsharp_mask(plane, size, sigma, amount).unwrap(),
    });
}

const SHARPEN: Filter<'_> = Filter {
    plan: &|ctx, input| binding!(UnsharpMaskPlan::new(ctx, input, Sharpening::Sharpen)),
    want: &reference::sharpen,
};

#[test]
fn the_mask_equals_the_reference() {
    on_every_adapter("filter/unsharp_mask mask equals the reference", |ctx| with(5, None, 1.5, |f| f.check_all(ctx)));
}

#[test]
fn the_kernel_equals_the_reference() {
    on_every_adapter("filter/unsharp_mask sharpen equals the reference", |ctx| SHARPEN.check_all(ctx));
}

#[test]
fn every_amount_equals_the_reference() {
    on_every_adapter("filter/unsharp_mask amounts", |ctx| {
        for (size, sigma, amount) in
            [(3, None, 0.0), (7, Some(1.1), 0.37), (9, None, 1.0), (31, Some(5.0), 16.0), (21, None, 0.001)]
        {
            with(size, sigma, amount, |f| f.check_some(ctx));
        }
    });
}

#[test]
fn slots_constants_turns_and_repeats() {
    on_every_adapter("filter/unsharp_mask slots and invariants", |ctx| {
        let all = |f: &Filter<'_>| {
            f.check_slots(ctx);
            f.check_constants(ctx);
            f.check_symmetric(ctx);
            f.check_deterministic(ctx);
        };
        all(&SHARPEN);
        with(7, None, 2.25, all);
    });
}

#[test]
fn nothing_more_changes_nothing() {
    on_every_adapter("filter/unsharp_mask amount 0", |ctx| {
        let input = layout(PixelFormat::Gray8, (50, 33));
        let slot = Pattern::Random { seed: 6 }.frame(&input);
        let none = Sharpening::Mask { blur: GaussianParams::of_size(5), amount: 0.0 };
        let dst = unsharp_mask(ctx, &upload(ctx, &input, std::slice::from_ref(&slot)), none).unwrap();
        same(&tight(&input, 0, &dst.read_slot(ctx, 0).unwrap()), &tight(&input, 0, &slot), "the picture itself");
    });
}

#[test]
fn what_does_not_fit_is_refused() {
    on_every_adapter("filter/unsharp_mask refuses", |ctx| {
        let input = layout(PixelFormat::Gray8, (8, 8));
        let mask = |size, sigma, amount| {
            UnsharpMaskPlan::new(ctx, &input, Sharpening::Mask { blur: GaussianParams { size, sigma }, amount })
        };
        refused(mask(4, None, 1.0), "size");
        refused(mask(5, Some(0.0), 1.0), "sigma");
        for amount in [-0.1, 16.01, f64::NAN] {
            refused(mask(5, None, amount), "amount");
        }
        SHARPEN.check_refusals(ctx);
        with(5, None, 1.0, |f| f.check_refusals(ctx));
    });
}

#[test]
fn a_sabotaged_reference_is_rejected() {
    on_every_adapter("filter/unsharp_mask negative control", |ctx| {
        SHARPEN.check_sabotage(ctx);
        with(5, None, 0.5, |f| {
            f.check_sabotage(ctx);
            let input = layout(PixelFormat::Gray8, (40, 30));
            let slot = Pattern::Random { seed: 2 }.frame(&input);
            // A 256th more is seen.
            with(5, None, 0.504, |more| {
                assert!(differ(&f.run(ctx, &input, &slot), &more.wanted(&input, &slot)).is_some());
            });
        });
    });
}
