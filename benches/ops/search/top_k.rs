use super::super::vectors::{numbers, upload};
use frameloom::Result;
use frameloom::core::{Metric, Work};
use frameloom::ops::bench::{Bench, Case, CaseSet};
use frameloom::ops::search::RowStore;
use frameloom::ops::search::top_k::{INFO, TopKParams, TopKPlan};
use frameloom::ops::{RowSample, RowsLayout};
use frameloom::reference::search::top_k::top_k;

pub const CASES: CaseSet = CaseSet { op: INFO.name, cases };

/// One query and a batch of them against a gallery.
fn cases(bench: &Bench<'_>) -> Result<Vec<Case>> {
    let ctx = bench.ctx();
    let (dim, rows) = if bench.size().width < 1000 { (64, 1000) } else { (512, 20_000u32) };
    let matrix = numbers((dim * rows) as usize);
    let mut cases = Vec::new();
    for sample in [RowSample::F32, RowSample::F16] {
        let mut store = RowStore::new(ctx, RowsLayout::new(sample, dim)?)?;
        store.append(ctx, &matrix)?;
        let stored: Vec<f32> = match sample {
            RowSample::F32 => matrix.clone(),
            RowSample::F16 => matrix.iter().map(|v| half::f16::from_f32(*v).to_f32()).collect(),
        };
        for (queries, k, metric) in
            [(1u32, 10u32, Metric::InnerProduct), (64, 10, Metric::InnerProduct), (64, 100, Metric::L2)]
        {
            let asked = numbers((dim * queries) as usize);
            let plan = TopKPlan::new(ctx, store.layout(), TopKParams::new(k, metric))?;
            let bound = plan.bind(ctx, &store, (&upload(ctx, dim, &asked)?, 0, queries))?;
            let ids = |found: &[(u32, f64)]| found.iter().map(|f| f.0).collect::<Vec<_>>();
            let first = asked.get(..dim as usize).unwrap_or_default();
            let want = top_k(first, &stored, dim as usize, k as usize, metric)?;
            let verified = bound.clone();
            cases.push(Case {
                variant: format!("{sample}, {k} by {metric:?}"),
                content: "random".into(),
                input: format!("{rows} x {dim}"),
                batch: queries,
                work: Work {
                    bytes_read: u64::from(dim * sample.bytes() * rows / queries),
                    bytes_written: bound.result_bytes(),
                    ops: 2 * u64::from(dim) * u64::from(rows),
                },
                record: Box::new(move |rec, _| {
                    bound.record(rec, queries);
                    Ok(())
                }),
                verify: Box::new(move |ctx| {
                    let got = verified.decode(&verified.results().read(ctx, verified.result_bytes())?);
                    let got: Vec<Vec<u32>> = got.iter().map(|q| q.iter().map(|n| n.id).collect()).collect();
                    Ok(got == want.iter().map(|q| ids(q)).collect::<Vec<_>>() && !got.is_empty())
                }),
            });
        }
    }
    Ok(cases)
}
