use super::super::mapping::{Mapping, rgba};
use frameloom::Result;
use frameloom::core::{ColorSpec, FrameLayout, PixelFormat};
use frameloom::gpu::GpuContext;
use frameloom::ops::GpuFrames;
use frameloom::ops::bench::{Bench, Case, CaseSet};
use frameloom::ops::color::yuv_change::{Change, INFO, YuvChangePlan};
use frameloom::reference::{self, FrameSlot, Pattern};

pub const CASES: CaseSet = CaseSet { op: INFO.name, cases };

const BEFORE: Pattern = Pattern::Natural { seed: 80, shift: 0 };
const AFTER: Pattern = Pattern::Natural { seed: 81, shift: 2 };

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

fn pictures(ctx: &GpuContext, src: &FrameLayout, pattern: Pattern, batch: u32) -> Result<GpuFrames> {
    let layout = rgba_of(src)?;
    let bytes = pattern.frame(&layout);
    GpuFrames::from_host(ctx, "bench", layout, &vec![bytes.as_slice(); batch as usize])
}

fn rgba_of(src: &FrameLayout) -> Result<FrameLayout> {
    FrameLayout::of(PixelFormat::Rgba8, src.size).ok_or_else(|| frameloom::Error::Bug("no layout".into()))
}

fn case(bench: &Bench<'_>, format: PixelFormat, batch: u32) -> Result<Case> {
    let ctx = bench.ctx();
    let mapping = Mapping {
        variant: "everything changes".into(),
        format,
        batch,
        output: &|input| Ok(*input),
        work: &|input| (INFO.work)(input),
        bind: &|src, dst, first| {
            let (before, after) =
                (pictures(ctx, src.layout(), BEFORE, batch)?, pictures(ctx, src.layout(), AFTER, batch)?);
            let plan = YuvChangePlan::new(ctx, src.layout(), ColorSpec::BT709)?;
            let change = Change { before: (&before, 0), after: (&after, 0) };
            let bound = plan.bind(ctx, (src, first), change, (dst, first))?;
            Ok(Box::new(move |rec| bound.record(rec, batch)))
        },
        want: |slot, _| {
            let layout = rgba_of(slot.layout())?;
            let (before, after) = (BEFORE.frame(&layout), AFTER.frame(&layout));
            let picture = |bytes: &[u8]| rgba(&FrameSlot::new(layout, bytes)?);
            let (before, after) = (picture(&before)?, picture(&after)?);
            let [y, ..] =
                reference::color::yuv_change::yuv_change(slot, &before.plane()?, &after.plane()?, ColorSpec::BT709)?;
            // The first plane as it lies in memory.
            let (shift, bytes) = (slot.format().shift_to_value(), slot.format().sample_bytes() as usize);
            Ok(y.into_iter().flat_map(|v| (v << shift).to_le_bytes().into_iter().take(bytes)).collect())
        },
    };
    mapping.case(bench)
}
