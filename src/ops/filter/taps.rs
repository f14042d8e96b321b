//! Weights of the Gaussian in 256ths, as tables for `common/blur`.

use crate::error::Result;
use crate::gpu::{GpuBuffer, GpuContext};
use crate::ops::plan_error;

/// A Gaussian window.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GaussianParams {
    /// Pixels along a side, odd, 3 to 31.
    pub size: u32,
    /// Standard deviation in pixels, above 0; `None` for `0.3 * ((size - 1) / 2 - 1) + 0.8`, and the binomial-like windows that
    /// OpenCV has for sizes up to 9.
    pub sigma: Option<f64>,
}

impl GaussianParams {
    /// A window of `size` pixels with the standard deviation that belongs to it.
    pub const fn of_size(size: u32) -> Self {
        Self { size, sigma: None }
    }

    /// Weights in 256ths, outside in; they sum to 256.
    pub(super) fn taps(self, op: &'static str) -> Result<Vec<u32>> {
        let Self { size, sigma } = self;
        if size.is_multiple_of(2) || !(3..=31).contains(&size) {
            return Err(plan_error(op, "size", "an odd number, 3 to 31", size));
        }
        if let Some(s) = sigma
            && !(s > 0.0 && s.is_finite())
        {
            return Err(plan_error(op, "sigma", "a number above 0", s));
        }
        let half: Option<&[u32]> = match (sigma, size) {
            (None, 3) => Some(&[64]),
            (None, 5) => Some(&[16, 64]),
            (None, 7) => Some(&[8, 28, 56]),
            (None, 9) => Some(&[4, 13, 30, 51]),
            _ => None,
        };
        let half = half.map_or_else(
            || sampled(size, sigma.unwrap_or(0.3 * (f64::from(size - 1) * 0.5 - 1.0) + 0.8)),
            <[u32]>::to_vec,
        );
        let centre = 256 - 2 * half.iter().sum::<u32>();
        Ok(half.iter().copied().chain([centre]).chain(half.iter().rev().copied()).collect())
    }
}

/// The first half of the window, each weight rounded with what the ones before left over.
fn sampled(size: u32, sigma: f64) -> Vec<u32> {
    let centre = f64::from(size - 1) * 0.5;
    let bell = |i: u32| (-(f64::from(i) - centre).powi(2) / (2.0 * sigma * sigma)).exp();
    let total: f64 = (0..size).map(bell).sum();
    let mut carry = 0.0;
    (0..size / 2)
        .map(|i| {
            let wanted = 256.0 * (bell(i) / total) + carry;
            let tap = wanted.round_ties_even();
            carry = wanted - tap;
            tap as u32
        })
        .collect()
}

/// Tables of a window on the device.
#[derive(Debug, Clone)]
pub(super) struct Tables {
    /// `row_taps`.
    pub(super) rows: GpuBuffer,
    /// `column_taps`.
    pub(super) columns: GpuBuffer,
    /// Override `GROUPS`.
    pub(super) groups: u32,
}

impl Tables {
    pub(super) fn new(ctx: &GpuContext, op: &'static str, taps: &[u32], rgba: bool) -> Result<Self> {
        // Luma windows begin at a word: zeros before the first tap.
        let lead = if rgba { 0 } else { (4 - taps.len() / 2 % 4) % 4 };
        let mut rows = vec![0; lead];
        rows.extend_from_slice(taps);
        rows.resize(rows.len().next_multiple_of(4), 0);
        let tap = |i: usize| taps.get(i).map_or(0.0, |t| *t as f32);
        let columns = (0..taps.len() + 3).flat_map(|j| [0, 1, 2, 3].map(|r| j.checked_sub(r).map_or(0.0, tap)));
        let bytes: Vec<u8> = rows.iter().flat_map(|t| t.to_le_bytes()).collect();
        let column_bytes: Vec<u8> = columns.flat_map(f32::to_le_bytes).collect();
        Ok(Self {
            rows: GpuBuffer::with_data(ctx, op, &bytes)?,
            columns: GpuBuffer::with_data(ctx, op, &column_bytes)?,
            groups: (rows.len() / 4) as u32,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_sum_to_256_and_are_symmetric() {
        for size in (3..=31).step_by(2) {
            for sigma in [None, Some(0.3), Some(1.1), Some(5.0), Some(80.0)] {
                let taps = GaussianParams { size, sigma }.taps("t").unwrap();
                assert_eq!((taps.iter().sum::<u32>(), taps.len()), (256, size as usize));
                assert!(taps.iter().eq(taps.iter().rev()), "{taps:?}");
            }
        }
        let five = GaussianParams { size: 31, sigma: Some(5.0) }.taps("t").unwrap();
        assert_eq!(five[..16], [0, 1, 0, 1, 2, 3, 4, 6, 7, 10, 13, 15, 17, 19, 20, 20]);
    }
}
