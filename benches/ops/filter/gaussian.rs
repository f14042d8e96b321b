use super::{Filtered, reference};
use frameloom::Result;
use frameloom::core::PixelFormat;
use frameloom::ops::GpuFrames;
use frameloom::ops::bench::{Bench, Case, CaseSet};
use frameloom::ops::filter::GaussianParams;
use frameloom::ops::filter::gaussian::{GaussianPlan, INFO};
use frameloom::reference::filter::gaussian::gaussian;

pub const CASES: CaseSet = CaseSet { op: INFO.name, cases };

/// The ordinary window, the one of the edge blur, and a large one.
fn cases(bench: &Bench<'_>) -> Result<Vec<Case>> {
    let ctx = bench.ctx();
    let one = |variant, size, want| {
        let bind = |src: &GpuFrames, dst: &GpuFrames, first| {
            GaussianPlan::new(ctx, src.layout(), GaussianParams::of_size(size))?.bind(ctx, src, first, dst, first)
        };
        Filtered { variant, format: PixelFormat::Nv12, work: INFO.work, bind: &bind, want }.cases(bench)
    };
    let mut cases = one("luma 5x5", 5, |slot, _| reference(slot, |p| gaussian(p, 5, None)))?;
    cases.extend(one("luma 15x15", 15, |slot, _| reference(slot, |p| gaussian(p, 15, None)))?);
    cases.extend(one("luma 31x31", 31, |slot, _| reference(slot, |p| gaussian(p, 31, None)))?);
    Ok(cases)
}
