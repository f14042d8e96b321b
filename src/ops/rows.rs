//! Vectors in GPU memory, one a row: descriptors, embeddings, matrices that they are multiplied with.

use super::params::plan_error;
use crate::error::{Error, Result};
use crate::gpu::{BufferUse, GpuBuffer, GpuContext};

/// Type of the numbers of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RowSample {
    /// 32-bit float.
    F32,
    /// 16-bit float, two in a word, the first one low.
    F16,
}

impl RowSample {
    /// Bytes of one number.
    pub const fn bytes(self) -> u32 {
        match self {
            Self::F32 => 4,
            Self::F16 => 2,
        }
    }
}

impl std::fmt::Display for RowSample {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::F32 => "f32",
            Self::F16 => "f16",
        })
    }
}

/// Layout of rows of equal length.
///
/// A row holds its numbers rounded up to a multiple of 16 bytes; what lies behind the last number up to there is zero, so that sums may
/// run over it: who writes a row writes these zeros too. Rows that would start at multiples of 256 bytes get 64 bytes more,
/// because neighbours would share the same few sets of a cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RowsLayout {
    /// Type of the numbers.
    pub sample: RowSample,
    /// Numbers of a row.
    pub dim: u32,
    stride_bytes: u32,
}

impl RowsLayout {
    /// Longest row: kernels step over it four numbers at a time, within the loop budget of software adapters.
    pub const MAX_DIM: u32 = 65_536;

    /// The layout of rows of `dim` numbers.
    ///
    /// # Errors
    /// `Parameter` for 0 or more than [`Self::MAX_DIM`] numbers.
    pub fn new(sample: RowSample, dim: u32) -> Result<Self> {
        if dim == 0 || dim > Self::MAX_DIM {
            return Err(plan_error("rows", "dim", format!("1 to {}", Self::MAX_DIM), dim));
        }
        let bytes = (dim * sample.bytes()).next_multiple_of(16);
        let stride_bytes = if bytes.is_multiple_of(256) { bytes + 64 } else { bytes };
        Ok(Self { sample, dim, stride_bytes })
    }

    /// Bytes from one row to the next; a multiple of 16.
    pub const fn stride_bytes(&self) -> u32 {
        self.stride_bytes
    }

    /// Groups of four numbers from one row to the next: the unit of the kernels.
    pub(crate) const fn stride4(&self) -> u32 {
        self.stride_bytes / (4 * self.sample.bytes())
    }

    /// Groups of four numbers that hold a row.
    pub(crate) const fn groups4(&self) -> u32 {
        self.dim.div_ceil(4)
    }

    /// Bytes of rows of `values`, in order. The length of `values` is a multiple of the row's.
    pub(crate) fn encode(&self, values: &[f32]) -> Vec<u8> {
        let stride = self.stride_bytes as usize;
        let mut out = Vec::with_capacity(values.len() / self.dim as usize * stride);
        for row in values.chunks_exact(self.dim as usize) {
            let end = out.len() + stride;
            match self.sample {
                RowSample::F32 => out.extend(row.iter().flat_map(|v| v.to_le_bytes())),
                RowSample::F16 => out.extend(row.iter().flat_map(|v| half::f16::from_f32(*v).to_le_bytes())),
            }
            out.resize(end, 0);
        }
        out
    }

    /// Values of rows from their bytes.
    pub(crate) fn decode(&self, bytes: &[u8]) -> Vec<f32> {
        let row = (self.dim * self.sample.bytes()) as usize;
        let rows = bytes.chunks_exact(self.stride_bytes as usize).map(|b| b.get(..row).unwrap_or_default());
        match self.sample {
            RowSample::F32 => rows.flat_map(|b| b.as_chunks().0).map(|b| f32::from_le_bytes(*b)).collect(),
            RowSample::F16 => {
                rows.flat_map(|b| b.as_chunks().0).map(|b| half::f16::from_le_bytes(*b).to_f32()).collect()
            }
        }
    }
}

/// Equally long rows, one behind the other, in one GPU buffer.
#[derive(Debug, Clone)]
pub struct GpuRows {
    buffer: GpuBuffer,
    layout: RowsLayout,
    rows: u32,
}

impl GpuRows {
    /// Room for `rows` rows; contents undefined.
    ///
    /// # Errors
    /// `Parameter` for no row or rows that do not fit into one binding; the budget.
    pub fn new(ctx: &GpuContext, label: &str, layout: RowsLayout, rows: u32) -> Result<Self> {
        let bytes = u64::from(layout.stride_bytes) * u64::from(rows);
        if rows == 0 || bytes > ctx.caps().max_binding_bytes {
            let most = ctx.caps().max_binding_bytes / u64::from(layout.stride_bytes);
            return Err(plan_error("rows", "rows", format!("1 to {most} of {} {}", layout.dim, layout.sample), rows));
        }
        Ok(Self { buffer: GpuBuffer::new(ctx, label, bytes, BufferUse::Storage)?, layout, rows })
    }

    /// Rows from the host, one behind the other; f16 rounds to nearest, halves to even.
    ///
    /// # Errors
    /// As [`GpuRows::new`]; [`Error::Bug`] when the length is no multiple of the row's.
    pub fn from_host(ctx: &GpuContext, label: &str, layout: RowsLayout, values: &[f32]) -> Result<Self> {
        let dim = layout.dim as usize;
        if !values.len().is_multiple_of(dim) {
            return Err(Error::Bug(format!("{} numbers for rows of {dim}", values.len())));
        }
        let rows = u32::try_from(values.len() / dim).unwrap_or(u32::MAX);
        let this = Self::new(ctx, label, layout, rows)?;
        this.buffer.write(ctx, 0, &layout.encode(values))?;
        Ok(this)
    }

    /// Copies rows from the host to those from row `first` on, as [`Self::from_host`] does.
    ///
    /// # Errors
    /// [`Error::Bug`] when the length is no multiple of the row's or there are fewer rows.
    pub fn write(&self, ctx: &GpuContext, first: u32, values: &[f32]) -> Result<()> {
        let dim = self.layout.dim as usize;
        let room = self.rows.saturating_sub(first) as usize;
        if !values.len().is_multiple_of(dim) || values.len() / dim > room {
            return Err(Error::Bug(format!("{} numbers for {room} rows of {dim}", values.len())));
        }
        let at = u64::from(first) * u64::from(self.layout.stride_bytes);
        self.buffer.write(ctx, at, &self.layout.encode(values))
    }

    /// The buffer.
    pub fn buffer(&self) -> &GpuBuffer {
        &self.buffer
    }

    /// Layout of the rows.
    pub fn layout(&self) -> &RowsLayout {
        &self.layout
    }

    /// Number of rows there is room for.
    pub fn rows(&self) -> u32 {
        self.rows
    }

    /// Waits for everything submitted and copies the first `count` rows to the host, without padding.
    pub fn read(&self, ctx: &GpuContext, count: u32) -> Result<Vec<f32>> {
        self.read_from(ctx, 0, count)
    }

    /// As [`Self::read`], from row `first` on.
    pub(crate) fn read_from(&self, ctx: &GpuContext, first: u32, count: u32) -> Result<Vec<f32>> {
        let stride = u64::from(self.layout.stride_bytes);
        let count = count.min(self.rows.saturating_sub(first));
        let bytes = self.buffer.read_range(ctx, stride * u64::from(first), stride * u64::from(count))?;
        Ok(self.layout.decode(&bytes))
    }
}

/// `rows` hold what was planned: f32 rows of `dim` numbers.
pub(crate) fn check_rows(op: &'static str, name: &'static str, planned: &RowsLayout, rows: &GpuRows) -> Result<()> {
    let text = |l: &RowsLayout| format!("rows of {} {}", l.dim, l.sample);
    if rows.layout() != planned {
        return Err(plan_error(op, name, text(planned), text(rows.layout())));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_padded_with_zeros_and_come_back() {
        for (sample, dim, stride) in [
            (RowSample::F32, 1, 16),
            (RowSample::F32, 5, 32),
            (RowSample::F16, 5, 16),
            (RowSample::F32, 64, 320),
            (RowSample::F16, 128, 320),
            (RowSample::F32, 8192, 32_832),
        ] {
            let layout = RowsLayout::new(sample, dim).expect("fits");
            assert_eq!((layout.stride_bytes(), layout.stride4() * 4 * sample.bytes()), (stride, stride));
            let values: Vec<f32> = (0..dim * 3).map(|i| (i % 64) as f32 - 20.0).collect();
            let bytes = layout.encode(&values);
            assert_eq!(bytes.len(), 3 * stride as usize);
            assert!(bytes[(dim * sample.bytes()) as usize..stride as usize].iter().all(|b| *b == 0));
            assert_eq!(layout.decode(&bytes), values);
        }
        assert!(RowsLayout::new(RowSample::F32, 0).is_err() && RowsLayout::new(RowSample::F32, 65_537).is_err());
    }
}
