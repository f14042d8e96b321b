//! `placement/integral`: summed-area tables.

use crate::core::Size;

/// The table of `values` (row by row, `size` of them), one entry more across and down: entry `(x, y)` is the sum of the values left of
/// `x` and above `y`, modulo `2^64`.
pub fn integral(values: &[u64], size: Size) -> Vec<u64> {
    let (w, h) = (size.width as usize, size.height as usize);
    let mut table = vec![0u64; (w + 1) * (h + 1)];
    for y in 0..h {
        let mut row = 0u64;
        for x in 0..w {
            row = row.wrapping_add(values[y * w + x]);
            table[(y + 1) * (w + 1) + x + 1] = table[y * (w + 1) + x + 1].wrapping_add(row);
        }
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        let table = integral(&[1, 2, 3, 4, 5, 6], Size::new(3, 2));
        assert_eq!(table, [0, 0, 0, 0, 0, 1, 3, 6, 0, 5, 12, 21]);
        assert_eq!(integral(&[u64::MAX, 2], Size::new(2, 1)), [0, 0, 0, 0, u64::MAX, 1]);
    }
}
