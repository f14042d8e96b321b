//! Times of a session.

use std::time::Duration;

/// Times that the median is taken of: the last ones.
const KEPT: usize = 1024;

/// What a session did so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SessionStats {
    /// Runs of the runtime that succeeded. One call of `run` makes several when the batch is fixed.
    pub runs: u64,
    /// Runs that failed.
    pub failures: u64,
    /// Elements of batches, padding left out.
    pub elements: u64,
    /// Time in the runtime, over all successful runs.
    pub total: Duration,
    /// Median time of the last 1024 runs; zero without any.
    pub median: Duration,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Recorder {
    stats: SessionStats,
    last: Vec<Duration>,
}

impl Recorder {
    pub(super) fn ran(&mut self, elements: usize, took: Duration) {
        let at = (self.stats.runs % KEPT as u64) as usize;
        match self.last.get_mut(at) {
            Some(slot) => *slot = took,
            None => self.last.push(took),
        }
        self.stats.runs += 1;
        self.stats.elements += elements as u64;
        self.stats.total += took;
    }

    pub(super) fn failed(&mut self) {
        self.stats.failures += 1;
    }

    pub(super) fn summary(&self) -> SessionStats {
        let mut sorted = self.last.clone();
        sorted.sort_unstable();
        SessionStats { median: sorted.get(sorted.len() / 2).copied().unwrap_or_default(), ..self.stats }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_and_the_median_of_the_last_runs() {
        let mut r = Recorder::default();
        assert_eq!(r.summary(), SessionStats::default());
        for ms in [5, 1, 3] {
            r.ran(4, Duration::from_millis(ms));
        }
        r.failed();
        let s = r.summary();
        assert_eq!((s.runs, s.failures, s.elements), (3, 1, 12));
        assert_eq!((s.total, s.median), (Duration::from_millis(9), Duration::from_millis(3)));
        for _ in 0..2 * KEPT {
            r.ran(1, Duration::from_millis(7));
        }
        assert_eq!((r.summary().median, r.last.len()), (Duration::from_millis(7), KEPT), "old ones are forgotten");
    }
}
