//! `motion/frame_difference`: how much two frames differ.

use crate::Result;
use crate::core::DifferenceSums;
use crate::reference::plane::{Plane, unfit};

/// `a`, `b`: 8-bit samples, one channel, equal size. Gives `sum |a-b|`, the number of pixels with `|a-b| > threshold`,
/// the number of pixels, and `sum (a+b)`.
///
/// # Errors
/// [`crate::Error::Parameter`] for different sizes or more than one channel.
pub fn frame_difference(a: &Plane<'_>, b: &Plane<'_>, threshold: u8) -> Result<DifferenceSums> {
    const OP: &str = "motion/frame_difference";
    a.expect_channels(OP, 1)?;
    b.expect_channels(OP, 1)?;
    if a.size() != b.size() {
        return Err(unfit(OP, "b", a.size().to_string(), b.size()));
    }
    let mut s = DifferenceSums::default();
    for (x, y) in a.pixels() {
        let d = a.at(x, y, 0).abs_diff(b.at(x, y, 0));
        s.sum_both += u64::from(a.at(x, y, 0)) + u64::from(b.at(x, y, 0));
        s.sum_abs += u64::from(d);
        s.over += u64::from(d > threshold);
        s.n += 1;
    }
    Ok(s)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::Size;

    #[test]
    fn three_by_three_by_hand_padding_ignored() {
        let size = Size::new(3, 3);
        let a = [0, 10, 20, 99, 30, 40, 50, 99, 60, 70, 80, 99];
        let b = [0, 15, 14, 0, 30, 40, 255, 0, 60, 70, 79, 0];
        let (a, b) = (Plane::new(size, 4, &a).unwrap(), Plane::new(size, 4, &b).unwrap());
        let want = |over| DifferenceSums { sum_abs: 5 + 6 + 205 + 1, over, n: 9, sum_both: 360 + 563 };
        assert_eq!(frame_difference(&a, &b, 5).unwrap(), want(2));
        assert_eq!(frame_difference(&b, &a, 4).unwrap(), want(3));
        assert_eq!(frame_difference(&a, &b, 255).unwrap(), want(0));
    }

    #[test]
    fn sizes_must_agree() {
        let a = Plane::tight(Size::new(2, 1), &[0; 2]).unwrap();
        assert!(frame_difference(&a, &Plane::tight(Size::new(1, 2), &[0; 2]).unwrap(), 0).is_err());
    }
}
