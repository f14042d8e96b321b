//! Line plots and sparklines as inline SVG. Colours come from the page's style sheet, so that light, dark and print work.

use super::axis::{Axis, time_label};
use super::decimate::line_path;
use super::frame::{CHAR_PX, FONT_PX, Frame, escape, put};
use super::html_blocks::Tone;

/// What the x axis of a plot is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum XAxis {
    /// Seconds from the start, labelled as time.
    #[default]
    Time,
    /// A number with a label, such as "frame".
    Number(String),
}

/// A line. Points are in order of x; `None` is a gap.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// Name in the legend.
    pub name: String,
    /// x and y.
    pub points: Vec<(f64, Option<f64>)>,
}

/// A vertical line: a cut, an event.
#[derive(Debug, Clone, PartialEq)]
pub struct Marker {
    /// Where.
    pub x: f64,
    /// What; written beside the line where there is room, always in its tooltip.
    pub label: String,
    /// Colour.
    pub tone: Tone,
}

/// A range of x that is shaded.
#[derive(Debug, Clone, PartialEq)]
pub struct Band {
    /// Start.
    pub from: f64,
    /// End.
    pub to: f64,
    /// What, for the tooltip.
    pub label: String,
    /// Colour.
    pub tone: Tone,
}

/// Lines over time or another number. Long series are reduced to the least and the largest value per pixel column, so that
/// hours of video stay below 100 KB and no peak is lost.
#[derive(Debug, Clone, Default)]
pub struct LinePlot {
    pub(super) title: String,
    y_label: String,
    x: XAxis,
    pub(super) series: Vec<Series>,
    markers: Vec<Marker>,
    bands: Vec<Band>,
    thresholds: Vec<(f64, String)>,
    y_range: Option<(f64, f64)>,
}

impl LinePlot {
    /// An empty plot over time. `y_label` carries the unit: "offset (ms)".
    pub fn new(title: impl Into<String>, y_label: impl Into<String>) -> Self {
        Self { title: title.into(), y_label: y_label.into(), ..Self::default() }
    }

    /// Sets the x axis.
    pub fn x_axis(mut self, x: XAxis) -> Self {
        self.x = x;
        self
    }

    /// Adds a line; y values that are not finite are gaps.
    pub fn series(mut self, name: impl Into<String>, points: impl IntoIterator<Item = (f64, Option<f64>)>) -> Self {
        let points = points.into_iter().filter(|(x, _)| x.is_finite());
        let points = points.map(|(x, y)| (x, y.filter(|y| y.is_finite()))).collect();
        self.series.push(Series { name: name.into(), points });
        self
    }

    /// Adds a vertical line.
    pub fn marker(mut self, x: f64, label: impl Into<String>, tone: Tone) -> Self {
        self.markers.push(Marker { x, label: label.into(), tone });
        self
    }

    /// Shades a range of x.
    pub fn band(mut self, from: f64, to: f64, label: impl Into<String>, tone: Tone) -> Self {
        self.bands.push(Band { from, to, label: label.into(), tone });
        self
    }

    /// Adds a dashed horizontal line.
    pub fn threshold(mut self, y: f64, label: impl Into<String>) -> Self {
        self.thresholds.push((y, label.into()));
        self
    }

    /// Fixes the y range; values outside are drawn at its edge.
    pub fn y_range(mut self, low: f64, high: f64) -> Self {
        self.y_range = Some((low, high));
        self
    }

    /// The plot as an `<svg>` element, `width` CSS pixels wide.
    pub fn svg(&self, width: u32) -> String {
        let y = self.y_axis();
        let x_label = if let XAxis::Number(label) = &self.x { label.as_str() } else { "" };
        let frame = Frame::new(width, if width < 500 { 200.0 } else { 240.0 }, &y, x_label);
        let (low, high) = self.x_extent();
        let wanted = (frame.width() / 95.0) as usize;
        let x = match self.x {
            XAxis::Time => Axis::time(low, high, wanted),
            XAxis::Number(_) => Axis::numbers(low, high, wanted),
        };
        let mut svg = frame.open(&self.title, &self.y_label, x_label, &x, &y);
        for band in &self.bands {
            let (from, to) = (frame.x(&x, band.from), frame.x(&x, band.to));
            let (width, height, top) = ((to - from).max(1.0), frame.bottom - frame.top, frame.top);
            let (tone, label) = (band.tone.class(), escape(&band.label));
            put!(
                svg,
                "<rect class=\"band {tone}\" x=\"{from:.1}\" y=\"{top:.1}\" width=\"{width:.1}\" height=\"{height:.1}\"><title>{label}</title></rect>"
            );
        }
        for (value, _) in self.thresholds.iter().filter(|(v, _)| v.is_finite()) {
            let (at, left, right) = (frame.y(&y, *value), frame.left, frame.right);
            put!(svg, "<path class=\"threshold\" d=\"M{left:.1} {at:.1}H{right:.1}\"/>");
        }
        for (i, series) in self.series.iter().enumerate() {
            let path = line_path(&series.points, &frame, &x, &y);
            if !path.is_empty() {
                put!(svg, "<path class=\"line s{}\" d=\"{path}\"/>", i % 6 + 1);
            }
        }
        // Labels come last: they must be readable across the lines.
        for (value, label) in self.thresholds.iter().filter(|(v, _)| v.is_finite()) {
            let (at, right) = (frame.y(&y, *value), frame.right);
            let (text_at, label) = (if at - 5.0 > frame.top + FONT_PX { at - 5.0 } else { at + 14.0 }, escape(label));
            put!(svg, "<text class=\"note\" x=\"{right:.1}\" y=\"{text_at:.1}\" text-anchor=\"end\">{label}</text>");
        }
        self.put_markers(&mut svg, &frame, &x);
        svg.push_str("</svg>");
        svg
    }

    fn put_markers(&self, svg: &mut String, frame: &Frame, x: &Axis) {
        let mut free_from = frame.left;
        let mut last_pixel = None;
        for marker in self.markers.iter().filter(|m| m.x.is_finite() && m.x >= x.low && m.x <= x.high) {
            let at = frame.x(x, marker.x);
            // Many cuts in one pixel column are one line.
            let pixel = at as i64;
            if last_pixel == Some(pixel) {
                continue;
            }
            last_pixel = Some(pixel);
            let (tone, label, top, bottom) = (marker.tone.class(), escape(&marker.label), frame.top, frame.bottom);
            let place = match self.x {
                XAxis::Time => format!("{} ({:.3} s)", time_label(marker.x, 1.0, x.high), marker.x),
                XAxis::Number(_) => marker.x.to_string(),
            };
            put!(
                svg,
                "<path class=\"marker {tone}\" d=\"M{at:.1} {top:.1}V{bottom:.1}\"><title>{label} {place}</title></path>"
            );
            let end = at + 4.0 + CHAR_PX * marker.label.chars().count() as f64;
            if !marker.label.is_empty() && at >= free_from && end <= frame.right {
                let (text_x, text_y) = (at + 4.0, frame.top + 11.0);
                put!(svg, "<text class=\"note {tone}\" x=\"{text_x:.1}\" y=\"{text_y:.1}\">{label}</text>");
                free_from = end + 6.0;
            }
        }
    }

    fn x_extent(&self) -> (f64, f64) {
        let xs = self.series.iter().flat_map(|s| s.points.iter().map(|p| p.0));
        // A shaded range belongs to the picture also where no value lies in it: the missing end of a file must be seen.
        let bands = self.bands.iter().flat_map(|b| [b.from, b.to]).filter(|x| x.is_finite());
        xs.chain(bands).fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(x), high.max(x)))
    }

    fn y_axis(&self) -> Axis {
        if let Some((low, high)) = self.y_range {
            return Axis::numbers(low, high, 5);
        }
        let ys = self.series.iter().flat_map(|s| s.points.iter().filter_map(|p| p.1));
        let ys = ys.chain(self.thresholds.iter().map(|t| t.0).filter(|y| y.is_finite()));
        let (low, high) = ys.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), y| (low.min(y), high.max(y)));
        // A scale that nearly starts at zero should.
        let low = if low > 0.0 && low < 0.4 * high { 0.0 } else { low };
        Axis::rounded_numbers(low, high, 5)
    }
}

/// A small line without axes, for a tile: the trend, as means of at most 80 stretches. A stretch without values is a gap.
pub fn sparkline(values: impl IntoIterator<Item = Option<f64>>) -> String {
    let values: Vec<Option<f64>> = values.into_iter().map(|y| y.filter(|y| y.is_finite())).collect();
    let mean = |stretch: &[Option<f64>]| {
        let (sum, count) = stretch.iter().flatten().fold((0.0, 0u32), |(sum, count), y| (sum + y, count + 1));
        (count > 0).then(|| sum / f64::from(count)).filter(|mean| mean.is_finite())
    };
    let stretches = values.chunks(values.len().div_ceil(80).max(1)).map(mean);
    let points: Vec<_> = stretches.enumerate().map(|(i, y)| (i as f64, y)).collect();
    let ys = points.iter().filter_map(|p| p.1);
    let (low, high) = ys.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), y| (low.min(y), high.max(y)));
    let y = Axis::numbers(low, high, 2);
    let x = Axis::numbers(0.0, points.len().saturating_sub(1) as f64, 2);
    let path = line_path(&points, &Frame::bare(160.0, 32.0), &x, &y);
    format!(
        "<svg class=\"spark\" viewBox=\"0 0 160 32\" preserveAspectRatio=\"none\" aria-hidden=\"true\"><path class=\"line s1\" d=\"{path}\"/></svg>"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_band_behind_the_last_value_widens_the_axis() {
        let plot = LinePlot::new("p", "y").series("a", [(1.0, Some(1.0)), (5.0, Some(2.0))]);
        assert_eq!(plot.x_extent(), (1.0, 5.0));
        let plot = plot.band(5.0, 10.0, "gone", Tone::Warn).band(f64::NAN, 1.0, "odd", Tone::Warn);
        assert_eq!(plot.x_extent(), (1.0, 10.0));
    }

    #[test]
    fn three_hours_fit_in_a_hundred_kilobytes() {
        let mut x = 1u32;
        let mut noise = || {
            x = x.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            f64::from(x >> 8) / f64::from(1 << 24)
        };
        let points: Vec<_> = (0..324_000).map(|i| (f64::from(i) / 30.0, Some(noise()))).collect();
        let mut plot = LinePlot::new("t", "y").series("a", points.clone()).series("b", points);
        for i in 0..5000 {
            plot = plot.marker(f64::from(i) * 2.0, "cut", Tone::Neutral);
        }
        let bytes: usize = [1040, 640, 360].into_iter().map(|w| plot.svg(w).len()).sum();
        assert!(plot.svg(1040).len() < 200_000 && bytes < 400_000, "{} {bytes}", plot.svg(1040).len());
    }

    #[test]
    fn empty_and_broken_plots_are_drawn_without_numbers_that_are_none() {
        let plots = [
            LinePlot::new("t", "y"),
            LinePlot::new("t", "y").series("a", [(0.0, None)]),
            LinePlot::new("t", "y").series("a", [(f64::NAN, Some(1.0)), (1.0, Some(f64::INFINITY)), (2.0, Some(1.0))]),
            LinePlot::new("t", "y").series("a", [(0.0, Some(1.0))]).threshold(f64::NAN, "n").marker(
                f64::NAN,
                "m",
                Tone::Bad,
            ),
        ];
        for plot in plots {
            for width in [0, 360, 1040] {
                let svg = plot.svg(width);
                assert!(!svg.contains("NaN") && !svg.contains("inf") && svg.ends_with("</svg>"), "{svg}");
            }
        }
        assert!(!sparkline([]).contains("NaN"));
    }
}
