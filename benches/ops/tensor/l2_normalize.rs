use super::super::vectors::{RowsCase, numbers, upload};
use frameloom::Result;
use frameloom::core::Work;
use frameloom::ops::GpuRows;
use frameloom::ops::bench::{Bench, Case, CaseSet};
use frameloom::ops::tensor::l2_normalize::{INFO, L2NormalizePlan};
use frameloom::reference::tensor::l2_normalize::l2_normalize;

pub const CASES: CaseSet = CaseSet { op: INFO.name, cases };

/// Descriptors of a batch of pictures, before and after projection.
fn cases(bench: &Bench<'_>) -> Result<Vec<Case>> {
    let ctx = bench.ctx();
    let mut cases = Vec::new();
    for (dim, rows) in [(512u32, 1024u32), (8192, 64)] {
        let rows = if bench.size().width < 1000 { 4 } else { rows };
        let values = numbers((dim * rows) as usize);
        let src = upload(ctx, dim, &values)?;
        let dst = GpuRows::new(ctx, "bench", *src.layout(), rows)?;
        let bound = L2NormalizePlan::new(ctx, src.layout())?.bind(ctx, &src, 0, &dst, 0)?;
        let bytes = u64::from(dim) * 4;
        let case = RowsCase {
            variant: String::new(),
            input: format!("{rows} x {dim}"),
            batch: rows,
            work: Work { bytes_read: bytes, bytes_written: bytes, ops: bytes },
            rows: dst,
            want: l2_normalize(&values, dim as usize)?,
            bound: 2.5e-6,
        };
        cases.push(case.case(move |rec, count| bound.record(rec, count))?);
    }
    Ok(cases)
}
