use super::super::fields::{Heat, Recording};
use super::super::inputs::Input;
use frameloom::Result;
use frameloom::core::{CellGrid, PixelFormat};
use frameloom::ops::bench::{Bench, Case, CaseSet};
use frameloom::ops::placement::cell_sums::{Active, CellSumsParams, CellSumsPlan, INFO, Origin};
use frameloom::ops::placement::read_wide;
use frameloom::ops::{GpuMaps, Record};
use frameloom::reference::placement::cell_sums::cell_sums;
use frameloom::reference::{Field, Numbers};

pub const CASES: CaseSet = CaseSet { op: INFO.name, cases };

fn cases(bench: &Bench<'_>) -> Result<Vec<Case>> {
    let mut cases = Vec::new();
    for batch in bench.batches() {
        cases.push(pictures(bench, *batch)?);
        cases.push(maps(bench, *batch)?);
    }
    Ok(cases)
}

fn pictures(bench: &Bench<'_>, batch: u32) -> Result<Case> {
    let ctx = bench.ctx();
    let input = Input::new(bench, PixelFormat::Gray8, "natural", batch, 0)?;
    let cells = CellGrid::uniform(input.layout.size, 16)?;
    let params = CellSumsParams { cells: cells.clone(), fraction_bits: 0, active: None };
    let plan = CellSumsPlan::new(ctx, &input.layout, &params)?;
    let dst = (0..input.sets).map(|_| GpuMaps::new(ctx, "bench", *plan.output(), batch)).collect::<Result<Vec<_>>>()?;
    let bounds =
        (0..).zip(&dst).map(|(i, dst)| plan.bind(ctx, &input.frames, i * batch, dst)).collect::<Result<Vec<_>>>()?;
    Ok(Case {
        variant: "16 px, sums".into(),
        content: "natural".into(),
        input: input.name(),
        batch,
        work: (INFO.work)(&input.layout),
        record: Box::new(move |rec, i| {
            if let Some(bound) = bounds.get(i % bounds.len()) {
                bound.record(rec, batch);
            }
            Ok(())
        }),
        verify: Box::new(move |ctx| {
            let luma: Vec<u32> = input.luma(0)?.into_iter().map(u32::from).collect();
            let want = cell_sums(&Field::new(input.layout.size, Numbers::Integers(&luma))?, &cells, 0, 0, false)?;
            let Some(dst) = dst.first() else { return Ok(false) };
            Ok(read_wide(ctx, dst, 0)? == want.iter().map(|c| c.sum).collect::<Vec<u64>>())
        }),
    })
}

fn maps(bench: &Bench<'_>, batch: u32) -> Result<Case> {
    let (ctx, heat) = (bench.ctx(), Heat::new(bench, batch)?);
    let cells = CellGrid::uniform(heat.layout.size, 8)?;
    let active = Some(Active { threshold: 0.1, origin: Origin::Picture });
    let plan =
        CellSumsPlan::new(ctx, &heat.layout, &CellSumsParams { cells: cells.clone(), fraction_bits: 31, active })?;
    let dst = GpuMaps::new(ctx, "bench", *plan.output(), 5 * batch)?;
    let set = |i: u32| {
        let bound = plan.bind(ctx, &heat.maps, i * batch, &dst)?;
        Ok(Box::new(bound) as Recording)
    };
    let sets = (0..heat.sets).map(set).collect::<Result<Vec<_>>>()?;
    let threshold = (0.1 * 31f64.exp2()) as u32;
    let want = cell_sums(&heat.field()?, &cells, 31, threshold, true)?;
    heat.case("8 px, sums and moments", INFO.work, sets, move |ctx| {
        let same = |slot, of: fn(&frameloom::reference::placement::cell_sums::Cell) -> u64| {
            Ok::<bool, frameloom::Error>(read_wide(ctx, &dst, slot)? == want.iter().map(of).collect::<Vec<u64>>())
        };
        Ok(same(0, |c| c.sum)?
            && same(1, |c| c.count)?
            && same(2, |c| c.active)?
            && same(3, |c| c.x)?
            && same(4, |c| c.y)?)
    })
}
