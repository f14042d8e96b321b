//! Figures of a heat map.

/// Sums over a map, from which its figures are made. Values are `integer * 2^-fraction_bits`.
///
/// Maps of `u32` are summed as they are (`fraction_bits` 0). Maps of `f32` are summed in fixed point: each value is cut off below
/// `2^-31` of the power of two at or below the largest value, so that the sums do not depend on their order.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct ActivitySums {
    /// Number of values.
    pub n: u64,
    /// Values above the threshold.
    pub active: u64,
    /// Smallest value.
    pub min: f64,
    /// Largest value.
    pub max: f64,
    /// Sum of the integers.
    pub sum: u64,
    /// Sum of their squares.
    pub sum_sq: u128,
    /// Binary places behind the point; 0 where all values are 0.
    pub fraction_bits: i32,
}

impl ActivitySums {
    /// Exponent of the smallest `f32` that counts: what is smaller, negative or not finite counts as 0.
    pub const MIN_EXPONENT: i32 = -96;

    /// Binary places for a largest value of `max` in a map of `f32`: it becomes an integer from `2^31` on, below `2^32`.
    pub fn fraction_bits_for(max: f32) -> i32 {
        match max.to_bits() >> 23 {
            0 => 0,
            exponent => 31 + 127 - exponent as i32,
        }
    }

    /// Sum of all values.
    pub fn total(&self) -> f64 {
        self.sum as f64 * (-f64::from(self.fraction_bits)).exp2()
    }

    /// Mean; 0 for an empty map.
    pub fn mean(&self) -> f64 {
        if self.n == 0 { 0.0 } else { self.total() / self.n as f64 }
    }

    /// Standard deviation of the population; 0 for an empty map. The difference of squares is taken in integers, so that it loses
    /// nothing.
    pub fn std(&self) -> f64 {
        if self.n == 0 {
            return 0.0;
        }
        let n = u128::from(self.n);
        let spread = (n * self.sum_sq).saturating_sub(u128::from(self.sum) * u128::from(self.sum));
        (spread as f64).sqrt() / self.n as f64 * (-f64::from(self.fraction_bits)).exp2()
    }

    /// Share of the values above the threshold, 0..=1; 0 for an empty map.
    pub fn activity_ratio(&self) -> f64 {
        if self.n == 0 { 0.0 } else { self.active as f64 / self.n as f64 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_of_hand_made_sums() {
        // 1, 2, 3, 6 in halves.
        let s = ActivitySums { n: 4, active: 2, min: 0.5, max: 3.0, sum: 12, sum_sq: 50, fraction_bits: 1 };
        assert_eq!((s.total(), s.mean(), s.activity_ratio()), (6.0, 1.5, 0.5));
        assert!((s.std() - (14.0f64 / 4.0).sqrt() / 2.0).abs() < 1e-15);
        let none = ActivitySums::default();
        assert_eq!((none.total(), none.mean(), none.std(), none.activity_ratio()), (0.0, 0.0, 0.0, 0.0));
    }

    #[test]
    fn the_largest_value_fills_32_bits() {
        for (max, bits) in [(1.0f32, 31), (1.99, 31), (2.0, 30), (0.5, 32), (4e9, 0), (0.0, 0)] {
            assert_eq!(ActivitySums::fraction_bits_for(max), bits, "{max}");
        }
    }
}
