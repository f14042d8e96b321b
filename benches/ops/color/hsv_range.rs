use super::super::mapping::{Mapping, rgba};
use frameloom::Result;
use frameloom::core::{HsvRange, PixelFormat};
use frameloom::ops::bench::{Bench, Case, CaseSet};
use frameloom::ops::color::hsv_range::{HsvRangePlan, INFO};
use frameloom::reference;

pub const CASES: CaseSet = CaseSet { op: INFO.name, cases };

/// Reds, through 0.
const RANGE: HsvRange = HsvRange { low: [160, 50, 50], high: [10, 255, 255] };

/// Content does not matter: one is enough.
fn cases(bench: &Bench<'_>) -> Result<Vec<Case>> {
    let ctx = bench.ctx();
    let case = |batch: &u32| {
        let batch = *batch;
        let mapping = Mapping {
            variant: String::new(),
            format: PixelFormat::Rgba8,
            batch,
            output: &|input| Ok(*HsvRangePlan::new(ctx, input, RANGE)?.output()),
            work: &|input| (INFO.work)(input),
            bind: &|src, dst, first| {
                let bound = HsvRangePlan::new(ctx, src.layout(), RANGE)?.bind(ctx, src, first, dst, first)?;
                Ok(Box::new(move |rec| bound.record(rec, batch)))
            },
            want: |slot, _| reference::color::hsv_range::hsv_range(&rgba(slot)?.plane()?, RANGE),
        };
        mapping.case(bench)
    };
    bench.batches().iter().map(case).collect()
}
