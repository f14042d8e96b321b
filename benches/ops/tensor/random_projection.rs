use super::super::vectors::{RowsCase, numbers, upload};
use frameloom::Result;
use frameloom::core::Work;
use frameloom::gpu::AdapterClass;
use frameloom::ops::bench::{Bench, Case, CaseSet};
use frameloom::ops::tensor::random_projection::{INFO, Projection, RandomProjectionPlan};
use frameloom::ops::{GpuRows, RowSample};
use frameloom::reference::tensor::random_projection::random_projection;

pub const CASES: CaseSet = CaseSet { op: INFO.name, cases };

/// Colour histograms of 16 cells to 256 numbers, and one more ordinary size.
fn cases(bench: &Bench<'_>) -> Result<Vec<Case>> {
    let ctx = bench.ctx();
    let (small, gpu) = (bench.size().width < 1000, ctx.caps().class == AdapterClass::Gpu);
    let mut cases = Vec::new();
    for (dim, sample) in [(512u32, RowSample::F32), (8192, RowSample::F32), (8192, RowSample::F16)] {
        let rows = match (small, gpu) {
            (true, _) => 4,
            (_, true) => 2048,
            (_, false) => 64,
        };
        let values = numbers((dim * rows) as usize);
        let projection = Projection::gaussian(ctx, 42, 256, dim, sample)?;
        let plan = RandomProjectionPlan::new(ctx, &projection)?;
        let src = upload(ctx, dim, &values)?;
        let dst = GpuRows::new(ctx, "bench", *plan.output(), rows)?;
        let bound = plan.bind(ctx, &src, 0, &dst, 0)?;
        let checked = values.get(..2 * dim as usize).unwrap_or_default();
        let case = RowsCase {
            variant: format!("{sample} to 256"),
            input: format!("{rows} x {dim}"),
            batch: rows,
            work: Work {
                bytes_read: u64::from(dim) * 4 + u64::from(dim * 256 * sample.bytes() / rows),
                bytes_written: 1024,
                ops: 2 * 256 * u64::from(dim),
            },
            rows: dst,
            want: random_projection(checked, projection.matrix(), dim as usize)?,
            // Sums reach about sqrt(dim * 256) / 16; the matrix in f16 is off by 2^-12 a number.
            bound: if sample == RowSample::F16 { 2e-2 } else { 1e-4 },
        };
        cases.push(case.case(move |rec, count| bound.record(rec, count))?);
    }
    Ok(cases)
}
