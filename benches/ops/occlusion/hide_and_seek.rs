use super::super::covering::{Covering, for_each};
use frameloom::Result;
use frameloom::core::occlusion::{Fill, Hiding};
use frameloom::core::random::Draw;
use frameloom::ops::bench::{Bench, Case, CaseSet};
use frameloom::ops::occlusion::hide_and_seek::{HideAndSeek, HideAndSeekPlan, INFO};
use frameloom::reference;

pub const CASES: CaseSet = CaseSet { op: INFO.name, cases };

const HIDE: HideAndSeek = HideAndSeek {
    hiding: Hiding { cells: 8, probability: 0.5 },
    fill: Fill::Constant([128; 3]),
    draw: Draw { seed: 1, picture: 2 },
};

fn cases(bench: &Bench<'_>) -> Result<Vec<Case>> {
    let half = Covering {
        variant: "8x8 cells, half",
        work: INFO.work,
        bind: |ctx, frames, first| {
            HideAndSeekPlan::new(ctx, frames.layout())?.bind(ctx, frames, first, &for_each(frames, first, HIDE))
        },
        want: |src| reference::occlusion::hide_and_seek::hide_and_seek(src, &HIDE.hiding, HIDE.fill, HIDE.draw),
    };
    half.cases(bench)
}
