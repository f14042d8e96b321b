//! `histogram/luma`: how often each brightness occurs.

use crate::Result;
use crate::reference::plane::{Plane, unfit};

/// `src`: 8-bit samples, one channel. Gives `bins` counts: sample `v` of rows 0, `row_step`, `2 * row_step`, ... goes
/// to bin `floor(v * bins / 256)`.
///
/// The bins sum to `W * ceil(H / row_step)`, at most 2^31 for a picture that fits a frame slot.
///
/// # Errors
/// [`crate::Error::Parameter`] if `src` has more than one channel, `bins` is not in 2..=256, or `row_step` is 0.
pub fn luma(src: &Plane<'_>, bins: u32, row_step: u32) -> Result<Vec<u32>> {
    const OP: &str = "histogram/luma";
    src.expect_channels(OP, 1)?;
    if !(2..=256).contains(&bins) {
        return Err(unfit(OP, "bins", "2 to 256", bins));
    }
    if row_step == 0 {
        return Err(unfit(OP, "row_step", "at least 1", row_step));
    }
    let mut counts = vec![0u32; bins as usize];
    for y in (0..src.size().height).step_by(row_step as usize) {
        for x in 0..src.size().width {
            counts[(u32::from(src.at(x, y, 0)) * bins / 256) as usize] += 1;
        }
    }
    Ok(counts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::Size;

    #[test]
    fn bins_by_hand() {
        let data = [0, 85, 86, 170, 171, 255, 127, 128, 1];
        let plane = Plane::tight(Size::new(3, 3), &data).unwrap();
        assert_eq!(luma(&plane, 2, 1).unwrap(), [5, 4]);
        // 3 bins begin at 0, 86 (85 * 3 = 255), 171 (170 * 3 = 510)
        assert_eq!(luma(&plane, 3, 1).unwrap(), [3, 4, 2]);
        assert_eq!(luma(&plane, 2, 2).unwrap(), [5, 1]); // rows 0 and 2
        assert_eq!(luma(&plane, 2, 9).unwrap(), [3, 0]); // row 0
        let full = luma(&plane, 256, 1).unwrap();
        assert!((0..256).all(|v| full[v] == u32::from(data.contains(&(v as u8)))));
    }

    #[test]
    fn parameters_out_of_range_are_refused() {
        let plane = Plane::tight(Size::new(1, 1), &[0]).unwrap();
        for (bins, step) in [(1, 1), (257, 1), (256, 0)] {
            assert!(luma(&plane, bins, step).is_err());
        }
    }
}
