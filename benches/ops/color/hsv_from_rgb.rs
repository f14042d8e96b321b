use super::super::mapping::{Mapping, bytes, rgba};
use frameloom::Result;
use frameloom::core::PixelFormat;
use frameloom::ops::bench::{Bench, Case, CaseSet};
use frameloom::ops::color::hsv_from_rgb::{HsvFromRgbPlan, INFO};
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
            output: &|input| Ok(*input),
            work: &|input| (INFO.work)(input),
            bind: &|src, dst, first| {
                let bound = HsvFromRgbPlan::new(ctx, src.layout())?.bind(ctx, src, first, dst, first)?;
                Ok(Box::new(move |rec| bound.record(rec, batch)))
            },
            want: |slot, _| reference::color::hsv_from_rgb::hsv_from_rgb(&rgba(slot)?.plane()?).map(bytes),
        };
        mapping.case(bench)
    };
    bench.batches().iter().map(case).collect()
}
