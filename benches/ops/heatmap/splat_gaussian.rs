use super::super::fields::{Heat, Recording, close};
use frameloom::Result;
use frameloom::core::Rect;
use frameloom::ops::bench::{Bench, Case, CaseSet};
use frameloom::ops::heatmap::splat_gaussian::{INFO, SplatParams, SplatPlan, WeightedBox};
use frameloom::reference::heatmap::splat_gaussian::splat_gaussian;

pub const CASES: CaseSet = CaseSet { op: INFO.name, cases };

fn cases(bench: &Bench<'_>) -> Result<Vec<Case>> {
    let mut cases = Vec::new();
    for batch in bench.batches() {
        for count in [1, 16] {
            cases.push(case(bench, *batch, count)?);
        }
    }
    Ok(cases)
}

fn case(bench: &Bench<'_>, batch: u32, count: u32) -> Result<Case> {
    let (ctx, heat) = (bench.ctx(), Heat::new(bench, batch)?);
    let plan = SplatPlan::new(ctx, &heat.layout, SplatParams::default())?;
    let one = |i: u32| {
        let rect = Rect { x: i * 97 % 1000, y: i * 61 % 700, width: 30 + i * 7, height: 40 + i * 5 };
        WeightedBox { rect, weight: 1.0 / count as f32 }
    };
    let boxes: Vec<WeightedBox> = (0..count).map(one).collect();
    let lists = vec![boxes.as_slice(); batch as usize];
    let set = |i: u32| {
        let bound = plan.bind(ctx, &lists, &heat.maps, i * batch)?;
        Ok(Box::new(bound) as Recording)
    };
    let sets = (0..heat.sets).map(set).collect::<Result<Vec<_>>>()?;
    let (maps, size) = (heat.maps.clone(), heat.layout.size);
    let mut want: Vec<f64> = heat.host().iter().map(|v| f64::from(*v)).collect();
    let list: Vec<(Rect, f64)> = boxes.iter().map(|b| (b.rect, f64::from(b.weight))).collect();
    splat_gaussian(&mut want, size, &list, None);
    heat.case(&format!("{count} boxes"), INFO.work, sets, move |ctx| Ok(close(&maps.read_as(ctx, 0)?, &want, 2e-6)))
}
