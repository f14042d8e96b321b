//! `search/top_k`: the nearest rows of a matrix in GPU memory, exactly: every row is looked at.
//!
//! | | |
//! |---|---|
//! | input | queries as [`GpuRows`] of f32; the matrix as a [`RowStore`] of f32 or f16, of any number of rows |
//! | output | per query up to `k` pairs of score (f32) and id, nearest first, equal scores by rising id |
//! | border | none |
//! | exactness | order and ids exact for the scores; a score is within `2^-24 * (dim + 4) * sum of the magnitudes added` of f64, so that ids may differ from f64's only between rows whose scores are as close as twice that |
//! | determinism | the same bits on the same class of adapter |
//! | errors | `Parameter` for `k` outside 1..=256, rows of another length or type, no rows, more than 65,535 queries, memory bounds |
//! | source | definition; best ones in heaps |
//!
//! Memory: scores of a tile (`score_bytes`) and `k` pairs for each list of a query, however many rows there are. A query with NaN finds
//! nothing.

use super::RowStore;
use crate::core::{Exactness, FrameLayout, Metric, Neighbor, Work};
use crate::error::Result;
use crate::gpu::{AdapterClass, BindGroup, BufferUse, GpuBuffer, GpuContext, Kernel, Recorder};
use crate::ops::{GpuRows, OpInfo, ParamDoc, Record, RowSample, RowsLayout, check_rows, gpu_params, plan_error, words};

const NAME: &str = "search/top_k";
const MAX_K: u32 = 256;
/// Steps that all loops of an invocation may take together.
const MAX_STEPS: u32 = 32_768;
/// Most bytes of lists.
const HEAP_BYTES: u64 = 64 << 20;
/// Invocations of a workgroup where nothing is shared.
const WG: u32 = 8;

/// What `frameloom ops` says about this operation.
pub const INFO: OpInfo = OpInfo {
    name: NAME,
    summary: "the nearest rows of a matrix by inner product or squared distance, exhaustively",
    input: "queries as rows of f32, a matrix of f32 or f16 rows",
    output: "per query up to k pairs of f32 score and u32 id, nearest first",
    params: &[
        ParamDoc { name: "k", range: "1..=256", meaning: "rows to find" },
        ParamDoc { name: "metric", range: "inner product | squared L2", meaning: "what nearest means" },
        ParamDoc {
            name: "score_bytes",
            range: "256 to one binding",
            meaning: "memory for the scores of a tile of rows",
        },
    ],
    border: "none",
    exactness: Exactness::Abs(6e-8),
    reason: "2^-24 for each of dim + 4 roundings, in units of the sum of magnitudes; order and ids follow the scores exactly",
    source: "definition",
    entries: &["score_lanes", "score_tiles", "select_best", "merge_lists", "sort_found"],
    fields: Uniform::FIELDS,
    work,
};

/// For one query against 100,000 rows of 512 numbers.
fn work(_: &FrameLayout) -> Work {
    Work { bytes_read: 100_000 * 512 * 4, bytes_written: 80, ops: 2 * 100_000 * 512 }
}

gpu_params! {
    struct Uniform {
        steps: u32,
        stride: u32,
        row_stride: u32,
        queries: u32,
        first: u32,
        rows: u32,
        id: u32,
        score_stride: u32,
        lists: u32,
        pairs: u32,
        base: u32,
    }
}

/// What to find.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TopKParams {
    /// Rows per query, 1 to 256.
    pub k: u32,
    /// What nearest means.
    pub metric: Metric,
    /// Bytes for the scores of a tile of rows; 16 MiB are plenty. Changes speed, never results.
    pub score_bytes: u64,
}

impl TopKParams {
    /// The `k` nearest by `metric`.
    pub const fn new(k: u32, metric: Metric) -> Self {
        Self { k, metric, score_bytes: 16 << 20 }
    }
}

/// A planned `search/top_k` for matrices of one layout.
#[derive(Debug, Clone)]
pub struct TopKPlan {
    /// For many queries, and for one.
    score: [Kernel; 2],
    select: Kernel,
    merge: Kernel,
    sort: Kernel,
    layout: RowsLayout,
    queries: RowsLayout,
    params: TopKParams,
    class: AdapterClass,
}

/// One dispatch: `x` workgroups for every `queries` queries.
#[derive(Debug, Clone)]
struct Step {
    kernel: Kernel,
    bind: BindGroup,
    x: u32,
    queries: u32,
}

/// A plan bound to queries and to the rows that the matrix had then.
#[derive(Debug, Clone)]
pub struct TopKBound {
    steps: Vec<Step>,
    heaps: GpuBuffer,
    heap_bytes: u64,
    found: GpuBuffer,
    k: u32,
    capacity: u32,
}

impl TopKPlan {
    /// Plans for matrices of rows like `layout`.
    pub fn new(ctx: &GpuContext, layout: &RowsLayout, params: TopKParams) -> Result<Self> {
        Self::for_class(ctx, layout, params, ctx.caps().class)
    }

    /// Plans with the kernel variant meant for adapters of `class`. Both run everywhere: this exists so that tests and benchmarks can
    /// compare them.
    pub fn for_class(ctx: &GpuContext, layout: &RowsLayout, params: TopKParams, class: AdapterClass) -> Result<Self> {
        if params.k == 0 || params.k > MAX_K {
            return Err(plan_error(NAME, "k", format!("1 to {MAX_K}"), params.k));
        }
        let limit = ctx.caps().max_binding_bytes;
        if params.score_bytes < 256 || params.score_bytes > limit {
            return Err(plan_error(NAME, "score_bytes", format!("256 to {limit}"), params.score_bytes));
        }
        let flag = |b: bool| f64::from(u8::from(b));
        let half = ("HALF", flag(layout.sample == RowSample::F16));
        let l2 = ("L2", flag(params.metric == Metric::L2));
        let (k, wg) = (("K", f64::from(params.k)), ("WG", f64::from(WG)));
        let kernel = |entry: &str, constants: &[(&str, f64)]| Kernel::new(ctx, NAME, entry, constants);
        let score = match class {
            AdapterClass::Cpu => {
                let lanes = |many: bool| kernel("score_lanes", &[half, l2, wg, ("MANY", flag(many))]);
                [lanes(true)?, lanes(false)?]
            }
            AdapterClass::Gpu => {
                let tiles = kernel("score_tiles", &[half, l2])?;
                [tiles.clone(), tiles]
            }
        };
        Ok(Self {
            score,
            select: kernel("select_best", &[k, wg])?,
            merge: kernel("merge_lists", &[k, wg])?,
            sort: kernel("sort_found", &[k, wg, l2])?,
            layout: *layout,
            queries: RowsLayout::new(RowSample::F32, layout.dim)?,
            params,
            class,
        })
    }

    /// Lists a query: as many as keep the adapter busy and memory allows, a power of two.
    fn lists(&self, queries: u32, rows: u32) -> u32 {
        let busy = match self.class {
            AdapterClass::Cpu => 16,
            AdapterClass::Gpu => (16_384 / queries).clamp(16, 256),
        };
        // A list of fewer rows than it keeps would only be merged again.
        let useful = rows / (4 * self.params.k);
        let list_bytes = 8 * u64::from(self.params.k) * u64::from(queries);
        let room = u32::try_from(HEAP_BYTES / list_bytes).unwrap_or(u32::MAX);
        1 << busy.min(useful).min(room).max(1).ilog2()
    }

    /// Binds the rows that `store` has now, and `count` queries from row `first` of `queries` on.
    ///
    /// # Errors
    /// `Parameter` as the table says.
    pub fn bind(
        &self,
        ctx: &GpuContext,
        store: &RowStore,
        (queries, first, count): (&GpuRows, u32, u32),
    ) -> Result<TopKBound> {
        if *store.layout() != self.layout {
            let text = |l: &RowsLayout| format!("rows of {} {}", l.dim, l.sample);
            return Err(plan_error(NAME, "store", text(&self.layout), text(store.layout())));
        }
        if store.is_empty() {
            return Err(plan_error(NAME, "store", "at least one row", 0));
        }
        check_rows(NAME, "queries", &self.queries, queries)?;
        let (caps, k) = (ctx.caps(), self.params.k);
        let list_bytes = 8 * u64::from(k) * u64::from(count);
        let memory = (self.params.score_bytes / 4).min(caps.max_binding_bytes / (8 * u64::from(k)));
        let limit = u64::from(queries.rows().saturating_sub(first).min(caps.max_workgroups)).min(memory / 4);
        if count == 0 || u64::from(count) > limit {
            return Err(plan_error(NAME, "queries", format!("1 to {limit} from {first} on"), count));
        }
        let lists = self.lists(count, store.len());
        // Loops: each row of a list may replace the top of a heap.
        let per_list = MAX_STEPS / (3 + k.ilog2());
        let budget = u32::try_from(self.params.score_bytes / 4 / u64::from(count)).unwrap_or(u32::MAX);
        let tile = (per_list * lists).min(budget).min(store.len().next_multiple_of(4)) / 4 * 4;
        let scores = GpuBuffer::new(ctx, NAME, u64::from(tile) * u64::from(count) * 4, BufferUse::Storage)?;
        let heap_bytes = list_bytes * u64::from(lists);
        let heaps = GpuBuffer::new(ctx, NAME, heap_bytes, BufferUse::Storage)?;
        let found = GpuBuffer::new(ctx, NAME, list_bytes, BufferUse::Storage)?;
        let uniform = Uniform {
            steps: self.layout.groups4(),
            stride: self.queries.stride4(),
            row_stride: self.layout.stride4(),
            queries: count,
            first: 0,
            rows: 0,
            id: 0,
            score_stride: tile,
            lists,
            pairs: 0,
            base: first * self.queries.stride4(),
        };
        let [many, one] = &self.score;
        let (score, rows, together) = match self.class {
            AdapterClass::Cpu if count == 1 => (one, 4 * WG, 1),
            AdapterClass::Cpu => (many, 4 * WG, 4),
            AdapterClass::Gpu => (many, 64, 64),
        };
        let mut steps = Vec::new();
        let mut push = |kernel: &Kernel, bind: BindGroup, x: u32, queries: u32| {
            steps.push(Step { kernel: kernel.clone(), bind, x, queries });
        };
        let mut id = 0;
        for (block, used) in store.blocks() {
            for first in (0..*used).step_by(tile as usize) {
                let tile_rows = tile.min(used - first);
                let params = Uniform { first, rows: tile_rows, id: id + first, ..uniform }.upload(ctx, NAME)?;
                let bind = score.bind(
                    ctx,
                    &[
                        ("params", &params),
                        ("src", queries.buffer()),
                        ("src_rows", block.buffer()),
                        ("dst_scores", &scores),
                    ],
                )?;
                push(score, bind, tile_rows.div_ceil(rows), together);
                let buffers = [("params", &params), ("dst_scores", &scores), ("dst_heaps", &heaps)];
                push(&self.select, self.select.bind(ctx, &buffers)?, lists.div_ceil(WG), 1);
            }
            id += used;
        }
        let mut pairs = lists / 2;
        while pairs > 0 {
            let params = Uniform { pairs, ..uniform }.upload(ctx, NAME)?;
            let bind = self.merge.bind(ctx, &[("params", &params), ("dst_heaps", &heaps)])?;
            push(&self.merge, bind, pairs.div_ceil(WG), 1);
            pairs /= 2;
        }
        let params = uniform.upload(ctx, NAME)?;
        let bind = self.sort.bind(ctx, &[("params", &params), ("dst_heaps", &heaps), ("dst_found", &found)])?;
        push(&self.sort, bind, 1, WG);
        Ok(TopKBound { steps, heaps, heap_bytes, found, k, capacity: count })
    }
}

impl TopKBound {
    /// Records the search for the first `count` bound queries.
    pub fn record(&self, rec: &mut Recorder<'_>, count: u32) {
        let count = count.min(self.capacity);
        rec.clear(&self.heaps, 0, if count > 0 { self.heap_bytes } else { 0 });
        for step in &self.steps {
            rec.dispatch(&step.kernel, &step.bind, [step.x, count.div_ceil(step.queries), 1]);
        }
    }

    /// Queries that are bound.
    pub fn capacity(&self) -> u32 {
        self.capacity
    }

    /// Bytes of results per query.
    pub fn result_bytes(&self) -> u64 {
        u64::from(self.k) * 8
    }

    /// The results: per query `k` pairs of a score (bits of f32) and an id, nearest first; ids of 2^32 - 1 mean that fewer were found.
    pub fn results(&self) -> &GpuBuffer {
        &self.found
    }

    /// What was found for each query, from the bytes of [`Self::results`].
    pub fn decode(&self, bytes: &[u8]) -> Vec<Vec<Neighbor>> {
        let query = |found: &[u8]| {
            let pairs = found.chunks_exact(8).map(|pair| {
                let mut pair = words(pair);
                let score = f32::from_bits(pair.next().unwrap_or(0));
                Neighbor { id: pair.next().unwrap_or(u32::MAX), score }
            });
            pairs.take_while(|n| n.id != u32::MAX).collect()
        };
        bytes.chunks_exact(self.k as usize * 8).map(query).collect()
    }

    /// Records, waits, reads. For scripts and tests; streams record, and read through a ring.
    pub fn run(&self, ctx: &GpuContext) -> Result<Vec<Vec<Neighbor>>> {
        let mut rec = Recorder::new(ctx, NAME);
        self.record(&mut rec, self.capacity);
        rec.run()?;
        Ok(self.decode(&self.found.read(ctx, self.result_bytes() * u64::from(self.capacity))?))
    }
}

impl Record for TopKBound {
    fn record(&self, rec: &mut Recorder<'_>, count: u32) {
        Self::record(self, rec, count);
    }

    fn capacity(&self) -> u32 {
        Self::capacity(self)
    }
}

/// Searches for all rows of `queries` at once: waits for the result. For scripts and tests; streams keep a bound plan.
pub fn top_k(ctx: &GpuContext, store: &RowStore, queries: &GpuRows, params: TopKParams) -> Result<Vec<Vec<Neighbor>>> {
    TopKPlan::new(ctx, store.layout(), params)?.bind(ctx, store, (queries, 0, queries.rows()))?.run(ctx)
}
