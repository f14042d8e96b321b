//! Drawing with soft edges: just enough to render a scene whose truth is known.

use frameloom::core::Size;

/// Red, green and blue, 0 to 1.
pub(super) type Color = [f32; 3];

/// Rectangle of pixels that something covers: left, top, right, bottom.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Bounds {
    pub(super) left: f32,
    pub(super) top: f32,
    pub(super) right: f32,
    pub(super) bottom: f32,
}

impl Bounds {
    /// The smallest rectangle around both.
    pub(super) fn around(self, other: Self) -> Self {
        Self {
            left: self.left.min(other.left),
            top: self.top.min(other.top),
            right: self.right.max(other.right),
            bottom: self.bottom.max(other.bottom),
        }
    }

    /// What of it lies on a picture of `size`; `None` when nothing does.
    pub(super) fn within(self, size: Size) -> Option<Self> {
        let cut = Self {
            left: self.left.max(0.0),
            top: self.top.max(0.0),
            right: self.right.min(size.width as f32),
            bottom: self.bottom.min(size.height as f32),
        };
        (cut.right > cut.left && cut.bottom > cut.top).then_some(cut)
    }
}

/// A picture in RGBA, 8 bits.
#[derive(Debug, Clone)]
pub(super) struct Canvas {
    pub(super) size: Size,
    pub(super) rgba: Vec<u8>,
}

impl Canvas {
    pub(super) fn new(size: Size) -> Self {
        Self { size, rgba: vec![255; size.width as usize * size.height as usize * 4] }
    }

    /// Every pixel anew, by its place.
    pub(super) fn shade(&mut self, color: impl Fn(f32, f32) -> Color) {
        let width = self.size.width.max(1) as usize;
        for (i, pixel) in self.rgba.chunks_exact_mut(4).enumerate() {
            let rgb = color((i % width) as f32 + 0.5, (i / width) as f32 + 0.5);
            for (to, from) in pixel.iter_mut().zip(rgb) {
                *to = (from.clamp(0.0, 1.0) * 255.0 + 0.5) as u8;
            }
        }
    }

    /// Blends `color` where `distance` to a shape, in pixels, is negative; half a pixel of its edge is soft. Nothing lies outside `bounds`.
    fn fill(&mut self, bounds: Bounds, color: Color, alpha: f32, distance: impl Fn(f32, f32) -> f32) -> Bounds {
        let soft = Bounds {
            left: bounds.left - 1.0,
            top: bounds.top - 1.0,
            right: bounds.right + 1.0,
            bottom: bounds.bottom + 1.0,
        };
        let Some(cut) = soft.within(self.size) else { return bounds };
        let width = self.size.width.max(1) as usize;
        let (first, last) = (cut.left as usize, (cut.right.ceil() as usize).min(width));
        let rows = self.rgba.chunks_exact_mut(width * 4).enumerate();
        for (y, row) in rows.skip(cut.top as usize).take((cut.bottom.ceil() - cut.top.floor()) as usize) {
            for (x, pixel) in row.chunks_exact_mut(4).enumerate().take(last).skip(first) {
                let cover = (0.5 - distance(x as f32 + 0.5, y as f32 + 0.5)).clamp(0.0, 1.0) * alpha;
                if cover > 0.0 {
                    for (to, from) in pixel.iter_mut().zip(color) {
                        *to = (f32::from(*to) * (1.0 - cover) + from * 255.0 * cover + 0.5) as u8;
                    }
                }
            }
        }
        bounds
    }

    /// A line with round ends.
    pub(super) fn capsule(&mut self, a: [f32; 2], b: [f32; 2], radius: f32, color: Color) -> Bounds {
        let [ax, ay] = a;
        let [dx, dy] = [b[0] - ax, b[1] - ay];
        let length = (dx * dx + dy * dy).max(1e-6);
        let bounds = Bounds {
            left: ax.min(b[0]) - radius,
            top: ay.min(b[1]) - radius,
            right: ax.max(b[0]) + radius,
            bottom: ay.max(b[1]) + radius,
        };
        self.fill(bounds, color, 1.0, |x, y| {
            let along = (((x - ax) * dx + (y - ay) * dy) / length).clamp(0.0, 1.0);
            (x - ax - along * dx).hypot(y - ay - along * dy) - radius
        })
    }

    /// An ellipse, `alpha` opaque.
    pub(super) fn ellipse(&mut self, center: [f32; 2], radii: [f32; 2], color: Color, alpha: f32) -> Bounds {
        let ([cx, cy], [rx, ry]) = (center, radii.map(|r| r.max(0.3)));
        let bounds = Bounds { left: cx - rx, top: cy - ry, right: cx + rx, bottom: cy + ry };
        let small = rx.min(ry);
        self.fill(bounds, color, alpha, |x, y| (((x - cx) / rx).hypot((y - cy) / ry) - 1.0) * small)
    }

    pub(super) fn disc(&mut self, center: [f32; 2], radius: f32, color: Color) -> Bounds {
        self.ellipse(center, [radius, radius], color, 1.0)
    }

    pub(super) fn rect(&mut self, bounds: Bounds, color: Color) -> Bounds {
        self.fill(bounds, color, 1.0, |x, y| {
            (bounds.left - x).max(x - bounds.right).max(bounds.top - y).max(y - bounds.bottom)
        })
    }

    /// The mean of `radius` pixels to all sides, along rows and then along columns: a picture out of focus.
    pub(super) fn blurred(&self, radius: usize) -> Self {
        let (width, height) = (self.size.width as usize, self.size.height as usize);
        let across = mean_along(&self.rgba, (height, width * 4), (width, 4), radius);
        let rgba = mean_along(&across, (width, 4), (height, width * 4), radius);
        Self { size: self.size, rgba }
    }
}

/// Running means over `count` pixels that lie `step` bytes apart, for each of `lines` lines that begin `line_step` bytes apart.
fn mean_along(
    from: &[u8],
    (lines, line_step): (usize, usize),
    (count, step): (usize, usize),
    radius: usize,
) -> Vec<u8> {
    let mut out = vec![255; from.len()];
    let last = count.saturating_sub(1);
    for line in 0..lines {
        for channel in 0..3 {
            let at = |i: usize| line * line_step + i.min(last) * step + channel;
            let value = |i: usize| from.get(at(i)).copied().map_or(0, u32::from);
            let mut sum: u32 = (0..=radius).map(value).sum::<u32>() + radius as u32 * value(0);
            for i in 0..count {
                if let Some(to) = out.get_mut(at(i)) {
                    *to = (sum / (2 * radius as u32 + 1)) as u8;
                }
                sum = sum + value(i + radius + 1) - value(i.saturating_sub(radius));
            }
        }
    }
    out
}

/// A colour between two.
pub(super) fn mix(a: Color, b: Color, t: f32) -> Color {
    let t = t.clamp(0.0, 1.0);
    [a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t, a[2] + (b[2] - a[2]) * t]
}

/// Numbers that look random and are the same everywhere.
#[derive(Debug, Clone)]
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x2545_f491_4f6c_dd1d)
    }

    /// From 0 up to 1.
    pub(super) fn unit(&mut self) -> f32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 40) as f32 / (1u64 << 24) as f32
    }

    pub(super) fn between(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.unit()
    }

    /// One of `0..n`.
    pub(super) fn below(&mut self, n: usize) -> usize {
        ((self.unit() * n as f32) as usize).min(n.saturating_sub(1))
    }

    pub(super) fn color(&mut self, low: f32, high: f32) -> Color {
        [self.between(low, high), self.between(low, high), self.between(low, high)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_cover_what_they_say() {
        let mut canvas = Canvas::new(Size::new(40, 30));
        canvas.shade(|_, _| [0.0; 3]);
        let bounds = canvas.ellipse([20.0, 15.0], [8.0, 5.0], [1.0; 3], 1.0);
        assert_eq!(bounds, Bounds { left: 12.0, top: 10.0, right: 28.0, bottom: 20.0 });
        let lit = |x: usize, y: usize| canvas.rgba[(y * 40 + x) * 4];
        assert_eq!((lit(20, 15), lit(20, 8), lit(10, 15), lit(31, 15)), (255, 0, 0, 0));
        // The area of an ellipse.
        let area: f32 = canvas.rgba.chunks_exact(4).map(|p| f32::from(p[0]) / 255.0).sum();
        assert!((area - std::f32::consts::PI * 40.0).abs() < 6.0, "{area}");
    }

    #[test]
    fn a_blurred_flat_picture_is_the_picture() {
        let mut canvas = Canvas::new(Size::new(17, 9));
        canvas.shade(|_, _| [0.5, 0.25, 0.75]);
        assert_eq!(canvas.blurred(3).rgba, canvas.rgba);
        // What is blurred keeps its mean.
        canvas.rect(Bounds { left: 6.0, top: 3.0, right: 10.0, bottom: 6.0 }, [1.0; 3]);
        let mean = |c: &Canvas| c.rgba.chunks_exact(4).map(|p| f32::from(p[1])).sum::<f32>() / 153.0;
        assert!((mean(&canvas) - mean(&canvas.blurred(1))).abs() < 1.0);
    }
}
