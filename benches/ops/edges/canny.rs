use super::super::inputs::{CONTENTS, Input};
use frameloom::Result;
use frameloom::core::PixelFormat;
use frameloom::ops::GpuFrames;
use frameloom::ops::bench::{Bench, Case, CaseSet};
use frameloom::ops::edges::canny::{CannyBound, CannyParams, CannyPlan, INFO};
use frameloom::reference::{self, Plane};

pub const CASES: CaseSet = CaseSet { op: INFO.name, cases };

/// The more edges there are, the more sweeps hysteresis takes: all contents.
fn cases(bench: &Bench<'_>) -> Result<Vec<Case>> {
    let mut cases = Vec::new();
    for batch in bench.batches() {
        for content in CONTENTS {
            for widen in [true, false] {
                if widen || *batch == 1 {
                    cases.push(case(bench, content, *batch, widen)?);
                }
            }
        }
    }
    Ok(cases)
}

fn case(bench: &Bench<'_>, content: &str, batch: u32, widen: bool) -> Result<Case> {
    let ctx = bench.ctx();
    let input = Input::new(bench, PixelFormat::Nv12, content, batch, 0)?;
    let plan = CannyPlan::new(ctx, &input.layout, CannyParams::default())?;
    let dst = GpuFrames::new(ctx, "bench", PixelFormat::Gray8, input.layout.size, input.sets * batch)?;
    let bind = |i: u32| match widen {
        true => plan.bind(ctx, &input.frames, i * batch, &dst, i * batch),
        false => plan.bind_bits(ctx, &input.frames, i * batch),
    };
    let sets = (0..input.sets).map(bind).collect::<Result<Vec<CannyBound>>>()?;
    let first = sets.first().cloned();
    Ok(Case {
        variant: if widen { String::new() } else { "bits".into() },
        content: content.into(),
        input: input.name(),
        batch,
        work: (INFO.work)(&input.layout),
        record: Box::new(move |rec, i| {
            if let Some(set) = sets.get(i % sets.len()) {
                set.record(rec, batch);
            }
            Ok(())
        }),
        verify: Box::new(move |ctx| {
            let Some(first) = &first else { return Ok(false) };
            let luma = input.luma(0)?;
            let want = reference::edges::canny::canny(&Plane::tight(input.layout.size, &luma)?, 50, 150)?;
            let bits: Vec<u8> = want.iter().map(|v| v / 255).collect();
            let complete = first.status().complete(ctx)?;
            if !widen {
                return Ok(complete && first.edges().read(ctx, 0)? == bits);
            }
            let (slot, row) = (dst.read_slot(ctx, 0)?, input.layout.size.width as usize);
            let rows = slot.chunks_exact(dst.layout().first().stride as usize);
            let got = rows.take(input.layout.size.height as usize).flat_map(|r| r.iter().take(row));
            Ok(complete && got.eq(want.iter()))
        }),
    })
}
