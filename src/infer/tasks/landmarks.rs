//! Points of one face, from a crop around it: 68 (iBUG), 468 or 478 (MediaPipe face mesh, without and with irises).
//!
//! Numbers of the manifest: `margin` (added on each side of the face's box, in shares of its longer side; 0.25 for meshes, 0.1 for 68
//! points), `extent` (coordinate of the far edge of the tensor: absent for meshes, which give pixels of the tensor, 1 for 68 points),
//! `sigmoid` (whether the score is a logit, 1 for meshes). Roles of outputs: `points`, `score`.
//!
//! Crops are upright. Meshes are trained on crops turned so that the eyes are level; up to about 20 degrees they do without.

use super::fit::{Dense, Settings, check_task, fixed};
use super::sieve::sigmoid;
use crate::core::{BoxF, Point, TensorPlace};
use crate::error::{Error, Result};
use crate::infer::{IoInfo, ModelEntry, Outputs, Task};

/// Which points a model gives, in which order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// The 68 points of iBUG 300-W (Sagonas et al. 2013).
    Ibug68,
    /// The 468 vertices of the MediaPipe face mesh (Kartynnik et al. 2019).
    Mesh468,
    /// The same, then five points of each iris.
    Mesh478,
}

/// A closed contour or a group of a scheme. Left and right are those of the picture, not of the person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Part {
    /// Outer edge of the lips: from the left corner along the lower lip to the right corner and back along the upper lip.
    OuterLips,
    /// Inner edge of the lips, in the same direction.
    InnerLips,
    /// Lids of the eye on the left of the picture.
    LeftEye,
    /// Lids of the eye on the right of the picture.
    RightEye,
}

const MESH_OUTER_LIPS: &[usize] =
    &[61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0, 37, 39, 40, 185];
const MESH_INNER_LIPS: &[usize] =
    &[78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308, 415, 310, 311, 312, 13, 82, 81, 80, 191];
const MESH_LEFT_EYE: &[usize] = &[33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246];
const MESH_RIGHT_EYE: &[usize] = &[362, 382, 381, 380, 374, 373, 390, 249, 263, 466, 388, 387, 386, 385, 384, 398];
const IBUG_OUTER_LIPS: &[usize] = &[48, 59, 58, 57, 56, 55, 54, 53, 52, 51, 50, 49];
const IBUG_INNER_LIPS: &[usize] = &[60, 67, 66, 65, 64, 63, 62, 61];
const IBUG_LEFT_EYE: &[usize] = &[36, 41, 40, 39, 38, 37];
const IBUG_RIGHT_EYE: &[usize] = &[42, 47, 46, 45, 44, 43];

impl Scheme {
    /// Number of points.
    pub const fn count(self) -> usize {
        match self {
            Self::Ibug68 => 68,
            Self::Mesh468 => 468,
            Self::Mesh478 => 478,
        }
    }

    /// The scheme with this many points.
    pub const fn of_count(count: usize) -> Option<Self> {
        match count {
            68 => Some(Self::Ibug68),
            468 => Some(Self::Mesh468),
            478 => Some(Self::Mesh478),
            _ => None,
        }
    }

    /// Indices of a part, in order along its contour.
    pub const fn part(self, part: Part) -> &'static [usize] {
        match (self, part) {
            (Self::Ibug68, Part::OuterLips) => IBUG_OUTER_LIPS,
            (Self::Ibug68, Part::InnerLips) => IBUG_INNER_LIPS,
            (Self::Ibug68, Part::LeftEye) => IBUG_LEFT_EYE,
            (Self::Ibug68, Part::RightEye) => IBUG_RIGHT_EYE,
            (_, Part::OuterLips) => MESH_OUTER_LIPS,
            (_, Part::InnerLips) => MESH_INNER_LIPS,
            (_, Part::LeftEye) => MESH_LEFT_EYE,
            (_, Part::RightEye) => MESH_RIGHT_EYE,
        }
    }

    /// Tip of the nose.
    pub const fn nose_tip(self) -> usize {
        match self {
            Self::Ibug68 => 30,
            Self::Mesh468 | Self::Mesh478 => 1,
        }
    }

    /// Left and right corner of the mouth, then the middle of the inner edge of upper and lower lip.
    pub const fn mouth(self) -> [usize; 4] {
        match self {
            Self::Ibug68 => [48, 54, 62, 66],
            Self::Mesh468 | Self::Mesh478 => [61, 291, 13, 14],
        }
    }

    /// Numbers of a point: meshes have a depth.
    const fn axes(self) -> usize {
        match self {
            Self::Ibug68 => 2,
            Self::Mesh468 | Self::Mesh478 => 3,
        }
    }
}

/// Points of a face in pixels of the picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Landmarks {
    /// Which points they are.
    pub scheme: Scheme,
    /// As many as the scheme has.
    pub points: Vec<Point>,
    /// Depth of each point in pixels of the picture, nearer is less; empty for schemes without.
    pub depth: Vec<f32>,
    /// How likely there is a face in the crop, 0..=1; `None` when the model does not say.
    pub score: Option<f32>,
}

impl Landmarks {
    /// Points of a part, in order along its contour.
    pub fn part(&self, part: Part) -> Vec<Point> {
        self.scheme.part(part).iter().filter_map(|i| self.points.get(*i).copied()).collect()
    }

    /// Middle of an eye: mean of its lids.
    pub fn center(&self, part: Part) -> Point {
        let points = self.part(part);
        let count = points.len().max(1) as f32;
        let sum = |of: fn(&Point) -> f32| points.iter().map(of).sum::<f32>() / count;
        Point { x: sum(|p| p.x), y: sum(|p| p.y) }
    }

    /// How far the mouth is open: distance of the inner edges of the lips over the width of the mouth; 0 when it is closed, about 0.6 in
    /// a wide "ah". `None` for a mouth without width.
    pub fn mouth_opening(&self) -> Option<f32> {
        let [left, right, upper, lower] = self.scheme.mouth().map(|i| self.points.get(i).copied());
        let distance = |a: Point, b: Point| (a.x - b.x).hypot(a.y - b.y);
        let width = distance(left?, right?);
        (width > 0.0).then_some(distance(upper?, lower?) / width)
    }

    /// The smallest upright box around a part.
    pub fn bounds(&self, part: Part) -> BoxF {
        let points = self.part(part);
        let fold = |of: fn(&Point) -> f32, pick: fn(f32, f32) -> f32, start| points.iter().map(of).fold(start, pick);
        BoxF::from_corners(
            fold(|p| p.x, f32::min, f32::INFINITY),
            fold(|p| p.y, f32::min, f32::INFINITY),
            fold(|p| p.x, f32::max, f32::NEG_INFINITY),
            fold(|p| p.y, f32::max, f32::NEG_INFINITY),
        )
    }
}

/// Square around a face with `margin` of its longer side added on each side: what landmark models take.
pub fn face_crop(face: &BoxF, margin: f32) -> BoxF {
    face.squared().scaled(1.0 + 2.0 * margin)
}

/// Reads points out of what a landmark model gives.
#[derive(Debug, Clone, PartialEq)]
pub struct LandmarkModel {
    points: String,
    score: Option<String>,
    scheme: Scheme,
    axes: usize,
    /// Coordinate of the far edge of the tensor; `None` for pixels of the tensor.
    extent: Option<f32>,
    margin: f32,
    sigmoid: bool,
}

const DECODERS: [(&str, Scheme); 3] =
    [("ibug68", Scheme::Ibug68), ("mesh468", Scheme::Mesh468), ("mesh478", Scheme::Mesh478)];

impl LandmarkModel {
    /// Finds the output with the points by its number of elements, and a score beside it. The decoder (`ibug68`, `mesh468`, `mesh478`) may
    /// be left out, or be `landmarks`: the number of points says which.
    ///
    /// # Errors
    /// [`crate::Error::Model`] with cause `task`, `decoder`, `output`, `shape`, `input` or `number`.
    pub fn new(entry: &ModelEntry, inputs: &[IoInfo], outputs: &[IoInfo]) -> Result<Self> {
        check_task(entry, Task::Landmarks)?;
        super::fit::picture_size(entry, inputs)?;
        let settings =
            Settings::read(entry, Task::Landmarks, &[&["margin", "extent", "sigmoid"]], &["points", "score"])?;
        let wanted = match entry.decoder.as_deref() {
            None | Some("landmarks") => None,
            Some(given) => Some(DECODERS.into_iter().find(|d| d.0 == given).map(|d| d.1).ok_or_else(|| {
                let known = DECODERS.map(|d| d.0).join(", ");
                Error::model("decoder", format!("`{}`: no decoder `{given}`; there are landmarks, {known}", entry.name))
            })?),
        };
        let fits = |o: &IoInfo| elements(o).and_then(scheme_of).is_some_and(|(s, _)| wanted.is_none_or(|w| w == s));
        let points = settings.output(outputs, "points", "68, 468 or 478 points", fits)?;
        let found = outputs.iter().find(|o| o.name == points);
        let (scheme, axes) = found
            .and_then(elements)
            .and_then(scheme_of)
            .ok_or_else(|| Error::model("output", format!("`{}`: `{points}` has no points", entry.name)))?;
        let rank = found.map_or(0, |o| o.shape.len());
        let score = match settings.role("score") {
            Some(_) => Some(settings.output(outputs, "score", "one number", |o| elements(o) == Some(1))?),
            None => only_score(&settings, outputs, rank)?,
        };
        let mesh = scheme != Scheme::Ibug68;
        let extent = settings.number("extent", if mesh { 0.0 } else { 1.0 }, 1e-3..=65_536.0)?;
        Ok(Self {
            points,
            score,
            scheme,
            axes,
            extent: (extent > 0.0).then_some(extent),
            margin: settings.number("margin", if mesh { 0.25 } else { 0.1 }, 0.0..=4.0)?,
            sigmoid: settings.flag("sigmoid", mesh)?,
        })
    }

    /// Which points the model gives.
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// What to cut out of the picture for a face.
    pub fn crop(&self, face: &BoxF) -> BoxF {
        face_crop(face, self.margin)
    }

    /// Points of the face of each crop, in pixels of the picture; `None` where the model gave numbers that are none or infinite.
    ///
    /// # Errors
    /// [`crate::Error::Model`] with cause `output` or `shape`.
    pub fn decode(&self, outputs: &Outputs, places: &[TensorPlace]) -> Result<Vec<Option<Landmarks>>> {
        if places.is_empty() {
            return Ok(Vec::new());
        }
        let tensor = outputs.get(&self.points)?;
        let points = Dense::vectors(&self.points, tensor, places.len())?;
        let wanted = self.scheme.count() * self.axes;
        if points.width != wanted {
            let given = &tensor.shape;
            return Err(Error::model(
                "shape",
                format!("`{}` must have {wanted} numbers a face, not {given:?}", self.points),
            ));
        }
        let scores = match &self.score {
            None => None,
            Some(name) => {
                let tensor = outputs.get(name)?;
                let dense = Dense::vectors(name, tensor, places.len())?;
                if dense.width != 1 {
                    let given = &tensor.shape;
                    return Err(Error::model("shape", format!("`{name}` must have one number a face, not {given:?}")));
                }
                Some(dense)
            }
        };
        let one = |(index, place): (usize, &TensorPlace)| {
            let score = match &scores {
                None => None,
                Some(s) => Some(s.element(index).first().copied().filter(|v| !v.is_nan())?),
            };
            let score = score.map(|v| if self.sigmoid { sigmoid(v) } else { v.clamp(0.0, 1.0) });
            self.face(points.element(index), place, score)
        };
        Ok(places.iter().enumerate().map(one).collect())
    }

    fn face(&self, row: &[f32], place: &TensorPlace, score: Option<f32>) -> Option<Landmarks> {
        if row.iter().any(|v| !v.is_finite()) {
            return None;
        }
        let (width, height) = (place.tensor.width as f32, place.tensor.height as f32);
        let (kx, ky) = self.extent.map_or((1.0, 1.0), |e| (width / e, height / e));
        let (mut points, mut depth) = (Vec::with_capacity(self.scheme.count()), Vec::new());
        for p in row.chunks_exact(self.axes) {
            let [x, y, rest @ ..] = p else { continue };
            points.push(place.point(Point { x: x * kx, y: y * ky }));
            // Depth has the unit of x.
            depth.extend(rest.first().map(|z| z * kx * place.scale().0));
        }
        Some(Landmarks { scheme: self.scheme, points, depth, score })
    }
}

/// Numbers of one element of the batch, when they are fixed.
fn elements(info: &IoInfo) -> Option<usize> {
    match info.shape.as_slice() {
        [] => None,
        [one] => fixed(Some(one)),
        [_, rest @ ..] => rest.iter().try_fold(1usize, |n, e| n.checked_mul(fixed(Some(e))?)),
    }
}

/// The scheme and the axes of a point, by the numbers of a face.
fn scheme_of(numbers: usize) -> Option<(Scheme, usize)> {
    DECODERS.iter().find_map(|(_, s)| {
        // Some exports leave the depth of a mesh out.
        [s.axes(), 2].into_iter().find(|axes| s.count() * axes == numbers).map(|axes| (*s, axes))
    })
}

/// The output that says whether there is a face, when the manifest names none: a single number with as many axes as the points, else
/// the only single number.
fn only_score(settings: &Settings<'_>, outputs: &[IoInfo], rank: usize) -> Result<Option<String>> {
    let single: Vec<&IoInfo> = outputs.iter().filter(|o| elements(o) == Some(1)).collect();
    let alike: Vec<&&IoInfo> = single.iter().filter(|o| o.shape.len() == rank).collect();
    match (single.as_slice(), alike.as_slice()) {
        ([], _) => Ok(None),
        ([only], _) => Ok(Some(only.name.clone())),
        (_, [only]) => Ok(Some(only.name.clone())),
        _ => settings.output(outputs, "score", "one number", |o| elements(o) == Some(1)).map(Some),
    }
}
