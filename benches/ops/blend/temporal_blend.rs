use super::super::mapping::{Mapping, rgba};
use frameloom::Result;
use frameloom::core::PixelFormat;
use frameloom::core::blend::TemporalMode;
use frameloom::ops::GpuFrames;
use frameloom::ops::bench::{Bench, Case, CaseSet};
use frameloom::ops::blend::temporal_blend::{INFO, TemporalBlendPlan};
use frameloom::reference::{self, Pattern};

pub const CASES: CaseSet = CaseSet { op: INFO.name, cases };

const MODE: TemporalMode = TemporalMode::Weighted { index: 17, count: 300 };
const REVERSED: Pattern = Pattern::Natural { seed: 70, shift: 3 };

fn cases(bench: &Bench<'_>) -> Result<Vec<Case>> {
    let ctx = bench.ctx();
    let case = |batch: &u32| {
        let batch = *batch;
        let mapping = Mapping {
            variant: "weighted".into(),
            format: PixelFormat::Rgba8,
            batch,
            output: &|input| Ok(*input),
            work: &|input| (INFO.work)(input),
            bind: &|src, dst, first| {
                let reversed = REVERSED.frame(src.layout());
                let refs = vec![reversed.as_slice(); batch as usize];
                let reversed = GpuFrames::from_host(ctx, "bench", *src.layout(), &refs)?;
                let plan = TemporalBlendPlan::new(ctx, src.layout())?;
                let modes = vec![MODE; batch as usize];
                let bound = plan.bind(ctx, (src, first), (&reversed, 0), (dst, first), &modes)?;
                Ok(Box::new(move |rec| bound.record(rec, batch)))
            },
            want: |slot, _| {
                let reversed = REVERSED.frame(slot.layout());
                let reversed = frameloom::reference::FrameSlot::new(*slot.layout(), &reversed)?;
                reference::blend::temporal_blend::temporal_blend(
                    &rgba(slot)?.plane()?,
                    &rgba(&reversed)?.plane()?,
                    MODE,
                )
            },
        };
        mapping.case(bench)
    };
    bench.batches().iter().map(case).collect()
}
