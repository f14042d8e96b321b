use super::super::vectors::{RowsCase, numbers};
use frameloom::Result;
use frameloom::core::{GridPooling, Size, Work};
use frameloom::gpu::GpuBuffer;
use frameloom::ops::GpuRows;
use frameloom::ops::bench::{Bench, Case, CaseSet};
use frameloom::ops::tensor::grid_pool::{GridPoolParams, GridPoolPlan, INFO};
use frameloom::reference::tensor::grid_pool::grid_pool;

pub const CASES: CaseSet = CaseSet { op: INFO.name, cases };

/// Feature maps of a mobile network on 224x224 pictures, three cells a side.
fn cases(bench: &Bench<'_>) -> Result<Vec<Case>> {
    let ctx = bench.ctx();
    let batch = if bench.size().width < 1000 { 1 } else { 32 };
    let mut cases = Vec::new();
    for (variant, pooling) in
        [("average", GridPooling::Average), ("generalized mean", GridPooling::GeneralizedMean { p: 3.0 })]
    {
        let params = GridPoolParams { channels: 112, size: Size::new(14, 14), grid: 3, pooling };
        let maps = numbers(112 * 196 * batch as usize);
        let src = GpuBuffer::with_data(ctx, "bench", bytemuck::cast_slice(&maps))?;
        let plan = GridPoolPlan::new(ctx, params)?;
        let dst = GpuRows::new(ctx, "bench", *plan.output(), batch)?;
        let bound = plan.bind(ctx, (&src, 0, batch), &dst, 0)?;
        let case = RowsCase {
            variant: variant.into(),
            input: "112 x 14x14".into(),
            batch,
            work: Work { bytes_read: 112 * 196 * 4, bytes_written: 112 * 9 * 4, ops: 112 * 196 * 4 },
            rows: dst,
            want: grid_pool(&maps, 112, params.size, 3, pooling)?,
            bound: 2e-5,
        };
        cases.push(case.case(move |rec, count| bound.record(rec, count))?);
    }
    Ok(cases)
}
