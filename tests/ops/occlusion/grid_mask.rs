use super::{BOTH, InPlace};
use crate::gpu::on_every_adapter;
use crate::pictures::layout;
use crate::results::refused;
use crate::table;
use frameloom::core::occlusion::{Fill, Grid};
use frameloom::core::random::Draw;
use frameloom::core::{PixelFormat, Size};
use frameloom::gpu::GpuContext;
use frameloom::ops::BatchShape;
use frameloom::ops::occlusion::grid_mask::{GridMask, GridMaskPlan, grid_mask};
use frameloom::reference::occlusion::grid_mask::grid_mask as reference;

/// Turned and straight grids in turn.
fn param(index: usize, _: Size) -> GridMask {
    let draw = Draw { seed: 7, picture: index as u32 };
    let grid = Grid { period: 5 + 4 * index as u32, ratio: 0.45, offset: [0; 2], degrees: 0.0 };
    let fill = [Fill::Constant([9, 99, 199]), Fill::Noise, Fill::Mean][index % 3];
    GridMask { grid: grid.drawn(draw, if index.is_multiple_of(2) { 0.0 } else { 360.0 }), fill, draw }
}

fn with(ctx: &GpuContext, check: impl Fn(&InPlace<'_, GridMask>)) {
    check(&InPlace {
        op: &|src, params| grid_mask(ctx, src, params),
        bind: &|frames, first, params| {
            GridMaskPlan::new(ctx, BatchShape::of(frames)?)?.bind(ctx, frames, first, params)
        },
        reference: &|src, p| reference(src, &p.grid, p.fill, p.draw).unwrap(),
        param: &param,
    });
}

#[test]
fn equals_the_reference() {
    on_every_adapter("occlusion/grid_mask equals the reference", |ctx| with(ctx, |op| op.equals(ctx, &BOTH)));
}

#[test]
fn slots_and_repeats() {
    on_every_adapter("occlusion/grid_mask slots, determinism, negative control", |ctx| {
        with(ctx, |op| {
            op.slots(ctx, PixelFormat::Gray8);
            op.deterministic(ctx, PixelFormat::Rgba8);
        });
    });
}

/// Every angle, offset and period, also far from the middle.
#[test]
fn turned_grids_agree_with_the_reference() {
    on_every_adapter("occlusion/grid_mask turned", |ctx| {
        for (i, size) in [(1, 9), (200, 3), (3, 300), (90, 70)].into_iter().enumerate() {
            let trial = table::uniform(ctx, layout(PixelFormat::Gray8, size), 0, 6);
            let angle = |k: usize| [0.0, 30.0, 90.0, 179.99, -45.5, 720.0][k];
            let one = move |k: usize, _: Size| GridMask {
                grid: Grid {
                    period: [2, 3, 7, 32_768, 50, 64][(k + i) % 6],
                    ratio: [0.5, 0.9, 0.0, 0.3, 0.5, 1.0][k],
                    offset: [k as u32 * 1001, u32::MAX - k as u32],
                    degrees: angle(k),
                },
                ..param(0, Size::new(1, 1))
            };
            with(ctx, |op| {
                InPlace { op: op.op, bind: op.bind, reference: op.reference, param: &one }.check(ctx, &trial)
            });
        }
    });
}

#[test]
fn what_does_not_fit_is_refused() {
    on_every_adapter("occlusion/grid_mask refuses", |ctx| {
        refused(GridMaskPlan::new(ctx, &layout(PixelFormat::P010, (4, 4))), "input");
        let trial = table::uniform(ctx, layout(PixelFormat::Rgba8, (8, 8)), 0, 1);
        let good = param(0, Size::new(8, 8));
        let of = |grid| grid_mask(ctx, trial.batch.as_ref(), &[GridMask { grid, ..good }]);
        assert!(of(good.grid).is_ok());
        for period in [0, 1, 32_769] {
            refused(of(Grid { period, ..good.grid }), "period");
        }
        refused(of(Grid { ratio: -0.1, ..good.grid }), "ratio");
        refused(of(Grid { degrees: f64::NAN, ..good.grid }), "degrees");
    });
}
