//! From candidates of an engine to results: scored again, ordered, and never too few.

use super::bits::BitSet;
use super::dot::{dot, norm};
use super::host::{Best, scan};
use super::{Rows, check_queries};
use crate::core::Neighbor;
use crate::error::Result;

/// What proposes candidates.
pub(super) trait Engine {
    /// Up to `count` candidates for each query, best first by its own scores, each id at most once a query.
    fn candidates(&self, queries: &[f32], count: usize) -> Result<Vec<Vec<Neighbor>>>;

    /// How far a score of the engine may be from the true one, in parts of the product of both lengths; `None`: it does not look at
    /// all rows, or rounds them so much that asking for more would not help.
    fn relative_error(&self) -> Option<f64>;

    /// Most candidates it gives for a query.
    fn most(&self) -> usize;
}

/// Candidates beyond those wanted, so that the first try mostly decides.
const SPARE: usize = 24;
/// Excluded rows beyond which candidates are not asked for any more: most would be thrown away.
const MOST_EXCLUDED: u32 = 2048;

/// The results of a search with an engine, as [`super::VectorIndex::search_excluding`] promises them.
///
/// Exactness: all rows that the engine did not give have an engine score of at most that of the last candidate. When the `k`-th result, by
/// our score, is better than that by more than both sums can err together, no row is missing. Otherwise four times as many are asked
/// for, and in the end all rows are compared.
pub(super) fn refine(
    engine: &dyn Engine,
    rows: &Rows,
    (queries, k): (&[f32], usize),
    excluded: &BitSet,
    threads: usize,
) -> Result<Vec<Vec<Neighbor>>> {
    check_queries(rows, queries, k)?;
    rows.verify()?;
    let (dim, total) = (rows.dim(), rows.len() as usize);
    let gone = excluded.iter().take_while(|id| *id < rows.len()).count();
    let wanted = k.min(total - gone);
    let mut results = vec![Vec::new(); queries.len() / dim];
    if wanted == 0 {
        return Ok(results);
    }
    let mut open: Vec<usize> = (0..results.len()).collect();
    let mut count = wanted + SPARE + gone;
    let most = engine.most().min(total);
    while !open.is_empty() && gone as u64 <= u64::from(MOST_EXCLUDED) && wanted + gone <= most {
        count = count.min(most);
        let batch: Vec<f32> = open.iter().flat_map(|at| query_of(queries, dim, *at)).copied().collect();
        let found = engine.candidates(&batch, count)?;
        let mut still = Vec::new();
        for (at, candidates) in open.iter().zip(&found) {
            let query = query_of(queries, dim, *at);
            match settle(engine, rows, (query, wanted), candidates, excluded) {
                Some(done) => results.get_mut(*at).into_iter().for_each(|slot| slot.clone_from(&done)),
                None => still.push(*at),
            }
        }
        // Fewer than asked for: it has no more.
        let exhausted = still.iter().any(|at| open.iter().zip(&found).any(|(o, f)| o == at && f.len() < count));
        open = still;
        if count == most || exhausted {
            break;
        }
        count *= 4;
    }
    if !open.is_empty() {
        let batch: Vec<f32> = open.iter().flat_map(|at| query_of(queries, dim, *at)).copied().collect();
        for (at, found) in open.iter().zip(scan(rows, &batch, wanted, excluded, threads)?) {
            results.get_mut(*at).into_iter().for_each(|slot| slot.clone_from(&found));
        }
    }
    Ok(results)
}

fn query_of(queries: &[f32], dim: usize, at: usize) -> &[f32] {
    queries.get(at * dim..(at + 1) * dim).unwrap_or_default()
}

/// The `wanted` best candidates by our score, if they are enough and, for an exact engine, certain.
fn settle(
    engine: &dyn Engine,
    rows: &Rows,
    (query, wanted): (&[f32], usize),
    candidates: &[Neighbor],
    excluded: &BitSet,
) -> Option<Vec<Neighbor>> {
    let mut best = Best::new(wanted);
    let mut scratch = Vec::new();
    for found in candidates.iter().filter(|n| !excluded.contains(n.id)) {
        let row = rows.block(found.id..found.id + 1, &mut scratch);
        best.offer(Neighbor { id: found.id, score: dot(query, row) });
    }
    let best = best.sorted();
    let (worst, last) = (best.last()?, candidates.last()?);
    if best.len() < wanted {
        return None;
    }
    if candidates.len() == rows.len() as usize {
        return Some(best);
    }
    let Some(error) = engine.relative_error() else { return Some(best) };
    let margin = error * norm(query) * rows.longest();
    (f64::from(worst.score) > f64::from(last.score) + margin).then_some(best)
}

/// Bound of the error of a sum of `dim` products in f32 in any order, and of ours, together, in parts of the product of the lengths
/// (Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., section 3.1; the sum of magnitudes is at most that product).
pub(super) fn sum_error(dim: usize) -> f64 {
    let unit = 2f64.powi(-24);
    let of = |n: f64| n * unit / (1.0 - n * unit);
    of(dim as f64 + 2.0) + of(dim as f64 / 16.0 + 6.0)
}
