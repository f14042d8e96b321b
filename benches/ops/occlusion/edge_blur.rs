use super::super::covering::{Covering, for_each};
use frameloom::Result;
use frameloom::core::occlusion::{EdgeBlur, Inside, Side};
use frameloom::ops::bench::{Bench, Case, CaseSet};
use frameloom::ops::occlusion::edge_blur::{EdgeBlurPlan, INFO};
use frameloom::reference;

pub const CASES: CaseSet = CaseSet { op: INFO.name, cases };

/// A quarter with 31 taps, a tenth with 15.
const QUARTER: EdgeBlur = EdgeBlur { side: Side::Left, share: 0.25, radius: 15, feather: 16, inside: Inside::Band };
const TENTH: EdgeBlur = EdgeBlur { side: Side::Bottom, share: 0.1, radius: 7, feather: 16, inside: Inside::Picture };

fn cases(bench: &Bench<'_>) -> Result<Vec<Case>> {
    let quarter = Covering {
        variant: "left quarter, 31 taps",
        work: INFO.work,
        bind: |ctx, frames, first| {
            EdgeBlurPlan::new(ctx, frames.layout())?.bind(ctx, frames, first, &for_each(frames, first, QUARTER))
        },
        want: |src| reference::occlusion::edge_blur::edge_blur(src, &QUARTER),
    };
    let tenth = Covering {
        variant: "bottom tenth, 15 taps",
        work: INFO.work,
        bind: |ctx, frames, first| {
            EdgeBlurPlan::new(ctx, frames.layout())?.bind(ctx, frames, first, &for_each(frames, first, TENTH))
        },
        want: |src| reference::occlusion::edge_blur::edge_blur(src, &TENTH),
    };
    let mut all = quarter.cases(bench)?;
    all.extend(tenth.cases(bench)?);
    Ok(all)
}
