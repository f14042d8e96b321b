//! Chunks as they are processed: where they lie, at which scale, and when they are active.

use std::path::Path;

use super::super::files::read_plan;
use super::super::plan::{Chunk, ChunkPlan, Schedule};
use crate::core::slices::tiles;
use crate::core::{Rect, Size};
use crate::error::{Error, Result};

/// A chunk to process.
#[derive(Debug, Clone, PartialEq)]
pub struct Placed {
    /// The chunk as a plan says it: its place or its path, its scale, when it is active.
    pub chunk: Chunk,
    /// Places on its path are multiples of it.
    factor: u32,
}

impl Placed {
    /// A chunk that stays where it is and is always active.
    pub fn still(id: u32, rect: Rect) -> Self {
        Self { chunk: Chunk::new(rect, false, 0.0, id as usize), factor: 1 }
    }

    /// The same at a scale of the frame, above 0 up to 1.
    #[must_use]
    pub fn at_scale(mut self, scale: f64) -> Self {
        self.chunk.scale = scale;
        self
    }

    /// The same, active at some times only.
    #[must_use]
    pub fn active(mut self, when: Schedule) -> Self {
        self.chunk.active = Some(when);
        self
    }

    /// Its number in the plan.
    pub fn id(&self) -> u32 {
        self.chunk.chunk_id
    }

    /// Where it is at `time`, in seconds of the stream.
    pub fn rect_at(&self, time: f64, frame: Size) -> Rect {
        self.chunk.rect_at(time, frame, self.factor)
    }

    /// Size of its tile: that of the rectangle at its scale.
    pub fn tile(&self) -> Size {
        let side = |n: u32| ((f64::from(n) * self.chunk.scale).round() as u32).max(1);
        Size::new(side(self.chunk.width), side(self.chunk.height))
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

impl Placement {
    /// Chunks of frames of a size.
    ///
    /// # Errors
    /// [`Error::Parameter`] for chunks that are empty or reach outside, and scales outside 0..=1.
    pub fn new(frame: Size, chunks: Vec<Placed>, halo: u32) -> Result<Self> {
        let bad = |name, wanted: String, given: String| Err(Error::Parameter { op: "chunk/run", name, wanted, given });
        for Placed { chunk, .. } in &chunks {
            let (r, id) = (chunk.rect(), chunk.chunk_id);
            if r.width == 0 || r.height == 0 || !r.fits(frame) {
                return bad("chunks", format!("chunks inside {frame}"), format!("chunk {id}: {r:?}"));
            }
            if !(chunk.scale > 0.0 && chunk.scale <= 1.0) {
                return bad("scale", "above 0 up to 1".into(), format!("chunk {id}: {}", chunk.scale));
            }
        }
        Ok(Self { frame, chunks, halo })
    }

    /// The chunks of a plan.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn of_plan(plan: &ChunkPlan) -> Result<Self> {
        let placed = |c: &Chunk| Placed { chunk: c.clone(), factor: plan.settings.factor_at(c.scale) };
        Self::new(plan.frame_size(), plan.chunks.iter().map(placed).collect(), plan.settings.halo)
    }

    /// Reads `chunks.json`.
    ///
    /// # Errors
    /// Those of [`read_plan`].
    pub fn read(path: &Path) -> Result<Self> {
        Self::of_plan(&read_plan(path)?)
    }

    /// Tiles of one size over the whole frame, as few as overlap by at least `overlap`, the last ones flush with the edges: what is
    /// processed without a plan.
    ///
    /// # Errors
    /// As [`Self::new`]; `Parameter` for an overlap that is not below the sides of a tile.
    pub fn tiling(frame: Size, tile: Size, overlap: u32) -> Result<Self> {
        let Some(rects) = tiles(frame, tile, overlap) else {
            let wanted = format!("below the sides of {tile}");
            return Err(Error::Parameter { op: "chunk/run", name: "overlap", wanted, given: overlap.to_string() });
        };
        Self::new(frame, (0..).zip(rects).map(|(id, rect)| Placed::still(id, rect)).collect(), 0)
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
            let rects: Vec<Rect> = tiling.chunks.iter().map(|c| c.rect_at(0.0, frame)).collect();
            let covers = |x: u32, y: u32| {
                let inside = |c: &&Rect| (c.x..c.x + c.width).contains(&x) && (c.y..c.y + c.height).contains(&y);
                rects.iter().filter(inside).count()
            };
            assert!((0..h).all(|y| (0..w).all(|x| covers(x, y) >= 1)), "{frame}");
            let mut lefts: Vec<u32> = rects.iter().map(|c| c.x).collect();
            lefts.sort_unstable();
            lefts.dedup();
            assert!(lefts.windows(2).all(|p| p[0] + 64 >= p[1] + 8), "{lefts:?}");
        }
        assert!(Placement::tiling(Size::new(9, 9), Size::new(4, 8), 4).is_err());
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let chunk = |x| Placed::still(3, Rect { x, y: 0, width: 8, height: 8 });
        let of = |c| Placement::new(Size::new(20, 10), vec![c], 0);
        assert!(of(chunk(12).at_scale(0.5)).is_ok());
        assert!(of(chunk(13)).is_err() && of(chunk(0).at_scale(0.0)).is_err() && of(chunk(0).at_scale(1.5)).is_err());
        assert_eq!(of(chunk(12).at_scale(0.5)).unwrap().pixels(), 16);
    }
}
