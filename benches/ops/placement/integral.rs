use super::super::fields::{Heat, Recording};
use frameloom::Result;
use frameloom::ops::GpuMaps;
use frameloom::ops::bench::{Bench, Case, CaseSet};
use frameloom::ops::placement::integral::{INFO, IntegralPlan};
use frameloom::ops::placement::read_wide;

pub const CASES: CaseSet = CaseSet { op: INFO.name, cases };

/// One batch at a time is enough: tables are large.
fn cases(bench: &Bench<'_>) -> Result<Vec<Case>> {
    let (ctx, heat) = (bench.ctx(), Heat::new(bench, 1)?);
    let plan = IntegralPlan::new(ctx, &heat.layout, 31)?;
    let dst = GpuMaps::new(ctx, "bench", *plan.output(), 1)?;
    let set = |i: u32| {
        let bound = plan.bind(ctx, &heat.maps, i, &dst)?;
        Ok(Box::new(bound) as Recording)
    };
    let sets = (0..heat.sets).map(set).collect::<Result<Vec<_>>>()?;
    let field = heat.field()?;
    let values: Vec<u64> = (0..heat.host().len()).map(|i| u64::from(field.fixed(i, 31))).collect();
    let want = frameloom::reference::placement::integral::integral(&values, field.size());
    Ok(vec![heat.case("", INFO.work, sets, move |ctx| Ok(read_wide(ctx, &dst, 0)? == want))?])
}
