use super::super::fields::{Heat, Recording};
use frameloom::Result;
use frameloom::ops::bench::{Bench, Case, CaseSet};
use frameloom::ops::heatmap::decay::{Decay, DecayPlan, INFO};

pub const CASES: CaseSet = CaseSet { op: INFO.name, cases };

fn cases(bench: &Bench<'_>) -> Result<Vec<Case>> {
    bench.batches().iter().map(|batch| case(bench, *batch)).collect()
}

fn case(bench: &Bench<'_>, batch: u32) -> Result<Case> {
    let (ctx, heat) = (bench.ctx(), Heat::new(bench, batch)?);
    let plan = DecayPlan::new(ctx, &heat.layout)?;
    let bounds = (0..heat.sets)
        .map(|i| plan.bind(ctx, &heat.maps, i * batch, Decay::Factor(0.999)))
        .collect::<Result<Vec<_>>>()?;
    let sets = bounds.into_iter().map(|b| Box::new(b) as Recording).collect();
    let (maps, mut want) = (heat.maps.clone(), heat.host().to_vec());
    frameloom::reference::heatmap::decay::decay(&mut want, 0.999);
    heat.case("", INFO.work, sets, move |ctx| Ok(maps.read_as::<f32>(ctx, 0)? == want))
}
