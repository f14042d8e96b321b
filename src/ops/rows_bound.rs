//! Operations whose results are rows, bound to buffers.

use super::passes::{Passes, Record};
use super::rows::GpuRows;
use crate::error::Result;
use crate::gpu::{GpuContext, Recorder};

/// A planned operation bound to its source and to the rows it makes: ready to be recorded as often as wanted.
#[derive(Debug, Clone)]
pub struct RowsBound {
    passes: Passes,
    rows: GpuRows,
    /// Row of the first result.
    first: u32,
}

impl RowsBound {
    /// `passes` leave a row for each of their frames in `rows`, from row `first` on.
    pub(crate) fn new(passes: Passes, rows: &GpuRows, first: u32) -> Self {
        Self { passes, rows: rows.clone(), first }
    }

    /// Records the operation for the first `count` bound rows (or maps); more than there are slots for are not touched.
    pub fn record(&self, rec: &mut Recorder<'_>, count: u32) {
        self.passes.record(rec, count);
    }

    /// Rows (or maps) there are slots for.
    pub fn capacity(&self) -> u32 {
        self.passes.capacity()
    }

    /// Where the results lie, from the row on that they were bound to; bind them to the next operation.
    pub fn rows(&self) -> &GpuRows {
        &self.rows
    }

    /// Records everything bound, waits, and reads the rows that it made. For scripts and tests.
    pub fn run(&self, ctx: &GpuContext) -> Result<Vec<f32>> {
        let mut rec = Recorder::new(ctx, "rows");
        self.record(&mut rec, self.capacity());
        rec.run()?;
        self.rows.read_from(ctx, self.first, self.capacity())
    }
}

impl Record for RowsBound {
    fn record(&self, rec: &mut Recorder<'_>, count: u32) {
        Self::record(self, rec, count);
    }

    fn capacity(&self) -> u32 {
        Self::capacity(self)
    }
}
