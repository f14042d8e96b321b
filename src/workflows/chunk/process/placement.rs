//! Chunks as they are processed: where they lie, at which scale, and when they are active.

use std::path::Path;

use serde::Deserialize;

use super::super::plan::ChunkPlan;
use crate::core::{Rect, Size};
use crate::error::{Error, Result};

/// A chunk to process.
#[derive(Debug, Clone, PartialEq)]
pub struct Placed {
    /// Its number in the plan.
    pub id: u32,
    /// Place in the frame.
    pub rect: Rect,
    /// It is processed at this scale of the frame, above 0 up to 1.
    pub scale: f64,
    /// Spans of time in which it is active, `[start, end]` in seconds of the stream; always, when there are none.
    pub active: Option<Vec<[f64; 2]>>,
}

impl Placed {
    /// Size of its tile: that of the rectangle at its scale.
    pub fn tile(&self) -> Size {
        let side = |n: u32| ((f64::from(n) * self.scale).round() as u32).max(1);
        Size::new(side(self.rect.width), side(self.rect.height))
    }
}

/// All chunks of a video.
#[derive(Debug, Clone, PartialEq)]
pub struct Placement {
    /// Size of the frames.
    pub frame: Size,
    /// The chunks.
    pub chunks: Vec<Placed>,
    /// Pixels along sides inside the frame that are context and not used.
    pub halo: u32,
}

/// What is read of `chunks.json`; the rest is for people.
#[derive(Debug, Deserialize)]
struct File {
    schema: String,
    schema_version: u32,
    frame: [u32; 2],
    #[serde(default)]
    settings: Settings,
    chunks: Vec<Record>,
}

#[derive(Debug, Default, Deserialize)]
struct Settings {
    #[serde(default)]
    halo: u32,
}

#[derive(Debug, Deserialize)]
struct Record {
    x_range: [u32; 2],
    y_range: [u32; 2],
    chunk_id: u32,
    #[serde(default = "one")]
    scale: f64,
    #[serde(default)]
    active: Option<Vec<[f64; 2]>>,
}

const fn one() -> f64 {
    1.0
}

impl Placement {
    /// Chunks of frames of a size.
    ///
    /// # Errors
    /// [`Error::Parameter`] for chunks that are empty or reach outside, scales outside 0..=1 and spans that end before they begin.
    pub fn new(frame: Size, chunks: Vec<Placed>, halo: u32) -> Result<Self> {
        let bad = |name, wanted: String, given: String| Err(Error::Parameter { op: "chunk/run", name, wanted, given });
        for chunk in &chunks {
            let r = chunk.rect;
            if r.width == 0 || r.height == 0 || !r.fits(frame) {
                return bad("chunks", format!("chunks inside {frame}"), format!("chunk {}: {r:?}", chunk.id));
            }
            if !(chunk.scale > 0.0 && chunk.scale <= 1.0) {
                return bad("scale", "above 0 up to 1".into(), format!("chunk {}: {}", chunk.id, chunk.scale));
            }
            let spans = chunk.active.iter().flatten();
            if let Some([a, b]) = spans.into_iter().find(|[a, b]| !(a.is_finite() && b.is_finite() && a <= b)) {
                return bad(
                    "active",
                    "spans that begin before they end".into(),
                    format!("chunk {}: {a}..{b}", chunk.id),
                );
            }
        }
        Ok(Self { frame, chunks, halo })
    }

    /// The chunks of a plan.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn of_plan(plan: &ChunkPlan) -> Result<Self> {
        let value = serde_json::to_value(plan).map_err(|e| Error::Bug(format!("a plan as JSON: {e}")))?;
        let file = serde_json::from_value(value).map_err(|e| Error::Bug(format!("a plan from JSON: {e}")))?;
        Self::of_file(file)
    }

    /// Reads `chunks.json`.
    ///
    /// # Errors
    /// [`Error::InputNotFound`]; [`Error::InputCorrupt`] for other files; as [`Self::new`].
    pub fn read(path: &Path) -> Result<Self> {
        let missing = |e: std::io::Error| Error::InputNotFound { path: path.to_path_buf(), reason: e.to_string() };
        let corrupt = |reason: String| Error::InputCorrupt { path: path.to_path_buf(), reason };
        let bytes = std::fs::read(path).map_err(missing)?;
        let file: File = serde_json::from_slice(&bytes)
            .map_err(|e| corrupt(format!("{e}; wanted: the chunks.json of `frameloom chunk plan`")))?;
        if file.schema != "chunk.plan" || file.schema_version != 1 {
            let given = format!("`{}` version {}", file.schema, file.schema_version);
            return Err(corrupt(format!("wanted: `chunk.plan` version 1, got {given}")));
        }
        Self::of_file(file).map_err(|e| corrupt(e.to_string()))
    }

    fn of_file(file: File) -> Result<Self> {
        let [width, height] = file.frame;
        let placed = |r: Record| {
            let ([x0, x1], [y0, y1]) = (r.x_range, r.y_range);
            let rect = Rect { x: x0, y: y0, width: x1.saturating_sub(x0), height: y1.saturating_sub(y0) };
            Placed { id: r.chunk_id, rect, scale: r.scale, active: r.active }
        };
        Self::new(Size::new(width, height), file.chunks.into_iter().map(placed).collect(), file.settings.halo)
    }

    /// Tiles of one size over the whole frame, as few as overlap by at least `overlap`, the last ones flush with the edges: what is
    /// processed without a plan.
    ///
    /// # Errors
    /// As [`Self::new`]; `Parameter` for an overlap that is not below the sides of a tile.
    pub fn tiling(frame: Size, tile: Size, overlap: u32) -> Result<Self> {
        if overlap >= tile.width.min(tile.height) {
            let wanted = format!("below the sides of {tile}");
            return Err(Error::Parameter { op: "chunk/run", name: "overlap", wanted, given: overlap.to_string() });
        }
        let starts = |length: u32, tile: u32| -> Vec<u32> {
            if length <= tile {
                return vec![0];
            }
            let count = (length - overlap).div_ceil(tile - overlap);
            let room = u64::from(length - tile);
            (0..count).map(|i| (room * u64::from(i) / u64::from(count - 1)) as u32).collect()
        };
        let (width, height) = (tile.width.min(frame.width), tile.height.min(frame.height));
        let columns = starts(frame.width, width);
        let corners = starts(frame.height, height).into_iter().flat_map(|y| columns.iter().map(move |x| (*x, y)));
        let placed = |(id, (x, y))| Placed { id, rect: Rect { x, y, width, height }, scale: 1.0, active: None };
        Self::new(frame, (0..).zip(corners).map(placed).collect(), 0)
    }

    /// Sides of a chunk that lie at an edge of the frame: left, top, right, bottom.
    pub(super) fn flush(&self, rect: Rect) -> [bool; 4] {
        let Size { width, height } = self.frame;
        [rect.x == 0, rect.y == 0, rect.x + rect.width == width, rect.y + rect.height == height]
    }

    /// Pixels of all tiles of a frame in which every chunk is active.
    pub fn pixels(&self) -> u64 {
        self.chunks.iter().map(|c| c.tile().area()).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tilings_cover_everything_and_overlap() {
        for (w, h) in [(100, 50), (101, 75), (64, 64), (30, 20), (65, 64)] {
            let frame = Size::new(w, h);
            let tiling = Placement::tiling(frame, Size::new(64, 48), 8).unwrap();
            let covers = |x: u32, y: u32| {
                let inside = |c: &&Placed| {
                    (c.rect.x..c.rect.x + c.rect.width).contains(&x)
                        && (c.rect.y..c.rect.y + c.rect.height).contains(&y)
                };
                tiling.chunks.iter().filter(inside).count()
            };
            assert!((0..h).all(|y| (0..w).all(|x| covers(x, y) >= 1)), "{frame}");
            let mut lefts: Vec<u32> = tiling.chunks.iter().map(|c| c.rect.x).collect();
            lefts.sort_unstable();
            lefts.dedup();
            assert!(lefts.windows(2).all(|p| p[0] + 64 >= p[1] + 8), "{lefts:?}");
        }
        assert!(Placement::tiling(Size::new(9, 9), Size::new(4, 8), 4).is_err());
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let chunk = |x, scale, active| Placed { id: 3, rect: Rect { x, y: 0, width: 8, height: 8 }, scale, active };
        let of = |c| Placement::new(Size::new(20, 10), vec![c], 0);
        assert!(of(chunk(12, 0.5, Some(vec![[0.0, 1.0]]))).is_ok());
        assert!(
            of(chunk(13, 1.0, None)).is_err() && of(chunk(0, 0.0, None)).is_err() && of(chunk(0, 1.5, None)).is_err()
        );
        assert!(of(chunk(0, 1.0, Some(vec![[2.0, 1.0]]))).is_err());
        assert!(of(chunk(0, 1.0, Some(vec![[f64::NAN, 1.0]]))).is_err());
    }
}
