use super::super::colors::{Measuring, RGB, colors};
use super::super::inputs::CONTENTS;
use frameloom::Result;
use frameloom::core::PixelFormat;
use frameloom::gpu::AdapterClass;
use frameloom::ops::bench::{Bench, Case, CaseSet};
use frameloom::ops::histogram::hsv3d::{HsvBins, HsvHistogramPlan, INFO};
use frameloom::reference::histogram::hsv3d::hsv3d;

pub const CASES: CaseSet = CaseSet { op: INFO.name, cases };

/// Content decides: equal pixels meet in one counter. The variant meant for the other class of adapters is timed as well.
fn cases(bench: &Bench<'_>) -> Result<Vec<Case>> {
    let own = bench.ctx().caps().class;
    let other = if own == AdapterClass::Cpu { AdapterClass::Gpu } else { AdapterClass::Cpu };
    let mut cases = Vec::new();
    for batch in bench.batches() {
        for content in CONTENTS {
            cases.push(case(bench, own, 6, (PixelFormat::Nv12, content), *batch)?);
        }
    }
    for batch in bench.batches().iter().take(1) {
        cases.push(case(bench, own, 8, (PixelFormat::Nv12, "natural"), *batch)?);
        cases.push(case(bench, own, 6, (PixelFormat::Rgba8, "natural"), *batch)?);
        for content in CONTENTS {
            cases.push(case(bench, other, 6, (PixelFormat::Nv12, content), *batch)?);
        }
    }
    Ok(cases)
}

fn case(bench: &Bench<'_>, class: AdapterClass, n: u32, input: (PixelFormat, &str), batch: u32) -> Result<Case> {
    let ctx = bench.ctx();
    let bins = HsvBins { hue: n, saturation: n, value: n };
    let variant = if class == AdapterClass::Cpu { "table per lane" } else { "table per 32, atomics" };
    let measuring = Measuring {
        variant: format!("{n}x{n}x{n}, {variant}"),
        input,
        batch,
        work: INFO.work,
        bind: &|src, first| HsvHistogramPlan::for_class(ctx, src.layout(), bins, RGB, class)?.bind(ctx, src, first),
        want: Box::new(move |slot| hsv3d(&colors(slot)?, [n; 3])),
    };
    measuring.case(bench)
}
