use super::super::colors::{RGB, colors};
use super::super::inputs::Input;
use frameloom::Result;
use frameloom::core::PixelFormat;
use frameloom::ops::bench::{Bench, Case, CaseSet};
use frameloom::ops::motion::hsv_cut_score::{HsvCutScoreBound, HsvCutScorePlan, INFO};
use frameloom::reference::{self, FrameSlot};

pub const CASES: CaseSet = CaseSet { op: INFO.name, cases };

/// Content does not matter: one is enough.
fn cases(bench: &Bench<'_>) -> Result<Vec<Case>> {
    bench.batches().iter().map(|batch| case(bench, *batch)).collect()
}

fn case(bench: &Bench<'_>, batch: u32) -> Result<Case> {
    let ctx = bench.ctx();
    let input = Input::new(bench, PixelFormat::Nv12, "natural", batch, 1)?;
    let plan = HsvCutScorePlan::new(ctx, &input.layout, RGB)?;
    let sets = (0..input.sets)
        .map(|i| plan.bind(ctx, &input.frames, 1 + i * batch))
        .collect::<Result<Vec<HsvCutScoreBound>>>()?;
    let first = sets.first().cloned();
    Ok(Case {
        variant: String::new(),
        content: "natural".into(),
        input: input.name(),
        batch,
        work: (INFO.work)(&input.layout),
        record: Box::new(move |rec, i| {
            if let Some(set) = sets.get(i % sets.len()) {
                set.record(rec, batch);
            }
            Ok(())
        }),
        verify: Box::new(move |ctx| {
            let Some(first) = &first else { return Ok(false) };
            let got = first.decode(&first.results().read(ctx, HsvCutScorePlan::RESULT_BYTES)?);
            let slot = |i| FrameSlot::new(input.layout, input.bytes(i)).and_then(|slot| colors(&slot));
            let want = reference::motion::hsv_cut_score::hsv_cut_score(&slot(0)?, &slot(1)?)?;
            Ok(got == [want] && want.hue > 0)
        }),
    })
}
