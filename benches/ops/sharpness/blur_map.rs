use super::super::measuring::Measuring;
use frameloom::Result;
use frameloom::core::PixelFormat;
use frameloom::ops::bench::{Bench, Case, CaseSet};
use frameloom::ops::sharpness::blur_map::{BlurMapPlan, INFO};
use frameloom::reference::sharpness::blur_map::blur_map as reference;

pub const CASES: CaseSet = CaseSet { op: INFO.name, cases };

/// Content does not matter to a stencil; small tiles mean more additions to memory.
fn cases(bench: &Bench<'_>) -> Result<Vec<Case>> {
    let ctx = bench.ctx();
    let mut cases = Vec::new();
    for batch in bench.batches() {
        for tile in [16, 64] {
            let measuring = Measuring {
                variant: format!("tile {tile}"),
                format: PixelFormat::Nv12,
                content: "natural",
                batch: *batch,
                work: INFO.work,
                bind: &|layout, src, first| BlurMapPlan::new(ctx, layout, tile)?.bind(ctx, src, first),
                want: Box::new(move |plane| reference(plane, tile)),
            };
            cases.push(measuring.case(bench)?);
        }
    }
    Ok(cases)
}
