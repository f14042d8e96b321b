use super::{Filter, binding};
use crate::gpu::on_every_adapter;
use crate::pictures::*;
use crate::results::*;
use frameloom::core::PixelFormat;
use frameloom::gpu::GpuContext;
use frameloom::ops::filter::GaussianParams;
use frameloom::ops::filter::gaussian::{GaussianPlan, gaussian};
use frameloom::reference::{Pattern, filter::gaussian::gaussian as reference};

/// Runs `visit` with the filter of a window.
fn with(size: u32, sigma: Option<f64>, visit: impl Fn(&Filter<'_>)) {
    visit(&Filter {
        plan: &|ctx, input| binding!(GaussianPlan::new(ctx, input, GaussianParams { size, sigma })),
        want: &|plane| reference(plane, size, sigma).unwrap(),
    });
}

#[test]
fn equals_the_reference() {
    on_every_adapter("filter/gaussian equals the reference", |ctx| with(5, None, |f| f.check_all(ctx)));
}

#[test]
fn windows_equal_the_reference() {
    on_every_adapter("filter/gaussian windows", |ctx| {
        for size in [3, 7, 9, 11, 17, 31] {
            with(size, None, |f| f.check_some(ctx));
        }
        for (size, sigma) in [(31, 5.0), (3, 0.3), (7, 80.0), (13, 1.1)] {
            with(size, Some(sigma), |f| f.check_some(ctx));
        }
    });
}

#[test]
fn slots_constants_turns_and_repeats() {
    on_every_adapter("filter/gaussian slots and invariants", |ctx| {
        with(9, Some(2.5), |f| {
            f.check_slots(ctx);
            f.check_constants(ctx);
            f.check_symmetric(ctx);
            f.check_deterministic(ctx);
        });
    });
}

#[test]
fn a_blur_keeps_the_mean_and_lowers_the_contrast() {
    on_every_adapter("filter/gaussian mean and contrast", |ctx| {
        let input = layout(PixelFormat::Gray8, (96, 80));
        let slot = Pattern::Natural { seed: 3, shift: 0 }.frame(&input);
        let dst = gaussian(ctx, &upload(ctx, &input, std::slice::from_ref(&slot)), GaussianParams::of_size(7)).unwrap();
        let figures = |v: &[u8]| {
            let mean = v.iter().map(|v| f64::from(*v)).sum::<f64>() / v.len() as f64;
            (mean, v.iter().map(|v| (f64::from(*v) - mean).powi(2)).sum::<f64>() / v.len() as f64)
        };
        let before = figures(&tight(&input, 0, &slot));
        let after = figures(&tight(&input, 0, &dst.read_slot(ctx, 0).unwrap()));
        assert!((before.0 - after.0).abs() < 3.0 && after.1 < 0.95 * before.1, "{before:?} {after:?}");
    });
}

#[test]
fn what_does_not_fit_is_refused() {
    on_every_adapter("filter/gaussian refuses", |ctx| {
        let input = layout(PixelFormat::Gray8, (8, 8));
        let plan = |ctx: &GpuContext, size, sigma| GaussianPlan::new(ctx, &input, GaussianParams { size, sigma });
        for size in [0, 1, 2, 4, 33] {
            refused(plan(ctx, size, None), "size");
        }
        for sigma in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            refused(plan(ctx, 5, Some(sigma)), "sigma");
        }
        with(3, None, |f| f.check_refusals(ctx));
    });
}

#[test]
fn a_sabotaged_reference_is_rejected() {
    on_every_adapter("filter/gaussian negative control", |ctx| {
        with(5, None, |f| f.check_sabotage(ctx));
        // Another window is seen too.
        with(5, Some(1.1), |sampled| {
            let input = layout(PixelFormat::Gray8, (40, 30));
            let slot = Pattern::Random { seed: 2 }.frame(&input);
            with(5, None, |f| assert!(differ(&f.run(ctx, &input, &slot), &sampled.wanted(&input, &slot)).is_some()));
        });
    });
}
