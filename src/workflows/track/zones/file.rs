//! Files that describe zones, lines and calibration.

use std::marker::PhantomData;
use std::path::Path;

use serde::Deserialize;
use serde::de::{MapAccess, Visitor};

use super::homography::Homography;
use super::line::crossing;
use super::polygon::{Points, Polygon};
use crate::error::{Error, Result};

/// A zone.
#[derive(Debug, Clone, PartialEq)]
pub struct ZoneSpec {
    /// Key in the file.
    pub id: String,
    /// Name for people; the key where the file says none.
    pub name: String,
    /// Its border: in pixels of the video, or on the plan with a calibration.
    pub polygon: Polygon,
    /// From the video to the plan, for a zone that is drawn on the plan.
    pub calibration: Option<Homography>,
}

impl ZoneSpec {
    /// Whether it holds a point of the video. A zone on the plan holds none that lies behind the horizon.
    pub fn holds(&self, point: [f64; 2]) -> bool {
        let place = self.calibration.map_or(Some(point), |c| c.place(point));
        place.is_some_and(|p| self.polygon.holds(p))
    }
}

/// A line with a direction.
#[derive(Debug, Clone, PartialEq)]
pub struct LineSpec {
    /// Key in the file.
    pub id: String,
    /// Name for people; the key where the file says none.
    pub name: String,
    /// First and second point, in pixels of the video or on the plan.
    pub points: [[f64; 2]; 2],
    /// From the video to the plan, for a line that is drawn on the plan.
    pub calibration: Option<Homography>,
}

impl LineSpec {
    /// Whether the way between two points of the video crosses it: 1 from left to right, -1 from right to left, 0 not. A line on the plan is not
    /// crossed from behind the horizon: no way leads over the floor from there.
    pub(super) fn crossed(&self, from: [f64; 2], to: [f64; 2]) -> i32 {
        let [a, b] = self.points;
        let place = |p| self.calibration.map_or(Some(p), |c| c.place(p));
        match (place(from), place(to)) {
            (Some(from), Some(to)) => crossing(a, b, from, to),
            _ => 0,
        }
    }
}

/// Zones and lines of a camera, in the order of the file.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ZonesFile {
    /// The camera's id, if the file says one.
    pub camera: Option<String>,
    /// Zones.
    pub zones: Vec<ZoneSpec>,
    /// Lines.
    pub lines: Vec<LineSpec>,
    /// The plan, where the file is calibrated.
    pub plan: Option<PlanSpec>,
}

/// The plan of a camera's floor.
#[derive(Debug, Clone, PartialEq)]
pub struct PlanSpec {
    /// From the video to the plan: that for all zones and lines, or without one that of the first zone or line.
    pub map: Homography,
    /// What a unit of the plan is called.
    pub unit: String,
    /// Pixels of a picture of the plan for a unit, above 0.
    pub pixels_per_unit: f64,
}

/// A map that keeps its order and has each key once.
struct Ordered<T>(Vec<(String, T)>);

impl<T> Default for Ordered<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Ordered<T> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct Pairs<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Pairs<T> {
            type Value = Ordered<T>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a table of ids")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<Self::Value, A::Error> {
                let mut out: Vec<(String, T)> = Vec::new();
                while let Some((key, value)) = map.next_entry::<String, T>()? {
                    if out.iter().any(|(k, _)| *k == key) {
                        return Err(serde::de::Error::custom(format!("`{key}` is there twice")));
                    }
                    out.push((key, value));
                }
                Ok(Ordered(out))
            }
        }
        deserializer.deserialize_map(Pairs(PhantomData))
    }
}

impl<T> Ordered<T> {
    fn get(&self, key: &str) -> Option<&T> {
        self.0.iter().find(|(k, _)| k == key).map(|(_, v)| v)
    }
}

/// Ids are written as text or as numbers.
#[derive(Deserialize)]
#[serde(untagged)]
enum Id {
    Text(String),
    Number(i64),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFile {
    id: Option<Id>,
    #[serde(rename = "name")]
    _name: Option<String>,
    #[serde(default, alias = "stores")]
    zones: Ordered<RawZone>,
    #[serde(default)]
    lines: Ordered<RawLine>,
    #[serde(default)]
    calibration: RawCalibration,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawZone {
    name: Option<String>,
    polygon: Option<Points>,
    video_polygon: Option<Points>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawLine {
    name: Option<String>,
    points: Option<Points>,
    video_points: Option<Points>,
}

/// A map to the plan: a matrix, or points of the video with the same points of the plan.
#[derive(Deserialize)]
#[serde(untagged)]
enum RawMap {
    Matrix([[f64; 3]; 3]),
    Pairs(RawPairs),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPairs {
    video: Points,
    plan: Points,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCalibration {
    /// For all zones and lines without one of their own.
    matrix: Option<RawMap>,
    #[serde(default, alias = "store_matrices")]
    matrices: Ordered<RawMap>,
    unit: Option<String>,
    pixels_per_unit: Option<f64>,
}

impl RawMap {
    fn build(&self, field: &str) -> Result<Homography> {
        match self {
            Self::Matrix(rows) => Homography::new(*rows, field),
            Self::Pairs(pairs) => {
                let video = pairs.video.clone().into_pairs(field)?;
                Homography::from_points(&video, &pairs.plan.clone().into_pairs(field)?, field)
            }
        }
    }
}

impl RawCalibration {
    fn of(&self, id: &str) -> Result<Option<Homography>> {
        match self.matrices.get(id).or(self.matrix.as_ref()) {
            Some(map) => map.build(&format!("calibration of `{id}`")).map(Some),
            None => Ok(None),
        }
    }

    /// The plan; one zone's or line's own map stands in for a common one.
    fn plan(&self, own: impl Iterator<Item = Homography>) -> Result<Option<PlanSpec>> {
        let common = self.matrix.as_ref().map(|m| m.build("calibration")).transpose()?;
        let pixels_per_unit = self.pixels_per_unit.unwrap_or(1.0);
        if !(pixels_per_unit > 0.0 && pixels_per_unit.is_finite()) {
            let message = format!("must be above 0, got {pixels_per_unit}");
            return Err(Error::Config { field: "calibration.pixels_per_unit".into(), message });
        }
        let unit =
            self.unit.clone().unwrap_or_else(|| if pixels_per_unit == 1.0 { "px".into() } else { "units".into() });
        Ok(common.or(own.into_iter().next()).map(|map| PlanSpec { map, unit, pixels_per_unit }))
    }
}

impl ZonesFile {
    /// Reads the JSON text of `path`: `{id, name, zones, lines, calibration}`, all optional. A zone is `{name, polygon, video_polygon}`, a line
    /// `{name, points, video_points}`; points are pairs or flat. `calibration` is `{matrix, matrices: {id: ...}}`, each a 3x3 matrix from
    /// the video to the plan or `{video: points, plan: points}`. With a calibration `polygon` and `points` are on the plan, without one in
    /// the video; what begins with `video_` is always in the video and comes first. `stores` and `store_matrices`, the names of the
    /// original system, may stand for `zones` and `matrices`. Points above the horizon of a calibration are not on the plan; with pairs of points
    /// the floor is where those lie. `calibration` may also say what a `unit` of the plan is called and how many
    /// `pixels_per_unit` a picture of it has.
    ///
    /// # Errors
    /// [`Error::Config`], which names the place.
    pub fn parse(text: &str, path: &Path) -> Result<Self> {
        let raw: RawFile = serde_json::from_str(text).map_err(|e| Error::Config {
            field: "zones".into(),
            message: format!("must be the JSON of zones and lines (docs/formats.md): {e}: {}", path.display()),
        })?;
        let missing = |field: String, what: &str| Error::Config { field, message: format!("has no `{what}`") };
        let camera = raw.id.map(|id| match id {
            Id::Text(text) => text,
            Id::Number(n) => n.to_string(),
        });
        let mut out = Self { camera, ..Self::default() };
        for (id, zone) in raw.zones.0 {
            let field = format!("zones.{id}");
            let (points, calibration) = match (zone.video_polygon, zone.polygon) {
                (Some(points), _) => (points, None),
                (None, Some(points)) => (points, raw.calibration.of(&id)?),
                (None, None) => return Err(missing(field, "polygon")),
            };
            let polygon = Polygon::new(points, &format!("{field}.polygon"))?;
            out.zones.push(ZoneSpec { name: zone.name.unwrap_or_else(|| id.clone()), id, polygon, calibration });
        }
        for (id, line) in raw.lines.0 {
            let field = format!("lines.{id}");
            let (points, calibration) = match (line.video_points, line.points) {
                (Some(points), _) => (points, None),
                (None, Some(points)) => (points, raw.calibration.of(&id)?),
                (None, None) => return Err(missing(field, "points")),
            };
            let points = points.into_pairs(&field)?;
            let points: [[f64; 2]; 2] = points.try_into().map_err(|got: Vec<_>| Error::Config {
                field: format!("{field}.points"),
                message: format!("a line has 2 points, got {}", got.len()),
            })?;
            let [a, b] = points;
            if a == b {
                let message = "the points of a line must differ".into();
                return Err(Error::Config { field: format!("{field}.points"), message });
            }
            out.lines.push(LineSpec { name: line.name.unwrap_or_else(|| id.clone()), id, points, calibration });
        }
        for id in raw.calibration.matrices.0.iter().map(|(id, _)| id) {
            if !out.zones.iter().any(|z| z.id == *id) && !out.lines.iter().any(|l| l.id == *id) {
                let message = "there is no zone and no line of that id".into();
                return Err(Error::Config { field: format!("calibration.matrices.{id}"), message });
            }
        }
        let own = out.zones.iter().map(|z| z.calibration).chain(out.lines.iter().map(|l| l.calibration));
        out.plan = raw.calibration.plan(own.flatten())?;
        Ok(out)
    }
}
