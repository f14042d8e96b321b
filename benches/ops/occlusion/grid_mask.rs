use super::super::covering::{Covering, for_each};
use frameloom::Result;
use frameloom::core::occlusion::{Fill, Grid};
use frameloom::core::random::Draw;
use frameloom::ops::bench::{Bench, Case, CaseSet};
use frameloom::ops::occlusion::grid_mask::{GridMask, GridMaskPlan, INFO};
use frameloom::reference;

pub const CASES: CaseSet = CaseSet { op: INFO.name, cases };

const GRID: Grid = Grid { period: 160, ratio: 0.5, offset: [30, 70], degrees: 30.0 };
const MASK: GridMask = GridMask { grid: GRID, fill: Fill::Constant([128; 3]), draw: Draw { seed: 0, picture: 0 } };

fn cases(bench: &Bench<'_>) -> Result<Vec<Case>> {
    let turned = Covering {
        variant: "turned",
        work: INFO.work,
        bind: |ctx, frames, first| {
            GridMaskPlan::new(ctx, frames.layout())?.bind(ctx, frames, first, &for_each(frames, first, MASK))
        },
        want: |src| reference::occlusion::grid_mask::grid_mask(src, &MASK.grid, MASK.fill, MASK.draw),
    };
    turned.cases(bench)
}
