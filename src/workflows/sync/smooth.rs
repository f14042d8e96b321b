//! Running median.

/// What a window takes beyond the ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Ends {
    /// Nothing: it becomes smaller, evenly on both sides, so that a line stays a line.
    #[default]
    Shrink,
    /// Zeros, as SciPy's `medfilt` and SyncNet's scripts do. Pulls both ends towards zero.
    Zero,
}

/// Median over `kernel` neighbours (an even number counts as the next odd one); as many values as went in.
pub fn median(values: &[f64], kernel: usize, ends: Ends) -> Vec<f64> {
    let half = kernel / 2;
    let mut window = Vec::with_capacity(2 * half + 1);
    (0..values.len())
        .map(|i| {
            let reach = match ends {
                Ends::Shrink => half.min(i).min(values.len() - 1 - i),
                Ends::Zero => half,
            };
            window.clear();
            let inside = values.get(i.saturating_sub(reach)..(i + reach + 1).min(values.len())).unwrap_or_default();
            window.extend_from_slice(inside);
            window.resize(2 * reach + 1, 0.0);
            window.sort_by(f64::total_cmp);
            window.get(reach).copied().unwrap_or(0.0)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_stay_lines_to_their_ends() {
        let line: Vec<f64> = (0..20).map(|i| f64::from(i) * 3.0 + 7.0).collect();
        assert_eq!(median(&line, 13, Ends::Shrink), line);
        assert_eq!(median(&[40.0; 6], 13, Ends::Shrink), [40.0; 6]);
        assert_eq!(median(&[1.0, 9.0, 2.0, 3.0], 3, Ends::Shrink), [1.0, 2.0, 3.0, 3.0]);
        assert_eq!(median(&[], 13, Ends::Zero), [0.0; 0]);
    }
}
