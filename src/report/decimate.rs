//! Lines of a plot: long series are thinned to what can be seen, and written as short path data.

use super::axis::Axis;
use super::frame::{Frame, put};

/// Path data in tenths of a pixel, relative, which is short.
pub(super) fn line_path(points: &[(f64, Option<f64>)], frame: &Frame, x: &Axis, y: &Axis) -> String {
    let mut path = String::new();
    let tenth = |v: f64| (v * 10.0).round() as i64;
    for segment in decimate(points, |v| frame.x(x, v)) {
        let mut last: Option<(i64, i64)> = None;
        for (vx, vy) in &segment {
            let at = (tenth(frame.x(x, *vx)), tenth(frame.y(y, *vy)));
            match last {
                None => put!(path, "M{} {}", Tenths(at.0), Tenths(at.1)),
                Some(from) if from == at => {}
                Some(from) => put!(path, "l{} {}", Tenths(at.0 - from.0), Tenths(at.1 - from.1)),
            }
            last = Some(at);
        }
        if segment.len() == 1 {
            // A line of no length with round ends is a dot.
            path.push_str("h0");
        }
    }
    path
}

struct Tenths(i64);

impl std::fmt::Display for Tenths {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let (whole, tenth) = (self.0.unsigned_abs() / 10, self.0.unsigned_abs() % 10);
        if tenth == 0 { write!(f, "{sign}{whole}") } else { write!(f, "{sign}{whole}.{tenth}") }
    }
}

/// Place in the series, x, y.
type Point = (usize, f64, f64);

/// Splits at gaps and keeps, per pixel column, the least and the largest value in their order. A gap within one column
/// cannot be seen and does not split.
fn decimate(points: &[(f64, Option<f64>)], pixel: impl Fn(f64) -> f64) -> Vec<Vec<(f64, f64)>> {
    let mut segments: Vec<Vec<(f64, f64)>> = Vec::new();
    let mut segment = Vec::new();
    // Of the column at hand: its number, the point with the least and the one with the largest value.
    let mut column: Option<(i64, Point, Point)> = None;
    let mut gap = false;
    let flush = |segment: &mut Vec<(f64, f64)>, low: Point, high: Point| {
        let (first, second) = if low.0 <= high.0 { (low, high) } else { (high, low) };
        segment.push((first.1, first.2));
        if first.0 != second.0 {
            segment.push((second.1, second.2));
        }
    };
    for (i, (x, y)) in points.iter().enumerate() {
        let Some(y) = *y else {
            gap = true;
            continue;
        };
        let (here, point) = (pixel(*x).floor() as i64, (i, *x, y));
        match &mut column {
            Some((at, low, high)) if *at == here => {
                if y < low.2 {
                    *low = point;
                }
                if y > high.2 {
                    *high = point;
                }
            }
            _ => {
                if let Some((_, low, high)) = column {
                    flush(&mut segment, low, high);
                }
                if gap && !segment.is_empty() {
                    segments.push(std::mem::take(&mut segment));
                }
                column = Some((here, point, point));
            }
        }
        gap = false;
    }
    if let Some((_, low, high)) = column {
        flush(&mut segment, low, high);
        segments.push(segment);
    }
    segments
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimation_keeps_extremes_and_gaps() {
        // 200,000 points on 100 columns, one peak, one dip, one long gap, one gap that nobody can see.
        let mut points: Vec<(f64, Option<f64>)> =
            (0..200_000).map(|i| (f64::from(i), Some((f64::from(i) * 0.01).sin()))).collect();
        points[77_777].1 = Some(50.0);
        points[123_456].1 = Some(-40.0);
        points[10].1 = None;
        points[150_000..160_000].iter_mut().for_each(|p| p.1 = None);
        let segments = decimate(&points, |x| x / 2000.0);
        assert_eq!(segments.len(), 2);
        let all: Vec<_> = segments.concat();
        assert!(all.len() <= 200 && all.len() > 150, "{}", all.len());
        assert!(all.contains(&(77_777.0, 50.0)) && all.contains(&(123_456.0, -40.0)));
        assert!(all.windows(2).all(|w| w[0].0 < w[1].0));
    }

    #[test]
    fn few_points_stay_as_they_are() {
        let points = [(0.0, Some(1.0)), (1.0, None), (2.0, Some(3.0)), (3.0, Some(2.0)), (4.0, None)];
        assert_eq!(decimate(&points, |x| x * 10.0), [vec![(0.0, 1.0)], vec![(2.0, 3.0), (3.0, 2.0)]]);
        assert_eq!(decimate(&[(0.0, None)], |x| x), Vec::<Vec<(f64, f64)>>::new());
    }
}
