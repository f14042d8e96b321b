//! A curve over a video of any length in bounded memory: buckets keep their least and largest value and are merged in pairs when
//! there are too many, so that no peak is lost.

/// Most buckets of a curve; above it, neighbours are merged.
const MAX_BUCKETS: usize = 4096;

#[derive(Debug, Clone, Copy)]
struct Bucket {
    x_min: f64,
    x_max: f64,
    low: f64,
    high: f64,
    any: bool,
}

/// Collects `(x, y)` with x rising.
#[derive(Debug, Clone)]
pub(super) struct Series {
    buckets: Vec<Bucket>,
    per_bucket: u64,
    filled: u64,
    count: u64,
    sum: f64,
    least: f64,
    most: f64,
}

impl Series {
    pub(super) fn new() -> Self {
        Self {
            buckets: Vec::new(),
            per_bucket: 1,
            filled: 0,
            count: 0,
            sum: 0.0,
            least: f64::INFINITY,
            most: f64::NEG_INFINITY,
        }
    }

    /// Adds a value, or a gap.
    pub(super) fn push(&mut self, x: f64, y: Option<f64>) {
        if let Some(v) = y {
            self.count += 1;
            self.sum += v;
            self.least = self.least.min(v);
            self.most = self.most.max(v);
        }
        let one = Bucket { x_min: x, x_max: x, low: y.unwrap_or(0.0), high: y.unwrap_or(0.0), any: y.is_some() };
        match self.buckets.last_mut() {
            Some(last) if self.filled < self.per_bucket => {
                *last = merged(*last, one);
                self.filled += 1;
            }
            _ => {
                self.buckets.push(one);
                self.filled = 1;
            }
        }
        if self.buckets.len() > MAX_BUCKETS {
            // 4097 buckets: the odd last one stays alone and goes on being filled.
            self.buckets = self
                .buckets
                .chunks(2)
                .filter_map(|pair| match pair {
                    [a, b] => Some(merged(*a, *b)),
                    [a] => Some(*a),
                    _ => None,
                })
                .collect();
            self.per_bucket *= 2;
        }
    }

    /// The points to draw: a bucket of one value is one point, others are their least and largest value.
    pub(super) fn points(&self) -> Vec<(f64, Option<f64>)> {
        let mut points = Vec::with_capacity(self.buckets.len() * 2);
        for b in &self.buckets {
            if !b.any {
                points.push((b.x_min, None));
            } else if b.low == b.high {
                points.push((b.x_min, Some(b.low)));
            } else {
                points.push((b.x_min, Some(b.low)));
                points.push((b.x_max, Some(b.high)));
            }
        }
        points
    }

    /// Number of values, without gaps.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// Mean, least and largest value; `None` without values.
    pub(super) fn summary(&self) -> Option<(f64, f64, f64)> {
        (self.count > 0).then(|| (self.sum / self.count as f64, self.least, self.most))
    }
}

fn merged(a: Bucket, b: Bucket) -> Bucket {
    let (low, high) = match (a.any, b.any) {
        (true, true) => (a.low.min(b.low), a.high.max(b.high)),
        (true, false) => (a.low, a.high),
        _ => (b.low, b.high),
    };
    Bucket { x_min: a.x_min, x_max: b.x_max, low, high, any: a.any || b.any }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_series_are_kept_as_they_are() {
        let mut s = Series::new();
        s.push(0.0, None);
        s.push(1.0, Some(2.0));
        s.push(2.0, Some(4.0));
        assert_eq!(s.points(), [(0.0, None), (1.0, Some(2.0)), (2.0, Some(4.0))]);
        assert_eq!((s.summary(), s.count()), (Some((3.0, 2.0, 4.0)), 2));
    }

    #[test]
    fn long_series_stay_small_and_keep_their_peak() {
        let mut s = Series::new();
        for i in 0..1_000_000 {
            s.push(f64::from(i), Some(if i == 777_777 { 1e6 } else { f64::from(i % 7) }));
        }
        let points = s.points();
        assert!(points.len() <= 2 * MAX_BUCKETS);
        assert!(points.iter().any(|p| p.1 == Some(1e6)));
        assert!(points.windows(2).all(|w| w[0].0 <= w[1].0));
        assert_eq!(s.summary().expect("values").2, 1e6);
    }
}
