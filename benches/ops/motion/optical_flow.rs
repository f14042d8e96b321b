use super::super::inputs::Input;
use frameloom::Result;
use frameloom::core::{FlowScale, PixelFormat};
use frameloom::ops::Record;
use frameloom::ops::bench::{Bench, Case, CaseSet};
use frameloom::ops::motion::optical_flow::{INFO, OpticalFlowBound, OpticalFlowPlan};
use frameloom::reference::{self, Plane};

pub const CASES: CaseSet = CaseSet { op: INFO.name, cases };

/// Steps of a patch depend on the content a little: a moving scene.
fn cases(bench: &Bench<'_>) -> Result<Vec<Case>> {
    let ctx = bench.ctx();
    let mut cases = Vec::new();
    let scales = [FlowScale::Full, FlowScale::Half, FlowScale::Quarter];
    for (scale, batch) in scales.into_iter().flat_map(|s| bench.batches().iter().map(move |batch| (s, *batch))) {
        let input = Input::new(bench, PixelFormat::Nv12, "natural", batch, 1)?;
        let plan = OpticalFlowPlan::new(ctx, &input.layout, scale)?;
        // Maps and pyramids are large: one batch.
        let bound: OpticalFlowBound = plan.bind(ctx, &input.frames, 1)?;
        let recorded = bound.clone();
        cases.push(Case {
            variant: format!("{scale:?}").to_lowercase(),
            content: "natural".into(),
            input: input.name(),
            batch,
            work: (INFO.work)(&input.layout),
            record: Box::new(move |rec, _| {
                recorded.record(rec, batch);
                Ok(())
            }),
            verify: Box::new(move |ctx| {
                let got = bound.dx().read_as::<f32>(ctx, 0)?;
                let (before, now) = (input.luma(0)?, input.luma(1)?);
                let plane = |data| Plane::tight(input.layout.size, data);
                let want = reference::motion::optical_flow::optical_flow(&plane(&before)?, &plane(&now)?, scale)?;
                let unit = (1u32 << scale.level()) as f32 / 64.0;
                let same = got.iter().zip(&want.vectors).all(|(g, v)| *g == v.0 as f32 * unit);
                Ok(same && got.len() == want.vectors.len() && got.iter().any(|v| *v < -1.0))
            }),
        });
    }
    Ok(cases)
}
