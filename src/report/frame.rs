//! What all plots share: the frame with grid and labels, and text for SVG.

use super::axis::Axis;

pub(super) const FONT_PX: f64 = 12.0;
/// About the width of a digit of the page's font.
pub(super) const CHAR_PX: f64 = 6.8;

/// Appends formatted text to a `String`, which cannot fail.
macro_rules! put {
    ($to:expr, $($text:tt)*) => {{
        use std::fmt::Write as _;
        let _ = write!($to, $($text)*);
    }};
}
pub(super) use put;

/// The inner rectangle of a plot.
pub(super) struct Frame {
    full_width: f64,
    full_height: f64,
    pub(super) left: f64,
    pub(super) right: f64,
    pub(super) top: f64,
    pub(super) bottom: f64,
}

impl Frame {
    /// A plot of `width` CSS pixels with room for the labels of `y` and, when there is one, of x.
    pub(super) fn new(width: u32, height: f64, y: &Axis, x_label: &str) -> Self {
        let longest = y.ticks.iter().map(|(_, label)| label.chars().count()).max().unwrap_or(0);
        let full_width = f64::from(width.max(200));
        let left = 12.0 + CHAR_PX * longest as f64;
        let full_height = if x_label.is_empty() { height } else { height + 17.0 };
        Self { full_width, full_height, left, right: full_width - 10.0, top: 26.0, bottom: height - 26.0 }
    }

    /// No axes, only a margin for the width of the line.
    pub(super) fn bare(width: f64, height: f64) -> Self {
        let (right, bottom) = (width - 2.0, height - 3.0);
        Self { full_width: width, full_height: height, left: 2.0, right, top: 3.0, bottom }
    }

    pub(super) fn width(&self) -> f64 {
        self.right - self.left
    }

    pub(super) fn x(&self, axis: &Axis, v: f64) -> f64 {
        self.left + axis.unit(v) * self.width()
    }

    pub(super) fn y(&self, axis: &Axis, v: f64) -> f64 {
        self.bottom - axis.unit(v) * (self.bottom - self.top)
    }

    /// The element's start: title, grid, ticks and labels.
    pub(super) fn open(&self, title: &str, y_label: &str, x_label: &str, x: &Axis, y: &Axis) -> String {
        let (w, h, title) = (self.full_width, self.full_height, escape(title));
        let mut svg = format!("<svg class=\"plot\" viewBox=\"0 0 {w} {h}\" role=\"img\"><title>{title}</title>");
        put!(svg, "<text class=\"axis\" x=\"2\" y=\"13\">{}</text>", escape(y_label));
        let (left, right, bottom) = (self.left, self.right, self.bottom);
        for (value, label) in &y.ticks {
            let at = self.y(y, *value);
            let class = if at >= bottom - 0.05 { "base" } else { "grid" };
            put!(svg, "<path class=\"{class}\" d=\"M{left:.1} {at:.1}H{right:.1}\"/>");
            let (text_x, text_y) = (left - 6.0, at + 4.0);
            put!(svg, "<text x=\"{text_x:.1}\" y=\"{text_y:.1}\" text-anchor=\"end\">{label}</text>");
        }
        for (value, label) in &x.ticks {
            let at = self.x(x, *value);
            let half = CHAR_PX * label.chars().count() as f64 / 2.0;
            // Labels at the edges lean inwards.
            let (text_x, text_y, bottom) = (at.clamp(half, self.full_width - half), bottom + 17.0, bottom);
            let end = bottom + 4.0;
            put!(svg, "<path class=\"base\" d=\"M{at:.1} {bottom:.1}V{end:.1}\"/>");
            put!(svg, "<text x=\"{text_x:.1}\" y=\"{text_y:.1}\" text-anchor=\"middle\">{label}</text>");
        }
        if !x_label.is_empty() {
            let (text_y, x_label) = (bottom + 34.0, escape(x_label));
            put!(svg, "<text class=\"axis\" x=\"{right:.1}\" y=\"{text_y:.1}\" text-anchor=\"end\">{x_label}</text>");
        }
        svg
    }
}

/// Text for an element or a quoted attribute.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}
