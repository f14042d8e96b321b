//! Plans without a heat map: the segmentations of the original system as chunks.

use serde::{Deserialize, Serialize};

use super::heat::HeatMap;
use super::params::PlanParams;
use super::record::{Chunk, ChunkPlan, PlanRule};
use super::segments::{auto_segments, grid_segments, strip_segments};
use crate::core::{Rect, Size};
use crate::error::{Error, Result};

/// How a frame is cut, whatever it shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Segmentation {
    /// Tiles of about this width and height, overlapping by a quarter: [`auto_segments`].
    Auto([u32; 2]),
    /// So many strips side by side: [`strip_segments`].
    Strips(u32),
    /// About so many cells in rows and columns: [`grid_segments`].
    Grid(u32),
}

/// A plan of chunks that cover the frame by a fixed rule, all of them always active. With `parity` as the original, which leaves parts out.
///
/// # Errors
/// [`Error::Parameter`] for an empty or too large frame, a factor outside 1..=256, and a count outside 1..=1024; also where, with `parity`,
/// nothing is left.
pub fn plan_segments(frame: Size, how: Segmentation, factor: u32, parity: bool) -> Result<ChunkPlan> {
    let (segments, rule) = match how {
        Segmentation::Auto([w, h]) => (auto_segments(frame, Size::new(w, h), factor, parity)?, PlanRule::Auto),
        Segmentation::Strips(count) => (strip_segments(frame, count, factor, parity)?, PlanRule::Strips),
        Segmentation::Grid(count) => (grid_segments(frame, count, factor, parity)?, PlanRule::Grid),
    };
    let Some(first) = segments.first() else {
        let (wanted, given) = ("a size that fits into the frame".into(), format!("{how:?} in {frame}"));
        return Err(Error::Parameter { op: "chunk/segments", name: "size", wanted, given });
    };
    let even = HeatMap::new(frame, vec![1.0; frame.area() as usize])?;
    let chunk = |(i, s): (usize, &super::segments::Segment)| {
        let ([x, _], [y, _]) = (s.x_range, s.y_range);
        let rect = Rect { x, y, width: s.width, height: s.height };
        Chunk { grid_pos: s.grid_pos, ..Chunk::new(rect, false, Size::new(s.width, s.height).area() as f64, i) }
    };
    let chunks: Vec<Chunk> = segments.iter().enumerate().map(chunk).collect();
    let sizes = vec![[first.width, first.height]];
    let params = PlanParams { sizes, factor, rotate: false, coverage: 1.0, threshold: 0.0, ..PlanParams::default() };
    let pixels: u64 = chunks.iter().map(Chunk::pixels).sum();
    let mut plan = ChunkPlan::new(&even, chunks, (rule, &params), 1.0, pixels);
    plan.active_coverage = plan.stats.coverage;
    Ok(plan)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segmentations_are_plans() {
        let frame = Size::new(1920, 1080);
        for (how, parity, count, rule) in [
            (Segmentation::Auto([512, 512]), false, 15, PlanRule::Auto),
            (Segmentation::Strips(3), false, 3, PlanRule::Strips),
            (Segmentation::Grid(4), true, 6, PlanRule::Grid),
        ] {
            let plan = plan_segments(frame, how, 8, parity).unwrap();
            assert_eq!((plan.chunks.len(), plan.rule), (count, rule));
            assert!(plan.active_coverage > 0.99 && plan.chunks.iter().all(|c| c.rect().fits(frame)));
            assert_eq!(plan.chunks[1].grid_pos.is_some(), rule != PlanRule::Strips);
            assert!(parity || plan.active_coverage == 1.0);
            plan.check().unwrap();
        }
        let none = plan_segments(Size::new(256, 256), Segmentation::Auto([512, 512]), 8, true);
        assert!(matches!(none, Err(Error::Parameter { name: "size", .. })), "{none:?}");
    }
}
