use super::{Filter, binding};
use crate::gpu::on_every_adapter;
use crate::pictures::*;
use crate::results::*;
use crate::table;
use frameloom::core::PixelFormat;
use frameloom::gpu::GpuContext;
use frameloom::ops::BatchShape;
use frameloom::ops::filter::denoise::{DenoiseParams, DenoisePlan, Denoising, denoise};
use frameloom::reference::{Pattern, filter::denoise as reference};

fn with(mode: Denoising, search: u32, visit: impl Fn(&Filter<'_>)) {
    visit(&Filter {
        plan: &|ctx, input| binding!(DenoisePlan::new(ctx, input, DenoiseParams { mode, search })),
        want: &|plane| match (mode, plane.channels()) {
            (Denoising::Lab { h, h_color }, _) => reference::lab(plane, h, h_color, search).unwrap(),
            (Denoising::Joint { h }, 4) => reference::rgb(plane, h, search).unwrap(),
            (Denoising::Joint { h }, _) => reference::joint(plane, h, search).unwrap(),
        },
    });
}

/// Small pictures only: 441 places and 49 pixels for each are much for the reference.
const SMALL: [(u32, u32); 10] =
    [(1, 1), (3, 3), (4, 3), (17, 1), (1, 17), (15, 9), (16, 8), (17, 7), (33, 21), (40, 13)];

fn check(f: &Filter<'_>, ctx: &GpuContext, format: PixelFormat, start: usize) {
    let trial = table::mixed(ctx, format, &SMALL, start);
    let bind = (f.plan)(ctx, BatchShape::of(trial.batch.as_ref()).unwrap()).unwrap();
    f.check(ctx, &trial, &bind);
}

#[test]
fn luma_equals_the_reference() {
    on_every_adapter("filter/denoise luma equals the reference", |ctx| {
        for (i, format) in LUMA_FORMATS.into_iter().enumerate() {
            with(Denoising::Joint { h: 10.0 }, 21, |f| check(f, ctx, format, i));
        }
        for (h, search) in [(0.5, 3), (30.0, 7), (1000.0, 31), (10.0, 13)] {
            with(Denoising::Joint { h }, search, |f| check(f, ctx, PixelFormat::Gray8, 5));
        }
    });
}

#[test]
fn colours_equal_the_reference() {
    on_every_adapter("filter/denoise colours equal the reference", |ctx| {
        with(Denoising::Joint { h: 10.0 }, 21, |f| check(f, ctx, PixelFormat::Rgba8, 6));
        with(Denoising::Lab { h: 10.0, h_color: 10.0 }, 21, |f| check(f, ctx, PixelFormat::Rgba8, 0));
        with(Denoising::Lab { h: 3.0, h_color: 40.0 }, 9, |f| check(f, ctx, PixelFormat::Rgba8, 6));
    });
}

/// Every pattern, one layout, so that a batch is more than one picture of a size.
#[test]
fn patterns_and_several_bands_equal_the_reference() {
    on_every_adapter("filter/denoise patterns and bands", |ctx| {
        with(Denoising::Joint { h: 12.0 }, 5, |f| {
            f.check(
                ctx,
                &table::uniform(ctx, layout(PixelFormat::Gray8, (29, 14)), 0, 7),
                &(f.plan)(ctx, (&layout(PixelFormat::Gray8, (29, 14))).into()).unwrap(),
            );
        });
        // More than one dispatch takes on a software adapter.
        with(Denoising::Joint { h: 12.0 }, 21, |f| {
            let tall = layout(PixelFormat::Gray8, (160, 320));
            f.check(ctx, &table::uniform(ctx, tall, 6, 1), &(f.plan)(ctx, (&tall).into()).unwrap());
        });
    });
}

/// All 2^18 colours with 6 bits a channel go to L*a*b* and back as in the reference.
#[test]
fn all_colours_equal_the_reference() {
    on_every_adapter("filter/denoise all colours", |ctx| {
        let input = layout(PixelFormat::Rgba8, (512, 512));
        let slot: Vec<u8> = (0..1u32 << 18).flat_map(|i| [i << 2, i >> 4, i >> 10, i].map(|v| v as u8)).collect();
        with(Denoising::Lab { h: 0.001, h_color: 0.001 }, 3, |f| {
            same(&f.run(ctx, &input, &slot), &f.wanted(&input, &slot), "2^18 colours");
        });
    });
}

#[test]
fn slots_constants_turns_and_repeats() {
    on_every_adapter("filter/denoise slots and invariants", |ctx| {
        with(Denoising::Joint { h: 20.0 }, 7, |f| {
            f.check_slots(ctx);
            f.check_constants(ctx);
            f.check_symmetric(ctx);
            f.check_deterministic(ctx);
        });
    });
}

#[test]
fn noise_is_taken_away() {
    on_every_adapter("filter/denoise noise", |ctx| {
        let input = layout(PixelFormat::Gray8, (64, 48));
        let noise = Pattern::Random { seed: 4 }.frame(&input);
        // Two flat halves with noise of 8 codes to both sides.
        let clean = |i: usize| if i % 64 < 32 { 80.0 } else { 170.0 };
        let slot: Vec<u8> = noise.iter().enumerate().map(|(i, v)| clean(i) as u8 + v / 16 - 8).collect();
        let params = DenoiseParams { mode: Denoising::Joint { h: 10.0 }, search: 21 };
        let dst = denoise(ctx, &upload(ctx, &input, std::slice::from_ref(&slot)), params).unwrap();
        let error = |v: &[u8]| v.iter().enumerate().map(|(i, v)| (f64::from(*v) - clean(i) + 0.5).powi(2)).sum::<f64>();
        let (before, after) = (error(&slot), error(&tight(&input, 0, &dst.read_slot(ctx, 0).unwrap())));
        assert!(after < before / 20.0, "{before} {after}");
    });
}

#[test]
fn what_does_not_fit_is_refused() {
    on_every_adapter("filter/denoise refuses", |ctx| {
        let plan =
            |format, mode, search| DenoisePlan::new(ctx, &layout(format, (8, 8)), DenoiseParams { mode, search });
        for search in [0, 1, 4, 33] {
            refused(plan(PixelFormat::Gray8, Denoising::Joint { h: 1.0 }, search), "search");
        }
        for h in [0.0, -1.0, 1001.0, f32::NAN] {
            refused(plan(PixelFormat::Gray8, Denoising::Joint { h }, 21), "h");
            refused(plan(PixelFormat::Rgba8, Denoising::Lab { h: 1.0, h_color: h }, 21), "h_color");
        }
        refused(plan(PixelFormat::Nv12, Denoising::Lab { h: 1.0, h_color: 1.0 }, 21), "mode");
        with(Denoising::Joint { h: 1.0 }, 3, |f| f.check_refusals(ctx));
    });
}

#[test]
fn a_sabotaged_reference_is_rejected() {
    on_every_adapter("filter/denoise negative control", |ctx| {
        let color = Denoising::Joint { h: 25.0 };
        with(color, 5, |f| f.check_sabotage(ctx));
        // Another strength, and another search window.
        let input = layout(PixelFormat::Rgba8, (30, 20));
        let slot = Pattern::Natural { seed: 2, shift: 0 }.frame(&input);
        with(color, 5, |f| {
            let got = f.run(ctx, &input, &slot);
            with(Denoising::Joint { h: 24.0 }, 5, |g| assert!(differ(&got, &g.wanted(&input, &slot)).is_some()));
            with(color, 7, |g| assert!(differ(&got, &g.wanted(&input, &slot)).is_some()));
        });
    });
}
