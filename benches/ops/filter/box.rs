use super::{Filtered, reference};
use frameloom::Result;
use frameloom::core::PixelFormat;
use frameloom::ops::GpuFrames;
use frameloom::ops::bench::{Bench, Case, CaseSet};
use frameloom::ops::filter::r#box::{BoxPlan, INFO};
use frameloom::reference::filter::r#box::box_mean;

pub const CASES: CaseSet = CaseSet { op: INFO.name, cases };

/// Running sums: the window hardly matters.
fn cases(bench: &Bench<'_>) -> Result<Vec<Case>> {
    let ctx = bench.ctx();
    let one = |variant, size, want| {
        let bind = |src: &GpuFrames, dst: &GpuFrames, first| {
            BoxPlan::new(ctx, src.layout(), size)?.bind(ctx, src, first, dst, first)
        };
        Filtered { variant, format: PixelFormat::Nv12, work: INFO.work, bind: &bind, want }.cases(bench)
    };
    let mut cases = one("luma 5x5", 5, |slot, _| reference(slot, |p| box_mean(p, 5)))?;
    cases.extend(one("luma 31x31", 31, |slot, _| reference(slot, |p| box_mean(p, 31)))?);
    Ok(cases)
}
