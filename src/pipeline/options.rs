//! Settings of a run, and the admission check that turns a byte limit into a batch size.

use std::time::Duration;

use crate::core::{ByteBudget, CancelToken, FrameLayout};
use crate::error::{Error, Result};
use crate::gpu::{GpuContext, UploadRing};

/// What happens to the other sources when one fails.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnError {
    /// The first failure cancels the run.
    Stop,
    /// The others go on; the failure is reported.
    #[default]
    Skip,
}

/// How to run a pipeline.
#[derive(Debug, Clone)]
pub struct PipelineOptions {
    /// Frames per batch at most; lowered where the byte budget asks for it.
    pub batch: u32,
    /// Slots of the upload ring of each source.
    pub ring_slots: usize,
    /// Batches in flight on the device.
    pub in_flight: usize,
    /// Runs that work on one context at the same time, at least 1: each plans its memory with that part of what is left of the budgets.
    pub together: usize,
    /// Longest wait of a source for a free slot while the consumer waits for frames as well, so that only the device could give one back. A slow
    /// consumer and a silent source are waited for as long as the run lives; waits for the device follow
    /// [`GpuOptions::timeout_millis`](crate::gpu::GpuOptions::timeout_millis).
    pub stall: Duration,
    /// Policy for failing sources.
    pub on_error: OnError,
    /// Stops everything when cancelled.
    pub cancel: CancelToken,
}

impl Default for PipelineOptions {
    fn default() -> Self {
        Self {
            batch: 8,
            ring_slots: 3,
            in_flight: 2,
            together: 1,
            stall: Duration::from_secs(60),
            on_error: OnError::Skip,
            cancel: CancelToken::new(),
        }
    }
}

/// Result of admission: the batch size and the number of ring slots that fit.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemoryPlan {
    /// Frames per batch.
    pub batch: u32,
    /// Slots of the upload ring, each for a batch.
    pub ring_slots: usize,
    /// Bytes of host memory that ring and work will take. On devices that share the host's memory these are all.
    pub host_bytes: u64,
    /// Bytes of the device's own memory that ring and work will take.
    pub gpu_bytes: u64,
}

impl MemoryPlan {
    /// The largest batch up to `options.batch` whose ring and work fit into this source's share of what is left of the context's
    /// budgets: sources that start together must not plan with the same bytes.
    ///
    /// `work_bytes(batch)` is what the work allocates on top of the ring. Also keeps a batch within one storage binding. When a batch of
    /// one does not fit, slots are given up, down to `least_slots`: with fewer slots decoding overlaps less with the device.
    ///
    /// # Errors
    /// [`Error::Memory`] when not even a batch of one with the fewest slots fits, before anything is allocated. It names the least
    /// limit with which it would.
    pub fn fit(
        ctx: &GpuContext,
        layout: &FrameLayout,
        options: &PipelineOptions,
        sources: usize,
        least_slots: usize,
        work_bytes: impl Fn(u32) -> u64,
    ) -> Result<Self> {
        let slot = u64::from(layout.slot_bytes());
        let plan = |batch: u32, ring_slots: usize| Self::of(ctx, layout, batch, ring_slots, work_bytes(batch));
        let pool = ctx.pool();
        let left = |budget: &ByteBudget| budget.limit().saturating_sub(budget.used());
        let fits = |p: &Self, share: u64| {
            p.host_bytes <= left(pool.host_budget()) / share && p.gpu_bytes <= left(pool.budget()) / share
        };
        let bound = |p: &Self| slot * u64::from(p.batch) <= ctx.caps().max_binding_bytes;
        let share = sources.max(1) as u64;
        let mut best = plan(options.batch.max(1), options.ring_slots.max(2));
        if !fits(&best, share) {
            make_room(ctx)?;
        }
        while best.batch > 1 && !(fits(&best, share) && bound(&best)) {
            best = plan(best.batch - 1, best.ring_slots);
        }
        while best.ring_slots > least_slots.max(2) && !fits(&best, share) {
            best = plan(1, best.ring_slots - 1);
        }
        // The least may take more than its share: another source may have ended by then.
        best.check(ctx, 0)?;
        Ok(best)
    }

    /// What a batch of `batch` frames with `ring_slots` slots takes, `work` bytes of work included.
    fn of(ctx: &GpuContext, layout: &FrameLayout, batch: u32, ring_slots: usize, work: u64) -> Self {
        let slot = u64::from(layout.slot_bytes());
        let (host, gpu) = UploadRing::bytes_apart(ctx, slot * u64::from(batch), ring_slots);
        let (host_bytes, gpu_bytes) = match (ctx.caps().shares_host_memory(), ctx.pool().counts_host_apart()) {
            (true, _) => (host + gpu + work, 0),
            (false, true) => (host, gpu + work),
            // One budget for both is called the device's.
            (false, false) => (0, host + gpu + work),
        };
        Self { batch, ring_slots, host_bytes, gpu_bytes }
    }

    /// Refuses what does not fit into what is left of the budgets, with `more_host_bytes` for something else.
    fn check(&self, ctx: &GpuContext, more_host_bytes: u64) -> Result<()> {
        if self.within_budgets(ctx, more_host_bytes).is_ok() {
            return Ok(());
        }
        make_room(ctx)?;
        self.within_budgets(ctx, more_host_bytes)
    }

    /// The same with what counts as used now.
    fn within_budgets(&self, ctx: &GpuContext, more_host_bytes: u64) -> Result<()> {
        let pool = ctx.pool();
        let host = self.host_bytes.saturating_add(more_host_bytes);
        let sides = match pool.counts_host_apart() {
            true => [("host", pool.host_budget(), host), ("GPU", pool.budget(), self.gpu_bytes)],
            false => {
                let kind = if ctx.caps().shares_host_memory() { "host" } else { "GPU" };
                [(kind, pool.budget(), host.saturating_add(self.gpu_bytes)), (kind, pool.budget(), 0)]
            }
        };
        for (kind, budget, bytes) in sides {
            let needed = budget.used().saturating_add(bytes);
            if bytes > 0 && needed > budget.limit() {
                return Err(Error::Memory { kind, needed_bytes: needed, limit_bytes: budget.limit() });
            }
        }
        Ok(())
    }

    /// Whether the least that a source can do with fits: one frame a batch, `ring_slots` slots, `work` bytes of work for such a batch, and
    /// `source_bytes` of host memory that the source itself holds. To be asked before anything is begun.
    ///
    /// # Errors
    /// [`Error::Memory`], which names the least limit with which it would fit.
    pub fn check_least(
        ctx: &GpuContext,
        layout: &FrameLayout,
        ring_slots: usize,
        source_bytes: u64,
        work: u64,
    ) -> Result<()> {
        Self::of(ctx, layout, 1, ring_slots.max(2), work).check(ctx, source_bytes)
    }
}

/// Frees what runs before this one have left: idle buffers, and slots whose last use nobody has noticed yet. Both count as used.
fn make_room(ctx: &GpuContext) -> Result<()> {
    ctx.poll()?;
    ctx.pool().trim();
    Ok(())
}
