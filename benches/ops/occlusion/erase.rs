use super::super::covering::{Covering, for_each};
use frameloom::Result;
use frameloom::core::occlusion::{Erasing, Fill};
use frameloom::core::random::Draw;
use frameloom::ops::bench::{Bench, Case, CaseSet};
use frameloom::ops::occlusion::erase::{Erase, ErasePlan, INFO};
use frameloom::reference;

pub const CASES: CaseSet = CaseSet { op: INFO.name, cases };

const ERASING: Erasing = Erasing { count: 1, probability: 1.0, area: [0.2, 0.2], aspect: [0.5, 2.0] };
const NOISE: Erase = Erase { erasing: ERASING, fill: Fill::Noise, draw: Draw { seed: 1, picture: 2 } };
const MEAN: Erase = Erase { fill: Fill::Mean, ..NOISE };

fn cases(bench: &Bench<'_>) -> Result<Vec<Case>> {
    let noise = Covering {
        variant: "a fifth, noise",
        work: INFO.work,
        bind: |ctx, frames, first| {
            ErasePlan::new(ctx, frames.layout())?.bind(ctx, frames, first, &for_each(frames, first, NOISE))
        },
        want: |src| {
            reference::occlusion::erase::erase(src, &ERASING.rects(src.size(), NOISE.draw), NOISE.fill, NOISE.draw)
        },
    };
    let mean = Covering {
        variant: "a fifth, mean",
        bind: |ctx, frames, first| {
            ErasePlan::new(ctx, frames.layout())?.bind(ctx, frames, first, &for_each(frames, first, MEAN))
        },
        want: |src| {
            reference::occlusion::erase::erase(src, &ERASING.rects(src.size(), MEAN.draw), MEAN.fill, MEAN.draw)
        },
        ..noise
    };
    let mut all = noise.cases(bench)?;
    all.extend(mean.cases(bench)?);
    Ok(all)
}
