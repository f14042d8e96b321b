//! How much of the exact answer an index finds.

use std::fmt;

use super::bits::BitSet;
use super::host::scan;
use super::{IndexOptions, Rows, VectorIndex, check_queries};
use crate::core::random::{below, pcg4d};
use crate::error::Result;

/// Recall of an index, measured: of the `k` true nearest rows of each query, the share that it finds. A row counts as true when its score
/// is at least that of the `k`-th true one, so that ties cost nothing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Recall {
    /// Results per query.
    pub k: usize,
    /// Queries compared.
    pub queries: usize,
    /// Mean over the queries, 0 to 1.
    pub mean: f64,
    /// The worst query, 0 to 1.
    pub worst: f64,
}

impl fmt::Display for Recall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "recall@{} {:.4} (worst query {:.2}, {} queries)", self.k, self.mean, self.worst, self.queries)
    }
}

/// Compares `index` with a search of all rows, for `queries`: true samples of what will be searched, or rows from [`sample_rows`]. One
/// is used for each query; 0 queries have recall 1.
///
/// # Errors
/// As [`VectorIndex::search`].
pub fn recall_at(index: &dyn VectorIndex, queries: &[f32], k: usize, options: &IndexOptions<'_>) -> Result<Recall> {
    let rows = index.rows();
    check_queries(rows, queries, k)?;
    let found = index.search(queries, k)?;
    let exact = scan(rows, queries, k, &BitSet::default(), options.threads())?;
    let share = |(found, exact): (&Vec<_>, &Vec<crate::core::Neighbor>)| {
        let Some(least) = exact.last() else { return 1.0 };
        let right = found.iter().filter(|n: &&crate::core::Neighbor| n.score >= least.score).count();
        right.min(exact.len()) as f64 / exact.len() as f64
    };
    let shares: Vec<f64> = found.iter().zip(&exact).map(share).collect();
    let queries = shares.len();
    let mean = if queries == 0 { 1.0 } else { shares.iter().sum::<f64>() / queries as f64 };
    Ok(Recall { k, queries, mean, worst: shares.into_iter().fold(1.0, f64::min) })
}

/// `count` rows drawn with `seed`, as queries: all rows when there are not more. Their best match is themselves, which makes recall look
/// better than it is by up to `1 / k`.
pub fn sample_rows(rows: &Rows, count: u32, seed: u32) -> Vec<f32> {
    let mut out = Vec::new();
    for id in sample_ids(rows.len(), count, seed) {
        rows.copy_to(id..id + 1, &mut out);
    }
    out
}

/// `count` different ids below `len`, rising; all of them when there are not more. A function of the three numbers.
pub(super) fn sample_ids(len: u32, count: u32, seed: u32) -> Vec<u32> {
    if count >= len {
        return (0..len).collect();
    }
    // Floyd's sampling: for each of the last `count` numbers a draw from those up to it; a draw that was taken gives the number itself.
    let mut taken = BitSet::new(len);
    for last in len - count..len {
        let [word, ..] = pcg4d([seed, last, len, 0x5a3e]);
        if !taken.insert(below(word, last + 1)) {
            taken.insert(last);
        }
    }
    taken.iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_different_ids_and_a_function_of_the_seed() {
        let a = sample_ids(1000, 100, 1);
        assert!(a.len() == 100 && a.is_sorted_by(|a, b| a < b) && a.iter().all(|id| *id < 1000));
        assert_eq!(a, sample_ids(1000, 100, 1));
        assert_ne!(a, sample_ids(1000, 100, 2));
        assert_eq!(sample_ids(5, 9, 0), [0, 1, 2, 3, 4]);
        // Every id has a chance.
        let hits: u32 = (0..200).map(|seed| sample_ids(10, 3, seed).contains(&0) as u32).sum();
        assert!((30..=90).contains(&hits), "{hits}");
    }
}
