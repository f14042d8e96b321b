use super::super::measuring::Measuring;
use frameloom::Result;
use frameloom::core::PixelFormat;
use frameloom::ops::bench::{Bench, Case, CaseSet};
use frameloom::ops::sharpness::tenengrad::{INFO, TenengradPlan};
use frameloom::reference::sharpness::tenengrad::tenengrad as reference;

pub const CASES: CaseSet = CaseSet { op: INFO.name, cases };

/// Content does not matter to a stencil: one is enough.
fn cases(bench: &Bench<'_>) -> Result<Vec<Case>> {
    let ctx = bench.ctx();
    let case = |batch: &u32| {
        let measuring = Measuring {
            variant: String::new(),
            format: PixelFormat::Nv12,
            content: "natural",
            batch: *batch,
            work: INFO.work,
            bind: &|layout, src, first| TenengradPlan::new(ctx, layout)?.bind(ctx, src, first),
            want: Box::new(reference),
        };
        measuring.case(bench)
    };
    bench.batches().iter().map(case).collect()
}
