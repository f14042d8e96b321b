//! Comparers of results with what was wanted. They report the first mismatch, how many there are and the worst;
//! comparing nothing is a mismatch too. Included by test crates with `#[path]`.
#![allow(dead_code, unreachable_pub, reason = "each test crate uses its part")]

use frameloom::core::Exactness;
use std::fmt::{Debug, Display};

/// What did not agree.
#[derive(Debug, Clone, PartialEq)]
pub struct Mismatch {
    /// First index that differs; the shorter length if only lengths differ.
    pub index: usize,
    /// Value found there.
    pub got: String,
    /// Value wanted there.
    pub wanted: String,
    /// Number of values that differ.
    pub count: usize,
    /// Number of values compared.
    pub of: usize,
    /// Largest distance in the unit of the comparer; infinite where there is no distance.
    pub worst: f64,
}

impl Display for Mismatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { index, got, wanted, count, of, worst } = self;
        write!(
            f,
            "first mismatch at index {index}: got {got}, wanted {wanted}; {count} of {of} differ, worst by {worst}"
        )
    }
}

impl std::error::Error for Mismatch {}

fn compare<T: Debug + Copy>(
    got: &[T],
    wanted: &[T],
    bound: f64,
    distance: impl Fn(T, T) -> f64,
) -> Result<(), Mismatch> {
    let mut found: Option<Mismatch> = None;
    for (index, (g, w)) in got.iter().zip(wanted).enumerate() {
        let d = distance(*g, *w);
        // `d <= bound` is false for NaN, so NaN never passes.
        if d <= bound {
            continue;
        }
        let d = if d.is_nan() { f64::INFINITY } else { d };
        match &mut found {
            None => {
                let (got, wanted) = (format!("{g:?}"), format!("{w:?}"));
                found = Some(Mismatch { index, got, wanted, count: 1, of: 0, worst: d });
            }
            Some(m) => {
                m.count += 1;
                m.worst = m.worst.max(d);
            }
        }
    }
    if let Some(m) = found {
        return Err(Mismatch { of: wanted.len(), ..m });
    }
    if got.len() != wanted.len() || wanted.is_empty() {
        let values = |n: usize| format!("{n} values");
        let (index, of) = (got.len().min(wanted.len()), wanted.len());
        let (got, wanted) = (values(got.len()), if wanted.is_empty() { "at least one".into() } else { values(of) });
        return Err(Mismatch { index, got, wanted, count: 0, of, worst: f64::INFINITY });
    }
    Ok(())
}

/// Every value equal (`-0.0` equals `0.0`; NaN equals nothing).
pub fn exact<T: PartialEq + Debug + Copy>(got: &[T], wanted: &[T]) -> Result<(), Mismatch> {
    compare(got, wanted, 0.0, |g, w| if g == w { 0.0 } else { f64::INFINITY })
}

/// No value further off than `bound`, in its own unit.
pub fn abs<T: Into<f64> + Debug + Copy>(got: &[T], wanted: &[T], bound: f64) -> Result<(), Mismatch> {
    compare(got, wanted, bound, |g, w| (g.into() - w.into()).abs())
}

/// No value further off than `bound` steps between neighbouring `f32`.
pub fn ulp(got: &[f32], wanted: &[f32], bound: u32) -> Result<(), Mismatch> {
    compare(got, wanted, f64::from(bound), ulp_distance)
}

/// As [`exact`], [`ulp`] or [`abs`], whatever the operation promises.
pub fn promised(got: &[f32], wanted: &[f32], promise: Exactness) -> Result<(), Mismatch> {
    match promise {
        Exactness::Exact => exact(got, wanted),
        Exactness::Ulp(n) => ulp(got, wanted, n),
        Exactness::Abs(bound) => abs(got, wanted, bound),
    }
}

/// Number of `f32` steps between two values; NaN if one of them is not finite and they differ.
fn ulp_distance(a: f32, b: f32) -> f64 {
    if a == b {
        return 0.0;
    }
    if !a.is_finite() || !b.is_finite() {
        return f64::NAN;
    }
    // Sign and magnitude to a number line on which neighbours differ by 1 and both zeros are 0.
    let line = |v: f32| {
        let magnitude = i64::from(v.to_bits() & 0x7FFF_FFFF);
        if v.is_sign_negative() { -magnitude } else { magnitude }
    };
    (line(a) - line(b)).unsigned_abs() as f64
}

/// Words as bytes, so that packed pixels can be compared channel by channel.
pub fn bytes(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|w| w.to_le_bytes()).collect()
}

mod negative_controls {
    use super::*;

    #[test]
    fn exact_reports_the_first_of_all_mismatches() {
        assert_eq!(exact(&[1, 2, 3], &[1, 2, 3]), Ok(()));
        let m = exact(&[1, 9, 3, 8], &[1, 2, 3, 4]).unwrap_err();
        assert_eq!((m.index, m.got.as_str(), m.wanted.as_str(), m.count, m.of), (1, "9", "2", 2, 4));
        assert!(m.to_string().starts_with("first mismatch at index 1: got 9, wanted 2; 2 of 4 differ"));
    }

    #[test]
    fn lengths_and_emptiness_are_mismatches() {
        assert_eq!(exact(&[1, 2], &[1, 2, 3]).unwrap_err().index, 2);
        assert!(abs(&[1.0, 2.0, 3.0], &[1.0, 2.0], 9.0).is_err());
        assert!(ulp(&[], &[], 9).is_err() && exact::<u8>(&[], &[]).is_err());
    }

    #[test]
    fn swapped_channels_and_one_changed_pixel_are_seen() {
        let picture: Vec<u32> = (0..64).map(|i| i * 0x0103_0507).collect();
        let mut one_off = picture.clone();
        one_off[40] ^= 1 << 8;
        assert_eq!(exact(&one_off, &picture).unwrap_err().index, 40);
        assert_eq!(exact(&bytes(&one_off), &bytes(&picture)).unwrap_err().index, 161);
        let swapped: Vec<u32> = picture.iter().map(|w| w.rotate_left(8)).collect();
        assert!(exact(&swapped, &picture).is_err() && abs(&bytes(&swapped), &bytes(&picture), 1.0).is_err());
        assert!(exact(&vec![u32::MAX; 64], &picture).is_err());
    }

    #[test]
    fn abs_accepts_its_bound_and_nothing_above() {
        assert_eq!(abs(&[1.0, 2.5], &[1.5, 2.0], 0.5), Ok(()));
        assert_eq!(abs(&[1.0, 2.5], &[1.5, 2.0], 0.49).unwrap_err().count, 2);
        assert_eq!(abs(&[7u8, 200], &[9u8, 200], 1.0).unwrap_err().worst, 2.0);
        for bad in [f64::NAN, f64::INFINITY] {
            assert!(abs(&[bad], &[0.0], 1e300).is_err() && abs(&[0.0], &[bad], 1e300).is_err());
        }
        assert!(abs(&[f64::NAN], &[f64::NAN], 1.0).is_err() && exact(&[f64::NAN], &[f64::NAN]).is_err());
    }

    #[test]
    fn ulp_counts_steps_through_zero() {
        let next = |v: f32, n: u32| f32::from_bits(v.to_bits() + n);
        assert_eq!(ulp(&[next(1.0, 2)], &[1.0], 2), Ok(()));
        assert_eq!(ulp(&[next(1.0, 3)], &[1.0], 2).unwrap_err().worst, 3.0);
        assert_eq!(ulp(&[0.0], &[-0.0], 0), Ok(()));
        assert_eq!(ulp(&[next(0.0, 1)], &[-next(0.0, 1)], 1).unwrap_err().worst, 2.0);
        assert!(ulp(&[1.0], &[-1.0], u32::MAX - 1).is_ok() && ulp(&[1.0], &[-1.0], 1 << 30).is_err());
        assert!(ulp(&[f32::NAN], &[f32::NAN], 9).is_err() && ulp(&[f32::INFINITY], &[f32::MAX], 9).is_err());
    }

    #[test]
    fn promises_choose_their_comparer() {
        let (got, wanted) = ([1.0 + f32::EPSILON], [1.0]);
        assert!(promised(&got, &wanted, Exactness::Exact).is_err());
        assert!(promised(&got, &wanted, Exactness::Ulp(1)).is_ok());
        assert!(promised(&got, &wanted, Exactness::Abs(1e-8)).is_err());
    }
}
