use super::super::colors::{Measuring, RGB, colors};
use super::super::inputs::CONTENTS;
use frameloom::Result;
use frameloom::core::PixelFormat;
use frameloom::gpu::AdapterClass;
use frameloom::ops::bench::{Bench, Case, CaseSet};
use frameloom::ops::fused::analyze_frame::{AnalyzeParams, AnalyzePlan, INFO};
use frameloom::reference::fused::analyze_frame::{Parts, analyze_frame};

pub const CASES: CaseSet = CaseSet { op: INFO.name, cases };

/// Content decides, through edges and colours. The variant meant for the other class of adapters is timed as well.
fn cases(bench: &Bench<'_>) -> Result<Vec<Case>> {
    let own = bench.ctx().caps().class;
    let other = if own == AdapterClass::Cpu { AdapterClass::Gpu } else { AdapterClass::Cpu };
    let mut cases = Vec::new();
    for batch in bench.batches() {
        for content in CONTENTS {
            cases.push(case(bench, ("all", AnalyzeParams::all(RGB)), own, (PixelFormat::Nv12, content), *batch)?);
        }
        for format in [PixelFormat::Nv12, PixelFormat::Rgba8] {
            cases.push(case(bench, ("curation", AnalyzeParams::curation(RGB)), own, (format, "natural"), *batch)?);
        }
        cases.push(case(bench, ("all", AnalyzeParams::all(RGB)), own, (PixelFormat::Rgba8, "natural"), *batch)?);
    }
    for batch in bench.batches().iter().take(1) {
        let named = ("all, tables of the other class", AnalyzeParams::all(RGB));
        cases.push(case(bench, named, other, (PixelFormat::Nv12, "natural"), *batch)?);
        for part in parts() {
            cases.push(case(bench, part, own, (PixelFormat::Nv12, "natural"), *batch)?);
        }
    }
    Ok(cases)
}

/// Each part alone: where the time goes.
fn parts() -> [(&'static str, AnalyzeParams); 7] {
    let (all, none) = (AnalyzeParams::all(RGB), AnalyzeParams::none(RGB));
    [
        ("edges and border alone", AnalyzeParams { edges: all.edges, border: all.border, ..none }),
        ("colours alone", AnalyzeParams { colors: true, ..none }),
        ("lighting alone", AnalyzeParams { lighting: true, ..none }),
        ("luma and residual alone", AnalyzeParams { luma: all.luma, residual: true, ..none }),
        ("luma histogram alone", AnalyzeParams { luma_bins: all.luma_bins, ..none }),
        ("HSV histogram alone", AnalyzeParams { hsv: all.hsv, ..none }),
        ("thumbnail alone", AnalyzeParams { thumbnail: all.thumbnail, ..none }),
    ]
}

fn case(
    bench: &Bench<'_>,
    (variant, params): (&str, AnalyzeParams),
    class: AdapterClass,
    input: (PixelFormat, &str),
    batch: u32,
) -> Result<Case> {
    let ctx = bench.ctx();
    let parts = Parts {
        edges: params.edges.map(|e| ((e.low, e.high), params.border)),
        colors: params.colors,
        lighting: params.lighting,
        luma: params.luma.map(|l| (l.dark, l.bright)),
        residual: params.residual,
        luma_bins: params.luma_bins,
        hsv: params.hsv.map(|b| [b.hue, b.saturation, b.value]),
        thumbnail: params.thumbnail,
    };
    let measuring = Measuring {
        variant: variant.into(),
        input,
        batch,
        work: INFO.work,
        bind: &|src, first| {
            let bound = AnalyzePlan::for_class(ctx, src.layout(), params, class)?.bind(ctx, src, first)?;
            Ok(bound.measure().clone())
        },
        want: Box::new(move |slot| analyze_frame(slot, &colors(slot)?, &parts)),
    };
    measuring.case(bench)
}
