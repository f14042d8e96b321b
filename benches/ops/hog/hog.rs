use super::super::inputs::Input;
use frameloom::Result;
use frameloom::core::{HogParams, PixelFormat};
use frameloom::ops::bench::{Bench, Case, CaseSet};
use frameloom::ops::hog::hog::{HogBound, HogPlan, INFO};
use frameloom::reference::{self, Plane};

pub const CASES: CaseSet = CaseSet { op: INFO.name, cases };

/// Every pixel takes the same way: one content is enough.
fn cases(bench: &Bench<'_>) -> Result<Vec<Case>> {
    let ctx = bench.ctx();
    let mut cases = Vec::new();
    for (cell, batch) in [8u32, 32].into_iter().flat_map(|cell| bench.batches().iter().map(move |b| (cell, *b))) {
        let params = HogParams::square(cell);
        let input = Input::new(bench, PixelFormat::Nv12, "natural", batch, 0)?;
        let plan = HogPlan::new(ctx, &input.layout, params)?;
        let sets =
            (0..input.sets).map(|i| plan.bind(ctx, &input.frames, i * batch)).collect::<Result<Vec<HogBound>>>()?;
        let first = sets.first().cloned();
        cases.push(Case {
            variant: format!("cells of {cell}x{cell}"),
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
                let got = first.decode(&first.results().read(ctx, first.frame_bytes())?).concat();
                let luma = input.luma(0)?;
                let want = reference::hog::hog::hog(&Plane::tight(input.layout.size, &luma)?, params)?;
                let near = got.iter().zip(&want).all(|(g, w)| (f64::from(*g) - w).abs() <= 1e-5);
                Ok(near && got.len() == want.len() && want.iter().any(|v| *v > 0.1))
            }),
        });
    }
    Ok(cases)
}
