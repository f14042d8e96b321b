use crate::gpu::on_every_adapter;
use crate::pictures::*;
use crate::results::refused;
use crate::table;
use frameloom::core::*;
use frameloom::gpu::GpuContext;
use frameloom::ops::BatchShape;
use frameloom::ops::stats::luma::{LumaParams, LumaStatsPlan, luma};
use frameloom::reference::{Pattern, Plane, stats::luma::luma as reference};

const PARAMS: LumaParams = LumaParams { dark: 20, bright: 200 };

fn want(trial: &table::Trial) -> Vec<LumaSums> {
    trial.lumas().map(|(size, data)| reference(&Plane::tight(size, &data).unwrap(), 20, 200).unwrap()).collect()
}

#[test]
fn equals_the_reference() {
    on_every_adapter("stats/luma equals the reference", |ctx| {
        table::each(ctx, &LUMA_FORMATS, |trial| {
            assert_eq!(luma(ctx, trial.batch.as_ref(), PARAMS).unwrap(), want(trial), "{}", trial.name);
        });
    });
}

#[test]
fn the_same_bits_every_time() {
    on_every_adapter("stats/luma is deterministic", |ctx| {
        for pattern in [Pattern::Random { seed: 3 }, Pattern::Constant { level: 200 }] {
            let layout = layout(PixelFormat::Gray8, (333, 111));
            let src = upload(ctx, &layout, &[pattern.frame(&layout)]);
            table::deterministic(|| luma(ctx, &src, PARAMS).unwrap());
        }
    });
}

#[test]
fn binds_from_a_later_slot() {
    on_every_adapter("stats/luma slots", |ctx| {
        let trial = table::mixed(ctx, PixelFormat::Nv12, &[(5, 4), (40, 31), (17, 3)], 0);
        let plan = LumaStatsPlan::new(ctx, BatchShape::of(trial.batch.as_ref()).unwrap(), PARAMS).unwrap();
        let bound = plan.bind(ctx, trial.batch.as_ref(), 1).unwrap();
        assert_eq!(bound.capacity(), 2);
        assert_eq!(bound.run(ctx).unwrap(), want(&trial)[1..]);
    });
}

fn plan(ctx: &GpuContext, shape: impl Into<BatchShape>) -> LumaStatsPlan {
    LumaStatsPlan::new(ctx, shape, PARAMS).unwrap()
}

#[test]
fn what_does_not_fit_is_refused() {
    on_every_adapter("stats/luma refuses", |ctx| {
        refused(LumaStatsPlan::new(ctx, &layout(PixelFormat::Rgba8, (4, 4)), PARAMS), "input");
        let small = table::uniform(ctx, layout(PixelFormat::Gray8, (20, 4)), 0, 2);
        let src = small.batch.as_ref();
        refused(plan(ctx, &layout(PixelFormat::Gray8, (21, 4))).bind(ctx, src, 0), "input");
        refused(
            plan(ctx, BatchShape::mixed(PixelFormat::Gray8, Size::new(19, 90)).unwrap()).bind(ctx, src, 0),
            "input",
        );
        refused(plan(ctx, BatchShape::mixed(PixelFormat::Nv12, Size::new(90, 90)).unwrap()).bind(ctx, src, 0), "input");
        refused(plan(ctx, BatchShape::of(src).unwrap()).bind(ctx, src, src.slots()), "first");
    });
}

#[test]
fn a_sabotaged_reference_is_rejected() {
    on_every_adapter("stats/luma negative control", |ctx| {
        let trial = table::uniform(ctx, layout(PixelFormat::Gray8, (33, 9)), 0, 1);
        let got = luma(ctx, trial.batch.as_ref(), PARAMS).unwrap();
        let (size, mut data) = trial.lumas().next().unwrap();
        *data.last_mut().unwrap() ^= 1;
        assert_ne!(got, [reference(&Plane::tight(size, &data).unwrap(), 20, 200).unwrap()]);
    });
}
