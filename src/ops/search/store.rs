//! A matrix that grows row by row in GPU memory.

use crate::error::Result;
use crate::gpu::GpuContext;
use crate::ops::{GpuRows, RowSample, RowsLayout, plan_error};

const OP: &str = "search/top_k";
/// Largest block by default, where a binding may be as large.
const BLOCK_BYTES: u64 = 64 << 20;
/// Smallest block in rows: a new one is at least as large as all before together, up to the largest.
const LEAST_ROWS: u32 = 256;

/// Rows that were added so far, in blocks that a kernel can bind. Row `i` is the `i`-th that was added.
#[derive(Debug, Clone)]
pub struct RowStore {
    layout: RowsLayout,
    blocks: Vec<(GpuRows, u32)>,
    count: u32,
    block_rows: u32,
}

impl RowStore {
    /// No rows yet, of `layout`.
    ///
    /// # Errors
    /// As [`Self::with_block_bytes`].
    pub fn new(ctx: &GpuContext, layout: RowsLayout) -> Result<Self> {
        Self::with_block_bytes(ctx, layout, BLOCK_BYTES.min(ctx.caps().max_binding_bytes))
    }

    /// The same with blocks of at most `bytes`: the unit of allocation once there are many rows.
    ///
    /// # Errors
    /// `Parameter` when no row fits, or for more than one binding holds.
    pub fn with_block_bytes(ctx: &GpuContext, layout: RowsLayout, bytes: u64) -> Result<Self> {
        let (row, limit) = (u64::from(layout.stride_bytes()), ctx.caps().max_binding_bytes);
        if bytes < row || bytes > limit {
            return Err(plan_error(OP, "bytes", format!("{row} to {limit}"), bytes));
        }
        let block_rows = u32::try_from(bytes / row).unwrap_or(u32::MAX);
        Ok(Self { layout, blocks: Vec::new(), count: 0, block_rows })
    }

    /// Layout of the rows.
    pub fn layout(&self) -> &RowsLayout {
        &self.layout
    }

    /// Rows added so far.
    pub fn len(&self) -> u32 {
        self.count
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Adds rows from the host, one behind the other, and gives the id of the first. What is bound already does not see them.
    ///
    /// # Errors
    /// `Parameter`, and nothing is added, for numbers that are no whole rows, are not finite (or not in f16), or more than 2^32 - 2 rows
    /// in all; the budget, when blocks before may have been added.
    pub fn append(&mut self, ctx: &GpuContext, rows: &[f32]) -> Result<u32> {
        let dim = self.layout.dim as usize;
        if !rows.len().is_multiple_of(dim) {
            return Err(plan_error(OP, "rows", format!("rows of {dim} numbers"), format!("{} numbers", rows.len())));
        }
        let finite = |v: &f32| match self.layout.sample {
            RowSample::F32 => v.is_finite(),
            RowSample::F16 => half::f16::from_f32(*v).is_finite(),
        };
        if let Some(at) = rows.iter().position(|v| !finite(v)) {
            let given = format!("{:?} in row {}", rows.get(at).copied().unwrap_or(0.0), at / dim);
            return Err(plan_error(OP, "rows", format!("finite numbers in {}", self.layout.sample), given));
        }
        let first = self.count;
        let fits =
            u32::try_from(rows.len() / dim).ok().and_then(|n| first.checked_add(n)).is_some_and(|n| n < u32::MAX);
        if !fits {
            return Err(plan_error(OP, "rows", "fewer than 2^32 - 1 in all", rows.len() / dim));
        }
        let mut rest = rows;
        while !rest.is_empty() {
            let room = self.blocks.last().map_or(0, |(block, used)| block.rows() - used);
            if room == 0 {
                let wanted = u32::try_from(rest.len() / dim).unwrap_or(u32::MAX);
                let size = wanted.max(self.count).max(LEAST_ROWS).min(self.block_rows);
                self.blocks.push((GpuRows::new(ctx, OP, self.layout, size)?, 0));
                continue;
            }
            let Some((block, used)) = self.blocks.last_mut() else { break };
            let (now, later) = rest.split_at(rest.len().min(room as usize * dim));
            block.write(ctx, *used, now)?;
            // At most `room`.
            let added = (now.len() / dim) as u32;
            (*used, self.count, rest) = (*used + added, self.count + added, later);
        }
        Ok(first)
    }

    /// Blocks with the number of rows used.
    pub(super) fn blocks(&self) -> &[(GpuRows, u32)] {
        &self.blocks
    }
}
