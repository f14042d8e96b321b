//! Boxes, lines, areas and labels on a picture in host memory.

use super::super::zones::{Homography, ZonesFile};
use super::font::glyph;
use crate::core::{BoxF, Size};

/// Colours that are told apart on most pictures.
const COLORS: [[u8; 3]; 10] = [
    [255, 214, 0],
    [0, 200, 255],
    [255, 80, 160],
    [80, 230, 90],
    [255, 140, 0],
    [170, 120, 255],
    [0, 230, 190],
    [255, 110, 90],
    [150, 200, 40],
    [110, 160, 255],
];

/// The colour of an object.
pub(super) fn color_of(id: u64) -> [u8; 3] {
    COLORS.get((id % COLORS.len() as u64) as usize).copied().unwrap_or([255; 3])
}

const ZONE: [u8; 3] = [60, 220, 110];
const LINE: [u8; 3] = [255, 90, 60];

/// Rows of R G B A, straight alpha.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Canvas {
    pub(super) size: Size,
    pub(super) rgba: Vec<u8>,
}

impl Canvas {
    /// Transparent.
    pub(super) fn clear(size: Size) -> Self {
        Self { size, rgba: vec![0; size.area() as usize * 4] }
    }

    /// Over a picture.
    pub(super) fn over(size: Size, rgba: Vec<u8>) -> Self {
        Self { size, rgba }
    }

    /// Lays a colour over a pixel; outside of the picture nothing happens.
    fn blend(&mut self, x: i64, y: i64, [r, g, b]: [u8; 3], alpha: u8) {
        let (w, h) = (i64::from(self.size.width), i64::from(self.size.height));
        if !(0..w).contains(&x) || !(0..h).contains(&y) {
            return;
        }
        let Some(pixel) = self.rgba.as_chunks_mut::<4>().0.get_mut((y * w + x) as usize) else { return };
        let (a, below) = (u32::from(alpha), u32::from(pixel[3]));
        // Porter and Duff's "over", straight alpha.
        let sum = 255 * a + below * (255 - a);
        if sum == 0 {
            return;
        }
        let mix =
            |new: u8, old: u8| ((255 * a * u32::from(new) + below * (255 - a) * u32::from(old) + sum / 2) / sum) as u8;
        *pixel = [mix(r, pixel[0]), mix(g, pixel[1]), mix(b, pixel[2]), ((sum + 127) / 255) as u8];
    }

    /// A filled rectangle.
    pub(super) fn fill(&mut self, (x, y): (i64, i64), (w, h): (i64, i64), color: [u8; 3], alpha: u8) {
        let (x1, y1) = ((x + w).min(i64::from(self.size.width)), (y + h).min(i64::from(self.size.height)));
        for y in y.max(0)..y1 {
            for x in x.max(0)..x1 {
                self.blend(x, y, color, alpha);
            }
        }
    }

    /// The outline of a box, `thick` pixels inside of it.
    pub(super) fn outline(&mut self, rect: &BoxF, thick: i64, color: [u8; 3]) {
        let (x, y) = (rect.x.round() as i64, rect.y.round() as i64);
        let (w, h) = ((rect.right().round() as i64 - x).max(1), (rect.bottom().round() as i64 - y).max(1));
        let t = thick.min(w).min(h);
        self.fill((x, y), (w, t), color, 255);
        self.fill((x, y + h - t), (w, t), color, 255);
        self.fill((x, y), (t, h), color, 255);
        self.fill((x + w - t, y), (t, h), color, 255);
    }

    /// Only the corners of it: for what stands still.
    pub(super) fn corners(&mut self, rect: &BoxF, thick: i64, color: [u8; 3]) {
        let (x, y) = (rect.x.round() as i64, rect.y.round() as i64);
        let (w, h) = ((rect.right().round() as i64 - x).max(1), (rect.bottom().round() as i64 - y).max(1));
        let (across, down) = ((w / 4).max(thick), (h / 4).max(thick));
        for (left, top) in [(true, true), (false, true), (true, false), (false, false)] {
            let at = |first: bool, from: i64, all: i64, part: i64| if first { from } else { from + all - part };
            self.fill((at(left, x, w, across), at(top, y, h, thick)), (across, thick), color, 255);
            self.fill((at(left, x, w, thick), at(top, y, h, down)), (thick, down), color, 255);
        }
    }

    /// A straight line.
    pub(super) fn line(&mut self, from: [f64; 2], to: [f64; 2], thick: i64, color: [u8; 3]) {
        let far = 4.0 * f64::from(self.size.width.max(self.size.height));
        let inside = |v: f64| v.clamp(-far, 2.0 * far);
        let ([ax, ay], [bx, by]) = (from.map(inside), to.map(inside));
        let steps = (bx - ax).abs().max((by - ay).abs()).ceil().max(1.0) as i64;
        for i in 0..=steps {
            let share = i as f64 / steps as f64;
            let (x, y) = ((ax + (bx - ax) * share).round() as i64, (ay + (by - ay) * share).round() as i64);
            self.fill((x - thick / 2, y - thick / 2), (thick, thick), color, 255);
        }
    }

    /// The inside of a polygon, by the even-odd rule.
    pub(super) fn polygon(&mut self, points: &[[f64; 2]], color: [u8; 3], alpha: u8) {
        let rows = |p: &[f64; 2]| p[1];
        let top = points.iter().map(rows).fold(f64::INFINITY, f64::min).max(0.0) as i64;
        let bottom = points.iter().map(rows).fold(0.0, f64::max).min(f64::from(self.size.height)).ceil() as i64;
        for y in top..bottom {
            let middle = y as f64 + 0.5;
            let mut cuts: Vec<f64> = Vec::new();
            for (a, b) in points.iter().zip(points.iter().cycle().skip(1)) {
                if (a[1] > middle) != (b[1] > middle) {
                    cuts.push(a[0] + (middle - a[1]) / (b[1] - a[1]) * (b[0] - a[0]));
                }
            }
            cuts.sort_by(f64::total_cmp);
            for pair in cuts.chunks_exact(2) {
                if let [from, to] = pair {
                    let (from, to) = (from.round().max(0.0) as i64, to.round().min(f64::from(self.size.width)) as i64);
                    (from..to).for_each(|x| self.blend(x, y, color, alpha));
                }
            }
        }
    }

    /// Pixels that [`Self::label`] takes.
    pub(super) fn label_size(text: &str, scale: i64) -> (i64, i64) {
        ((6 * text.chars().count() as i64 + 1) * scale, 9 * scale)
    }

    /// Text on a band of `band`; the whole of it inside of the picture where it fits.
    pub(super) fn label(&mut self, text: &str, (x, y): (i64, i64), scale: i64, band: [u8; 3]) {
        let (w, h) = Self::label_size(text, scale);
        let x = x.min(i64::from(self.size.width) - w).max(0);
        let y = y.min(i64::from(self.size.height) - h).max(0);
        self.fill((x, y), (w, h), band, 230);
        // Black on what is bright, white on what is dark.
        let [r, g, b] = band.map(u32::from);
        let ink = if 299 * r + 587 * g + 114 * b > 128_000 { [0; 3] } else { [255; 3] };
        self.text(text, (x, y), scale, ink);
    }

    /// Text without a band, its corner where a label has it.
    pub(super) fn text(&mut self, text: &str, (x, y): (i64, i64), scale: i64, ink: [u8; 3]) {
        for (i, c) in text.chars().enumerate() {
            for (column, bits) in (0i64..).zip(glyph(c)) {
                for row in (0..7i64).filter(|row| bits >> row & 1 == 1) {
                    let at = (x + (1 + 6 * i as i64 + column) * scale, y + (1 + row) * scale);
                    self.fill(at, (scale, scale), ink, 255);
                }
            }
        }
    }

    /// Zones and lines in pixels of the video times `scale`; `texts` stand beside the names.
    pub(super) fn zones(&mut self, file: &ZonesFile, scale: f64, letters: i64, texts: &[String]) {
        let mut texts = texts.iter().map(String::as_str).chain(std::iter::repeat(""));
        let thick = (letters * 2).max(2);
        for zone in &file.zones {
            let points = in_video(zone.polygon.points(), zone.calibration.as_ref(), scale, true);
            self.polygon(&points, ZONE, 60);
            for (a, b) in points.iter().zip(points.iter().cycle().skip(1)) {
                self.line(*a, *b, thick, ZONE);
            }
            let n = points.len().max(1) as f64;
            let middle = points.iter().fold([0.0, 0.0], |[x, y], p| [x + p[0] / n, y + p[1] / n]);
            self.name(&zone.name, texts.next().unwrap_or(""), middle, letters, ZONE);
        }
        for line in &file.lines {
            let points = in_video(&line.points, line.calibration.as_ref(), scale, false);
            let (Some(a), Some(b)) = (points.first(), points.last()) else { continue };
            for pair in points.windows(2) {
                if let [a, b] = pair {
                    self.line(*a, *b, thick, LINE);
                }
            }
            // An arrow from left to right, seen along the line.
            let (dx, dy) = (b[0] - a[0], b[1] - a[1]);
            let length = dx.hypot(dy).max(1e-9);
            let (nx, ny) = (-dy / length, dx / length);
            let middle = [(a[0] + b[0]) / 2.0, (a[1] + b[1]) / 2.0];
            let reach = 10.0 * letters as f64;
            let tip = [middle[0] + nx * reach, middle[1] + ny * reach];
            self.line(middle, tip, thick, LINE);
            for side in [-0.5, 0.5] {
                let (bx, by) = (-nx + side * dx / length, -ny + side * dy / length);
                let end = [tip[0] + bx * reach / 2.0, tip[1] + by * reach / 2.0];
                self.line(tip, end, thick, LINE);
            }
            let at = [a[0] + dx * 0.15, a[1] + dy * 0.15];
            self.name(&line.name, texts.next().unwrap_or(""), at, letters, LINE);
        }
    }

    fn name(&mut self, name: &str, text: &str, [x, y]: [f64; 2], letters: i64, color: [u8; 3]) {
        let whole = if text.is_empty() { name.to_owned() } else { format!("{name} {text}") };
        let (w, h) = Self::label_size(&whole, letters);
        self.label(&whole, (x.round() as i64 - w / 2, y.round() as i64 - h / 2), letters, color);
    }
}

/// Points of a zone or line in pixels of the video times `scale`. Sides on a plan are cut into pieces: they need not be straight in a video
/// whose lens bends them, and a piece behind the horizon is left out.
fn in_video(points: &[[f64; 2]], calibration: Option<&Homography>, scale: f64, closed: bool) -> Vec<[f64; 2]> {
    let Some(there) = calibration else {
        return points.iter().map(|p| p.map(|v| v * scale)).collect();
    };
    let back = there.inverse();
    let sides = if closed { points.len() } else { points.len().saturating_sub(1) };
    let mut out: Vec<[f64; 2]> = Vec::new();
    for (a, b) in points.iter().zip(points.iter().cycle().skip(1)).take(sides) {
        let at = |share: f64| [a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share];
        let pieces = (0..=8).filter_map(|i| back.apply(at(f64::from(i) / 8.0)).filter(|p| there.on_floor(*p)));
        out.extend(pieces.map(|p| p.map(|v| v * scale)));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_are_where_they_belong_and_stay_inside() {
        let mut canvas = Canvas::clear(Size::new(40, 30));
        canvas.outline(&BoxF { x: 4.0, y: 3.0, width: 10.0, height: 8.0 }, 2, [9, 8, 7]);
        canvas.polygon(&[[20.0, 5.0], [30.0, 5.0], [30.0, 15.0], [20.0, 15.0]], [100, 0, 0], 51);
        canvas.line([-10.0, 25.0], [100.0, 25.0], 1, [1, 2, 3]);
        canvas.label("A", (35, 28), 1, [0, 0, 0]);
        let at = |x: usize, y: usize| <[u8; 4]>::try_from(&canvas.rgba[(y * 40 + x) * 4..][..4]).unwrap();
        assert_eq!((at(4, 3), at(13, 10), at(5, 9)), ([9, 8, 7, 255], [9, 8, 7, 255], [9, 8, 7, 255]));
        assert_eq!((at(6, 6), at(3, 3), at(14, 5)), ([0; 4], [0; 4], [0; 4]));
        assert_eq!((at(20, 5), at(29, 14), at(30, 14), at(19, 5)), ([100, 0, 0, 51], [100, 0, 0, 51], [0; 4], [0; 4]));
        assert_eq!((at(0, 25), at(31, 25)), ([1, 2, 3, 255], [1, 2, 3, 255]));
        // The label was moved to where it fits: its lower right corner is the picture's.
        assert_eq!((at(39, 29)[3], at(33, 21)[3], at(32, 21)[3]), (230, 230, 0));
    }

    #[test]
    fn what_lies_behind_the_horizon_is_not_drawn() {
        // The horizon at 100 pixels: places of the plan below 0 lie behind the camera and would be drawn in the sky.
        let map = Homography::new([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.01, -1.0]], "m").unwrap();
        let [near, behind] = [[0.0, 200.0], [0.0, -100.0]];
        assert!(in_video(&[near, behind], Some(&map), 1.0, false).iter().all(|p| p[1] > 100.0));
        assert_eq!(in_video(&[near, near], Some(&map), 2.0, false).first(), Some(&[0.0, 400.0]));
        assert_eq!(in_video(&[behind, behind], Some(&map), 1.0, false), Vec::<[f64; 2]>::new());
        assert_eq!(in_video(&[near, behind], None, 0.5, false), [[0.0, 100.0], [0.0, -50.0]]);
    }

    #[test]
    fn colours_are_laid_over_each_other() {
        let mut canvas = Canvas::over(Size::new(1, 1), vec![0, 100, 200, 255]);
        canvas.fill((0, 0), (1, 1), [200, 100, 0], 128);
        assert_eq!(canvas.rgba, [100, 100, 100, 255]);
    }
}
