//! Settings of a run, and the admission check that turns a byte limit into a batch size.

use std::time::Duration;

use crate::core::{CancelToken, FrameLayout};
use crate::error::{Error, Result};
use crate::gpu::{GpuContext, UploadRing};

/// What happens to the other sources when one fails.
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
    /// Longest wait of a source for a free slot, and of the GPU thread for the device.
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
            stall: Duration::from_secs(60),
            on_error: OnError::Skip,
            cancel: CancelToken::new(),
        }
    }
}

/// Result of admission: the batch size that fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemoryPlan {
    /// Frames per batch.
    pub batch: u32,
    /// Bytes that ring and work will take.
    pub bytes: u64,
}

impl MemoryPlan {
    /// The largest batch up to `options.batch` whose ring and work fit into this source's share of what is left of the context's
    /// budget: sources that start together must not plan with the same bytes.
    ///
    /// `work_bytes(batch)` is what the work allocates on top of the ring. Also keeps a batch within one storage binding.
    ///
    /// # Errors
    /// [`Error::Memory`] when not even a batch of one fits, before anything is allocated.
    pub fn fit(
        ctx: &GpuContext,
        layout: &FrameLayout,
        options: &PipelineOptions,
        sources: usize,
        work_bytes: impl Fn(u32) -> u64,
    ) -> Result<Self> {
        let budget = ctx.pool().budget();
        let left = budget.limit().saturating_sub(budget.used());
        let share = left / sources.max(1) as u64;
        let slot = u64::from(layout.slot_bytes());
        let bytes =
            |batch: u32| UploadRing::bytes_needed(ctx, slot * u64::from(batch), options.ring_slots) + work_bytes(batch);
        let mut batch = options.batch.max(1);
        while batch > 1 && (bytes(batch) > share || slot * u64::from(batch) > ctx.caps().max_binding_bytes) {
            batch -= 1;
        }
        let needed = bytes(batch);
        if needed > left {
            return Err(Error::Memory {
                kind: if ctx.caps().is_software() { "host" } else { "GPU" },
                needed_bytes: budget.used() + needed,
                limit_bytes: budget.limit(),
            });
        }
        Ok(Self { batch, bytes: needed })
    }
}
