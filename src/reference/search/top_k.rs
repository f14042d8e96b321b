//! `search/top_k`: the nearest rows of a matrix.

use crate::Result;
use crate::core::Metric;
use crate::reference::plane::unfit;

/// Score of two vectors in f64: sum of products, or of squared differences.
pub fn score(a: &[f32], b: &[f32], metric: Metric) -> f64 {
    let pairs = a.iter().zip(b).map(|(a, b)| (f64::from(*a), f64::from(*b)));
    match metric {
        Metric::InnerProduct => pairs.map(|(a, b)| a * b).sum(),
        Metric::L2 => pairs.map(|(a, b)| (a - b) * (a - b)).sum(),
    }
}

/// `queries` and `rows`: rows of `dim` numbers, one behind the other. Gives for each query the ids (row numbers) and scores of the `k`
/// nearest rows, nearest first, equal scores by rising id; all of them when there are fewer. Every row is looked at; scores that are
/// NaN are never found.
///
/// # Errors
/// [`crate::Error::Parameter`] if `queries` or `rows` is no multiple of `dim`.
pub fn top_k(queries: &[f32], rows: &[f32], dim: usize, k: usize, metric: Metric) -> Result<Vec<Vec<(u32, f64)>>> {
    const OP: &str = "search/top_k";
    for (name, values) in [("queries", queries), ("rows", rows)] {
        if dim == 0 || !values.len().is_multiple_of(dim) {
            return Err(unfit(OP, name, format!("a multiple of {dim} numbers"), values.len()));
        }
    }
    let nearest = |query: &[f32]| {
        let all = rows.chunks_exact(dim).map(|row| score(query, row, metric));
        let mut found: Vec<(u32, f64)> = (0..).zip(all).filter(|(_, s)| !s.is_nan()).collect();
        // Stable: equal scores stay in the order of ids.
        found.sort_by(|a, b| match metric {
            Metric::InnerProduct => b.1.total_cmp(&a.1),
            Metric::L2 => a.1.total_cmp(&b.1),
        });
        found.truncate(k);
        found
    };
    Ok(queries.chunks_exact(dim).map(nearest).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        let rows = [1.0, 0.0, 0.0, 2.0, 1.0, 1.0, 1.0, 0.0];
        let ip = top_k(&[1.0, 0.0, 0.0, 1.0], &rows, 2, 3, Metric::InnerProduct).unwrap();
        assert_eq!(ip, [vec![(0, 1.0), (2, 1.0), (3, 1.0)], vec![(1, 2.0), (2, 1.0), (0, 0.0)]]);
        let l2 = top_k(&[1.0, 0.0], &rows, 2, 9, Metric::L2).unwrap();
        assert_eq!(l2, [[(0, 0.0), (3, 0.0), (2, 1.0), (1, 5.0)]]);
        assert!(
            top_k(&[1.0; 3], &rows, 2, 1, Metric::L2).is_err() && top_k(&[1.0; 2], &rows, 0, 1, Metric::L2).is_err()
        );
        assert_eq!(top_k(&[f32::NAN], &[1.0, 2.0], 1, 1, Metric::L2).unwrap(), [[]]);
    }
}
