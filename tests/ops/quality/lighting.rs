use crate::colors;
use crate::gpu::on_every_adapter;
use crate::pictures::*;
use crate::results::{refused, run};
use crate::table;
use frameloom::core::*;
use frameloom::ops::BatchShape;
use frameloom::ops::quality::lighting::*;
use frameloom::reference::{Pattern, quality::lighting::lighting as reference};

#[test]
fn equals_the_reference() {
    on_every_adapter("quality/lighting equals the reference", |ctx| {
        colors::each(ctx, |trial, rgb, colors| {
            let wanted: Vec<_> = colors.iter().map(reference).collect();
            assert!(lighting(ctx, trial.batch.as_ref(), rgb).unwrap() == wanted, "{}", trial.name);
        });
    });
}

#[test]
fn sides_around_the_patch_have_figures() {
    on_every_adapter("quality/lighting patches", |ctx| {
        let sides = [1, 15, 16, 17, 31, 32, 33, 48, 49, 63, 64, 65, 97];
        let sizes: Vec<(u32, u32)> = sides.iter().flat_map(|w| [(*w, 33), (33, *w), (*w, *w)]).collect();
        let trial = table::mixed(ctx, PixelFormat::Rgba8, &sizes, 0);
        let wanted: Vec<_> = colors::colors(&trial).iter().map(reference).collect();
        let got = lighting(ctx, trial.batch.as_ref(), colors::rgb_params(PixelFormat::Rgba8)).unwrap();
        assert!(got == wanted);
        for sums in got {
            let both = [PatchGrid::All, PatchGrid::Strict].map(|grid| sums.lighting(grid));
            assert!(both.iter().all(|l| (0.0..=1.0).contains(&l.quality)), "{} {both:?}", sums.size);
        }
    });
}

#[test]
fn the_same_bits_every_time() {
    on_every_adapter("quality/lighting is deterministic", |ctx| {
        let input = layout(PixelFormat::Nv12, (333, 111));
        for pattern in [Pattern::Random { seed: 3 }, Pattern::Constant { level: 255 }] {
            let src = upload(ctx, &input, &[pattern.frame(&input)]);
            table::deterministic(|| lighting(ctx, &src, colors::rgb_params(PixelFormat::Nv12)).unwrap());
        }
    });
}

#[test]
fn binds_from_a_later_slot_and_records_fewer() {
    on_every_adapter("quality/lighting slots", |ctx| {
        let trial = table::mixed(ctx, PixelFormat::Nv12, &[(5, 4), (40, 31), (17, 3)], 0);
        let shape = BatchShape::of(trial.batch.as_ref()).unwrap();
        let plan = LightingPlan::new(ctx, shape, colors::rgb_params(PixelFormat::Nv12)).unwrap();
        let bound = plan.bind(ctx, trial.batch.as_ref(), 1).unwrap();
        poison(ctx, bound.results());
        run(ctx, |rec| bound.record(rec, 1));
        let bytes = bound.results().read(ctx, 2 * plan.result_bytes()).unwrap();
        assert_eq!(bound.decode(&bytes)[0], reference(&colors::colors(&trial)[1]));
        assert!(bytes[plan.result_bytes() as usize..].iter().all(|b| *b == 0xFF));
    });
}

#[test]
fn what_does_not_fit_is_refused() {
    on_every_adapter("quality/lighting refuses", |ctx| {
        let rgb = colors::rgb_params(PixelFormat::Nv12);
        refused(LightingPlan::new(ctx, &layout(PixelFormat::Gray8, (1, 32_769)), rgb), "input");
        let input = layout(PixelFormat::Nv12, (20, 4));
        let plan = LightingPlan::new(ctx, &input, rgb).unwrap();
        let other = table::uniform(ctx, layout(PixelFormat::I420, (20, 4)), 0, 1);
        refused(plan.bind(ctx, other.batch.as_ref(), 0), "input");
        refused(plan.bind(ctx, table::uniform(ctx, input, 0, 2).batch.as_ref(), 2), "first");
    });
}

#[test]
fn a_sabotaged_reference_is_rejected() {
    on_every_adapter("quality/lighting negative control", |ctx| {
        let trial = table::uniform(ctx, layout(PixelFormat::I444, (33, 9)), 1, 1);
        let colors = colors::colors(&trial).remove(0);
        let got = lighting(ctx, trial.batch.as_ref(), colors::rgb_params(PixelFormat::I444)).unwrap();
        assert_eq!(got, [reference(&colors)]);
        assert_ne!(got, [reference(&colors::sabotaged(&colors))]);
    });
}
