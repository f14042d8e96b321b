//! The inner product that every score of this room is.

/// Partial sums: independent chains that a compiler turns into vector registers of any width.
const LANES: usize = 16;

/// Sum of products of two rows of equal length, in f32, always added in the same order: the same bits on every machine, for every thread
/// count and batch. Within `2^-24 * (n / 16 + 6) * sum of the magnitudes` of the true value. Never -0.
pub(super) fn dot(a: &[f32], b: &[f32]) -> f32 {
    let (a_lanes, a_rest) = a.as_chunks::<LANES>();
    let (b_lanes, b_rest) = b.as_chunks::<LANES>();
    let mut sums = [0f32; LANES];
    for (a, b) in a_lanes.iter().zip(b_lanes) {
        for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
            *sum += a * b;
        }
    }
    for ((sum, a), b) in sums.iter_mut().zip(a_rest).zip(b_rest) {
        *sum += a * b;
    }
    let mut width = LANES / 2;
    while width > 0 {
        let (low, high) = sums.split_at_mut(width);
        for (low, high) in low.iter_mut().zip(high) {
            *low += *high;
        }
        width /= 2;
    }
    // -0 and 0 are one score.
    sums.first().copied().unwrap_or(0.0) + 0.0
}

/// Length of a row, in f64.
pub(super) fn norm(row: &[f32]) -> f64 {
    row.iter().map(|v| f64::from(*v) * f64::from(*v)).sum::<f64>().sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn close_to_f64_and_exact_for_integers() {
        for n in [1, 2, 15, 16, 17, 31, 376, 1000] {
            let a: Vec<f32> = (0..n).map(|i| ((i * 37 % 19) as f32 - 9.0) / 7.0).collect();
            let b: Vec<f32> = (0..n).map(|i| ((i * 11 % 23) as f32 - 11.0) / 3.0).collect();
            let exact: f64 = a.iter().zip(&b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum();
            let size: f64 = a.iter().zip(&b).map(|(a, b)| (f64::from(*a) * f64::from(*b)).abs()).sum();
            let bound = (n as f64 / 16.0 + 6.0) * size * 2f64.powi(-24);
            assert!((f64::from(dot(&a, &b)) - exact).abs() <= bound, "{n}");
            assert_eq!(dot(&a, &b).to_bits(), dot(&b, &a).to_bits());
        }
        let whole: Vec<f32> = (0..100).map(|i| i as f32).collect();
        assert_eq!(dot(&whole, &whole), 328_350.0);
        assert_eq!(dot(&[1.0], &[-0.0]).to_bits(), 0);
        assert_eq!((dot(&[], &[]), norm(&[3.0, 4.0])), (0.0, 5.0));
    }
}
