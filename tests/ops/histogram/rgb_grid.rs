use crate::colors;
use crate::gpu::on_every_adapter;
use crate::pictures::*;
use crate::results::{refused, run};
use crate::table::{self, Trial};
use frameloom::core::*;
use frameloom::gpu::{AdapterClass, GpuContext};
use frameloom::ops::BatchShape;
use frameloom::ops::histogram::rgb_grid::*;
use frameloom::reference::{Colors, Pattern, histogram::rgb_grid::rgb_grid as reference};

const BOTH: [AdapterClass; 2] = [AdapterClass::Cpu, AdapterClass::Gpu];

fn want(colors: &Colors, grid: u32) -> Vec<u32> {
    reference(colors, grid).unwrap()
}

fn counts(ctx: &GpuContext, trial: &Trial, grid: u32, class: AdapterClass) -> Vec<Vec<u32>> {
    let shape = BatchShape::of(trial.batch.as_ref()).unwrap();
    let plan = RgbGridPlan::for_class(ctx, shape, grid, colors::rgb_params(trial.batch.format()), class).unwrap();
    let bound = plan.bind(ctx, trial.batch.as_ref(), 0).unwrap();
    poison(ctx, bound.results());
    bound.run(ctx).unwrap()
}

/// Both variants for batches of five and more and for large pictures, else one of them in turn.
fn classes(trial: &Trial) -> &'static [AdapterClass] {
    let size = trial.pictures[0].0.size;
    match trial.pictures.len() >= 5 || size.area() > 100_000 {
        true => &BOTH,
        false => &BOTH[(size.width + size.height) as usize % 2..][..1],
    }
}

#[test]
fn equals_the_reference() {
    on_every_adapter("histogram/rgb_grid equals the reference", |ctx| {
        colors::each(ctx, |trial, _, colors| {
            let wanted: Vec<_> = colors.iter().map(|c| want(c, 4)).collect();
            for class in classes(trial) {
                assert!(counts(ctx, trial, 4, *class) == wanted, "{} {class:?}", trial.name);
            }
        });
    });
}

#[test]
fn every_grid_counts_the_pixels_of_its_cells() {
    on_every_adapter("histogram/rgb_grid grids", |ctx| {
        let trial = table::mixed(ctx, PixelFormat::Rgba8, &[(123, 66), (16, 16), (15, 40), (257, 33)], 0);
        let colors = colors::colors(&trial);
        for grid in 1..=16 {
            for class in BOTH {
                for (got, colors) in counts(ctx, &trial, grid, class).into_iter().zip(&colors) {
                    let size = colors.size();
                    let cell = (size.width / grid) * (size.height / grid);
                    assert!(got.chunks(512).all(|bins| bins.iter().sum::<u32>() == cell), "{grid} {class:?} {size}");
                    assert!(got == want(colors, grid), "{grid} {class:?} {size}");
                }
            }
        }
    });
}

#[test]
fn the_same_bits_every_time() {
    on_every_adapter("histogram/rgb_grid is deterministic", |ctx| {
        let input = layout(PixelFormat::Nv12, (333, 111));
        let rgb = colors::rgb_params(PixelFormat::Nv12);
        for pattern in [Pattern::Random { seed: 3 }, Pattern::Constant { level: 200 }] {
            let src = upload(ctx, &input, &[pattern.frame(&input)]);
            table::deterministic(|| rgb_grid(ctx, &src, 4, rgb).unwrap());
        }
    });
}

#[test]
fn binds_from_a_later_slot_and_records_fewer() {
    on_every_adapter("histogram/rgb_grid slots", |ctx| {
        let trial = table::mixed(ctx, PixelFormat::Nv12, &[(5, 4), (40, 31), (17, 3)], 0);
        let shape = BatchShape::of(trial.batch.as_ref()).unwrap();
        let plan = RgbGridPlan::new(ctx, shape, 2, colors::rgb_params(PixelFormat::Nv12)).unwrap();
        let bound = plan.bind(ctx, trial.batch.as_ref(), 1).unwrap();
        poison(ctx, bound.results());
        run(ctx, |rec| bound.record(rec, 1));
        let bytes = bound.results().read(ctx, 2 * plan.result_bytes()).unwrap();
        assert_eq!(bound.decode(&bytes), [want(&colors::colors(&trial)[1], 2), vec![u32::MAX; 2048]]);
    });
}

#[test]
fn what_does_not_fit_is_refused() {
    on_every_adapter("histogram/rgb_grid refuses", |ctx| {
        let input = layout(PixelFormat::Nv12, (20, 4));
        let rgb = colors::rgb_params(PixelFormat::Nv12);
        refused(RgbGridPlan::new(ctx, &input, 0, rgb), "grid");
        refused(RgbGridPlan::new(ctx, &input, 17, rgb), "grid");
        refused(RgbGridPlan::new(ctx, &layout(PixelFormat::Gray8, (1, 32_769)), 4, rgb), "input");
        let plan = RgbGridPlan::new(ctx, &input, 4, rgb).unwrap();
        let other = table::uniform(ctx, layout(PixelFormat::Nv12, (20, 5)), 0, 1);
        refused(plan.bind(ctx, other.batch.as_ref(), 0), "input");
        refused(plan.bind(ctx, table::uniform(ctx, input, 0, 2).batch.as_ref(), 2), "first");
    });
}

#[test]
fn a_sabotaged_reference_is_rejected() {
    on_every_adapter("histogram/rgb_grid negative control", |ctx| {
        let trial = table::uniform(ctx, layout(PixelFormat::P010, (32, 8)), 0, 1);
        let colors = colors::colors(&trial).remove(0);
        for class in BOTH {
            let got = counts(ctx, &trial, 2, class).remove(0);
            assert!(got == want(&colors, 2) && got != want(&colors::sabotaged(&colors), 2));
            let turned: Vec<[u8; 3]> = colors.pixels().iter().map(|[r, g, b]| [*b, *g, *r]).collect();
            assert!(got != want(&Colors::new(colors.size(), turned).unwrap(), 2));
        }
    });
}
