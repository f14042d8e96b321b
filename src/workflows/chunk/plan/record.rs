//! What a plan says: chunks under the keys of the original system, and what they cost.

use serde::Serialize;

use super::heat::HeatMap;
use super::params::PlanParams;
use crate::core::{Rect, Size};

/// How a chunk lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Orientation {
    /// As asked for.
    Horizontal,
    /// Width and height exchanged.
    Vertical,
}

/// A chunk. Ranges are half open, in pixels of the frame.
#[derive(Debug, Clone, PartialEq, Serialize)]
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
    #[serde(skip_serializing_if = "is_false")]
    pub coverage_pass: bool,
    /// It is processed at this scale of the frame.
    #[serde(skip_serializing_if = "is_one")]
    pub scale: f64,
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
    pub(super) fn new(rect: Rect, turned: bool, score: f64, id: usize) -> Self {
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
        }
    }

    /// The same as a rectangle.
    pub const fn rect(&self) -> Rect {
        let ([x, _], [y, _]) = (self.x_range, self.y_range);
        Rect { x, y, width: self.width, height: self.height }
    }

    /// Pixels that are processed per frame.
    pub fn pixels(&self) -> u64 {
        let side = |n: u32| (f64::from(n) * self.scale).round() as u64;
        side(self.width) * side(self.height)
    }
}

/// Figures under the keys of the original system. All are there when there is no chunk, too.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
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
    /// Puts figures to `chunks`.
    pub(super) fn new(
        map: &HeatMap,
        chunks: Vec<Chunk>,
        (rule, params): (&'static str, &PlanParams),
        active_coverage: f64,
        grid_pixels: u64,
    ) -> Self {
        let frame = map.size();
        let pixels: u64 = chunks.iter().map(Chunk::pixels).sum();
        let saving = |of: u64| 1.0 - pixels as f64 / of.max(1) as f64;
        Self {
            schema: "chunk.plan",
            schema_version: 1,
            frame: [frame.width, frame.height],
            rule,
            settings: params.clone(),
            stats: coverage_stats(map, &chunks),
            active_coverage,
            cost: ChunkCost {
                pixels,
                frame_pixels: frame.area(),
                grid_pixels,
                saving_against_frame: saving(frame.area()),
                saving_against_grid: saving(grid_pixels),
                tensor_bytes: chunks.iter().map(Chunk::pixels).max().unwrap_or(0) * 3 * 4 * 2,
            },
            chunks,
        }
    }
}

/// What processing every chunk of a frame costs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ChunkCost {
    /// Pixels of all chunks, halos and overlaps included.
    pub pixels: u64,
    /// Pixels of the frame.
    pub frame_pixels: u64,
    /// Pixels of a grid of chunks of the first size over the whole frame, with the same overlap.
    pub grid_pixels: u64,
    /// `1 - pixels / frame_pixels`; negative when overlaps cost more than is left out.
    pub saving_against_frame: f64,
    /// `1 - pixels / grid_pixels`.
    pub saving_against_grid: f64,
    /// Bytes of the largest chunk as a tensor of three f32 planes, in and out.
    pub tensor_bytes: u64,
}

/// A plan, as in `chunks.json`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ChunkPlan {
    /// `chunk.plan`.
    pub schema: &'static str,
    /// 1.
    pub schema_version: u32,
    /// Width and height of the frame.
    pub frame: [u32; 2],
    /// `least-pixels`, or `original` for the rule of the original system.
    pub rule: &'static str,
    /// The settings used.
    pub settings: PlanParams,
    /// The chunks: those that cover most first.
    pub chunks: Vec<Chunk>,
    /// Figures over the whole map.
    pub stats: CoverageStats,
    /// Share that is covered of the heat that counts: inside the regions and above the threshold. At least the coverage asked for; 1
    /// where nothing counts.
    pub active_coverage: f64,
    /// What it costs.
    pub cost: ChunkCost,
}
