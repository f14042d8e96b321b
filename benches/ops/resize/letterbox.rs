use super::super::mapping::{Mapping, rgba};
use frameloom::Result;
use frameloom::core::{Anchor, FrameLayout, PixelFormat, Size, Work};
use frameloom::error::Error;
use frameloom::ops::Record;
use frameloom::ops::bench::{Bench, Case, CaseSet};
use frameloom::ops::resize::letterbox::{INFO, LetterboxFilter, LetterboxParams, LetterboxPlan};
use frameloom::reference;

pub const CASES: CaseSet = CaseSet { op: INFO.name, cases };

const COLOR: [u8; 4] = [114, 114, 114, 255];

/// Content does not matter; how many sources a pixel has does. 640x640 for 1080p.
fn cases(bench: &Bench<'_>) -> Result<Vec<Case>> {
    let mut cases = Vec::new();
    for batch in bench.batches() {
        cases.push(case(bench, LetterboxFilter::Bilinear, *batch)?);
        cases.push(case(bench, LetterboxFilter::Area, *batch)?);
    }
    Ok(cases)
}

fn case(bench: &Bench<'_>, filter: LetterboxFilter, batch: u32) -> Result<Case> {
    let ctx = bench.ctx();
    let side = bench.size().width / 3;
    let to = Size::new(side, side);
    let params = LetterboxParams { filter, anchor: Anchor::Center, color: COLOR };
    let mapping = Mapping {
        variant: format!("rgba {filter:?} to {to}").to_lowercase(),
        format: PixelFormat::Rgba8,
        batch,
        output: &|_| FrameLayout::of(PixelFormat::Rgba8, to).ok_or_else(|| Error::Bug(format!("no layout for {to}"))),
        work: &|input| Work { bytes_written: 4 * to.area(), ..(INFO.work)(input) },
        bind: &|src, dst, first| {
            let plan = LetterboxPlan::new(ctx, src.layout(), dst.layout(), params)?;
            let bound = plan.bind(ctx, src, first, dst, first)?;
            Ok(Box::new(move |rec| bound.record(rec, batch)))
        },
        want: match filter {
            LetterboxFilter::Bilinear => |slot, output| {
                let samples = rgba(slot)?;
                Ok(reference::resize::letterbox::letterbox(
                    &samples.plane()?,
                    output.size,
                    Anchor::Center,
                    COLOR,
                    false,
                )?
                .0)
            },
            LetterboxFilter::Area => |slot, output| {
                let samples = rgba(slot)?;
                Ok(reference::resize::letterbox::letterbox(
                    &samples.plane()?,
                    output.size,
                    Anchor::Center,
                    COLOR,
                    true,
                )?
                .0)
            },
        },
    };
    mapping.case(bench)
}
