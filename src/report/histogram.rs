//! Histograms as inline SVG.

use super::axis::Axis;
use super::frame::{Frame, escape, put};

/// Counts of values in bins of equal width.
#[derive(Debug, Clone, PartialEq)]
pub struct Histogram {
    pub(super) title: String,
    x_label: String,
    low: f64,
    high: f64,
    counts: Vec<u64>,
    thresholds: Vec<(f64, String)>,
}

impl Histogram {
    /// `counts` of bins that divide `low..high` evenly. `x_label` carries the unit: "sharpness (1)".
    pub fn new(title: impl Into<String>, x_label: impl Into<String>, low: f64, high: f64, counts: Vec<u64>) -> Self {
        Self { title: title.into(), x_label: x_label.into(), low, high, counts, thresholds: Vec::new() }
    }

    /// Counts `values` in `bins` bins over their own range; those that are not finite are left out.
    pub fn of_values(
        title: impl Into<String>,
        x_label: impl Into<String>,
        values: impl IntoIterator<Item = f64>,
        bins: usize,
    ) -> Self {
        let values: Vec<f64> = values.into_iter().filter(|v| v.is_finite()).collect();
        let least = values.iter().copied().fold(f64::INFINITY, f64::min);
        let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let range = Axis::rounded_numbers(least, most, 6);
        let (low, high) = (range.low, range.high);
        let mut counts = vec![0; bins.clamp(1, 512)];
        let last = counts.len() - 1;
        for v in values {
            let bin = ((v - low) / (high - low) * (last + 1) as f64) as usize;
            if let Some(count) = counts.get_mut(bin.min(last)) {
                *count += 1;
            }
        }
        Self::new(title, x_label, low, high, counts)
    }

    /// Adds a dashed vertical line.
    pub fn threshold(mut self, x: f64, label: impl Into<String>) -> Self {
        self.thresholds.push((x, label.into()));
        self
    }

    /// The plot as an `<svg>` element, `width` CSS pixels wide.
    pub fn svg(&self, width: u32) -> String {
        let most = self.counts.iter().copied().max().unwrap_or(0);
        let y = Axis::rounded_numbers(0.0, (most.max(1)) as f64, if most < 4 { most.max(1) as usize } else { 4 });
        let frame = Frame::new(width, if width < 500 { 180.0 } else { 200.0 }, &y, &self.x_label);
        let x = Axis::numbers(self.low, self.high, (frame.width() / 70.0) as usize);
        let mut svg = frame.open(&self.title, "count", &self.x_label, &x, &y);
        let bins = self.counts.len().max(1) as f64;
        for (i, count) in self.counts.iter().enumerate().filter(|(_, count)| **count > 0) {
            let edge = |i: f64| self.low + (self.high - self.low) * i / bins;
            let (from, to) = (edge(i as f64), edge(i as f64 + 1.0));
            let (left, right) = (frame.x(&x, from) + 0.5, frame.x(&x, to) - 0.5);
            let top = frame.y(&y, *count as f64);
            let (width, height) = ((right - left).max(0.5), frame.bottom - top);
            put!(
                svg,
                "<rect class=\"bar\" x=\"{left:.1}\" y=\"{top:.1}\" width=\"{width:.1}\" height=\"{height:.1}\"><title>{from:.4} to {to:.4}: {count}</title></rect>"
            );
        }
        for (value, label) in self.thresholds.iter().filter(|(v, _)| v.is_finite()) {
            let (at, top, bottom) = (frame.x(&x, *value), frame.top, frame.bottom);
            put!(svg, "<path class=\"threshold\" d=\"M{at:.1} {top:.1}V{bottom:.1}\"/>");
            let (anchor, text_x) =
                if at > (frame.left + frame.right) / 2.0 { ("end", at - 5.0) } else { ("start", at + 5.0) };
            let (text_y, label) = (top + 11.0, escape(label));
            put!(
                svg,
                "<text class=\"note\" x=\"{text_x:.1}\" y=\"{text_y:.1}\" text-anchor=\"{anchor}\">{label}</text>"
            );
        }
        svg.push_str("</svg>");
        svg
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_finite_value_is_counted_once() {
        let h = Histogram::of_values("t", "x", (0..1000).map(|i| f64::from(i) / 999.0).chain([f64::NAN]), 20);
        assert_eq!(h.counts.iter().sum::<u64>(), 1000);
        assert_eq!((h.low, h.high), (0.0, 1.0));
        assert_eq!(h.svg(600).matches("class=\"bar\"").count(), 20);
        for odd in [vec![], vec![3.0], vec![-1e300, 1e300]] {
            let n = odd.len() as u64;
            let h = Histogram::of_values("t", "x", odd, 8);
            assert_eq!(h.counts.iter().sum::<u64>(), n);
            assert!(!h.svg(300).contains("NaN"));
        }
    }
}
