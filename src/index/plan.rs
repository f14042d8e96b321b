//! What an index takes, before it is built.

use super::Rows;
use super::spec::{IndexSpec, POINTS_PER_LIST, ResolvedSpec};
use crate::error::Result;
use crate::ops::{RowSample, RowsLayout};

/// Bytes that an index takes. Searches add some megabytes for their batch, whatever the number of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct IndexMemory {
    /// Rows in the process's memory: 0 when they are mapped.
    pub rows_held: u64,
    /// Rows in a mapped file: resident once they were searched, and given up by the system when memory is short.
    pub rows_mapped: u64,
    /// The index in the process's memory, beside the rows.
    pub index: u64,
    /// GPU memory.
    pub gpu: u64,
    /// More of the process's memory while it is built, and only then.
    pub building: u64,
}

impl IndexMemory {
    /// Memory of the process that is resident after a search of everything.
    pub fn resident(&self) -> u64 {
        self.rows_held + self.rows_mapped + self.index
    }

    /// Memory that must be there while it is built or searched: what the system cannot give up.
    pub fn needed(&self) -> u64 {
        self.rows_held + self.index + self.building
    }
}

impl IndexSpec {
    /// What an index over `rows` will take.
    ///
    /// Factory strings beyond the named ones are counted as a copy of the rows in f32 with 64 bytes a row: an upper bound for flat, IVF and
    /// quantized ones, not for graphs of more than 8 links.
    ///
    /// # Errors
    /// As [`Self::resolve`].
    pub fn memory(&self, rows: &Rows, hardware_gpu: bool) -> Result<IndexMemory> {
        self.memory_of((rows.len(), rows.dim(), rows.sample()), rows.is_mapped(), hardware_gpu)
    }

    /// The same for rows that are not there yet: their number, length and type, and whether they will be mapped from a file.
    ///
    /// # Errors
    /// As [`Self::resolve`]; `Parameter` for a length that rows cannot have.
    pub fn memory_of(
        &self,
        (count, dim, sample): (u32, usize, RowSample),
        mapped: bool,
        hardware_gpu: bool,
    ) -> Result<IndexMemory> {
        let resolved = self.resolve(count, dim, hardware_gpu)?;
        let (n, row) = (u64::from(count), dim as u64 * 4);
        let stored = n * dim as u64 * u64::from(sample.bytes());
        let mut memory = match mapped {
            true => IndexMemory { rows_mapped: stored, ..IndexMemory::default() },
            false => IndexMemory { rows_held: stored, ..IndexMemory::default() },
        };
        match resolved {
            ResolvedSpec::Host => {}
            // Searches a mapped file where it lies.
            ResolvedSpec::Flat => memory.index = if mapped && sample == RowSample::F32 { 0 } else { n * row },
            ResolvedSpec::Gpu { sample } => {
                let layout = RowsLayout::new(sample, u32::try_from(dim).unwrap_or(u32::MAX))?;
                memory.gpu = n * u64::from(layout.stride_bytes());
            }
            ResolvedSpec::SqFp16 => memory.index = n * row / 2,
            ResolvedSpec::Ivf { nlist, codes, .. } => {
                let code = dim as u64 * u64::from(codes.bytes());
                let lists = u64::from(nlist);
                memory.index = n * (code + 8) + lists * row;
                // Lists grow by doubling while rows are added; before that, the training rows and FAISS's copy of them.
                let training = 2 * row * n.min(lists * u64::from(POINTS_PER_LIST));
                memory.building = (n * (code + 8) / 2).max(training);
            }
            ResolvedSpec::Hnsw { m, .. } => memory.index = n * (row + 8 * u64::from(m) + 16),
            ResolvedSpec::Factory { .. } => {
                memory.index = n * (row + 64);
                memory.building = n * row;
            }
        }
        Ok(memory)
    }
}
