//! Pairs of tracks and detections: the best of all that are allowed.

use crate::core::assignment::{Graph, assign};

/// Who goes with whom.
#[derive(Debug, PartialEq, Eq)]
pub(in super::super) struct Links {
    /// Position among the rows, position among the columns.
    pub(in super::super) pairs: Vec<(usize, usize)>,
    /// Columns that stay alone, in order.
    pub(in super::super) alone: Vec<usize>,
}

/// Fixed point of a weight: sums are exact, so the optimum does not depend on rounding.
const ONE: f64 = (1u64 << 40) as f64;

/// The pairs of largest summed worth; `worth` gives `None` for pairs that are not allowed, else a number that is counted from 0 up.
///
/// To minimise costs below a limit, which is what `lapjv` with a cost limit does, give `limit - cost`.
pub(in super::super) fn link<R, C>(rows: &[R], columns: &[C], worth: impl Fn(&R, &C) -> Option<f64>) -> Links {
    let mut graph = Graph::new(columns.len());
    let mut edges: Vec<Vec<u32>> = Vec::with_capacity(rows.len());
    for row in rows {
        let list: Vec<(u32, i64)> = columns
            .iter()
            .zip(0u32..)
            // A pair that is allowed but worth nothing is still better than none.
            .filter_map(|(column, c)| worth(row, column).map(|w| (c, (w.clamp(0.0, 1e5) * ONE) as i64 + 1)))
            .collect();
        graph.push(list.iter().copied());
        edges.push(list.into_iter().map(|(c, _)| c).collect());
    }
    let taken = assign(&graph, 1);
    let pair = |(r, (edge, list)): (usize, (&Option<usize>, &Vec<u32>))| {
        edge.and_then(|e| list.get(e)).map(|c| (r, *c as usize))
    };
    let pairs: Vec<(usize, usize)> = taken.iter().zip(&edges).enumerate().filter_map(pair).collect();
    let mut free = vec![true; columns.len()];
    for (_, c) in &pairs {
        if let Some(f) = free.get_mut(*c) {
            *f = false;
        }
    }
    Links { pairs, alone: free.iter().enumerate().filter(|(_, f)| **f).map(|(c, _)| c).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_sum_wins_over_the_best_pair() {
        // Greedy would take 0-0 (0.9) and leave row 1 alone.
        let worth = [[Some(0.9), Some(0.8)], [Some(0.7), None]];
        let links = link(&[0, 1], &[0, 1], |r: &usize, c: &usize| worth[*r][*c]);
        assert_eq!(links, Links { pairs: vec![(0, 1), (1, 0)], alone: vec![] });
        let links = link(&[0], &[0, 1], |_: &usize, c: &usize| (*c == 1).then_some(0.0));
        assert_eq!(links, Links { pairs: vec![(0, 1)], alone: vec![0] });
    }
}
