//! `heatmap/normalize`: counters and sums to shares.

use crate::reference::Field;

/// What `field` is divided by.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Divisor {
    /// A number.
    Number(f64),
    /// The largest value.
    Largest,
    /// The sum.
    Sum,
}

/// `gain * value / divisor` for each value, in f64; all 0 for a divisor of 0.
pub fn normalize(field: &Field<'_>, by: Divisor, gain: f64) -> Vec<f64> {
    let values: Vec<f64> = (0..field.size().area() as usize).map(|i| field.value(i)).collect();
    let divisor = match by {
        Divisor::Number(n) => n,
        Divisor::Largest => values.iter().copied().fold(0.0, f64::max),
        Divisor::Sum => values.iter().sum(),
    };
    values.iter().map(|v| if divisor == 0.0 { 0.0 } else { gain * v / divisor }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::Size;
    use crate::reference::Numbers;

    #[test]
    fn by_hand() {
        let size = Size::new(2, 2);
        let field = Field::new(size, Numbers::Integers(&[0, 3, 1, 4])).unwrap();
        assert_eq!(normalize(&field, Divisor::Number(8.0), 1.0), [0.0, 0.375, 0.125, 0.5]);
        assert_eq!(normalize(&field, Divisor::Largest, 2.0), [0.0, 1.5, 0.5, 2.0]);
        assert_eq!(normalize(&field, Divisor::Sum, 1.0), [0.0, 0.375, 0.125, 0.5]);
        let none = Field::new(size, Numbers::Floats(&[0.0, -1.0, 0.0, f32::NAN])).unwrap();
        for by in [Divisor::Number(0.0), Divisor::Largest, Divisor::Sum] {
            assert_eq!(normalize(&none, by, 1.0), [0.0; 4]);
        }
    }
}
