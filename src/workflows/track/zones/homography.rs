//! From the picture to a plan of the floor: a plane seen in perspective.
#![allow(clippy::indexing_slicing, clippy::needless_range_loop, reason = "arrays of fixed size, indexes below it")]

use crate::error::{Error, Result};

/// A projective map of the plane, 3x3, from pixels of the video to the plan.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Homography {
    rows: [[f64; 3]; 3],
    /// Sign of the depth of the floor: what lies on the other side of the horizon is no floor. 0: both sides are.
    floor: f64,
}

/// A picture of a usual size, in pixels: a horizon that does not meet it is taken for none. A larger one would find horizons below the pictures of
/// cameras on the ceiling, and take all that they see for the sky.
const PICTURE: [f64; 2] = [1920.0, 1080.0];

/// On which side of the horizon a point lies, by its sign, which is the same for all of a side; 0 on it.
fn depth(rows: &[[f64; 3]; 3], [x, y]: [f64; 2]) -> f64 {
    let [a, b, c] = rows[2];
    a * x + b * y + c
}

/// The side of the floor of a map of which nothing is known but its matrix: that below the horizon. Where there is none in the picture all is floor,
/// and where it stands upright nobody knows.
fn floor_of(rows: &[[f64; 3]; 3]) -> f64 {
    let [width, height] = PICTURE;
    let corners = [[0.0, 0.0], [width, 0.0], [0.0, height], [width, height]].map(|p| depth(rows, p) > 0.0);
    let [across, down, _] = rows[2];
    if corners.iter().all(|c| *c == corners[0]) || down.abs() <= 1e-6 * across.abs() { 0.0 } else { down.signum() }
}

fn refused(field: &str, message: impl Into<String>) -> Error {
    Error::Config { field: field.into(), message: message.into() }
}

impl Homography {
    /// From its matrix, row by row; a point is a column (x, y, 1). Where the horizon of such a map runs through the picture, the floor is what
    /// lies below it.
    ///
    /// # Errors
    /// [`Error::Config`] for numbers that are not finite and for a matrix that maps the plane to a line; `field` stands in the message.
    pub fn new(rows: [[f64; 3]; 3], field: &str) -> Result<Self> {
        let determinant = determinant(rows);
        if !determinant.is_finite() || determinant == 0.0 {
            return Err(refused(field, "must be a 3x3 matrix of finite numbers that can be inverted"));
        }
        Ok(Self { rows, floor: floor_of(&rows) })
    }

    /// The map that takes the points `from` of the video to the points `to` of the plan: exact for 4 of them, of least squares for more.
    /// Hartley and Zisserman, "Multiple View Geometry", 2004, algorithm 4.2, with the last element set to 1. The floor is the side of the horizon
    /// on which the points lie.
    ///
    /// # Errors
    /// [`Error::Config`] for fewer than 4 pairs, and where 3 of 4 points lie on a line; `field` stands in the message.
    pub fn from_points(from: &[[f64; 2]], to: &[[f64; 2]], field: &str) -> Result<Self> {
        if from.len() != to.len() || from.len() < 4 {
            let text = format!("4 pairs of points or more are needed, got {} and {}", from.len(), to.len());
            return Err(refused(field, text));
        }
        let (a, b) = (Scale::of(from), Scale::of(to));
        // Normal equations of the 2n x 8 system.
        let mut system = [[0.0; 9]; 8];
        for (p, q) in from.iter().zip(to) {
            let ([x, y], [u, v]) = (a.apply(*p), b.apply(*q));
            for row in [[x, y, 1.0, 0.0, 0.0, 0.0, -u * x, -u * y, u], [0.0, 0.0, 0.0, x, y, 1.0, -v * x, -v * y, v]] {
                for i in 0..8 {
                    for j in 0..9 {
                        system[i][j] += row[i] * row[j];
                    }
                }
            }
        }
        let unclear = || refused(field, "the points do not determine a map: are 3 of 4 on a line?");
        let h = solve(system).ok_or_else(unclear)?;
        let normal = [[h[0], h[1], h[2]], [h[3], h[4], h[5]], [h[6], h[7], 1.0]];
        // Points on a line in one plane and not in the other ask for a map that sends some of them nowhere. And all points must lie on
        // one side of the horizon.
        let normalised = |p: &[f64; 2]| depth(&normal, a.apply(*p));
        let depths: Vec<f64> = from.iter().map(normalised).collect();
        let far = depths.iter().fold(0.0f64, |m, w| m.max(w.abs()));
        if depths.iter().any(|w| w.abs() <= 1e-6 * far || (*w > 0.0) != (depths[0] > 0.0)) {
            return Err(unclear());
        }
        let found = Self::new(multiply(b.inverse(), multiply(normal, a.matrix())), field)?;
        Ok(Self { floor: depth(&found.rows, from[0]).signum(), ..found })
    }

    /// Where a point goes; `None` on the horizon.
    pub fn apply(&self, [x, y]: [f64; 2]) -> Option<[f64; 2]> {
        let [u, v, w] = self.rows.map(|[a, b, c]| a * x + b * y + c);
        let (u, v) = (u / w, v / w);
        (w.abs() > f64::MIN_POSITIVE && u.is_finite() && v.is_finite()).then_some([u, v])
    }

    /// Whether a point of the video may be one of the floor. The others would come out on the plan too, behind the camera.
    pub(in super::super) fn on_floor(&self, point: [f64; 2]) -> bool {
        self.floor == 0.0 || depth(&self.rows, point) * self.floor > 0.0
    }

    /// Where a point of the floor goes; `None` for one on the horizon or behind it.
    pub(in super::super) fn place(&self, point: [f64; 2]) -> Option<[f64; 2]> {
        self.apply(point).filter(|_| self.on_floor(point))
    }

    /// The way back, from the plan to the video.
    #[must_use]
    pub fn inverse(&self) -> Self {
        let [[a, b, c], [d, e, f], [g, h, i]] = self.rows;
        // The adjugate: a projective map is the same up to a factor.
        let rows = [
            [e * i - f * h, c * h - b * i, b * f - c * e],
            [f * g - d * i, a * i - c * g, c * d - a * f],
            [d * h - e * g, b * g - a * h, a * e - b * d],
        ];
        // A plan has no horizon of its own.
        Self { rows, floor: 0.0 }
    }
}

fn determinant([[a, b, c], [d, e, f], [g, h, i]]: [[f64; 3]; 3]) -> f64 {
    a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g)
}

/// Moves the centroid to 0 and the mean distance to the square root of 2.
struct Scale {
    x: f64,
    y: f64,
    factor: f64,
}

impl Scale {
    fn of(points: &[[f64; 2]]) -> Self {
        let n = points.len() as f64;
        let mean = |k: usize| points.iter().map(|p| p[k]).sum::<f64>() / n;
        let (x, y) = (mean(0), mean(1));
        let distance = points.iter().map(|p| (p[0] - x).hypot(p[1] - y)).sum::<f64>() / n;
        Self { x, y, factor: if distance > 0.0 { std::f64::consts::SQRT_2 / distance } else { 1.0 } }
    }

    fn apply(&self, [x, y]: [f64; 2]) -> [f64; 2] {
        [(x - self.x) * self.factor, (y - self.y) * self.factor]
    }

    fn matrix(&self) -> [[f64; 3]; 3] {
        let s = self.factor;
        [[s, 0.0, -s * self.x], [0.0, s, -s * self.y], [0.0, 0.0, 1.0]]
    }

    fn inverse(&self) -> [[f64; 3]; 3] {
        let s = 1.0 / self.factor;
        [[s, 0.0, self.x], [0.0, s, self.y], [0.0, 0.0, 1.0]]
    }
}

fn multiply(a: [[f64; 3]; 3], b: [[f64; 3]; 3]) -> [[f64; 3]; 3] {
    let mut out = [[0.0; 3]; 3];
    for i in 0..3 {
        for j in 0..3 {
            out[i][j] = (0..3).map(|k| a[i][k] * b[k][j]).sum();
        }
    }
    out
}

/// Gaussian elimination with row pivots; `None` for a singular system.
fn solve(mut m: [[f64; 9]; 8]) -> Option<[f64; 8]> {
    for column in 0..8 {
        let pivot = (column..8).max_by(|a, b| m[*a][column].abs().total_cmp(&m[*b][column].abs()))?;
        if m[pivot][column].abs() < 1e-10 {
            return None;
        }
        m.swap(column, pivot);
        for row in 0..8 {
            if row != column {
                let factor = m[row][column] / m[column][column];
                for k in column..9 {
                    m[row][k] -= factor * m[column][k];
                }
            }
        }
    }
    let mut out = [0.0; 8];
    for (i, v) in out.iter_mut().enumerate() {
        *v = m[i][8] / m[i][i];
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_corners_of_a_floor_and_more() {
        let truth = Homography::new([[0.8, 0.3, 20.0], [-0.1, 1.4, 5.0], [0.0004, 0.002, 1.0]], "m").unwrap();
        let from = [[100.0, 50.0], [600.0, 60.0], [640.0, 470.0], [10.0, 460.0], [320.0, 240.0], [200.0, 300.0]];
        let to: Vec<[f64; 2]> = from.iter().map(|p| truth.apply(*p).unwrap()).collect();
        for n in [4, 6] {
            let found = Homography::from_points(&from[..n], &to[..n], "m").unwrap();
            for p in [[0.0, 0.0], [320.0, 100.0], [500.0, 400.0]] {
                let (a, b) = (found.apply(p).unwrap(), truth.apply(p).unwrap());
                let back = truth.inverse().apply(b).unwrap();
                assert!((back[0] - p[0]).hypot(back[1] - p[1]) < 1e-6, "{back:?} {p:?}");
                assert!((a[0] - b[0]).hypot(a[1] - b[1]) < 1e-6, "{n} {a:?} {b:?}");
            }
        }
    }

    #[test]
    fn what_lies_above_the_horizon_is_no_floor() {
        // The horizon at 100 pixels from above; the same map with the other sign.
        let rows = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.01, -1.0]];
        for rows in [rows, rows.map(|r| r.map(|v| -v))] {
            let h = Homography::new(rows, "m").unwrap();
            assert_eq!([[5.0, 99.0], [5.0, 100.0], [5.0, 101.0]].map(|p| h.on_floor(p)), [false, false, true]);
            assert_eq!((h.place([5.0, 50.0]), h.place([5.0, 200.0])), (None, Some([5.0, 200.0])));
            // The plain map still says where it would come out, and the way back has no side.
            assert!(h.apply([5.0, 50.0]).is_some() && h.inverse().place([5.0, 200.0]).is_some());
        }
        // No horizon in the picture, or one far below it, as of a camera on the ceiling: all is floor. So it is with a row that rounding left.
        for last in [[0.0, 0.0, 1.0], [0.0, 0.0, -2.0], [1e-18, -1e-18, 1.0], [0.0, -5e-4, 1.0], [1e-4, 0.002, 1.0]] {
            let h = Homography::new([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], last], "m").unwrap();
            let all = [[0.0, 0.0], [1920.0, 0.0], [0.0, 1080.0], [1920.0, 1080.0]];
            assert!(all.iter().all(|p| h.on_floor(*p)), "{last:?}");
        }
        // An upright one: nothing says which side is the floor.
        let upright = Homography::new([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.01, 0.0, -1.0]], "m").unwrap();
        assert!(upright.on_floor([50.0, 5.0]) && upright.on_floor([150.0, 5.0]));
        // Points say where the floor is, above the horizon too: a camera that hangs upside down.
        let flipped = Homography::new([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, -0.01, 10.0]], "m").unwrap();
        let from = [[10.0, 10.0], [600.0, 20.0], [640.0, 470.0], [10.0, 460.0]];
        let to = from.map(|p| flipped.apply(p).unwrap());
        let found = Homography::from_points(&from, &to, "m").unwrap();
        assert!(found.on_floor([300.0, 300.0]) && !found.on_floor([300.0, 1100.0]));
        assert!(!flipped.on_floor([300.0, 300.0]));
    }

    #[test]
    fn what_is_no_map_is_refused() {
        let line = [[0.0, 0.0], [1.0, 1.0], [2.0, 2.0], [5.0, 0.0]];
        let square = [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]];
        assert!(Homography::from_points(&line, &square, "m").is_err());
        assert!(Homography::from_points(&square[..3], &square[..3], "m").is_err());
        assert!(Homography::new([[1.0, 0.0, 0.0], [2.0, 0.0, 0.0], [0.0, 0.0, 1.0]], "m").is_err());
        assert!(Homography::new([[f64::NAN; 3]; 3], "m").is_err());
        // The horizon goes nowhere.
        let h = Homography::new([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.01, -1.0]], "m").unwrap();
        assert_eq!(h.apply([5.0, 100.0]), None);
    }
}
