use super::super::inputs::{CONTENTS, Input};
use frameloom::Result;
use frameloom::core::PixelFormat;
use frameloom::gpu::AdapterClass;
use frameloom::ops::bench::{Bench, Case, CaseSet};
use frameloom::ops::histogram::luma::{HistogramParams, INFO, LumaHistogramBound, LumaHistogramPlan};
use frameloom::reference::{self, Plane};

pub const CASES: CaseSet = CaseSet { op: INFO.name, cases };

/// Content decides: equal pixels meet in one counter. The variant meant for the other class of adapters is timed as well.
fn cases(bench: &Bench<'_>) -> Result<Vec<Case>> {
    let own = bench.ctx().caps().class;
    let other = if own == AdapterClass::Cpu { AdapterClass::Gpu } else { AdapterClass::Cpu };
    let mut cases = Vec::new();
    for batch in bench.batches() {
        for content in CONTENTS {
            cases.push(case(bench, own, 256, content, *batch)?);
        }
    }
    for batch in bench.batches().iter().take(1) {
        cases.push(case(bench, own, 32, "natural", *batch)?);
        for content in CONTENTS {
            cases.push(case(bench, other, 256, content, *batch)?);
        }
    }
    Ok(cases)
}

fn case(bench: &Bench<'_>, class: AdapterClass, bins: u32, content: &str, batch: u32) -> Result<Case> {
    let ctx = bench.ctx();
    let input = Input::new(bench, PixelFormat::Nv12, content, batch, 0)?;
    let plan = LumaHistogramPlan::for_class(ctx, &input.layout, HistogramParams { bins, row_step: 1 }, class)?;
    let sets = (0..input.sets)
        .map(|i| plan.bind(ctx, &input.frames, i * batch))
        .collect::<Result<Vec<LumaHistogramBound>>>()?;
    let first = sets.first().cloned();
    let variant = if class == AdapterClass::Cpu { "table per lane" } else { "table per 32, atomics" };
    Ok(Case {
        variant: format!("{bins} bins, {variant}"),
        content: content.into(),
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
            let got = first.decode(&first.results().read(ctx, plan.result_bytes())?);
            let luma = input.luma(0)?;
            Ok(got == [reference::histogram::luma::luma(&Plane::tight(input.layout.size, &luma)?, bins, 1)?])
        }),
    })
}
