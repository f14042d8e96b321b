use super::super::fields::{Heat, Recording};
use frameloom::Result;
use frameloom::core::{Palette, PixelFormat};
use frameloom::ops::bench::{Bench, Case, CaseSet};
use frameloom::ops::heatmap::colormap::{ColormapPlan, INFO};
use frameloom::ops::{FrameBatch, GpuFrames};
use frameloom::reference::Pattern;
use frameloom::reference::heatmap::colormap::{colormap, level, overlay};

pub const CASES: CaseSet = CaseSet { op: INFO.name, cases };

fn cases(bench: &Bench<'_>) -> Result<Vec<Case>> {
    let mut cases = Vec::new();
    for batch in bench.batches() {
        cases.push(case(bench, *batch, false)?);
        cases.push(case(bench, *batch, true)?);
    }
    Ok(cases)
}

fn case(bench: &Bench<'_>, batch: u32, over: bool) -> Result<Case> {
    let (ctx, heat) = (bench.ctx(), Heat::new(bench, batch)?);
    let plan = ColormapPlan::new(ctx, &heat.layout, Palette::Jet)?;
    let (layout, slots) = (*plan.output(), heat.sets * batch);
    let dst = GpuFrames::new(ctx, "bench", PixelFormat::Rgba8, layout.size, slots)?;
    let picture = Pattern::Natural { seed: 1, shift: 0 }.frame(&layout);
    let under = GpuFrames::from_host(ctx, "bench", layout, &vec![picture.as_slice(); slots as usize])?;
    let set = |i: u32| {
        let below = over.then_some((&under as &dyn FrameBatch, i * batch, 128));
        let bound = plan.bind(ctx, &heat.maps, i * batch, below, &dst, i * batch)?;
        Ok(Box::new(bound) as Recording)
    };
    let sets = (0..heat.sets).map(set).collect::<Result<Vec<_>>>()?;
    let words = move |slot: &[u8]| -> Vec<u32> {
        let rows = slot.chunks_exact(layout.first().stride as usize).take(layout.size.height as usize);
        let row = |r: &[u8]| r.chunks_exact(4).map(|c| c.iter().rev().fold(0, |v, b| v << 8 | u32::from(*b))).collect();
        rows.flat_map(|r| {
            let mut row: Vec<u32> = row(r);
            row.truncate(layout.size.width as usize);
            row
        })
        .collect()
    };
    let levels: Vec<u8> = heat.host().iter().map(|v| level(*v)).collect();
    let colors = colormap(&levels, Palette::Jet);
    let want = if over { overlay(&colors, &words(&picture), 128) } else { colors };
    let variant = if over { "jet, overlay" } else { "jet" };
    heat.case(variant, INFO.work, sets, move |ctx| Ok(words(&dst.read_slot(ctx, 0)?) == want))
}
