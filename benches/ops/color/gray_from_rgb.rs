use super::super::mapping::{Mapping, rgba};
use frameloom::Result;
use frameloom::core::PixelFormat;
use frameloom::ops::bench::{Bench, Case, CaseSet};
use frameloom::ops::color::gray_from_rgb::{GrayFromRgbPlan, INFO};
use frameloom::reference;

pub const CASES: CaseSet = CaseSet { op: INFO.name, cases };

/// Content does not matter: one is enough.
fn cases(bench: &Bench<'_>) -> Result<Vec<Case>> {
    let ctx = bench.ctx();
    let case = |batch: &u32| {
        let batch = *batch;
        let mapping = Mapping {
            variant: String::new(),
            format: PixelFormat::Rgba8,
            batch,
            output: &|input| Ok(*GrayFromRgbPlan::new(ctx, input)?.output()),
            work: &|input| (INFO.work)(input),
            bind: &|src, dst, first| {
                let bound = GrayFromRgbPlan::new(ctx, src.layout())?.bind(ctx, src, first, dst, first)?;
                Ok(Box::new(move |rec| bound.record(rec, batch)))
            },
            want: |slot, _| reference::color::gray_from_rgb::gray_from_rgb(&rgba(slot)?.plane()?),
        };
        mapping.case(bench)
    };
    bench.batches().iter().map(case).collect()
}
