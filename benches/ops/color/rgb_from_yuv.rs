use super::super::mapping::{Mapping, bytes};
use frameloom::Result;
use frameloom::core::{ChromaUpsampling, ColorSpec, PixelFormat};
use frameloom::ops::bench::{Bench, Case, CaseSet};
use frameloom::ops::color::rgb_from_yuv::{INFO, RgbFromYuvPlan, RgbParams};
use frameloom::reference;

pub const CASES: CaseSet = CaseSet { op: INFO.name, cases };

const BILINEAR: RgbParams = RgbParams { color: ColorSpec::BT709, upsampling: ChromaUpsampling::Bilinear };

/// Content does not matter; the layout of chroma and its upsampling do.
fn cases(bench: &Bench<'_>) -> Result<Vec<Case>> {
    let mut cases = Vec::new();
    for batch in bench.batches() {
        cases.push(case(bench, PixelFormat::Nv12, *batch)?);
    }
    for batch in bench.batches().iter().take(1) {
        cases.push(case(bench, PixelFormat::I420, *batch)?);
        cases.push(case(bench, PixelFormat::P010, *batch)?);
    }
    Ok(cases)
}

fn case(bench: &Bench<'_>, format: PixelFormat, batch: u32) -> Result<Case> {
    let ctx = bench.ctx();
    let mapping = Mapping {
        variant: "bilinear chroma".into(),
        format,
        batch,
        output: &|input| Ok(*RgbFromYuvPlan::new(ctx, input, BILINEAR)?.output()),
        work: &|input| (INFO.work)(input),
        bind: &|src, dst, first| {
            let bound = RgbFromYuvPlan::new(ctx, src.layout(), BILINEAR)?.bind(ctx, src, first, dst, first)?;
            Ok(Box::new(move |rec| bound.record(rec, batch)))
        },
        want: |slot, _| {
            reference::color::rgb_from_yuv::rgb_from_yuv(slot, BILINEAR.color, BILINEAR.upsampling).map(bytes)
        },
    };
    mapping.case(bench)
}
