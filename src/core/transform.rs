//! Places brought to other places: turns, scales and shifts of pictures. Pixel `i` covers `i..i+1`, so its centre is at `i + 1/2`.

use super::geometry::Size;
use super::vision::Point;

/// Rotation, one scale and a shift: `x' = a x - b y + dx`, `y' = b x + a y + dy`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Similarity {
    /// Scale times cosine of the angle.
    pub a: f32,
    /// Scale times sine of the angle.
    pub b: f32,
    /// Shift to the right.
    pub dx: f32,
    /// Shift down.
    pub dy: f32,
}

impl Similarity {
    /// The one that brings points `from` to points `to` with the least sum of squared distances, without mirroring (Umeyama 1991).
    ///
    /// `None` for fewer than two points, points in one place, or numbers that are none or infinite.
    pub fn fit(from: &[Point], to: &[Point]) -> Option<Self> {
        let count = from.len().min(to.len());
        if count < 2 || from.len() != to.len() {
            return None;
        }
        let mean = |points: &[Point], of: fn(&Point) -> f32| {
            points.iter().map(|p| f64::from(of(p))).sum::<f64>() / count as f64
        };
        let (fx, fy) = (mean(from, |p| p.x), mean(from, |p| p.y));
        let (tx, ty) = (mean(to, |p| p.x), mean(to, |p| p.y));
        let (mut along, mut across, mut spread) = (0.0, 0.0, 0.0);
        for (p, q) in from.iter().zip(to) {
            let (px, py) = (f64::from(p.x) - fx, f64::from(p.y) - fy);
            let (qx, qy) = (f64::from(q.x) - tx, f64::from(q.y) - ty);
            along += px * qx + py * qy;
            across += px * qy - py * qx;
            spread += px * px + py * py;
        }
        let (a, b) = (along / spread, across / spread);
        let found =
            Self { a: a as f32, b: b as f32, dx: (tx - a * fx + b * fy) as f32, dy: (ty - b * fx - a * fy) as f32 };
        let finite = [found.a, found.b, found.dx, found.dy].iter().all(|v| v.is_finite());
        (finite && found.scale().is_normal()).then_some(found)
    }

    /// Factor of lengths.
    pub fn scale(&self) -> f32 {
        self.a.hypot(self.b)
    }

    /// Angle in radians that it turns by; a positive one turns from the x axis to the y axis, clockwise on a screen.
    pub fn angle(&self) -> f32 {
        self.b.atan2(self.a)
    }

    /// Where a point goes.
    pub fn apply(&self, p: Point) -> Point {
        Point { x: self.a * p.x - self.b * p.y + self.dx, y: self.b * p.x + self.a * p.y + self.dy }
    }

    /// The way back.
    #[must_use]
    pub fn inverse(&self) -> Self {
        let square = self.a * self.a + self.b * self.b;
        let (a, b) = (self.a / square, -self.b / square);
        Self { a, b, dx: -(a * self.dx - b * self.dy), dy: -(b * self.dx + a * self.dy) }
    }
}

/// Turn, scales, shear and shift: `x' = m[0][0] x + m[0][1] y + m[0][2]`, `y' = m[1][0] x + m[1][1] y + m[1][2]`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Affine(pub [[f32; 3]; 2]);

impl From<Similarity> for Affine {
    fn from(s: Similarity) -> Self {
        Self([[s.a, -s.b, s.dx], [s.b, s.a, s.dy]])
    }
}

impl Affine {
    /// Parts of a pixel that `resize/warp_affine` counts places in.
    pub const PARTS: u32 = 1 << 15;
    /// How far from the picture's corner a place may lie, in pixels.
    pub const REACH: u32 = 1 << 15;

    /// Where a point goes.
    pub fn apply(&self, p: Point) -> Point {
        let [x, y] = self.0.map(|[a, b, c]| a * p.x + b * p.y + c);
        Point { x, y }
    }

    /// The map in whole steps of `1 / PARTS` of a pixel, for a tensor of `size`: the centre of pixel `(i, j)` comes to lie
    /// `s[axis][0] * i + s[axis][1] * j + s[axis][2]` steps behind the centre of the first pixel of the picture. Each number is rounded to
    /// nearest, so that a place is off by at most `(width + height + 1) / 2` steps.
    ///
    /// `None` where numbers are none or infinite, or a place is farther than [`Self::REACH`] from the first pixel.
    pub fn steps(&self, size: Size) -> Option<[[i32; 3]; 2]> {
        let limit = f64::from(Self::PARTS) * f64::from(Self::REACH);
        let mut steps = [[0i32; 3]; 2];
        for (row, [a, b, c]) in steps.iter_mut().zip(self.0.map(|row| row.map(f64::from))) {
            let exact = [a, b, (a + b) / 2.0 + c - 0.5].map(|v| (v * f64::from(Self::PARTS)).round());
            let [a, b, c] = exact;
            let (i, j) = (f64::from(size.width.saturating_sub(1)), f64::from(size.height.saturating_sub(1)));
            let corners = [c, a * i + c, b * j + c, a * i + b * j + c];
            if !exact.iter().chain(&corners).all(|v| v.abs() < limit) {
                return None;
            }
            *row = exact.map(|v| v as i32);
        }
        Some(steps)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_similarity_and_its_matrix_do_the_same() {
        let s = Similarity { a: 1.2, b: 0.5, dx: 30.0, dy: -12.0 };
        let p = Point { x: 7.0, y: 9.0 };
        assert_eq!(s.apply(p), Affine::from(s).apply(p));
        assert!(Similarity::fit(&[p], &[p]).is_none() && Similarity::fit(&[p, p], &[p, p]).is_none());
    }

    #[test]
    fn steps_lead_from_centre_to_centre() {
        let size = Size::new(4, 3);
        let same = Affine([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]);
        assert_eq!(same.steps(size), Some([[32_768, 0, 0], [0, 32_768, 0]]));
        // Half the size: the first centre lies between the first two pixels.
        let half = Affine([[2.0, 0.0, 0.0], [0.0, 2.0, 10.0]]);
        assert_eq!(half.steps(size), Some([[65_536, 0, 16_384], [0, 65_536, 344_064]]));
        for bad in [f32::NAN, f32::INFINITY, 40_000.0, -33_000.0] {
            assert_eq!(Affine([[1.0, 0.0, bad], [0.0, 1.0, 0.0]]).steps(size), None, "{bad}");
            assert_eq!(Affine([[1.0, 0.0, 0.0], [0.0, bad, 0.0]]).steps(size), None, "{bad}");
        }
        assert_eq!(Affine([[12_000.0, 0.0, 0.0], [0.0, 1.0, 0.0]]).steps(size), None, "the last pixel is too far");
    }
}
