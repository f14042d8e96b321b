use super::super::inputs::Input;
use frameloom::Result;
use frameloom::core::{BlockSearch, PixelFormat};
use frameloom::ops::Record;
use frameloom::ops::bench::{Bench, Case, CaseSet};
use frameloom::ops::motion::block_motion::{BlockMotionBound, BlockMotionPlan, INFO};
use frameloom::reference::{self, Plane};

pub const CASES: CaseSet = CaseSet { op: INFO.name, cases };

/// A full search takes the same way through every content: one is enough.
fn cases(bench: &Bench<'_>) -> Result<Vec<Case>> {
    let ctx = bench.ctx();
    let mut cases = Vec::new();
    let searches = [(16, 7), (8, 7), (16, 16)].map(|(block, range)| BlockSearch { block, range });
    let all = searches.into_iter().flat_map(|s| bench.batches().iter().map(move |batch| (s, *batch)));
    // A long search takes long enough with the smallest batch.
    for (search, batch) in all.filter(|(s, batch)| s.range < 16 || bench.batches().first() == Some(batch)) {
        let input = Input::new(bench, PixelFormat::Nv12, "natural", batch, 1)?;
        let plan = BlockMotionPlan::new(ctx, &input.layout, search)?;
        let sets = (0..input.sets)
            .map(|i| plan.bind(ctx, &input.frames, 1 + i * batch))
            .collect::<Result<Vec<BlockMotionBound>>>()?;
        let first = sets.first().cloned();
        cases.push(Case {
            variant: format!("blocks of {}, range {}", search.block, search.range),
            content: "natural".into(),
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
                let got = first.read(ctx, 0)?;
                let (before, now) = (input.luma(0)?, input.luma(1)?);
                let plane = |data| Plane::tight(input.layout.size, data);
                let want = reference::motion::block_motion::block_motion(&plane(&before)?, &plane(&now)?, search)?;
                Ok(got == want && want.iter().any(|v| v.dx != 0))
            }),
        });
    }
    Ok(cases)
}
