//! Bringing a face where recognition networks want it: eyes, nose and mouth at the places of the ArcFace template (Deng et al. 2019).
//!
//! [`FaceAlignment::warp`] is the map for `resize/warp_affine`, which turns, scales and moves the face: what those networks were trained
//! with. [`FaceAlignment::crop`] is the upright box for what only cuts.

use super::landmarks::{Landmarks, Part, Scheme};
use crate::core::{Affine, BoxF, Point, Similarity, Size};
use crate::error::{Error, Result};

/// Side of the template in pixels.
pub const TEMPLATE_SIDE: f32 = 112.0;

/// Eye on the left of the picture, eye on the right, tip of the nose, left and right corner of the mouth in a face of 112x112.
pub const ARCFACE_112: [Point; 5] = [
    Point { x: 38.2946, y: 51.6963 },
    Point { x: 73.5318, y: 51.5014 },
    Point { x: 56.0252, y: 71.7366 },
    Point { x: 41.5493, y: 92.3655 },
    Point { x: 70.7299, y: 92.2041 },
];

/// How a face lies relative to the template.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FaceAlignment {
    /// From the picture to the template of 112x112.
    pub to_template: Similarity,
    /// The upright square of the picture with the size and the middle of the template; the face stays turned.
    pub crop: BoxF,
    /// How far the face is turned in the picture, in radians; positive when its right side is lower.
    pub roll: f32,
}

impl FaceAlignment {
    /// From key points of a face detector: five (eyes, nose, corners of the mouth) or six (eyes, nose, mouth, ears).
    ///
    /// # Errors
    /// [`crate::Error::Model`] with cause `points` for another number of points or points in one place.
    pub fn from_points(points: &[Point]) -> Result<Self> {
        match points {
            [_, _, _, _, _] => Self::fit(points, &ARCFACE_112),
            [left, right, nose, mouth, _, _] => {
                let [eye_l, eye_r, tip, mouth_l, mouth_r] = ARCFACE_112;
                let middle = Point { x: (mouth_l.x + mouth_r.x) / 2.0, y: (mouth_l.y + mouth_r.y) / 2.0 };
                Self::fit(&[*left, *right, *nose, *mouth], &[eye_l, eye_r, tip, middle])
            }
            other => Err(Error::model(
                "points",
                format!(
                    "a face is aligned by 5 or 6 key points, {} were given; use a detector with key points",
                    other.len()
                ),
            )),
        }
    }

    /// From landmarks: middles of the eyes, tip of the nose, corners of the mouth.
    ///
    /// # Errors
    /// [`crate::Error::Model`] with cause `points` for missing points or points in one place.
    pub fn from_landmarks(landmarks: &Landmarks) -> Result<Self> {
        let scheme: Scheme = landmarks.scheme;
        let at = |i: usize| landmarks.points.get(i).copied();
        let [left, right, ..] = scheme.mouth();
        let (Some(nose), Some(left), Some(right)) = (at(scheme.nose_tip()), at(left), at(right)) else {
            let (wanted, given) = (scheme.count(), landmarks.points.len());
            return Err(Error::model("points", format!("{wanted} points were wanted, {given} given")));
        };
        let eyes = [Part::LeftEye, Part::RightEye].map(|e| landmarks.center(e));
        let [eye_l, eye_r] = eyes;
        Self::fit(&[eye_l, eye_r, nose, left, right], &ARCFACE_112)
    }

    /// From a tensor of `size` to the picture: the template, enlarged to the shorter side, in its middle.
    pub fn warp(&self, size: Size) -> Affine {
        let k = TEMPLATE_SIDE / size.width.min(size.height).max(1) as f32;
        let (w, h) = (size.width as f32 * k, size.height as f32 * k);
        let back = self.to_template.inverse();
        // What lies in the middle of the tensor is the middle of the template.
        let Point { x: dx, y: dy } = back.apply(Point { x: (TEMPLATE_SIDE - w) / 2.0, y: (TEMPLATE_SIDE - h) / 2.0 });
        Similarity { a: back.a * k, b: back.b * k, dx, dy }.into()
    }

    fn fit(from: &[Point], to: &[Point]) -> Result<Self> {
        let to_template = Similarity::fit(from, to).ok_or_else(|| {
            Error::model("points", "key points of a face must be finite and in several places".to_owned())
        })?;
        let middle = to_template.inverse().apply(Point { x: TEMPLATE_SIDE / 2.0, y: TEMPLATE_SIDE / 2.0 });
        let side = TEMPLATE_SIDE / to_template.scale();
        let crop = BoxF::from_center(middle.x, middle.y, side, side);
        Ok(Self { to_template, crop, roll: -to_template.angle() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(a: Point, b: Point) -> bool {
        (a.x - b.x).abs() < 1e-2 && (a.y - b.y).abs() < 1e-2
    }

    /// Points made by a known transform give that transform back.
    #[test]
    fn a_known_transform_is_found() {
        let truth = Similarity { a: 1.2, b: 0.5, dx: 30.0, dy: -12.0 };
        let picture = ARCFACE_112.map(|p| truth.apply(p));
        let found = FaceAlignment::from_points(&picture).unwrap();
        for (p, q) in picture.iter().zip(ARCFACE_112) {
            assert!(near(found.to_template.apply(*p), q));
        }
        assert!((found.roll - 0.5f32.atan2(1.2)).abs() < 1e-5, "turned clockwise: {}", found.roll);
        assert!((found.crop.width - 112.0 * 1.3).abs() < 1e-3);
        assert!(near(found.crop.center(), truth.apply(Point { x: 56.0, y: 56.0 })));
        let there_and_back = found.to_template.inverse().apply(found.to_template.apply(Point { x: 7.0, y: 9.0 }));
        assert!(near(there_and_back, Point { x: 7.0, y: 9.0 }));
    }

    #[test]
    fn a_warp_leads_from_the_tensor_to_the_picture() {
        let truth = Similarity { a: 1.2, b: 0.5, dx: 30.0, dy: -12.0 };
        let found = FaceAlignment::from_points(&ARCFACE_112.map(|p| truth.apply(p))).unwrap();
        let [eye, ..] = ARCFACE_112;
        assert!(near(found.warp(Size::new(112, 112)).apply(eye), truth.apply(eye)));
        // Twice as large, and 10 pixels of the tensor more on each side.
        let wide = found.warp(Size::new(244, 224));
        assert!(near(wide.apply(Point { x: 2.0 * eye.x + 10.0, y: 2.0 * eye.y }), truth.apply(eye)));
    }

    #[test]
    fn six_points_use_the_middle_of_the_mouth() {
        let [l, r, n, ml, mr] = ARCFACE_112;
        let mouth = Point { x: (ml.x + mr.x) / 2.0, y: (ml.y + mr.y) / 2.0 };
        let ear = Point { x: 1000.0, y: -1000.0 };
        let found = FaceAlignment::from_points(&[l, r, n, mouth, ear, ear]).unwrap();
        assert!((found.to_template.scale() - 1.0).abs() < 1e-5 && found.roll.abs() < 1e-5);
    }

    #[test]
    fn points_without_extent_are_refused() {
        for points in [vec![Point::default(); 5], vec![Point { x: f32::NAN, y: 0.0 }; 5], vec![Point::default(); 4]] {
            let error = FaceAlignment::from_points(&points).unwrap_err();
            assert!(matches!(error, crate::Error::Model { cause: "points", .. }), "{error}");
        }
    }
}
