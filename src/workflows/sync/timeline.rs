//! Offsets over time: a drift, and the places where an edit made them jump.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// Seconds between two points whose slope counts; further apart an edit lies between them too often.
const NEAREST: f64 = 20.0;
const FURTHEST: f64 = 600.0;
/// Points on each side of a jump that are compared, at most and at least.
const SIDE: usize = 15;
const LEAST_SIDE: usize = 3;
/// Residuals of so many times the noise count less and less (Huber 1964).
const HUBER: f64 = 1.5;
/// Least noise of a point in seconds.
const LEAST_NOISE: f64 = 0.005;
/// Points that are taken together to see how even a preference is: neighbours depend on each other.
#[cfg(any(feature = "onnx", test))]
const TURN_BLOCK: usize = 25;
/// Seconds and points from which on a drift can be told.
const DRIFT_SECONDS: f64 = 60.0;
const DRIFT_POINTS: usize = 10;

/// An offset at a time.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct OffsetPoint {
    /// Middle of the window, in seconds.
    pub seconds: f64,
    /// Seconds that the sound is late; negative where it is early.
    pub offset: f64,
    /// How much it counts, above 0.
    pub weight: f64,
}

/// How points are read.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TimelineOptions {
    /// Least change that counts as an edit, in seconds.
    pub min_jump: f64,
    /// Windows that share a moment: so many points are as good as one. At least 1.
    pub shared: f64,
}

impl Default for TimelineOptions {
    /// 60 ms; windows of 10 s every 2 s.
    fn default() -> Self {
        Self { min_jump: 0.06, shared: 5.0 }
    }
}

/// A stretch without an edit.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct OffsetSegment {
    /// First and last point in seconds; jumps lie between the segments.
    pub from: f64,
    /// See `from`.
    pub to: f64,
    /// Seconds that the sound is late at `from`.
    pub offset_from: f64,
    /// The same at `to`; another one only where there is a drift.
    pub offset_to: f64,
    /// Points in it.
    pub points: usize,
}

/// An edit.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct OffsetJump {
    /// When, in seconds.
    pub seconds: f64,
    /// Seconds by which the sound is later from then on; negative: earlier.
    pub by: f64,
}

/// What the points say together.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OffsetTimeline {
    /// Parts per million by which the sound falls behind (positive) or gets ahead; `None` when the points are too few or too near.
    pub drift_ppm: Option<f64>,
    /// Standard error of the drift.
    pub drift_error_ppm: Option<f64>,
    /// Whether the drift is more than three times its error.
    pub drifts: bool,
    /// Spread of the points around the line in seconds: 1.48 times their median distance.
    pub noise: f64,
    /// Stretches, in order.
    pub segments: Vec<OffsetSegment>,
    /// Edits between them.
    pub jumps: Vec<OffsetJump>,
}

impl OffsetTimeline {
    /// Seconds that the sound is late at a time; between segments that of the nearer one. 0 without any.
    pub fn offset_at(&self, seconds: f64) -> f64 {
        let after = self.jumps.iter().filter(|j| j.seconds <= seconds).count();
        let Some(s) = self.segments.get(after) else { return 0.0 };
        let slope = self.drift_ppm.filter(|_| self.drifts).unwrap_or(0.0) / 1e6;
        s.offset_from + slope * (seconds - s.from)
    }
}

/// Reads `points`, which are in order of time, as a line with jumps.
///
/// The slope is the median over pairs of points, 20 s to 10 min apart (Theil 1950, Sen 1968), so that wrong points and edits do not matter; edits are
/// where the medians of the points before and after differ; slope and offsets are then fitted together by iteratively reweighted least squares.
///
/// # Errors
/// [`Error::Config`] for options out of range.
pub fn offset_timeline(points: &[OffsetPoint], options: &TimelineOptions) -> Result<OffsetTimeline> {
    if !(options.min_jump > 0.0 && options.shared >= 1.0) {
        let message = format!("min_jump must be above 0 and shared at least 1, got {options:?}");
        return Err(Error::Config { field: "timeline".into(), message });
    }
    let span = points.first().zip(points.last()).map_or(0.0, |(a, b)| b.seconds - a.seconds);
    let tells = span >= DRIFT_SECONDS && points.len() >= DRIFT_POINTS;
    let rough = if tells { slope(points) } else { 0.0 };
    let flat: Vec<f64> = points.iter().map(|p| p.offset - rough * p.seconds).collect();
    let cuts = cuts(&flat, options);
    let fit = fit(points, &cuts, rough, tells);
    let independent = options.shared.sqrt();
    let error = fit.error * independent;
    let drifts = tells && fit.slope.abs() > 3.0 * error;
    // A drift that cannot be told from none is none: the offset of a segment is what its points say.
    let used = if drifts { fit.slope } else { 0.0 };
    let mut segments = Vec::new();
    for (range, base) in ranges(&cuts, points.len()).zip(&fit.bases) {
        let here = points.get(range).unwrap_or_default();
        let (Some(first), Some(last)) = (here.first(), here.last()) else { continue };
        let middle = weighted_mean(here.iter().map(|p| (p.seconds, p.weight)));
        let at = |t: f64| base + fit.slope * middle + used * (t - middle);
        segments.push(OffsetSegment {
            from: first.seconds,
            to: last.seconds,
            offset_from: at(first.seconds),
            offset_to: at(last.seconds),
            points: here.len(),
        });
    }
    let jumps = segments
        .iter()
        .zip(segments.iter().skip(1))
        .map(|(a, b)| {
            let seconds = (a.to + b.from) / 2.0;
            let before = a.offset_to + used * (seconds - a.to);
            let after = b.offset_from + used * (seconds - b.from);
            OffsetJump { seconds, by: after - before }
        })
        .collect();
    Ok(OffsetTimeline {
        drift_ppm: tells.then_some(fit.slope * 1e6),
        drift_error_ppm: tells.then_some(error * 1e6),
        drifts,
        noise: fit.noise,
        segments,
        jumps,
    })
}

/// Where a preference turns from negative to positive. `points` are `(seconds, preference)`, in order; `None` without any.
///
/// Each moment between two points has a sum of the preferences after it, which is largest where they turn. The mean of the moments is taken, weighted by
/// how likely each is: `exp(k sum)` times its length, with `k` twice the mean of a block of points over its variance, as for a step of known height in
/// Gaussian noise (Hinkley 1970). Where the points say nothing (a pause), that is the middle of the pause.
#[cfg(any(feature = "onnx", test))]
pub(super) fn turn(points: &[(f64, f64)]) -> Option<f64> {
    let (last, _) = points.last()?;
    // Behind the moment before each point, and behind the last one.
    let mut behind = vec![0.0; points.len() + 1];
    let mut sum = 0.0;
    for (at, (_, p)) in behind.iter_mut().rev().skip(1).zip(points.iter().rev()) {
        sum += p;
        *at = sum;
    }
    let best = behind.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let split = behind.iter().position(|v| *v >= best)?;
    let (mut height, mut spread, mut sides) = (0.0, 0.0, 0.0);
    for (side, sign) in [(points.get(..split), -1.0), (points.get(split..), 1.0)] {
        let blocks: Vec<f64> =
            side.unwrap_or_default().chunks_exact(TURN_BLOCK).map(|c| c.iter().map(|p| p.1).sum()).collect();
        if !blocks.is_empty() {
            let mean = blocks.iter().sum::<f64>() / blocks.len() as f64;
            height += sign * mean;
            spread += blocks.iter().map(|b| (b - mean).powi(2)).sum::<f64>() / blocks.len() as f64;
            sides += 1.0;
        }
    }
    // Too few points to see how even it is: the best moment.
    let steep = if sides > 0.0 { (2.0 * height / spread.max(1e-9)).max(0.0) } else { 1e6 };
    let (mut all, mut weights) = (0.0, 0.0);
    for ((a, b), sum) in points.iter().zip(points.iter().skip(1)).zip(behind.iter().skip(1)) {
        let weight = (steep * (sum - best)).exp() * (b.0 - a.0);
        all += weight * (a.0 + b.0) / 2.0;
        weights += weight;
    }
    // All before the first point, or behind the last one.
    let outside = if split == 0 { points.first().map_or(*last, |p| p.0) } else { *last };
    Some(if weights > 1e-12 { all / weights } else { outside })
}

/// Median slope over pairs.
fn slope(points: &[OffsetPoint]) -> f64 {
    // Of very many points every so many, so that pairs stay in the hundred thousands.
    let thin = points.len().div_ceil(4000).max(1);
    let some: Vec<&OffsetPoint> = points.iter().step_by(thin).collect();
    let mut slopes = Vec::new();
    for (i, a) in some.iter().enumerate() {
        for b in some.iter().skip(i + 1) {
            let apart = b.seconds - a.seconds;
            if apart > FURTHEST {
                break;
            }
            if apart >= NEAREST {
                slopes.push((b.offset - a.offset) / apart);
            }
        }
    }
    median(&mut slopes)
}

/// Positions of points that an edit lies before.
fn cuts(flat: &[f64], options: &TimelineOptions) -> Vec<usize> {
    let side = SIDE.min(flat.len() / 2);
    if side < LEAST_SIDE {
        return Vec::new();
    }
    let of = |range: std::ops::Range<usize>| median(&mut flat.get(range).unwrap_or_default().to_vec());
    let last = flat.len() - LEAST_SIDE;
    let sides = |k: usize| (of(k.saturating_sub(side)..k), of(k..(k + side).min(flat.len())));
    let steps: Vec<f64> = (0..flat.len())
        .map(|k| {
            let (before, after) = sides(k);
            if (LEAST_SIDE..=last).contains(&k) { (after - before).abs() } else { 0.0 }
        })
        .collect();
    // Around a running median, edits hardly count.
    let near = |i: usize| of(i.saturating_sub(side / 2)..(i + side / 2 + 1).min(flat.len()));
    let mut apart: Vec<f64> = flat.iter().enumerate().map(|(i, v)| (v - near(i)).abs()).collect();
    let noise = (1.48 * median(&mut apart)).max(LEAST_NOISE);
    let least = options.min_jump.max(4.0 * noise * (options.shared / side as f64).sqrt());
    let mut left = steps;
    let mut found = Vec::new();
    while let Some((k, step)) = left.iter().copied().enumerate().max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0)))
    {
        if step < least {
            break;
        }
        // Where the two medians together explain the points best.
        let (before, after) = sides(k);
        let (low, high) = (k.saturating_sub(side), (k + side).min(flat.len()));
        let cost = |at: usize| {
            let part = |range: std::ops::Range<usize>, m: f64| {
                flat.get(range).unwrap_or_default().iter().map(|v| (v - m).abs()).sum::<f64>()
            };
            part(low..at, before) + part(at..high, after)
        };
        let best = (low.max(LEAST_SIDE)..=high.min(last)).min_by(|a, b| cost(*a).total_cmp(&cost(*b))).unwrap_or(k);
        if found.iter().all(|f: &usize| f.abs_diff(best) >= LEAST_SIDE) {
            found.push(best);
        }
        for (i, step) in left.iter_mut().enumerate() {
            if i.abs_diff(k) <= side {
                *step = 0.0;
            }
        }
    }
    found.sort_unstable();
    found
}

fn ranges(cuts: &[usize], count: usize) -> impl Iterator<Item = std::ops::Range<usize>> + '_ {
    let starts = std::iter::once(0).chain(cuts.iter().copied());
    starts.zip(cuts.iter().copied().chain([count])).map(|(a, b)| a..b)
}

struct Fit {
    slope: f64,
    /// Of the slope, as if all points were independent.
    error: f64,
    /// Offset of each segment at time 0.
    bases: Vec<f64>,
    noise: f64,
}

/// One slope for all, a base for each segment.
fn fit(points: &[OffsetPoint], cuts: &[usize], rough: f64, tells: bool) -> Fit {
    let mut slope = rough;
    let segments: Vec<&[OffsetPoint]> = ranges(cuts, points.len()).map(|r| points.get(r).unwrap_or_default()).collect();
    let base = |s: &[OffsetPoint], slope: f64| {
        median(&mut s.iter().map(|p| p.offset - slope * p.seconds).collect::<Vec<f64>>())
    };
    let mut bases: Vec<f64> = segments.iter().map(|s| base(s, slope)).collect();
    let (mut noise, mut error) = (LEAST_NOISE, 0.0);
    for _ in 0..20 {
        let rest = |p: &OffsetPoint, b: f64| p.offset - b - slope * p.seconds;
        let mut apart: Vec<f64> =
            segments.iter().zip(&bases).flat_map(|(s, b)| s.iter().map(|p| rest(p, *b).abs())).collect();
        noise = (1.48 * median(&mut apart)).max(LEAST_NOISE);
        let weight = |p: &OffsetPoint, b: f64| p.weight * (HUBER * noise / rest(p, b).abs().max(1e-12)).min(1.0);
        let (mut top, mut bottom) = (0.0, 0.0);
        let mut means = Vec::new();
        for (s, b) in segments.iter().zip(&bases) {
            let weights: Vec<f64> = s.iter().map(|p| weight(p, *b)).collect();
            let t = weighted_mean(s.iter().zip(&weights).map(|(p, w)| (p.seconds, *w)));
            let o = weighted_mean(s.iter().zip(&weights).map(|(p, w)| (p.offset, *w)));
            for (p, w) in s.iter().zip(&weights) {
                top += w * (p.seconds - t) * (p.offset - o);
                bottom += w * (p.seconds - t).powi(2);
            }
            means.push((t, o));
        }
        if tells && bottom > 0.0 {
            slope = top / bottom;
            error = noise / bottom.sqrt();
        }
        bases = means.iter().map(|(t, o)| o - slope * t).collect();
    }
    Fit { slope, error, bases, noise }
}

fn weighted_mean(values: impl Iterator<Item = (f64, f64)>) -> f64 {
    let (sum, all) = values.fold((0.0, 0.0), |(sum, all), (v, w)| (sum + v * w, all + w));
    if all > 0.0 { sum / all } else { 0.0 }
}

/// The middle value, the lower one of two; 0 of none.
fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len().saturating_sub(1) / 2).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Points every 2 s with noise of about 20 ms, one of nine anywhere.
    fn points(seconds: usize, truth: impl Fn(f64) -> f64) -> Vec<OffsetPoint> {
        let mut seed = 11u64;
        let mut random = move || {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> 40) as f64 / (1u64 << 24) as f64 - 0.5
        };
        (0..seconds / 2)
            .map(|i| {
                let t = 5.0 + 2.0 * i as f64;
                let noise = (0..3).map(|_| random()).sum::<f64>() * 0.04;
                let offset = if i % 9 == 4 { random() * 2.0 } else { truth(t) + noise };
                OffsetPoint { seconds: t, offset, weight: 1.0 }
            })
            .collect()
    }

    #[test]
    fn two_hours_with_a_drift_and_two_edits() {
        let truth =
            |t: f64| 0.03 + 50e-6 * t + if t > 2000.0 { 0.2 } else { 0.0 } - if t > 5003.0 { 0.31 } else { 0.0 };
        let got = offset_timeline(&points(7200, truth), &TimelineOptions::default()).unwrap();
        let drift = got.drift_ppm.unwrap();
        assert!((drift - 50.0).abs() < 2.0 && got.drifts, "{drift} {:?}", got.drift_error_ppm);
        assert_eq!(got.jumps.len(), 2, "{:?}", got.jumps);
        for (jump, (at, by)) in got.jumps.iter().zip([(2000.0, 0.2), (5004.0, -0.31)]) {
            assert!((jump.seconds - at).abs() <= 2.0 && (jump.by - by).abs() < 0.01, "{jump:?}");
        }
        for t in [10.0, 1500.0, 3000.0, 7000.0] {
            assert!((got.offset_at(t) - truth(t)).abs() < 0.01, "{t}: {} {}", got.offset_at(t), truth(t));
        }
    }

    #[test]
    fn a_turn_in_a_pause_is_in_its_middle() {
        let before = (0..50).map(|i| (f64::from(i) / 10.0, if i % 3 == 0 { 0.4 } else { -1.0 }));
        let after = (0..50).map(|i| (7.0 + f64::from(i) / 10.0, if i % 3 == 2 { -0.4 } else { 1.0 }));
        let both: Vec<(f64, f64)> = before.chain(after).collect();
        let got = turn(&both).unwrap();
        assert!((got - 5.95).abs() < 0.3, "{got}");
        assert_eq!(turn(&[]), None);
        // Nothing but the one side: the edit is at its end.
        assert_eq!(turn(&[(1.0, -1.0), (2.0, -1.0), (3.0, -1.0)]), Some(3.0));
    }

    #[test]
    fn a_constant_offset_is_no_drift() {
        let got = offset_timeline(&points(1200, |_| -0.16), &TimelineOptions::default()).unwrap();
        assert!(!got.drifts && got.jumps.is_empty(), "{got:?}");
        assert!((got.offset_at(700.0) + 0.16).abs() < 0.005);
        assert!(got.drift_ppm.unwrap().abs() < 20.0);
    }

    #[test]
    fn few_points_have_an_offset_and_no_drift() {
        for n in [0usize, 1, 2, 5] {
            let some: Vec<OffsetPoint> = points(2 * n, |_| 0.2).into_iter().filter(|p| p.offset > 0.1).collect();
            let got = offset_timeline(&some, &TimelineOptions::default()).unwrap();
            assert_eq!((got.drift_ppm, got.jumps.len(), got.segments.len()), (None, 0, usize::from(!some.is_empty())));
            assert!(some.is_empty() || (got.offset_at(3.0) - 0.2).abs() < 0.05);
        }
        assert!(offset_timeline(&[], &TimelineOptions { min_jump: 0.0, shared: 5.0 }).is_err());
        assert!(offset_timeline(&[], &TimelineOptions { min_jump: 0.1, shared: 0.0 }).is_err());
    }
}
