use super::super::inputs::Input;
use frameloom::Result;
use frameloom::core::{FrameLayout, HeatMode, PixelFormat, Work};
use frameloom::ops::bench::{Bench, Case, CaseSet};
use frameloom::ops::heatmap::accumulate::{HeatAccumulator, HeatBound, HeatPlan, INFO};
use frameloom::ops::{GpuMaps, MapLayout, MapSample};
use frameloom::reference::pattern::splitmix64;
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
        cases.push(bits(bench, *batch)?);
    }
    Ok(cases)
}

/// Maps of bits, as masks are.
fn bits(bench: &Bench<'_>, batch: u32) -> Result<Case> {
    let (ctx, size) = (bench.ctx(), bench.size());
    let layout = MapLayout::new(MapSample::Bit, size)?;
    let sets = bench.rotation(u64::from(layout.slot_bytes()) * u64::from(batch));
    let mask: Vec<u8> = (0..size.area()).map(|i| u8::from(splitmix64(i / 9).is_multiple_of(3))).collect();
    let src = GpuMaps::from_host(ctx, "bench", layout, &vec![mask.as_slice(); (sets * batch) as usize])?;
    let map = HeatAccumulator::new(ctx, &HeatPlan::of_bits(ctx, &layout)?)?;
    let sets = (0..sets).map(|i| map.bind_bits(ctx, &src, i * batch, batch)).collect::<Result<Vec<HeatBound>>>()?;
    let frame = FrameLayout::of(PixelFormat::Gray8, size).map(|l| (INFO.work)(&l)).unwrap_or_default();
    let map = Rc::new(RefCell::new(map));
    let verified = Rc::clone(&map);
    Ok(Case {
        variant: "bits".into(),
        content: "random".into(),
        input: format!("bit map {size}"),
        batch,
        work: Work { bytes_read: frame.bytes_read / 8, ..frame },
        record: Box::new(move |rec, i| match sets.get(i % sets.len()) {
            Some(set) => map.borrow_mut().record(rec, set, batch),
            None => Ok(()),
        }),
        verify: Box::new(move |ctx| {
            let want = mask.iter().map(|v| u32::from(*v) * batch);
            Ok(verified.borrow().read(ctx)?.into_iter().eq(want))
        }),
    })
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
