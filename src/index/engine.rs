//! FAISS: flat, inverted lists, scalar quantizer, graphs, and whatever its factory knows.

use faiss::index::IndexImpl;
use faiss::index::autotune::ParameterSpace;
use faiss::{Index as _, MetricType, index_factory};

use super::bits::BitSet;
use super::recall::sample_ids;
use super::refine::{Engine, refine, sum_error};
use super::spec::POINTS_PER_LIST;
#[cfg(feature = "store")]
use super::stream;
use super::{IndexOptions, ResolvedSpec, Rows, VectorIndex, native};
use crate::core::Neighbor;
use crate::error::{Error, Result};
use crate::ops::RowSample;

/// Version of FAISS that the pinned `faiss` crate builds from source.
pub const FAISS_VERSION: &str = "1.12.0";
/// Version of how indexes are built: raised when the same rows give another index.
#[cfg(feature = "store")]
pub(super) const BUILDING: u32 = 1;
/// Queries that one thread searches for together, at least where matrices are multiplied. For inverted files it is the only number there is:
/// the lists of a short batch are chosen together with zeros. A product may add in another order for another shape, and lists that are
/// equally near would be chosen by that.
const BATCH: usize = 32;
/// Queries for which a product of matrices, filled up to the number from which FAISS makes one, takes less time than one by one.
const MULTIPLIED: usize = 4;
/// Most candidates of a query.
const MOST: usize = 8192;
/// Most pairs of score and id that a batch gives: some megabytes.
const MOST_PAIRS: usize = 1 << 20;
/// Rows added at a time: assignments to lists must not depend on how many there are.
const ADDED: u32 = 16_384;
/// Rows that an unknown index is trained with: as many as FAISS uses for 1,024 lists.
const TRAINING: u32 = 262_144;
/// Seed of the choice of training rows.
const SEED: u32 = 1234;

/// An index of FAISS, over inner products.
#[derive(Debug)]
pub struct FaissIndex {
    index: IndexImpl,
    rows: Rows,
    spec: ResolvedSpec,
    threads: usize,
    exact: bool,
}

fn failed(what: &str) -> impl Fn(faiss::error::Error) -> Error + '_ {
    move |e| invalid(&format!("FAISS: {what}: {e}"))
}

fn invalid(message: &str) -> Error {
    Error::Index { cause: "invalid", message: message.into() }
}

/// The factory string of a spec, with its search parameters.
pub(super) fn description(spec: &ResolvedSpec) -> (String, String) {
    match spec {
        ResolvedSpec::Host | ResolvedSpec::Gpu { .. } | ResolvedSpec::Flat => ("Flat".into(), String::new()),
        ResolvedSpec::SqFp16 => ("SQfp16".into(), String::new()),
        ResolvedSpec::Ivf { nlist, nprobe, codes: RowSample::F32 } => {
            (format!("IVF{nlist},Flat"), format!("nprobe={nprobe}"))
        }
        ResolvedSpec::Ivf { nlist, nprobe, codes: RowSample::F16 } => {
            (format!("IVF{nlist},SQfp16"), format!("nprobe={nprobe}"))
        }
        ResolvedSpec::Hnsw { m, ef } => (format!("HNSW{m},Flat"), format!("efSearch={ef}")),
        ResolvedSpec::Factory { description, parameters } => (description.clone(), parameters.clone()),
    }
}

impl FaissIndex {
    /// Builds it: trains with rows drawn by a fixed seed, adds all rows. The same rows give the same index, on any number of threads.
    ///
    /// # Errors
    /// [`Error::Usage`] for a factory string or parameter that FAISS refuses; [`Error::Index`].
    pub fn build(spec: ResolvedSpec, rows: &Rows, options: &IndexOptions<'_>) -> Result<Self> {
        let threads = options.threads();
        // A graph depends on the order of insertions.
        native::settle(if deterministic_in_parallel(&spec) { threads } else { 1 });
        #[cfg(feature = "store")]
        if let (ResolvedSpec::Flat, Some(mapped)) = (&spec, rows.mapped())
            && rows.sample() == RowSample::F32
        {
            let index = stream::map_file(mapped.file()).map_err(|e| invalid(&format!("FAISS: mapping: {e}")))?;
            return Self::over(index, spec, rows, threads);
        }
        rows.verify()?;
        let (text, _) = description(&spec);
        let dim = u32::try_from(rows.dim()).unwrap_or(u32::MAX);
        let refused = |e| Error::usage(format!("FAISS refuses the index `{spec}` for rows of {dim} numbers: {e}"));
        let mut index = index_factory(dim, &text, MetricType::InnerProduct).map_err(refused)?;
        if !index.is_trained() && !rows.is_empty() {
            let count = match &spec {
                ResolvedSpec::Ivf { nlist, .. } => nlist.saturating_mul(POINTS_PER_LIST),
                _ => TRAINING,
            };
            let mut training = Vec::new();
            for id in sample_ids(rows.len(), count, SEED) {
                rows.copy_to(id..id + 1, &mut training);
            }
            // A single list of few rows: FAISS wants its number of points all the same, and says so on standard error.
            while training.len() < POINTS_PER_LIST as usize * rows.dim() {
                training.extend_from_within(..);
            }
            index.train(&training).map_err(failed("training"))?;
        }
        let mut scratch = Vec::new();
        for first in (0..rows.len()).step_by(ADDED as usize) {
            index.add(rows.block(first..first.saturating_add(ADDED), &mut scratch)).map_err(failed("adding"))?;
        }
        Self::over(index, spec, rows, threads)
    }

    /// Takes an index that holds `rows`.
    pub(super) fn over(index: IndexImpl, spec: ResolvedSpec, rows: &Rows, threads: usize) -> Result<Self> {
        if u64::from(index.d()) != rows.dim() as u64 || index.ntotal() != u64::from(rows.len()) {
            let found = format!("{} rows of {}", index.ntotal(), index.d());
            return Err(invalid(&format!("FAISS holds {found}, wanted are {} of {}", rows.len(), rows.dim())));
        }
        let space = ParameterSpace::new().map_err(failed("parameters"))?;
        let (_, parameters) = description(&spec);
        for (name, value) in parameters.split(',').filter_map(|p| p.split_once('=')) {
            let refused = |e| Error::usage(format!("FAISS refuses `{name}={value}` for the index `{spec}`: {e}"));
            let value: f64 = value.parse().map_err(|_| Error::Bug(format!("parameter {name}={value}")))?;
            space.set_index_parameter(&index, name, value).map_err(refused)?;
        }
        let exact = match &spec {
            ResolvedSpec::Flat => true,
            ResolvedSpec::SqFp16 => rows.sample() == RowSample::F16,
            // As f16, FAISS rounds what is left of a row without the centre of its list.
            ResolvedSpec::Ivf { nlist, nprobe, codes } => nlist == nprobe && *codes == RowSample::F32,
            _ => false,
        };
        Ok(Self { index, rows: rows.clone(), spec, threads, exact })
    }

    /// FAISS's file of this index.
    #[cfg(feature = "store")]
    pub(super) fn write(&self, out: &mut (dyn std::io::Write + 'static)) -> Result<()> {
        stream::write(&self.index, out).map_err(|e| invalid(&format!("FAISS: writing: {e}")))
    }

    /// One batch, in the calling thread.
    fn batch(&self, queries: &[f32], count: usize) -> Result<Vec<Vec<Neighbor>>> {
        native::settle(1);
        let dim = self.rows.dim();
        let wanted = queries.len() / dim;
        let mut filled = queries.to_vec();
        let found = match &self.spec {
            ResolvedSpec::Ivf { .. } => {
                filled.resize(wanted.max(BATCH) * dim, 0.0);
                native::search_lists(&self.index, dim, (&filled, wanted), count)
            }
            ResolvedSpec::Flat if (MULTIPLIED..native::BLAS_QUERIES).contains(&wanted) => {
                filled.resize(native::BLAS_QUERIES * dim, 0.0);
                native::search(&self.index, dim, &filled, count)
            }
            _ => native::search(&self.index, dim, queries, count),
        };
        let (scores, ids) = found.map_err(|e| invalid(&format!("FAISS: searching in `{}`: {e}", self.spec)))?;
        let rows = self.rows.len();
        let query = |(ids, scores): (&[i64], &[f32])| {
            let known = |id: &i64| u32::try_from(*id).ok().filter(|id| *id < rows);
            ids.iter().zip(scores).filter_map(|(id, score)| Some(Neighbor { id: known(id)?, score: *score })).collect()
        };
        Ok(ids.chunks_exact(count).zip(scores.chunks_exact(count)).map(query).take(wanted).collect())
    }
}

/// Whether building on several threads gives what one gives.
fn deterministic_in_parallel(spec: &ResolvedSpec) -> bool {
    matches!(spec, ResolvedSpec::Flat | ResolvedSpec::SqFp16 | ResolvedSpec::Ivf { .. })
}

impl Engine for FaissIndex {
    fn candidates(&self, queries: &[f32], count: usize) -> Result<Vec<Vec<Neighbor>>> {
        let (dim, total) = (self.rows.dim(), queries.len() / self.rows.dim());
        let share = total.div_ceil(self.threads).min(MOST_PAIRS / count.max(1)).max(1);
        let size = match &self.spec {
            ResolvedSpec::Ivf { .. } => share.min(BATCH),
            // Nothing is shared by the queries of a batch.
            ResolvedSpec::SqFp16 | ResolvedSpec::Hnsw { .. } => share,
            // The rows are read once for each batch.
            _ => share.max(BATCH),
        };
        let batches: Vec<&[f32]> = queries.chunks(size * dim).collect();
        if batches.len() <= 1 || self.threads == 1 {
            let found: Vec<_> = batches.iter().map(|b| self.batch(b, count)).collect::<Result<_>>()?;
            return Ok(found.concat());
        }
        // Thread `t` takes the batches t, t + threads, ...
        let threads = self.threads.min(batches.len());
        let found: Vec<_> = std::thread::scope(|scope| {
            let work = |first: usize| {
                let mine = batches.iter().skip(first).step_by(threads);
                mine.map(|b| self.batch(b, count)).collect::<Result<Vec<_>>>()
            };
            let running: Vec<_> = (0..threads).map(|t| scope.spawn(move || work(t))).collect();
            running.into_iter().map(|thread| thread.join()).collect()
        });
        let mut parts = Vec::new();
        for part in found {
            parts.push(part.map_err(|_| Error::Bug("a thread of a search panicked".into()))??.into_iter());
        }
        let mut out = Vec::with_capacity(total);
        for at in 0..batches.len() {
            out.extend(parts.get_mut(at % threads).and_then(Iterator::next).unwrap_or_default());
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

impl VectorIndex for FaissIndex {
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

/// Builds a small exact index, searches it and compares with plain loops: proves that FAISS and its BLAS work on this machine.
///
/// # Errors
/// [`Error::Index`] when FAISS fails or answers wrongly.
pub fn self_check() -> Result<()> {
    const DIM: usize = 16;
    const COUNT: usize = 64;
    // Whole numbers: every sum is exact, in any order.
    let values: Vec<f32> = (0..COUNT * DIM).map(|i| ((i * 7919) % 101) as f32 - 50.0).collect();
    let rows = Rows::new(DIM, RowSample::F32, values.clone())?;
    let options = IndexOptions::default();
    // 32 queries take the matrix path, which needs BLAS.
    let queries = values.get(..BATCH * DIM).unwrap_or_default();
    let wanted = super::FlatHost::new(&rows, &options).search(queries, 3)?;
    let found = FaissIndex::build(ResolvedSpec::Flat, &rows, &options)?;
    let raw = native::search(&found.index, DIM, queries, 1).map_err(|e| invalid(&format!("FAISS: {e}")))?;
    let best = wanted.iter().map(|found| found.first().map(|n| n.score));
    if found.search(queries, 3)? == wanted && raw.0.iter().map(|score| Some(*score)).eq(best) {
        Ok(())
    } else {
        Err(invalid("FAISS finds other nearest vectors than plain loops do"))
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn faiss_works_here() {
        super::self_check().expect("FAISS");
    }

    /// Our files of f32 rows begin with what FAISS writes itself, byte for byte.
    #[cfg(feature = "store")]
    #[test]
    fn a_file_of_rows_is_a_file_of_faiss_with_our_end() {
        use super::*;
        use crate::index::RowsWriter;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        let values: Vec<f32> = (0..7 * 11).map(|i| i as f32 / 3.0).collect();
        let mut writer = RowsWriter::create(&crate::store::OsIo, &path, 11, RowSample::F32).unwrap();
        writer.push(&values).unwrap();
        writer.commit().unwrap();
        let rows = Rows::new(11, RowSample::F32, values).unwrap();
        let index = FaissIndex::build(ResolvedSpec::Flat, &rows, &IndexOptions::default()).unwrap();
        let mut wanted = Vec::new();
        index.write(&mut wanted).unwrap();
        assert_eq!(wanted.len(), 45 + 7 * 11 * 4);
        assert!(std::fs::read(&path).unwrap().starts_with(&wanted));
    }
}
