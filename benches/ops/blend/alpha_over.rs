use super::super::mapping::{Mapping, rgba};
use frameloom::Result;
use frameloom::core::PixelFormat;
use frameloom::core::blend::Alpha;
use frameloom::ops::GpuFrames;
use frameloom::ops::bench::{Bench, Case, CaseSet};
use frameloom::ops::blend::alpha_over::{AlphaOverPlan, INFO};
use frameloom::reference::{self, FrameSlot, Pattern};

pub const CASES: CaseSet = CaseSet { op: INFO.name, cases };

const BOTTOM: Pattern = Pattern::Natural { seed: 71, shift: 3 };

fn cases(bench: &Bench<'_>) -> Result<Vec<Case>> {
    let ctx = bench.ctx();
    let case = |batch: &u32| {
        let batch = *batch;
        let mapping = Mapping {
            variant: "straight".into(),
            format: PixelFormat::Rgba8,
            batch,
            output: &|input| Ok(*input),
            work: &|input| (INFO.work)(input),
            bind: &|src, dst, first| {
                let bottom = BOTTOM.frame(src.layout());
                let refs = vec![bottom.as_slice(); batch as usize];
                let bottom = GpuFrames::from_host(ctx, "bench", *src.layout(), &refs)?;
                let plan = AlphaOverPlan::new(ctx, src.layout(), Alpha::Straight)?;
                let bound = plan.bind(ctx, (src, first), (&bottom, 0), (dst, first))?;
                Ok(Box::new(move |rec| bound.record(rec, batch)))
            },
            want: |slot, _| {
                let bottom = BOTTOM.frame(slot.layout());
                let bottom = FrameSlot::new(*slot.layout(), &bottom)?;
                let (top, bottom) = (rgba(slot)?, rgba(&bottom)?);
                reference::blend::alpha_over::alpha_over(&top.plane()?, &bottom.plane()?, Alpha::Straight)
            },
        };
        mapping.case(bench)
    };
    bench.batches().iter().map(case).collect()
}
