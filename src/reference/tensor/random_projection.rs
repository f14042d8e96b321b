//! `tensor/random_projection`: rows multiplied with a matrix of normal random numbers.

use crate::Result;
use crate::reference::plane::unfit;

/// `rows`: N rows of `dim` numbers. `matrix`: `outputs` rows of `dim` numbers, as [`crate::core::projection_matrix`] makes them. Gives
/// N rows of `outputs` numbers: `y[j] = sum_i matrix[j][i] * x[i]` in f64, rounded to f32 once.
///
/// # Errors
/// [`crate::Error::Parameter`] if `rows` or `matrix` is no multiple of `dim`.
pub fn random_projection(rows: &[f32], matrix: &[f32], dim: usize) -> Result<Vec<f32>> {
    const OP: &str = "tensor/random_projection";
    if dim == 0 || !rows.len().is_multiple_of(dim) {
        return Err(unfit(OP, "rows", format!("a multiple of {dim} numbers"), rows.len()));
    }
    if matrix.is_empty() || !matrix.len().is_multiple_of(dim) {
        return Err(unfit(OP, "matrix", format!("rows of {dim} numbers"), matrix.len()));
    }
    let product = |x: &[f32], r: &[f32]| x.iter().zip(r).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>();
    Ok(rows.chunks_exact(dim).flat_map(|x| matrix.chunks_exact(dim).map(move |r| product(x, r) as f32)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        let (rows, matrix) = ([1.0, 2.0, 0.0, -1.0], [3.0, 4.0, 0.5, 0.0, -1.0, 1.0]);
        assert_eq!(random_projection(&rows, &matrix, 2).unwrap(), [11.0, 0.5, 1.0, -4.0, 0.0, -1.0]);
        assert!(random_projection(&rows, &matrix, 3).is_err() && random_projection(&rows, &[], 2).is_err());
    }
}
