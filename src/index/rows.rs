//! The vectors of an index.

use std::ops::Range;
use std::sync::Arc;

use half::f16;

use super::dot::norm;
use crate::error::{Error, Result};
use crate::ops::{RowSample, RowsLayout};

#[cfg(feature = "store")]
use super::file::MappedRows;

/// Rows that are read together.
pub(super) const BLOCK_ROWS: u32 = 256;

/// Equally long vectors, in memory or mapped from a file. Row `i` has id `i`. Immutable; clones share the memory.
#[derive(Debug, Clone)]
pub struct Rows(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    dim: usize,
    count: u32,
    sample: RowSample,
    /// Length of the longest row.
    longest: f64,
    data: Data,
}

#[derive(Debug)]
enum Data {
    Held(Vec<f32>),
    HeldHalf(Vec<f16>),
    #[cfg(feature = "store")]
    Mapped(MappedRows),
}

impl Rows {
    /// Rows of `dim` numbers in memory, from `values`, one row behind the other. As f16 they are rounded to nearest, halves to even.
    ///
    /// # Errors
    /// `Parameter` for `dim` outside 1 to 65,536, no whole rows, 2^32 - 1 rows or more, numbers that are not finite (or not in f16).
    pub fn new(dim: usize, sample: RowSample, values: Vec<f32>) -> Result<Self> {
        let count = check_shape(dim, values.len())?;
        check_finite(dim, sample, &values, 0)?;
        let longest = |row: &[f32]| norm(row);
        let (longest, data) = match sample {
            RowSample::F32 => (values.chunks_exact(dim).map(longest).fold(0.0, f64::max), Data::Held(values)),
            RowSample::F16 => {
                let half: Vec<f16> = values.iter().map(|v| f16::from_f32(*v)).collect();
                let row = |row: &[f16]| longest(&row.iter().map(|v| v.to_f32()).collect::<Vec<_>>());
                (half.chunks_exact(dim).map(row).fold(0.0, f64::max), Data::HeldHalf(half))
            }
        };
        Ok(Self(Arc::new(Inner { dim, count, sample, longest, data })))
    }

    /// Maps a file that [`super::RowsWriter`] wrote, in well under a millisecond. Header, length and place of everything are checked now; the content is hashed
    /// before the first result, or by [`Self::verify`]. With `expected`, the file must be the one with that hash, as
    /// [`super::WrittenRows`] gave it.
    ///
    /// The file stays mapped: it must not be cut while this lives. What `store` commits never is; a new version gets a new file.
    ///
    /// # Errors
    /// [`Error::Index`]: `missing`, `foreign` (not ours), `corrupt`, `stale` (not the expected one); `NewerVersion`; [`Error::Storage`].
    #[cfg(feature = "store")]
    pub fn open(path: impl AsRef<std::path::Path>, expected: Option<&crate::store::Hash>) -> Result<Self> {
        let mapped = MappedRows::open(path.as_ref(), expected)?;
        let (dim, count, sample, longest) = (mapped.dim(), mapped.count(), mapped.sample(), mapped.longest());
        Ok(Self(Arc::new(Inner { dim, count, sample, longest, data: Data::Mapped(mapped) })))
    }

    /// Numbers of a row.
    pub fn dim(&self) -> usize {
        self.0.dim
    }

    /// Rows.
    pub fn len(&self) -> u32 {
        self.0.count
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.count == 0
    }

    /// Type of the stored numbers.
    pub fn sample(&self) -> RowSample {
        self.0.sample
    }

    /// Length (Euclidean norm) of the longest row.
    pub fn longest(&self) -> f64 {
        self.0.longest
    }

    /// Bytes of all rows.
    pub fn bytes(&self) -> u64 {
        self.0.dim as u64 * u64::from(self.0.count) * u64::from(self.0.sample.bytes())
    }

    /// Whether they lie in a mapped file.
    pub fn is_mapped(&self) -> bool {
        match &self.0.data {
            Data::Held(_) | Data::HeldHalf(_) => false,
            #[cfg(feature = "store")]
            Data::Mapped(_) => true,
        }
    }

    /// The mapped file, if it is one.
    #[cfg(all(feature = "faiss", feature = "store"))]
    pub(super) fn mapped(&self) -> Option<&MappedRows> {
        match &self.0.data {
            Data::Mapped(mapped) => Some(mapped),
            _ => None,
        }
    }

    /// Hashes a mapped file, once; whoever comes later gets the same answer at once. Memory is always right.
    ///
    /// # Errors
    /// [`Error::Index`] `corrupt`; [`Error::Storage`] when it cannot be read.
    pub fn verify(&self) -> Result<()> {
        match &self.0.data {
            Data::Held(_) | Data::HeldHalf(_) => Ok(()),
            #[cfg(feature = "store")]
            Data::Mapped(mapped) => mapped.verify(),
        }
    }

    /// BLAKE3 of type, shape and numbers: the same for equal rows, held or mapped.
    #[cfg(feature = "store")]
    pub fn content_hash(&self) -> crate::store::Hash {
        match &self.0.data {
            Data::Mapped(mapped) => mapped.content_hash(),
            _ => {
                let mut hasher = super::file::content_hasher(self.dim(), self.sample());
                let mut scratch = Vec::new();
                for range in self.blocks() {
                    super::file::hash_rows(&mut hasher, self.sample(), self.block(range, &mut scratch));
                }
                hasher.finalize()
            }
        }
    }

    /// Copies rows into `out`, behind what is there; ids that there are not are left out.
    pub fn copy_to(&self, ids: Range<u32>, out: &mut Vec<f32>) {
        let mut scratch = Vec::new();
        out.extend_from_slice(self.block(ids, &mut scratch));
    }

    /// The values of one row, or nothing when there is no such row.
    pub fn row(&self, id: u32) -> Vec<f32> {
        let mut out = Vec::with_capacity(self.dim());
        self.copy_to(id..id.saturating_add(1), &mut out);
        out
    }

    /// Ranges of ids that are read together, in order.
    #[cfg(feature = "store")]
    pub(super) fn blocks(&self) -> impl Iterator<Item = Range<u32>> + use<> {
        let count = self.0.count;
        (0..count).step_by(BLOCK_ROWS as usize).map(move |first| first..count.min(first.saturating_add(BLOCK_ROWS)))
    }

    /// One row as f32, where it lies or read into `scratch`: from the file, not through its mapping, which would make the pages around it
    /// resident a second time when FAISS maps the file too.
    pub(super) fn read_row<'a>(&'a self, id: u32, scratch: &'a mut Vec<f32>) -> Result<&'a [f32]> {
        match &self.0.data {
            Data::Held(_) | Data::HeldHalf(_) => Ok(self.block(id..id.saturating_add(1), scratch)),
            #[cfg(feature = "store")]
            Data::Mapped(mapped) => {
                mapped.read_row(id, scratch)?;
                Ok(scratch)
            }
        }
    }

    /// Rows as f32, where they lie or decoded into `scratch`. Ids behind the end are left out.
    pub(super) fn block<'a>(&'a self, ids: Range<u32>, scratch: &'a mut Vec<f32>) -> &'a [f32] {
        let end = ids.end.min(self.0.count) as usize * self.0.dim;
        let numbers = (ids.start as usize * self.0.dim).min(end)..end;
        match &self.0.data {
            Data::Held(values) => values.get(numbers).unwrap_or_default(),
            Data::HeldHalf(values) => {
                scratch.clear();
                scratch.extend(values.get(numbers).unwrap_or_default().iter().map(|v| v.to_f32()));
                scratch
            }
            #[cfg(feature = "store")]
            Data::Mapped(mapped) => {
                mapped.decode(numbers, scratch);
                scratch
            }
        }
    }
}

/// The number of rows.
pub(super) fn check_shape(dim: usize, numbers: usize) -> Result<u32> {
    let refuse = |name, wanted: String, given: String| Error::Parameter { op: "index/rows", name, wanted, given };
    if dim == 0 || dim > RowsLayout::MAX_DIM as usize {
        return Err(refuse("dim", format!("1 to {}", RowsLayout::MAX_DIM), dim.to_string()));
    }
    if !numbers.is_multiple_of(dim) {
        return Err(refuse("values", format!("rows of {dim} numbers"), format!("{numbers} numbers")));
    }
    let count = u32::try_from(numbers / dim).ok().filter(|n| *n < u32::MAX);
    count.ok_or_else(|| refuse("values", "fewer than 2^32 - 1 rows".into(), format!("{} rows", numbers / dim)))
}

/// Refuses numbers that cannot be compared; `first` is the id of the first row.
pub(super) fn check_finite(dim: usize, sample: RowSample, values: &[f32], first: u64) -> Result<()> {
    let finite = |v: &f32| match sample {
        RowSample::F32 => v.is_finite(),
        RowSample::F16 => f16::from_f32(*v).is_finite(),
    };
    match values.iter().position(|v| !finite(v)) {
        None => Ok(()),
        Some(at) => Err(Error::Parameter {
            op: "index/rows",
            name: "values",
            wanted: format!("finite numbers in {sample}"),
            given: format!("{:?} in row {}", values.get(at).copied().unwrap_or(0.0), first + (at / dim) as u64),
        }),
    }
}
