use super::super::colors::{Measuring, RGB, colors};
use super::super::inputs::CONTENTS;
use frameloom::Result;
use frameloom::core::PixelFormat;
use frameloom::ops::bench::{Bench, Case, CaseSet};
use frameloom::ops::histogram::unique_colors::{INFO, UniqueColorsPlan};
use frameloom::reference::histogram::unique_colors::unique_colors;

pub const CASES: CaseSet = CaseSet { op: INFO.name, cases };

/// Content decides: how many bits are set, and how many pixels ask for the same one.
fn cases(bench: &Bench<'_>) -> Result<Vec<Case>> {
    let ctx = bench.ctx();
    let case = |batch: &u32, content: &str| {
        let measuring = Measuring {
            variant: String::new(),
            input: (PixelFormat::Nv12, content),
            batch: *batch,
            work: INFO.work,
            bind: &|src, first| UniqueColorsPlan::new(ctx, src.layout(), RGB)?.bind(ctx, src, first),
            want: Box::new(|slot| Ok(unique_colors(&colors(slot)?))),
        };
        measuring.case(bench)
    };
    bench.batches().iter().flat_map(|batch| CONTENTS.map(|content| case(batch, content))).collect()
}
