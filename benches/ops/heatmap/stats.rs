use super::super::fields::{Heat, Recording};
use frameloom::Result;
use frameloom::ops::bench::{Bench, Case, CaseSet};
use frameloom::ops::heatmap::stats::{HeatStatsPlan, INFO};
use frameloom::reference;

pub const CASES: CaseSet = CaseSet { op: INFO.name, cases };

fn cases(bench: &Bench<'_>) -> Result<Vec<Case>> {
    bench.batches().iter().map(|batch| case(bench, *batch)).collect()
}

fn case(bench: &Bench<'_>, batch: u32) -> Result<Case> {
    let (ctx, heat) = (bench.ctx(), Heat::new(bench, batch)?);
    let plan = HeatStatsPlan::new(ctx, &heat.layout, 0.1)?;
    let bounds = (0..heat.sets).map(|i| plan.bind(ctx, &heat.maps, i * batch)).collect::<Result<Vec<_>>>()?;
    let first = bounds.first().cloned();
    let sets = bounds.into_iter().map(|b| Box::new(b) as Recording).collect();
    let want = reference::heatmap::stats::stats(&heat.field()?, 0.1);
    heat.case("", INFO.work, sets, move |ctx| {
        let Some(first) = &first else { return Ok(false) };
        let got = first.decode(&first.results().read(ctx, HeatStatsPlan::RESULT_BYTES)?);
        Ok(got == [want] && want.active > 0)
    })
}
