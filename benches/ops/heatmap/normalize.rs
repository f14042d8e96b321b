use super::super::fields::{Heat, Recording, close};
use frameloom::Result;
use frameloom::ops::GpuMaps;
use frameloom::ops::bench::{Bench, Case, CaseSet};
use frameloom::ops::heatmap::normalize::{Divisor, INFO, NormalizePlan};
use frameloom::reference::heatmap::normalize::{Divisor as By, normalize};

pub const CASES: CaseSet = CaseSet { op: INFO.name, cases };

fn cases(bench: &Bench<'_>) -> Result<Vec<Case>> {
    let mut cases = Vec::new();
    for batch in bench.batches() {
        cases.push(case(bench, *batch, "number", Divisor::Number(255.0), By::Number(255.0))?);
        cases.push(case(bench, *batch, "largest", Divisor::Largest, By::Largest)?);
    }
    Ok(cases)
}

fn case(bench: &Bench<'_>, batch: u32, name: &str, by: Divisor, reference: By) -> Result<Case> {
    let (ctx, heat) = (bench.ctx(), Heat::new(bench, batch)?);
    let plan = NormalizePlan::new(ctx, &heat.layout, by)?;
    let dst = GpuMaps::new(ctx, "bench", *plan.output(), heat.sets * batch)?;
    let set = |i: u32| {
        let bound = plan.bind(ctx, &heat.maps, i * batch, &dst, i * batch)?;
        Ok(Box::new(bound) as Recording)
    };
    let sets = (0..heat.sets).map(set).collect::<Result<Vec<_>>>()?;
    let want = normalize(&heat.field()?, reference, 1.0);
    heat.case(name, INFO.work, sets, move |ctx| Ok(close(&dst.read_as(ctx, 0)?, &want, 1e-6)))
}
