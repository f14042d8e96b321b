use super::super::covering::{Covering, for_each};
use frameloom::Result;
use frameloom::core::occlusion::{LayMode, Region, Side};
use frameloom::ops::bench::{Bench, Case, CaseSet};
use frameloom::ops::occlusion::overlay::{INFO, Overlay, OverlayPlan};
use frameloom::reference;

pub const CASES: CaseSet = CaseSet { op: INFO.name, cases };

const THIRD: Overlay = Overlay {
    region: Region::Band { side: Side::Left, share: 1.0 / 3.0 },
    colour: [50, 60, 70],
    opacity: 0.3,
    mode: LayMode::Blend,
};

fn cases(bench: &Bench<'_>) -> Result<Vec<Case>> {
    let third = Covering {
        variant: "left third",
        work: INFO.work,
        bind: |ctx, frames, first| {
            OverlayPlan::new(ctx, frames.layout())?.bind(ctx, frames, first, &for_each(frames, first, THIRD))
        },
        want: |src| reference::occlusion::overlay::overlay(src, THIRD.region, THIRD.colour, THIRD.opacity, THIRD.mode),
    };
    third.cases(bench)
}
