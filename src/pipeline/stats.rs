//! What each stage did with its time.

use std::time::{Duration, Instant};

/// Time and throughput of one stage.
#[derive(Debug, Clone)]
pub struct StageStats {
    /// Stage name.
    pub name: &'static str,
    /// Items (frames or batches) that went through.
    pub items: u64,
    /// Time spent working.
    pub busy: Duration,
    /// Time spent waiting for input or for room.
    pub waiting: Duration,
    /// Most items seen waiting in front of the stage.
    pub max_queue: usize,
    /// Counts of item times: bucket `i` holds times below `2^(i/4)` microseconds.
    buckets: [u64; 128],
}

impl StageStats {
    /// Empty statistics.
    pub fn new(name: &'static str) -> Self {
        Self { name, items: 0, busy: Duration::ZERO, waiting: Duration::ZERO, max_queue: 0, buckets: [0; 128] }
    }

    /// Adds one item that took `busy`.
    pub fn item(&mut self, busy: Duration) {
        self.items += 1;
        self.busy += busy;
        let micros = busy.as_secs_f64() * 1e6;
        let bucket = if micros <= 1.0 { 0 } else { (micros.log2() * 4.0).ceil() as usize };
        if let Some(count) = self.buckets.get_mut(bucket.min(127)) {
            *count += 1;
        }
    }

    /// Time below which the share `q` (0..=1) of the items stayed, within 19 %; zero without items.
    pub fn quantile(&self, q: f64) -> Duration {
        let wanted = (q.clamp(0.0, 1.0) * self.items as f64).ceil().max(1.0) as u64;
        let mut seen = 0;
        for (i, count) in self.buckets.iter().enumerate() {
            seen += count;
            if seen >= wanted {
                return Duration::from_secs_f64(2f64.powf(i as f64 / 4.0) * 1e-6);
            }
        }
        Duration::ZERO
    }

    /// Adds the counts of another worker of the same stage.
    pub fn merge(&mut self, other: &Self) {
        self.items += other.items;
        self.busy += other.busy;
        self.waiting += other.waiting;
        self.max_queue = self.max_queue.max(other.max_queue);
        for (to, from) in self.buckets.iter_mut().zip(&other.buckets) {
            *to += from;
        }
    }
}

/// Splits a thread's time into working and waiting.
#[derive(Debug)]
pub struct StageTimer {
    since: Instant,
}

impl StageTimer {
    /// Starts now.
    pub fn start() -> Self {
        Self { since: Instant::now() }
    }

    /// Time since the last lap.
    pub fn lap(&mut self) -> Duration {
        let now = Instant::now();
        let span = now - self.since;
        self.since = now;
        span
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_bracket_the_items() {
        let mut s = StageStats::new("x");
        assert_eq!(s.quantile(0.5), Duration::ZERO);
        for ms in 1..=100 {
            s.item(Duration::from_millis(ms));
        }
        let p50 = s.quantile(0.5).as_secs_f64();
        let p95 = s.quantile(0.95).as_secs_f64();
        assert!((0.050..0.060).contains(&p50) && (0.095..0.114).contains(&p95), "{p50} {p95}");
        let mut t = StageStats::new("x");
        t.merge(&s);
        assert_eq!((t.items, t.busy), (s.items, s.busy));
    }
}
