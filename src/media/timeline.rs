//! Watches timestamps while decoding: first, last, usual distance, gaps. Memory is bounded however long the stream is.

use std::collections::BTreeMap;

use crate::core::Rational;

/// Distinct distances kept for the median; a stream with more has no constant rate anyway.
const MAX_DISTANCES: usize = 4096;
/// Gap candidates kept.
const MAX_CANDIDATES: usize = 10_000;
/// Frames below which a rate is not called constant by looking at distances.
const FEWEST: u64 = 8;

/// Timestamps seen so far.
#[derive(Debug, Clone)]
pub(crate) struct Timeline {
    time_base: Rational,
    expected: Option<f64>,
    first: Option<i64>,
    last: Option<(i64, i64)>,
    end: Option<i64>,
    distances: BTreeMap<i64, u64>,
    candidates: Vec<(i64, i64, i64)>,
    /// Frames without a timestamp.
    pub(crate) unstamped: u64,
    /// Frames whose timestamp is not after that of the frame before.
    pub(crate) disorder: u64,
}

/// What the timestamps tell.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Times {
    /// Seconds of the first frame.
    pub(crate) first: Option<f64>,
    /// Seconds at which the last frame ends.
    pub(crate) end: Option<f64>,
    /// Usual seconds from frame to frame.
    pub(crate) frame: Option<f64>,
    /// Whether the rate is constant but for gaps.
    pub(crate) constant: bool,
    /// Stretches without frames, in seconds.
    pub(crate) gaps: Vec<(f64, f64)>,
}

impl Timeline {
    /// `rate` is the container's frame rate, if it gives one.
    pub(crate) fn new(time_base: Rational, rate: Option<Rational>) -> Self {
        let expected = rate.map(|r| 1.0 / r.as_f64() / time_base.as_f64()).filter(|t| t.is_finite() && *t > 0.0);
        Self {
            time_base,
            expected,
            first: None,
            last: None,
            end: None,
            distances: BTreeMap::new(),
            candidates: Vec::new(),
            unstamped: 0,
            disorder: 0,
        }
    }

    /// Seconds since the first frame at timestamp `pts`.
    pub(crate) fn elapsed(&self, pts: i64) -> f64 {
        self.first.map_or(0.0, |f| self.time_base.seconds(pts.saturating_sub(f)))
    }

    /// Takes the next frame in output order.
    pub(crate) fn push(&mut self, pts: Option<i64>, duration: i64) {
        let Some(pts) = pts else {
            self.unstamped += 1;
            return;
        };
        self.first.get_or_insert(pts);
        if let Some((before, lasts)) = self.last {
            let distance = pts.saturating_sub(before);
            if distance <= 0 {
                self.disorder += 1;
            } else {
                if self.distances.len() < MAX_DISTANCES || self.distances.contains_key(&distance) {
                    *self.distances.entry(distance).or_default() += 1;
                }
                let shortest = self.distances.keys().next().map_or(f64::MAX, |d| *d as f64);
                let usual = self.expected.unwrap_or(shortest);
                let covered = lasts as f64 * 1.5;
                if distance as f64 > usual.min(shortest.max(1.0) * 2.0) * 1.2
                    && distance as f64 > covered
                    && self.candidates.len() < MAX_CANDIDATES
                {
                    self.candidates.push((before, pts, distance));
                }
            }
        }
        self.last = Some((pts, duration.max(0)));
        let end = pts.saturating_add(duration.max(0));
        self.end = Some(self.end.map_or(end, |e| e.max(end)));
    }

    fn median(&self) -> Option<i64> {
        let total: u64 = self.distances.values().sum();
        let mut seen = 0;
        self.distances.iter().find_map(|(d, n)| {
            seen += n;
            (seen * 2 >= total).then_some(*d)
        })
    }

    /// What is known after the last frame.
    pub(crate) fn times(&self) -> Times {
        let seconds = |t: i64| self.time_base.seconds(t);
        let median = self.median();
        let total: u64 = self.distances.values().sum();
        let constant = median.is_some_and(|m| {
            let slack = (m as f64 * 0.1).max(1.5);
            let near: u64 =
                self.distances.iter().filter(|(d, _)| ((**d - m) as f64).abs() <= slack).map(|(_, n)| n).sum();
            total >= FEWEST && near * 10 >= total * 9
        });
        let frame_ticks = median.map(|m| m as f64).or(self.expected);
        let frame = frame_ticks.map(|t| t * self.time_base.as_f64());
        let gaps = match median {
            Some(m) if constant => self
                .candidates
                .iter()
                .filter(|(_, _, distance)| *distance as f64 > 1.5 * m as f64)
                .map(|(before, next, _)| (seconds(before.saturating_add(m)), seconds(*next)))
                .collect(),
            _ => Vec::new(),
        };
        // A last frame without a duration lasts as long as the others.
        let end = self.end.zip(self.last).map(|(end, (last, lasts))| {
            if lasts == 0 { seconds(end.max(last)) + frame.unwrap_or(0.0) } else { seconds(end) }
        });
        Times { first: self.first.map(seconds), end, frame, constant, gaps }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Rational = Rational { num: 1, den: 1000 };

    fn run(pts: impl IntoIterator<Item = i64>, duration: i64) -> Times {
        let mut t = Timeline::new(MS, Rational::new(30, 1));
        for p in pts {
            t.push(Some(p), duration);
        }
        t.times()
    }

    #[test]
    fn rounded_milliseconds_are_a_constant_rate_without_gaps() {
        let t = run((0..100).map(|i| (i * 1000 + 15) / 30 + 33), 33);
        assert!(t.constant && t.gaps.is_empty());
        assert_eq!(t.first, Some(0.033));
    }

    #[test]
    fn a_hole_in_a_constant_rate_is_a_gap() {
        let t = run((0..100).filter(|i| !(40..43).contains(i)).map(|i| i * 40), 40);
        assert_eq!(t.gaps, vec![(1.6, 1.72)]);
    }

    #[test]
    fn variable_rates_have_no_gaps() {
        let mut at = 0;
        let t = run(
            (0..200).map(|i| {
                at += if i % 3 == 0 { 100 } else { 40 };
                at
            }),
            0,
        );
        assert!(!t.constant && t.gaps.is_empty());
    }

    #[test]
    fn a_frame_that_is_declared_to_last_long_leaves_no_gap() {
        let mut t = Timeline::new(MS, None);
        for i in 0..20 {
            t.push(Some(i * 100), 100);
        }
        t.push(Some(2000), 3000);
        t.push(Some(5000), 100);
        assert!(t.times().gaps.is_empty());
    }
}
