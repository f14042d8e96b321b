//! `tensor/l2_normalize`: rows scaled to unit Euclidean length.

use crate::Result;
use crate::reference::plane::unfit;

/// Rows of `dim` numbers, one behind the other. Each is divided by the root of its sum of squares, in f64, rounded to f32 once; a row
/// of zeros stays as it is.
///
/// # Errors
/// [`crate::Error::Parameter`] if `rows` is no multiple of `dim`.
pub fn l2_normalize(rows: &[f32], dim: usize) -> Result<Vec<f32>> {
    if dim == 0 || !rows.len().is_multiple_of(dim) {
        return Err(unfit("tensor/l2_normalize", "rows", format!("a multiple of {dim} numbers"), rows.len()));
    }
    let scaled = |row: &[f32]| {
        let norm = row.iter().map(|v| f64::from(*v) * f64::from(*v)).sum::<f64>().sqrt();
        row.iter().map(|v| if norm > 0.0 { (f64::from(*v) / norm) as f32 } else { 0.0 }).collect::<Vec<_>>()
    };
    Ok(rows.chunks_exact(dim).flat_map(scaled).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        assert_eq!(l2_normalize(&[3.0, -4.0, 0.0, 0.0, 0.0, 2e30], 2).unwrap(), [0.6, -0.8, 0.0, 0.0, 0.0, 1.0]);
        assert!(l2_normalize(&[1.0; 5], 2).is_err() && l2_normalize(&[], 0).is_err());
    }
}
