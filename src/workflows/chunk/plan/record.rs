//! What a plan says: chunks under the keys of the original system, and what they cost.

use serde::{Deserialize, Serialize};

use super::heat::HeatMap;
use super::params::PlanParams;
use super::schedule::Schedule;
use super::track::Place;
use crate::config::Settings;
use crate::core::{Rect, Size, Slices};
use crate::error::{Error, Result};
use crate::workflows::chunk::activity::ActivityGrid;

/// How a chunk lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Orientation {
    /// As asked for.
    Horizontal,
    /// Width and height exchanged.
    Vertical,
}

/// A chunk. Ranges are half open, in pixels of the frame.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Chunk {
    /// Left and right edge.
    pub x_range: [u32; 2],
    /// Top and bottom edge.
    pub y_range: [u32; 2],
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
    /// How it lies.
    pub orientation: Orientation,
    /// Heat that it is the first to cover.
    pub score: f64,
    /// Its number, from 0.
    pub chunk_id: u32,
    /// Whether it was added by the completion pass of the original rule.
    #[serde(default, skip_serializing_if = "is_false")]
    pub coverage_pass: bool,
    /// It is processed at this scale of the frame.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub scale: f64,
    /// When it is processed; always, where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub active: Option<Schedule>,
    /// Where it is when, by time, if it follows its subject; `x_range` and `y_range` are the first place then. See [`ChunkPlan::rect_at`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub path: Vec<Place>,
    /// Row and column, of tiles and grids.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grid_pos: Option<[u32; 2]>,
}

const fn one() -> f64 {
    1.0
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_false(v: &bool) -> bool {
    !v
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_one(v: &f64) -> bool {
    *v == 1.0
}

impl Chunk {
    pub(in crate::workflows::chunk) fn new(rect: Rect, turned: bool, score: f64, id: usize) -> Self {
        Self {
            x_range: [rect.x, rect.x + rect.width],
            y_range: [rect.y, rect.y + rect.height],
            width: rect.width,
            height: rect.height,
            orientation: if turned { Orientation::Vertical } else { Orientation::Horizontal },
            score,
            chunk_id: id as u32,
            coverage_pass: false,
            scale: 1.0,
            active: None,
            path: Vec::new(),
            grid_pos: None,
        }
    }

    /// The same as a rectangle.
    pub const fn rect(&self) -> Rect {
        let ([x, _], [y, _]) = (self.x_range, self.y_range);
        Rect { x, y, width: self.width, height: self.height }
    }

    /// Whether it is processed at `time`, in seconds of the stream.
    pub fn is_active(&self, time: f64) -> bool {
        self.active.as_ref().is_none_or(|s| s.is_active(time))
    }

    /// Pixels that are processed per frame, while it is active.
    pub fn pixels(&self) -> u64 {
        let side = |n: u32| (f64::from(n) * self.scale).round() as u64;
        side(self.width) * side(self.height)
    }
}

/// Figures under the keys of the original system. All are there when there is no chunk, too.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct CoverageStats {
    /// Share of all heat inside chunks; 0 for a map without heat.
    pub coverage: f64,
    /// Number of chunks.
    pub num_chunks: u32,
    /// Sum of their areas; what overlaps counts twice.
    pub total_chunk_area: u64,
    /// Area of the frame.
    pub frame_area: u64,
    /// Heat inside chunks per chunk.
    pub efficiency: f64,
}

/// Figures of `chunks` over `map`.
pub fn coverage_stats(map: &HeatMap, chunks: &[Chunk]) -> CoverageStats {
    let size = map.size();
    let (mut covered, mut total) = (0.0, 0.0);
    let sum = |values: &[f32]| values.iter().map(|v| f64::from(*v)).sum::<f64>();
    for y in 0..size.height {
        let mut ranges: Vec<[u32; 2]> =
            chunks.iter().filter(|c| c.y_range[0] <= y && y < c.y_range[1]).map(|c| c.x_range).collect();
        ranges.sort_unstable();
        // Left to right, inside and outside in turns: everything is added once.
        let mut at = 0;
        for [x0, x1] in ranges {
            total += sum(map.row(y, at, x0.max(at)));
            let inside = sum(map.row(y, x0.max(at), x1.max(at)));
            covered += inside;
            total += inside;
            at = at.max(x1);
        }
        total += sum(map.row(y, at, size.width.max(at)));
    }
    CoverageStats {
        coverage: if total > 0.0 { covered / total } else { 0.0 },
        num_chunks: chunks.len() as u32,
        total_chunk_area: chunks.iter().map(|c| c.rect()).map(|r| Size::new(r.width, r.height).area()).sum(),
        frame_area: size.area(),
        efficiency: if chunks.is_empty() { 0.0 } else { covered / chunks.len() as f64 },
    }
}

impl ChunkPlan {
    /// Name of the format.
    pub const SCHEMA: &str = "chunk.plan";

    /// Puts figures to `chunks`.
    pub(super) fn new(
        map: &HeatMap,
        chunks: Vec<Chunk>,
        (rule, params): (PlanRule, &PlanParams),
        active_coverage: f64,
        grid_pixels: u64,
    ) -> Self {
        let frame = map.size();
        Self {
            schema: Self::SCHEMA.into(),
            schema_version: 1,
            frame: [frame.width, frame.height],
            rule,
            settings: params.clone(),
            stats: coverage_stats(map, &chunks),
            active_coverage,
            timed_coverage: None,
            cost: ChunkCost::new(&chunks, frame, grid_pixels),
            chunks,
        }
    }

    /// Whether a plan that was read can be followed.
    pub(in crate::workflows::chunk) fn check(&self) -> Result<()> {
        if matches!(self.rule, PlanRule::LeastPixels | PlanRule::Original) {
            self.settings.check()?;
        }
        let frame = self.frame_size();
        for c in &self.chunks {
            let ([x0, x1], [y0, y1]) = (c.x_range, c.y_range);
            let sides = x0.checked_add(c.width) == Some(x1) && y0.checked_add(c.height) == Some(y1);
            let path = c.path.iter().zip(c.path.iter().skip(1)).all(|(a, b)| a.time < b.time)
                && c.path.iter().all(|p| p.time.is_finite() && p.x <= frame.width && p.y <= frame.height);
            if !(sides && c.rect().fits(frame) && path && c.scale > 0.0 && c.scale <= 1.0) {
                let wanted = format!("a rectangle within {frame}, a scale up to 1, times that rise");
                let given = format!("chunk {}: x {x0}..{x1}, y {y0}..{y1}", c.chunk_id);
                return Err(Error::Parameter { op: "chunk/plan", name: "chunks", wanted, given });
            }
        }
        Ok(())
    }

    /// Size of the frames.
    pub const fn frame_size(&self) -> Size {
        Size::new(self.frame[0], self.frame[1])
    }

    /// The chunks that are processed at `time`, in seconds of the stream, and where they are then.
    pub fn active_at(&self, time: f64) -> impl Iterator<Item = (&Chunk, Rect)> {
        self.chunks.iter().filter(move |c| c.is_active(time)).map(move |c| (c, self.rect_at(c, time)))
    }
}

impl Slices for ChunkPlan {
    fn frame(&self) -> Size {
        self.frame_size()
    }

    fn rects_at(&self, time: f64) -> Vec<Rect> {
        self.active_at(time).map(|(_, rect)| rect).collect()
    }

    fn most(&self) -> usize {
        self.chunks.len()
    }
}

/// What processing costs.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ChunkCost {
    /// Pixels of all chunks, halos and overlaps included, were all of them active.
    pub pixels: u64,
    /// Most pixels of one frame, by the schedules.
    pub peak_pixels: u64,
    /// Mean pixels a frame, by the schedules. Without schedules the same as `pixels`.
    pub mean_pixels: f64,
    /// Pixels of the frame.
    pub frame_pixels: u64,
    /// Pixels of a grid of chunks of the first size over the whole frame, with the same overlap.
    pub grid_pixels: u64,
    /// `1 - mean_pixels / frame_pixels`; negative when overlaps cost more than is left out.
    pub saving_against_frame: f64,
    /// `1 - mean_pixels / grid_pixels`.
    pub saving_against_grid: f64,
    /// Bytes of the largest chunk as a tensor of three f32 planes, in and out.
    pub tensor_bytes: u64,
}

impl ChunkCost {
    fn new(chunks: &[Chunk], frame: Size, grid_pixels: u64) -> Self {
        let pixels: u64 = chunks.iter().map(Chunk::pixels).sum();
        let cost = Self {
            pixels,
            peak_pixels: pixels,
            mean_pixels: 0.0,
            frame_pixels: frame.area(),
            grid_pixels,
            saving_against_frame: 0.0,
            saving_against_grid: 0.0,
            tensor_bytes: chunks.iter().map(Chunk::pixels).max().unwrap_or(0) * 3 * 4 * 2,
        };
        cost.with_mean(pixels as f64)
    }

    fn with_mean(self, mean_pixels: f64) -> Self {
        let saving = |of: u64| 1.0 - mean_pixels / of.max(1) as f64;
        Self {
            mean_pixels,
            saving_against_frame: saving(self.frame_pixels),
            saving_against_grid: saving(self.grid_pixels),
            ..self
        }
    }

    /// Takes account of when chunks are active: means are over frames, not seconds.
    pub(super) fn count_time(&mut self, chunks: &[Chunk], activity: &ActivityGrid) {
        let (mut sum, mut peak) = (0.0, 0u64);
        let always = Schedule::default();
        for step in activity.steps() {
            let time = activity.time(*step);
            let share = |s: &Schedule| s.seconds_within(time) / (time[1] - time[0]);
            let of = |c: &Chunk| c.pixels() as f64 * c.active.as_ref().map_or(1.0, share);
            sum += f64::from(step.frames) * chunks.iter().map(of).sum::<f64>();
        }
        let starts = chunks.iter().flat_map(|c| c.active.as_ref().unwrap_or(&always).spans()).map(|[from, _]| *from);
        for time in starts.chain([activity.span()[0]]) {
            peak = peak.max(chunks.iter().filter(|c| c.is_active(time)).map(Chunk::pixels).sum());
        }
        self.peak_pixels = peak;
        *self = self.with_mean(sum / activity.frames().max(1) as f64);
    }
}

/// By which rule chunks were chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PlanRule {
    /// The least pixels for a guaranteed coverage.
    LeastPixels,
    /// As the original system did.
    Original,
    /// Tiles over the whole frame, see [`super::plan_segments`].
    Auto,
    /// Strips side by side.
    Strips,
    /// Rows and columns.
    Grid,
}

/// A plan, as in `chunks.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChunkPlan {
    /// `chunk.plan`.
    pub schema: String,
    /// 1.
    pub schema_version: u32,
    /// Width and height of the frame.
    pub frame: [u32; 2],
    /// By which rule chunks were chosen.
    pub rule: PlanRule,
    /// The settings used.
    pub settings: PlanParams,
    /// The chunks: those that cover most first.
    pub chunks: Vec<Chunk>,
    /// Figures over the whole map.
    pub stats: CoverageStats,
    /// Share that is covered of the heat that counts: inside the regions and above the threshold. At least the coverage asked for; 1
    /// where nothing counts.
    pub active_coverage: f64,
    /// Where schedules are known: share of the heat that counts, cell by cell and step by step, that lies in a chunk which is active then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timed_coverage: Option<f64>,
    /// What it costs.
    pub cost: ChunkCost,
}
