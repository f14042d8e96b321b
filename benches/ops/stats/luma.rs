use super::super::inputs::Input;
use frameloom::Result;
use frameloom::core::PixelFormat;
use frameloom::ops::bench::{Bench, Case, CaseSet};
use frameloom::ops::stats::luma::{INFO, LumaParams, LumaStatsBound, LumaStatsPlan};
use frameloom::reference::{self, Plane};

pub const CASES: CaseSet = CaseSet { op: INFO.name, cases };

/// Content does not matter to a stencil: one is enough.
fn cases(bench: &Bench<'_>) -> Result<Vec<Case>> {
    let ctx = bench.ctx();
    let mut cases = Vec::new();
    for (format, batch) in [PixelFormat::Nv12, PixelFormat::P010]
        .into_iter()
        .flat_map(|format| bench.batches().iter().map(move |batch| (format, *batch)))
    {
        let input = Input::new(bench, format, "natural", batch, 0)?;
        let plan = LumaStatsPlan::new(ctx, &input.layout, LumaParams { dark: 26, bright: 230 })?;
        let sets = (0..input.sets)
            .map(|i| plan.bind(ctx, &input.frames, i * batch))
            .collect::<Result<Vec<LumaStatsBound>>>()?;
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
                let got = first.decode(&first.results().read(ctx, LumaStatsPlan::RESULT_BYTES)?);
                let luma = input.luma(0)?;
                let want = reference::stats::luma::luma(&Plane::tight(input.layout.size, &luma)?, 26, 230)?;
                Ok(got == [want])
            }),
        });
    }
    Ok(cases)
}
