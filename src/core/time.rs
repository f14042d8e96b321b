//! Rational numbers for time bases and rates. Time is a presentation timestamp (PTS) in units of a time base; frame numbers
//! are labels.

/// A ratio of two integers. The denominator is never zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Rational {
    /// Numerator.
    pub num: i32,
    /// Denominator, greater than zero.
    pub den: i32,
}

impl Rational {
    /// `num / den`, or `None` unless `den > 0`.
    pub const fn new(num: i32, den: i32) -> Option<Self> {
        if den > 0 { Some(Self { num, den }) } else { None }
    }

    /// The value as a float.
    pub fn as_f64(self) -> f64 {
        f64::from(self.num) / f64::from(self.den)
    }

    /// Seconds of a timestamp in this time base.
    pub fn seconds(self, ticks: i64) -> f64 {
        ticks as f64 * f64::from(self.num) / f64::from(self.den)
    }

    /// Nanoseconds of a timestamp in this time base, rounded to nearest and saturating.
    pub fn nanos(self, ticks: i64) -> i64 {
        self.rescale(ticks, Self { num: 1, den: 1_000_000_000 })
    }

    /// A timestamp in this time base as one in the time base `to`, rounded to nearest (half away from zero) and
    /// saturating; 0 where `to` is zero.
    pub fn rescale(self, ticks: i64, to: Self) -> i64 {
        // At most 2^63 * 2^31 * 2^31: fits.
        let n = i128::from(ticks) * i128::from(self.num) * i128::from(to.den);
        let d = i128::from(self.den) * i128::from(to.num);
        let half = if (n >= 0) == (d >= 0) { d / 2 } else { -d / 2 };
        let Some(quotient) = (n + half).checked_div(d) else { return 0 };
        i64::try_from(quotient).unwrap_or(if quotient >= 0 { i64::MAX } else { i64::MIN })
    }

    /// Whether the time `a` in this time base is later than the time `b` in the time base `other`. Exact.
    pub fn later(self, a: i64, b: i64, other: Self) -> bool {
        let cross = |t: i64, tb: Self, other: Self| i128::from(t) * i128::from(tb.num) * i128::from(other.den);
        cross(a, self, other) > cross(b, other, self)
    }
}

impl std::fmt::Display for Rational {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.num, self.den)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nanos_round_to_nearest_and_saturate() {
        let tb = Rational { num: 1, den: 3 };
        assert_eq!((tb.nanos(1), tb.nanos(-1), tb.nanos(2)), (333_333_333, -333_333_333, 666_666_667));
        assert_eq!(Rational { num: i32::MAX, den: 1 }.nanos(i64::MAX), i64::MAX);
        assert_eq!(Rational::new(1, 0), None);
    }

    #[test]
    fn times_move_between_bases() {
        let (ms, khz, zero) =
            (Rational { num: 1, den: 1000 }, Rational { num: 1, den: 48_000 }, Rational { num: 0, den: 1 });
        assert_eq!((ms.rescale(1001, khz), khz.rescale(24, ms), khz.rescale(-24, ms)), (48_048, 1, -1));
        assert_eq!((khz.rescale(23, ms), ms.rescale(i64::MIN, khz), ms.rescale(1, zero)), (0, i64::MIN, 0));
        assert!(ms.later(1001, 48_000, khz) && !ms.later(1000, 48_000, khz) && !ms.later(-5, 0, khz));
    }
}
