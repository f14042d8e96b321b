use super::super::mapping::{Mapping, gray, tight};
use frameloom::Result;
use frameloom::core::{PixelFormat, Size, Work};
use frameloom::ops::bench::{Bench, Case, CaseSet};
use frameloom::ops::resize::lanczos3::{INFO, Lanczos3Plan};
use frameloom::reference;

pub const CASES: CaseSet = CaseSet { op: INFO.name, cases };

/// Content does not matter; the factor does. 224x224 for 1080p.
fn cases(bench: &Bench<'_>) -> Result<Vec<Case>> {
    let Size { width, height } = bench.size();
    let mut cases = Vec::new();
    for batch in bench.batches() {
        cases.push(case(bench, Size::new(width / 2, height / 2), *batch)?);
        cases.push(case(bench, Size::new(width * 7 / 60, height * 28 / 135), *batch)?);
    }
    Ok(cases)
}

fn case(bench: &Bench<'_>, to: Size, batch: u32) -> Result<Case> {
    let ctx = bench.ctx();
    let mapping = Mapping {
        variant: format!("luma to {to}"),
        format: PixelFormat::Nv12,
        batch,
        output: &|_| gray(to),
        work: &|input| Work { bytes_written: to.area(), ..(INFO.work)(input) },
        bind: &|src, dst, first| {
            let bound = Lanczos3Plan::new(ctx, src.layout(), dst.layout())?.bind(ctx, src, first, dst, first)?;
            Ok(Box::new(move |rec| bound.record(rec, batch)))
        },
        want: |slot, output| reference::resize::lanczos3::lanczos3(&tight(slot)?.plane()?, output.size),
    };
    mapping.case(bench)
}
