use super::super::inputs::Input;
use frameloom::Result;
use frameloom::core::{HeatMode, PixelFormat};
use frameloom::ops::bench::{Bench, Case, CaseSet};
use frameloom::ops::heatmap::accumulate::{HeatAccumulator, HeatBound, HeatPlan, INFO};
use frameloom::reference::{self, Plane};
use std::cell::RefCell;
use std::rc::Rc;

pub const CASES: CaseSet = CaseSet { op: INFO.name, cases };

/// Content does not matter: one is enough.
fn cases(bench: &Bench<'_>) -> Result<Vec<Case>> {
    let mut cases = Vec::new();
    for batch in bench.batches() {
        for mode in [HeatMode::CountOver { threshold: 25 }, HeatMode::SumAbs, HeatMode::SumValues] {
            cases.push(case(bench, mode, *batch)?);
        }
    }
    Ok(cases)
}

fn case(bench: &Bench<'_>, mode: HeatMode, batch: u32) -> Result<Case> {
    let ctx = bench.ctx();
    let input = Input::new(bench, PixelFormat::Nv12, "natural", batch, 1)?;
    let map = HeatAccumulator::new(ctx, &HeatPlan::new(ctx, &input.layout, mode)?)?;
    let sets = (0..input.sets)
        .map(|i| map.bind(ctx, &input.frames, 1 + i * batch, batch))
        .collect::<Result<Vec<HeatBound>>>()?;
    let map = Rc::new(RefCell::new(map));
    let verified = Rc::clone(&map);
    Ok(Case {
        variant: mode.name().into(),
        content: "natural".into(),
        input: input.name(),
        batch,
        work: (INFO.work)(&input.layout),
        record: Box::new(move |rec, i| match sets.get(i % sets.len()) {
            Some(set) => map.borrow_mut().record(rec, set, batch),
            None => Ok(()),
        }),
        verify: Box::new(move |ctx| {
            let got = verified.borrow().read(ctx)?;
            let luma = (0..=batch).map(|slot| input.luma(slot)).collect::<Result<Vec<_>>>()?;
            let planes = luma.iter().map(|l| Plane::tight(input.layout.size, l)).collect::<Result<Vec<Plane<'_>>>>()?;
            let mut want = vec![0; got.len()];
            if let Some((before, frames)) = planes.split_first() {
                reference::heatmap::accumulate::accumulate(&mut want, Some(before), frames, mode)?;
            }
            Ok(got == want && want.iter().any(|v| *v > 0))
        }),
    })
}
