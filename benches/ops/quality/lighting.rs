use super::super::colors::{Measuring, RGB, colors};
use frameloom::Result;
use frameloom::core::PixelFormat;
use frameloom::ops::bench::{Bench, Case, CaseSet};
use frameloom::ops::quality::lighting::{INFO, LightingPlan};
use frameloom::reference::quality::lighting::lighting;

pub const CASES: CaseSet = CaseSet { op: INFO.name, cases };

/// Content does not matter: one is enough.
fn cases(bench: &Bench<'_>) -> Result<Vec<Case>> {
    let ctx = bench.ctx();
    let case = |batch: &u32, format| {
        let measuring = Measuring {
            variant: String::new(),
            input: (format, "natural"),
            batch: *batch,
            work: INFO.work,
            bind: &|src, first| LightingPlan::new(ctx, src.layout(), RGB)?.bind(ctx, src, first),
            want: Box::new(|slot| Ok(lighting(&colors(slot)?))),
        };
        measuring.case(bench)
    };
    let formats = [PixelFormat::Nv12, PixelFormat::Rgba8];
    bench.batches().iter().flat_map(|batch| formats.map(|format| case(batch, format))).collect()
}
