use super::super::colors::{Measuring, RGB, colors};
use super::super::inputs::CONTENTS;
use frameloom::Result;
use frameloom::core::PixelFormat;
use frameloom::ops::bench::{Bench, Case, CaseSet};
use frameloom::ops::edges::canny::CannyParams;
use frameloom::ops::quality::complexity::{ComplexityPlan, INFO};
use frameloom::reference::quality::complexity::complexity;

pub const CASES: CaseSet = CaseSet { op: INFO.name, cases };

/// Content matters, as it does to Canny and to the map of colours.
fn cases(bench: &Bench<'_>) -> Result<Vec<Case>> {
    let ctx = bench.ctx();
    let canny = CannyParams::default();
    let case = |batch: u32, input| {
        let measuring = Measuring {
            variant: String::new(),
            input,
            batch,
            work: INFO.work,
            bind: &|src, first| {
                let bound = ComplexityPlan::new(ctx, src.layout(), canny, RGB)?.bind(ctx, src, first)?;
                Ok(bound.measure().clone())
            },
            want: Box::new(move |slot| complexity(slot, &colors(slot)?, canny.low, canny.high)),
        };
        measuring.case(bench)
    };
    let mut cases = Vec::new();
    for batch in bench.batches() {
        for content in CONTENTS {
            cases.push(case(*batch, (PixelFormat::Nv12, content))?);
        }
        cases.push(case(*batch, (PixelFormat::Rgba8, "natural"))?);
    }
    Ok(cases)
}
