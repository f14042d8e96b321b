use super::super::inputs::Input;
use frameloom::Result;
use frameloom::core::PixelFormat;
use frameloom::ops::bench::{Bench, Case, CaseSet};
use frameloom::ops::motion::frame_difference::{FrameDifferenceBound, FrameDifferencePlan, INFO};
use frameloom::reference::{self, Plane};

pub const CASES: CaseSet = CaseSet { op: INFO.name, cases };

/// Content does not matter: one is enough.
fn cases(bench: &Bench<'_>) -> Result<Vec<Case>> {
    let ctx = bench.ctx();
    let mut cases = Vec::new();
    for batch in bench.batches().iter().copied() {
        let input = Input::new(bench, PixelFormat::Nv12, "natural", batch, 1)?;
        let plan = FrameDifferencePlan::new(ctx, &input.layout, 25)?;
        let sets = (0..input.sets)
            .map(|i| plan.bind(ctx, &input.frames, 1 + i * batch))
            .collect::<Result<Vec<FrameDifferenceBound>>>()?;
        let first = sets.first().cloned();
        cases.push(Case {
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
                let got = first.decode(&first.results().read(ctx, FrameDifferencePlan::RESULT_BYTES)?);
                let (a, b) = (input.luma(0)?, input.luma(1)?);
                let size = input.layout.size;
                let (a, b) = (Plane::tight(size, &a)?, Plane::tight(size, &b)?);
                let want = reference::motion::frame_difference::frame_difference(&a, &b, 25)?;
                Ok(got == [want] && want.over > 0)
            }),
        });
    }
    Ok(cases)
}
