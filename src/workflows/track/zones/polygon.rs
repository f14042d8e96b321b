//! Polygons and lists of points.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// Points as pairs (`[[0, 0], [9, 0]]`) or as a flat list (`[0, 0, 9, 0]`). The type of the elements decides, never their number.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Points {
    /// Pairs of x and y.
    Pairs(Vec<[f64; 2]>),
    /// x and y in turn.
    Flat(Vec<f64>),
}

impl Points {
    /// The points, all finite.
    ///
    /// # Errors
    /// [`Error::Config`] for a flat list of odd length and for numbers that are not finite; `field` stands in the message.
    pub fn into_pairs(self, field: &str) -> Result<Vec<[f64; 2]>> {
        let refuse = |message: String| Err(Error::Config { field: field.into(), message });
        let pairs = match self {
            Self::Pairs(pairs) => pairs,
            Self::Flat(flat) => {
                if !flat.len().is_multiple_of(2) {
                    return refuse(format!("a flat list has x and y in turn, got {} numbers", flat.len()));
                }
                flat.as_chunks().0.to_vec()
            }
        };
        if pairs.iter().flatten().any(|v| !v.is_finite()) {
            return refuse("must be finite numbers".into());
        }
        Ok(pairs)
    }
}

/// A closed polygon, the last point joined to the first. It may be concave; where it crosses itself, the even-odd rule holds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Polygon(Vec<[f64; 2]>);

impl Polygon {
    /// From 3 points or more.
    ///
    /// # Errors
    /// [`Error::Config`] for fewer points, and for those that [`Points::into_pairs`] refuses; `field` stands in the message.
    pub fn new(points: Points, field: &str) -> Result<Self> {
        let points = points.into_pairs(field)?;
        if points.len() < 3 {
            let message = format!("a polygon has 3 points or more, got {}", points.len());
            return Err(Error::Config { field: field.into(), message });
        }
        Ok(Self(points))
    }

    /// Its points.
    pub fn points(&self) -> &[[f64; 2]] {
        &self.0
    }

    /// Whether it holds a point, by ray casting. Upper and left edges belong to it, lower and right ones do not: polygons side by side never
    /// both hold a point.
    pub fn holds(&self, [x, y]: [f64; 2]) -> bool {
        let mut inside = false;
        let Some(mut before) = self.0.last() else { return false };
        for point in &self.0 {
            let ([ax, ay], [bx, by]) = (*before, *point);
            if (ay > y) != (by > y) && x < ax + (y - ay) / (by - ay) * (bx - ax) {
                inside = !inside;
            }
            before = point;
        }
        inside
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn polygon(json: &str) -> Polygon {
        Polygon::new(serde_json::from_str(json).unwrap(), "p").unwrap()
    }

    #[test]
    fn the_original_scenarios_and_the_hexagon_it_got_wrong() {
        // Boxes of 30x60 with these centres.
        let (a, b, c) = ([345.0, 40.0], [100.0, 95.0], [500.0, 40.0]);
        for (json, wanted) in [
            ("[[0,0],[200,0],[200,200],[0,200]]", [false, true, false]),
            ("[[300,0],[400,0],[450,50],[400,100],[300,100]]", [true, false, false]),
            ("[[300,0],[400,0],[450,50],[400,100],[300,100],[250,50]]", [true, false, false]),
            ("[300,0,450,50,300,100]", [true, false, false]),
            ("[300,0,400,0,450,50,400,100,300,100,250,50]", [true, false, false]),
        ] {
            let p = polygon(json);
            assert_eq!([a, b, c].map(|point| p.holds(point)), wanted, "{json}");
        }
    }

    #[test]
    fn neighbours_share_no_point_and_leave_none_out() {
        let (left, right) = (polygon("[[0,0],[4,0],[4,4],[0,4]]"), polygon("[[4,0],[8,0],[8,4],[4,4]]"));
        for x in 0..8 {
            for y in 0..4 {
                let point = [f64::from(x), f64::from(y)];
                assert!(left.holds(point) != right.holds(point), "{point:?}");
            }
        }
        // Concave, and crossing itself.
        let u = polygon("[[0,0],[3,0],[3,3],[2,3],[2,1],[1,1],[1,3],[0,3]]");
        assert!(u.holds([0.5, 2.0]) && u.holds([2.5, 2.0]) && !u.holds([1.5, 2.0]));
        let bow = polygon("[[0,0],[4,4],[4,0],[0,4]]");
        assert!(bow.holds([0.5, 2.0]) && bow.holds([3.5, 2.0]) && !bow.holds([2.0, 0.5]));
    }

    #[test]
    fn nonsense_is_refused() {
        for json in ["[[0,0],[1,1]]", "[0,0,1,1,2]", "[0,0,1,1]", "[]"] {
            assert!(Polygon::new(serde_json::from_str(json).unwrap(), "p").is_err(), "{json}");
        }
        assert!(Polygon::new(Points::Flat(vec![0.0, 0.0, f64::NAN, 1.0, 2.0, 2.0]), "p").is_err());
        assert!(serde_json::from_str::<Points>("[[0,0,0],[1,1,1],[2,2,2]]").is_err());
        assert!(serde_json::from_str::<Points>("[[0,0],1,2]").is_err());
    }
}
