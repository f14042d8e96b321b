use super::super::colors::{Measuring, RGB, colors};
use super::super::inputs::CONTENTS;
use frameloom::Result;
use frameloom::core::PixelFormat;
use frameloom::gpu::AdapterClass;
use frameloom::ops::bench::{Bench, Case, CaseSet};
use frameloom::ops::histogram::rgb_grid::{INFO, RgbGridPlan};
use frameloom::reference::histogram::rgb_grid::rgb_grid;

pub const CASES: CaseSet = CaseSet { op: INFO.name, cases };

/// Content decides: equal pixels meet in one counter. The variant meant for the other class of adapters is timed as well.
fn cases(bench: &Bench<'_>) -> Result<Vec<Case>> {
    let own = bench.ctx().caps().class;
    let other = if own == AdapterClass::Cpu { AdapterClass::Gpu } else { AdapterClass::Cpu };
    let mut cases = Vec::new();
    for batch in bench.batches() {
        for content in CONTENTS {
            cases.push(case(bench, own, content, *batch)?);
        }
    }
    for batch in bench.batches().iter().take(1) {
        cases.push(case(bench, other, "natural", *batch)?);
    }
    Ok(cases)
}

fn case(bench: &Bench<'_>, class: AdapterClass, content: &str, batch: u32) -> Result<Case> {
    let ctx = bench.ctx();
    let variant = if class == AdapterClass::Cpu { "table per lane" } else { "table per 32, atomics" };
    let measuring = Measuring {
        variant: format!("4x4 cells, {variant}"),
        input: (PixelFormat::Nv12, content),
        batch,
        work: INFO.work,
        bind: &|src, first| RgbGridPlan::for_class(ctx, src.layout(), 4, RGB, class)?.bind(ctx, src, first),
        want: Box::new(|slot| rgb_grid(&colors(slot)?, 4)),
    };
    measuring.case(bench)
}
