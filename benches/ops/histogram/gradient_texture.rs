use super::super::inputs::CONTENTS;
use super::super::measuring::Measuring;
use frameloom::Result;
use frameloom::core::PixelFormat;
use frameloom::ops::bench::{Bench, Case, CaseSet};
use frameloom::ops::histogram::gradient_texture::{GradientTexturePlan, INFO};
use frameloom::reference::histogram::gradient_texture::gradient_texture as reference;

pub const CASES: CaseSet = CaseSet { op: INFO.name, cases };

/// Flat pictures meet in one bin, noise in all.
fn cases(bench: &Bench<'_>) -> Result<Vec<Case>> {
    let ctx = bench.ctx();
    let mut cases = Vec::new();
    for batch in bench.batches() {
        for content in CONTENTS {
            let measuring = Measuring {
                variant: "32 bins".into(),
                format: PixelFormat::Nv12,
                content,
                batch: *batch,
                work: INFO.work,
                bind: &|layout, src, first| GradientTexturePlan::new(ctx, layout, 32)?.bind(ctx, src, first),
                want: Box::new(|plane| reference(plane, 32)),
            };
            cases.push(measuring.case(bench)?);
        }
    }
    Ok(cases)
}
