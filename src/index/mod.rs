//! Vector indexes: the nearest rows of a set of vectors, by inner product. `faiss::` appears in this folder only.
//!
//! | type | what it is |
//! |---|---|
//! | [`Rows`] | the vectors: held in memory, or mapped from a file that [`RowsWriter`] wrote. Row number = id |
//! | [`IndexSpec`] | which index, as text: `auto`, `flat`, `flat-gpu`, `ivf:nlist=..,nprobe=..`, `sqfp16`, `hnsw`, a FAISS factory string |
//! | [`VectorIndex`] | what searches: made by [`build_index`], or by [`open_index`], which keeps what took long in a file |
//! | [`BitSet`] | ids that a search must not find |
//! | [`Recall`] | how much of the exact answer an index finds |
//!
//! **An index is a function of its rows and its spec.** Nothing is added to or removed from one that exists, so that history, thread count and
//! order of work can never show in a result. Rows are added and removed by writing the file anew ([`RowsWriter::push_from`] copies
//! what stays; nothing is computed again) and building on it: free for `flat`, which searches the file as it lies there; training for `ivf`. A row that
//! must vanish at once goes into the [`BitSet`] of the searches.
//!
//! **Scores are ours.** Engines propose candidates, more than were asked for; each is scored again against the stored row by one fixed sum, and
//! ordered by falling score, then rising id. What follows from that is stated at [`VectorIndex::search`].

mod bits;
mod dot;
mod gpu;
mod host;
mod plan;
mod recall;
mod refine;
mod rows;
mod spec;

#[cfg(feature = "faiss")]
mod engine;
#[cfg(feature = "store")]
mod file;
#[cfg(feature = "store")]
mod mapping;
#[cfg(feature = "faiss")]
mod native;
#[cfg(feature = "store")]
mod saved;
#[cfg(all(feature = "faiss", feature = "store"))]
mod stream;

use std::fmt::Debug;

pub use bits::BitSet;
#[cfg(feature = "faiss")]
pub use engine::{FAISS_VERSION, FaissIndex, self_check};
#[cfg(feature = "store")]
pub use file::{RowsWriter, WrittenRows};
pub use gpu::FlatGpu;
pub use host::FlatHost;
pub use plan::IndexMemory;
pub use recall::{Recall, recall_at, sample_rows};
pub use rows::Rows;
#[cfg(feature = "store")]
pub use saved::{IndexOrigin, open_index};
#[cfg(all(feature = "faiss", feature = "store"))]
pub use saved::{SavedIndex, WrittenIndex, load_index, save_index};
pub use spec::{IndexSpec, ResolvedSpec};

use crate::core::Neighbor;
use crate::error::{Error, Result};
use crate::gpu::{AdapterClass, GpuContext};

/// Finds the rows with the largest inner product with a query: the cosine, where rows and queries have length 1.
///
/// Searching takes `&self` and may be done from several threads. Queries come in batches, because that is several times faster: 32 for
/// each thread, or more.
pub trait VectorIndex: Send + Sync + Debug {
    /// The rows that are searched. Ids are their numbers.
    fn rows(&self) -> &Rows;

    /// What this is, with all that was chosen by itself, as [`IndexSpec`] reads it: `ivf:nlist=1264,nprobe=79`.
    fn spec(&self) -> &ResolvedSpec;

    /// Whether [`Self::search`] always gives the true nearest rows. If not, [`recall_at`] says how often it does.
    fn is_exact(&self) -> bool;

    /// Numbers of a row.
    fn dim(&self) -> usize {
        self.rows().dim()
    }

    /// Rows.
    fn len(&self) -> u32 {
        self.rows().len()
    }

    /// Whether there are no rows: then nothing is found.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The `k` best rows for each query: larger scores first, equal scores by rising id. `queries`: rows of [`Self::dim`] numbers, one
    /// behind the other. Always `min(k, len)` results a query, also from indexes that look at a part of the rows only.
    ///
    /// A score is the inner product with the stored row (of f16 rows: with the f16 values) in f32, by one fixed order of additions: a row
    /// has the same score, to the bit, in every kind of index, at any thread count, in any batch.
    ///
    /// - *Exact indexes* ([`Self::is_exact`]) give the same ids and bits as [`FlatHost`], ties included.
    /// - *The others* order what they find in the same way. The same index gives the same answer every time. `ivf` and `sqfp16` do so for
    ///   any batch a query is in, and are the same index wherever they are built from the same rows; so is `hnsw`.
    ///
    /// # Errors
    /// `Parameter` for `k` = 0, for queries that are no whole rows or not finite; [`Error::Index`] `corrupt` when a mapped file of
    /// rows is damaged, found before the first result; the GPU's errors.
    fn search(&self, queries: &[f32], k: usize) -> Result<Vec<Vec<Neighbor>>> {
        self.search_excluding(queries, k, &BitSet::default())
    }

    /// The same among the rows that are not in `excluded`: always `min(k, rows that are left)` results, never one of `excluded`, whatever
    /// the index. While few are excluded it looks for that many more; when that is not enough for a query, all rows that are left
    /// are compared with it, exactly.
    ///
    /// # Errors
    /// As [`Self::search`].
    fn search_excluding(&self, queries: &[f32], k: usize, excluded: &BitSet) -> Result<Vec<Vec<Neighbor>>>;
}

/// What an index may use.
#[derive(Debug, Clone, Copy, Default)]
pub struct IndexOptions<'a> {
    /// Where `flat-gpu` keeps its rows.
    pub gpu: Option<&'a GpuContext>,
    /// Threads of a search; `None`: as many as the machine has. Changes speed, never results.
    pub threads: Option<usize>,
}

impl IndexOptions<'_> {
    /// Whether there is a GPU that is not a software adapter.
    fn hardware_gpu(&self) -> bool {
        self.gpu.is_some_and(|ctx| ctx.caps().class == AdapterClass::Gpu)
    }

    fn threads(&self) -> usize {
        self.threads.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, std::num::NonZero::get)).max(1)
    }
}

/// Builds the index that `spec` names over `rows`. `IndexSpec::memory` says beforehand what it takes.
///
/// # Errors
/// [`Error::Usage`] when the spec cannot be met (no GPU context, built without FAISS, a factory string FAISS does not know);
/// [`Error::Index`] `corrupt` when the rows' file is damaged; `Memory` and the GPU's errors.
pub fn build_index(spec: &IndexSpec, rows: &Rows, options: &IndexOptions<'_>) -> Result<Box<dyn VectorIndex>> {
    let resolved = spec.resolve(rows.len(), rows.dim(), options.hardware_gpu())?;
    match &resolved {
        ResolvedSpec::Host => Ok(Box::new(FlatHost::new(rows, options))),
        ResolvedSpec::Gpu { sample } => {
            let ctx = options.gpu.ok_or_else(|| {
                Error::usage("index `flat-gpu` needs a GPU context, none was given; use `flat`, or pass one")
            })?;
            Ok(Box::new(FlatGpu::new(ctx, rows, *sample, options)?))
        }
        #[cfg(feature = "faiss")]
        _ => Ok(Box::new(FaissIndex::build(resolved, rows, options)?)),
        #[cfg(not(feature = "faiss"))]
        other => Err(Error::usage(format!(
            "index `{other}` needs FAISS, and this build has none (feature `faiss`); use `host` or `flat-gpu`"
        ))),
    }
}

/// Refuses what no search can take.
fn check_queries(rows: &Rows, queries: &[f32], k: usize) -> Result<()> {
    let refuse = |name, wanted: String, given: String| Error::Parameter { op: "index/search", name, wanted, given };
    if k == 0 {
        return Err(refuse("k", "at least 1".into(), "0".into()));
    }
    if !queries.len().is_multiple_of(rows.dim()) {
        let wanted = format!("rows of {} numbers", rows.dim());
        return Err(refuse("queries", wanted, format!("{} numbers", queries.len())));
    }
    if let Some(at) = queries.iter().position(|v| !v.is_finite()) {
        let value = queries.get(at).copied().unwrap_or(f32::NAN);
        return Err(refuse("queries", "finite numbers".into(), format!("{value} in query {}", at / rows.dim())));
    }
    Ok(())
}
