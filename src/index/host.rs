//! All rows, plain loops: the oracle of the others, and what they fall back on for single queries.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::ops::Range;

use super::bits::BitSet;
use super::dot::dot;
use super::rows::BLOCK_ROWS;
use super::{IndexOptions, ResolvedSpec, Rows, VectorIndex, check_queries};
use crate::core::Neighbor;
use crate::error::{Error, Result};

/// Products below which a second thread is not worth its start.
const THREAD_WORK: u64 = 4_000_000;

/// An exact index without GPU and FAISS: each query with each row. About ten times slower than `flat` on batches.
#[derive(Debug, Clone)]
pub struct FlatHost {
    rows: Rows,
    threads: usize,
}

impl FlatHost {
    /// Over `rows`; takes no memory.
    pub fn new(rows: &Rows, options: &IndexOptions<'_>) -> Self {
        Self { rows: rows.clone(), threads: options.threads() }
    }
}

impl VectorIndex for FlatHost {
    fn rows(&self) -> &Rows {
        &self.rows
    }

    fn spec(&self) -> &ResolvedSpec {
        &ResolvedSpec::Host
    }

    fn is_exact(&self) -> bool {
        true
    }

    fn search_excluding(&self, queries: &[f32], k: usize, excluded: &BitSet) -> Result<Vec<Vec<Neighbor>>> {
        check_queries(&self.rows, queries, k)?;
        self.rows.verify()?;
        scan(&self.rows, queries, k, excluded, self.threads)
    }
}

/// Worse is greater, so that the worst stands at the top of a heap: smaller score, or equal score and larger id.
#[derive(Debug, Clone, Copy)]
struct Worse(Neighbor);

impl Ord for Worse {
    fn cmp(&self, other: &Self) -> Ordering {
        other.0.score.total_cmp(&self.0.score).then(self.0.id.cmp(&other.0.id))
    }
}

impl PartialOrd for Worse {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Worse {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Worse {}

/// The `k` best of what it is given, in any order.
#[derive(Debug, Clone)]
pub(super) struct Best {
    k: usize,
    heap: BinaryHeap<Worse>,
}

impl Best {
    pub(super) fn new(k: usize) -> Self {
        Self { k, heap: BinaryHeap::new() }
    }

    pub(super) fn offer(&mut self, found: Neighbor) {
        if self.heap.len() < self.k {
            self.heap.push(Worse(found));
        } else if let Some(mut worst) = self.heap.peek_mut()
            && Worse(found) < *worst
        {
            *worst = Worse(found);
        }
    }

    /// Best first.
    pub(super) fn sorted(self) -> Vec<Neighbor> {
        self.heap.into_sorted_vec().into_iter().map(|w| w.0).collect()
    }
}

/// Compares each query with each row that is not excluded. Queries were checked.
pub(super) fn scan(
    rows: &Rows,
    queries: &[f32],
    k: usize,
    excluded: &BitSet,
    threads: usize,
) -> Result<Vec<Vec<Neighbor>>> {
    let work = queries.len() as u64 * u64::from(rows.len());
    let parts = (threads as u64).min(work / THREAD_WORK).max(1) as u32;
    // Whole blocks, so that all parts read as one would.
    let per_part = rows.len().div_ceil(parts).next_multiple_of(BLOCK_ROWS).max(BLOCK_ROWS);
    let part = |first: u32| first..rows.len().min(first.saturating_add(per_part));
    if parts == 1 {
        let best = scan_part(rows, queries, k, excluded, 0..rows.len());
        return Ok(best.into_iter().map(Best::sorted).collect());
    }
    let found: Vec<_> = std::thread::scope(|scope| {
        let start = |first| scope.spawn(move || scan_part(rows, queries, k, excluded, part(first)));
        let running: Vec<_> = (0..rows.len()).step_by(per_part as usize).map(start).collect();
        running.into_iter().map(|thread| thread.join()).collect()
    });
    let mut total = vec![Best::new(k); queries.len() / rows.dim()];
    for part in found {
        let part = part.map_err(|_| Error::Bug("a thread of a search panicked".into()))?;
        for (total, best) in total.iter_mut().zip(part) {
            best.heap.into_iter().for_each(|w| total.offer(w.0));
        }
    }
    Ok(total.into_iter().map(Best::sorted).collect())
}

fn scan_part(rows: &Rows, queries: &[f32], k: usize, excluded: &BitSet, ids: Range<u32>) -> Vec<Best> {
    let dim = rows.dim();
    let mut best = vec![Best::new(k); queries.len() / dim];
    let mut scratch = Vec::new();
    for first in ids.clone().step_by(BLOCK_ROWS as usize) {
        let block = rows.block(first..ids.end.min(first.saturating_add(BLOCK_ROWS)), &mut scratch);
        // A block stays in the cache for all queries.
        for (query, best) in queries.chunks_exact(dim).zip(&mut best) {
            for (id, row) in (first..).zip(block.chunks_exact(dim)) {
                if !excluded.contains(id) {
                    best.offer(Neighbor { id, score: dot(query, row) });
                }
            }
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::Metric;
    use crate::ops::RowSample;
    use crate::reference::search::top_k::top_k;

    #[test]
    fn equals_the_reference_on_integers_with_many_ties() {
        let values: Vec<f32> = (0..3000 * 5u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 29) as f32 - 3.0).collect();
        let queries = values[..7 * 5].to_vec();
        let rows = Rows::new(5, RowSample::F32, values.clone()).unwrap();
        for threads in [1, 3] {
            let index = FlatHost { rows: rows.clone(), threads };
            let found = index.search(&queries, 40).unwrap();
            let wanted = top_k(&queries, &values, 5, 40, Metric::InnerProduct).unwrap();
            for (found, wanted) in found.iter().zip(&wanted) {
                let pairs: Vec<_> = found.iter().map(|n| (n.id, f64::from(n.score))).collect();
                assert_eq!(&pairs, wanted);
            }
        }
    }

    #[test]
    fn parts_and_exclusion_change_nothing_else() {
        let values: Vec<f32> =
            (0..20_000 * 64u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 20) as f32 / 512.0 - 4.0).collect();
        let rows = Rows::new(64, RowSample::F16, values[..20_000 * 64].to_vec()).unwrap();
        let queries = &values[64 * 100..64 * 116];
        let mut excluded = BitSet::new(rows.len());
        let all = scan(&rows, queries, 20, &excluded, 1).unwrap();
        assert_eq!(all, scan(&rows, queries, 20, &excluded, 5).unwrap());
        excluded.extend(all.iter().flatten().map(|n| n.id).step_by(2));
        let rest = scan(&rows, queries, 20, &excluded, 4).unwrap();
        for (all, rest) in all.iter().zip(&rest) {
            let kept: Vec<_> = all.iter().filter(|n| !excluded.contains(n.id)).collect();
            assert!(kept.iter().copied().eq(rest.iter().take(kept.len())) && rest.len() == 20);
        }
    }
}
