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
/// Most candidates that the first try adds because rows are excluded: they may be the nearest ones, or far away.
const SPARE_EXCLUDED: usize = 256;

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
    let gather =
        |ids: &[usize]| -> Vec<f32> { ids.iter().flat_map(|at| query_of(queries, dim, *at)).copied().collect() };
    let mut put =
        |at: usize, found: Vec<Neighbor>| results.get_mut(at).into_iter().for_each(|slot| slot.clone_from(&found));
    let mut open: Vec<usize> = (0..queries.len() / dim).collect();
    let mut rest = Vec::new();
    let most = engine.most().min(total);
    let mut count = wanted + SPARE + gone.min(SPARE_EXCLUDED);
    // Where most rows are excluded most candidates would be thrown away, and few are left to compare.
    if wanted > most || gone > total / 2 {
        rest.append(&mut open);
    }
    while !open.is_empty() {
        count = count.min(most);
        let found = engine.candidates(&gather(&open), count)?;
        let mut again = Vec::new();
        for (at, candidates) in open.iter().zip(&found) {
            match settle(engine, rows, (query_of(queries, dim, *at), wanted), candidates, excluded)? {
                Some(done) => put(*at, done),
                // Each query by itself, so that its result does not depend on the others: fewer than asked for means that there are no more.
                None if count == most || candidates.len() < count => rest.push(*at),
                None => again.push(*at),
            }
        }
        open = again;
        count *= 4;
    }
    if !rest.is_empty() {
        for (at, found) in rest.iter().zip(scan(rows, &gather(&rest), wanted, excluded, threads)?) {
            put(*at, found);
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
) -> Result<Option<Vec<Neighbor>>> {
    let mut best = Best::new(wanted);
    let mut scratch = Vec::new();
    for found in candidates.iter().filter(|n| !excluded.contains(n.id)) {
        let row = rows.read_row(found.id, &mut scratch)?;
        best.offer(Neighbor { id: found.id, score: dot(query, row) });
    }
    let best = best.sorted();
    let (Some(worst), Some(last)) = (best.last(), candidates.last()) else { return Ok(None) };
    if best.len() < wanted {
        return Ok(None);
    }
    let margin = match engine.relative_error() {
        Some(error) if candidates.len() < rows.len() as usize => error * norm(query) * rows.longest(),
        _ => return Ok(Some(best)),
    };
    Ok((f64::from(worst.score) > f64::from(last.score) + margin).then_some(best))
}

/// Bound of the error of a sum of `dim` products in f32 in any order, and of ours, together, in parts of the product of the lengths
/// (Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., section 3.1; the sum of magnitudes is at most that product).
pub(super) fn sum_error(dim: usize) -> f64 {
    let unit = 2f64.powi(-24);
    let of = |n: f64| n * unit / (1.0 - n * unit);
    of(dim as f64 + 2.0) + of(dim as f64 / 16.0 + 6.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::RowSample;

    /// An engine that errs as much as it may, against the first rows.
    struct Wrong {
        rows: Rows,
        off: f32,
        claimed: Option<f64>,
    }

    impl Engine for Wrong {
        fn candidates(&self, queries: &[f32], count: usize) -> Result<Vec<Vec<Neighbor>>> {
            let mut all = scan(&self.rows, queries, self.rows.len() as usize, &BitSet::default(), 1)?;
            for found in &mut all {
                found.iter_mut().filter(|n| n.id < 100).for_each(|n| n.score -= self.off);
                found.sort_by(|a, b| b.score.total_cmp(&a.score));
                found.truncate(count);
            }
            Ok(all)
        }

        fn relative_error(&self) -> Option<f64> {
            self.claimed
        }

        fn most(&self) -> usize {
            400
        }
    }

    #[test]
    fn errors_of_an_engine_that_it_admits_do_not_show() {
        let values: Vec<f32> = (0..1000).map(|i| 1.0 - i as f32 / 10_000.0).collect();
        let rows = Rows::new(1, RowSample::F32, values).unwrap();
        let none = BitSet::default();
        let search = |off: f32, claimed| {
            refine(&Wrong { rows: rows.clone(), off, claimed }, &rows, (&[1.0], 10), &none, 1).unwrap()
        };
        let wanted = scan(&rows, &[1.0], 10, &none, 1).unwrap();
        // Decided at once, after asking for more, and by comparing all rows.
        for off in [0.0001, 0.02, 0.2] {
            assert_eq!(search(off, Some(f64::from(off) + 1e-6)), wanted, "{off}");
        }
        // What it does not admit does show.
        assert_ne!(search(0.2, Some(0.0)), wanted);
        assert_ne!(search(0.2, None), wanted);
    }

    #[test]
    fn the_bound_of_errors_grows_with_the_length() {
        assert!((sum_error(376) - (378.0 + 29.5) * 2f64.powi(-24)).abs() < 1e-8);
        assert!(sum_error(1) > 0.0 && sum_error(65_536) < 0.005);
    }
}
