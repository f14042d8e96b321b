//! `heatmap/stats`: figures of a heat map.

use crate::core::ActivitySums;
use crate::reference::Field;

/// Counts, extremes and moments of `field`; a value is active above `threshold`.
///
/// Floats are summed as integers in units of `2^-fraction_bits`, chosen so that the largest one lies in `2^31..2^32`, and cut off.
pub fn stats(field: &Field<'_>, threshold: f32) -> ActivitySums {
    let n = field.size().area();
    let values = || (0..n as usize).map(|i| field.value(i));
    let max = values().fold(0.0, f64::max);
    let fraction_bits = if field.is_float() { ActivitySums::fraction_bits_for(max as f32) } else { 0 };
    let integers = || (0..n as usize).map(|i| u64::from(field.fixed(i, fraction_bits)));
    ActivitySums {
        n,
        active: values().filter(|v| *v > f64::from(threshold)).count() as u64,
        min: values().fold(f64::INFINITY, f64::min),
        max,
        sum: integers().sum(),
        sum_sq: integers().map(|v| u128::from(v) * u128::from(v)).sum(),
        fraction_bits,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::Size;
    use crate::reference::Numbers;

    #[test]
    fn integers_by_hand() {
        let s = stats(&Field::new(Size::new(3, 1), Numbers::Integers(&[7, 0, u32::MAX])).unwrap(), 7.0);
        let top = u64::from(u32::MAX);
        assert_eq!((s.n, s.active, s.min, s.max, s.sum), (3, 1, 0.0, top as f64, top + 7));
        assert_eq!((s.sum_sq, s.fraction_bits), (u128::from(top * top) + 49, 0));
    }

    #[test]
    fn floats_by_hand() {
        let values = [0.5, 0.25, -3.0, f32::NAN, 1e-30, 0.75];
        let s = stats(&Field::new(Size::new(2, 3), Numbers::Floats(&values)).unwrap(), 0.25);
        assert_eq!((s.active, s.min, s.max, s.fraction_bits), (2, 0.0, 0.75, 32));
        assert_eq!((s.total(), s.sum_sq), (1.5, 14 << 60));
        let none = stats(&Field::new(Size::new(1, 1), Numbers::Floats(&[0.0])).unwrap(), 0.0);
        assert_eq!(none, ActivitySums { n: 1, ..ActivitySums::default() });
    }
}
