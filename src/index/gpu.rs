//! All rows on the GPU, through `search/top_k`.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use super::bits::BitSet;
use super::refine::{Engine, refine, sum_error};
use super::rows::BLOCK_ROWS;
use super::{IndexOptions, ResolvedSpec, Rows, VectorIndex};
use crate::core::{Metric, Neighbor};
use crate::error::Result;
use crate::gpu::GpuContext;
use crate::ops::search::RowStore;
use crate::ops::search::top_k::{TopKParams, TopKPlan};
use crate::ops::{GpuRows, RowSample, RowsLayout};

/// Queries of one submission: a dispatch stays short.
const BATCH: usize = 256;
/// Most results of `search/top_k`.
const MOST: usize = 256;

/// An index whose rows lie in GPU memory. Exact, when the GPU holds the numbers that the rows have: f32, or f16 for rows of f16.
/// Searches that need more than 256 candidates, because many rows are excluded or very many wanted, compare all rows on the host instead.
#[derive(Debug)]
pub struct FlatGpu {
    ctx: GpuContext,
    rows: Rows,
    store: RowStore,
    spec: ResolvedSpec,
    exact: bool,
    threads: usize,
    /// By the number of results they were planned for.
    plans: Mutex<BTreeMap<u32, TopKPlan>>,
}

impl FlatGpu {
    /// Copies `rows` to the GPU as `sample`, in pieces.
    ///
    /// # Errors
    /// [`crate::Error::Index`] `corrupt` for a damaged file; `Parameter` for numbers that are not finite in f16; the budget and the GPU's
    /// errors.
    pub fn new(ctx: &GpuContext, rows: &Rows, sample: RowSample, options: &IndexOptions<'_>) -> Result<Self> {
        rows.verify()?;
        let mut store = RowStore::new(ctx, RowsLayout::new(sample, u32::try_from(rows.dim()).unwrap_or(u32::MAX))?)?;
        let mut scratch = Vec::new();
        // Large pieces: blocks of the store grow with what is added.
        let step = (4 << 20) / rows.dim().max(1) as u32;
        for first in (0..rows.len()).step_by(step.max(BLOCK_ROWS) as usize) {
            let last = first.saturating_add(step.max(BLOCK_ROWS));
            store.append(ctx, rows.block(first..last, &mut scratch))?;
        }
        Ok(Self {
            ctx: ctx.clone(),
            rows: rows.clone(),
            store,
            spec: ResolvedSpec::Gpu { sample },
            exact: sample == RowSample::F32 || rows.sample() == RowSample::F16,
            threads: options.threads(),
            plans: Mutex::default(),
        })
    }

    fn plan(&self, k: u32) -> Result<TopKPlan> {
        // Plans are values that only grow in number: a poisoned lock is usable.
        let mut plans = self.plans.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(plan) = plans.get(&k) {
            return Ok(plan.clone());
        }
        let plan = TopKPlan::new(&self.ctx, self.store.layout(), TopKParams::new(k, Metric::InnerProduct))?;
        plans.insert(k, plan.clone());
        Ok(plan)
    }
}

impl Engine for FlatGpu {
    fn candidates(&self, queries: &[f32], count: usize) -> Result<Vec<Vec<Neighbor>>> {
        // Few different kernels: each number of results is a variant that has to be compiled.
        let k = count.next_power_of_two().clamp(16, MOST) as u32;
        let plan = self.plan(k)?;
        let layout = RowsLayout::new(RowSample::F32, self.store.layout().dim)?;
        let mut out = Vec::new();
        for batch in queries.chunks(BATCH * self.rows.dim()) {
            let queries = GpuRows::from_host(&self.ctx, "index/queries", layout, batch)?;
            out.extend(plan.bind(&self.ctx, &self.store, (&queries, 0, queries.rows()))?.run(&self.ctx)?);
        }
        Ok(out)
    }

    fn relative_error(&self) -> Option<f64> {
        self.exact.then(|| sum_error(self.rows.dim()))
    }

    fn most(&self) -> usize {
        MOST
    }
}

impl VectorIndex for FlatGpu {
    fn rows(&self) -> &Rows {
        &self.rows
    }

    fn spec(&self) -> &ResolvedSpec {
        &self.spec
    }

    fn is_exact(&self) -> bool {
        self.exact
    }

    fn search_excluding(&self, queries: &[f32], k: usize, excluded: &BitSet) -> Result<Vec<Vec<Neighbor>>> {
        refine(self, &self.rows, (queries, k), excluded, self.threads)
    }
}
