use super::{Filtered, reference};
use frameloom::Result;
use frameloom::core::PixelFormat;
use frameloom::ops::bench::{Bench, Case, CaseSet};
use frameloom::ops::filter::median3::{INFO, Median3Plan};
use frameloom::reference::filter::median3::median3;

pub const CASES: CaseSet = CaseSet { op: INFO.name, cases };

fn cases(bench: &Bench<'_>) -> Result<Vec<Case>> {
    let ctx = bench.ctx();
    let one = |variant, format| {
        let filtered = Filtered {
            variant,
            format,
            work: INFO.work,
            bind: &|src, dst, first| Median3Plan::new(ctx, src.layout())?.bind(ctx, src, first, dst, first),
            want: |slot, _| reference(slot, |p| Ok(median3(p))),
        };
        filtered.cases(bench)
    };
    let mut cases = one("luma", PixelFormat::Nv12)?;
    cases.extend(one("rgba", PixelFormat::Rgba8)?);
    Ok(cases)
}
