//! Chunks that follow their subject.

use serde::{Deserialize, Serialize};

use super::record::{Chunk, ChunkPlan};
use crate::core::{Rect, Size};

/// Where a chunk is at a time.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(from = "(f64, u32, u32)", into = "(f64, u32, u32)")]
pub struct Place {
    /// Seconds of the stream.
    pub time: f64,
    /// Left edge.
    pub x: u32,
    /// Top edge.
    pub y: u32,
}

impl From<(f64, u32, u32)> for Place {
    fn from((time, x, y): (f64, u32, u32)) -> Self {
        Self { time, x, y }
    }
}

impl From<Place> for (f64, u32, u32) {
    fn from(p: Place) -> Self {
        (p.time, p.x, p.y)
    }
}

/// The multiple of `factor` nearest to `at`, or the last place before the edge where that is as near.
fn aligned(at: f64, side: u32, frame: u32, factor: u32) -> u32 {
    let last = frame.saturating_sub(side);
    let at = at.clamp(0.0, f64::from(last));
    let step = f64::from(factor.max(1));
    let nearest = (at / step).round() * step;
    if nearest >= f64::from(last) || f64::from(last) - at <= (at - nearest).abs() { last } else { nearest as u32 }
}

impl Chunk {
    /// Where the chunk is at `time`: on its path the place between the nearest two, else always the same. The place is a multiple of
    /// `factor`, or flush with the right or bottom edge of the frame, and inside.
    pub fn rect_at(&self, time: f64, frame: Size, factor: u32) -> Rect {
        let after = self.path.partition_point(|p| p.time <= time);
        let before = after.checked_sub(1).and_then(|at| self.path.get(at));
        let (x, y) = match (before, self.path.get(after)) {
            (Some(a), Some(b)) => {
                let share = (time - a.time) / (b.time - a.time);
                let mix = |a: u32, b: u32| f64::from(a) + (f64::from(b) - f64::from(a)) * share;
                (mix(a.x, b.x), mix(a.y, b.y))
            }
            (Some(p), None) | (None, Some(p)) => (f64::from(p.x), f64::from(p.y)),
            (None, None) => return self.rect(),
        };
        Rect {
            x: aligned(x, self.width, frame.width, factor),
            y: aligned(y, self.height, frame.height, factor),
            width: self.width,
            height: self.height,
        }
    }
}

impl ChunkPlan {
    /// Where a chunk of this plan is at `time`, in seconds of the stream: aligned and inside the frame.
    pub fn rect_at(&self, chunk: &Chunk, time: f64) -> Rect {
        chunk.rect_at(time, self.frame_size(), self.settings.factor_at(chunk.scale))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chunk_walks_its_path_aligned_and_inside() {
        let still = Chunk::new(Rect { x: 3, y: 5, width: 32, height: 32 }, false, 1.0, 0);
        let frame = Size::new(101, 67);
        assert_eq!(still.rect_at(7.0, frame, 8), still.rect());
        let path = [(1.0, 8, 0), (3.0, 69, 35)].map(Place::from).to_vec();
        let moving = Chunk { path, ..still };
        let at = |t: f64| (moving.rect_at(t, frame, 8).x, moving.rect_at(t, frame, 8).y);
        assert_eq!([0.0, 1.0, 2.0, 2.9, 3.0, 9.0].map(at), [(8, 0), (8, 0), (40, 16), (64, 32), (69, 35), (69, 35)]);
        for k in 0..100 {
            let r = moving.rect_at(f64::from(k) / 25.0, frame, 8);
            assert!(r.fits(frame) && (r.x % 8 == 0 || r.x == 69) && (r.y % 8 == 0 || r.y == 35), "{r:?}");
        }
        let text = serde_json::to_string(&moving).unwrap();
        assert!(text.contains("\"path\":[[1.0,8,0],[3.0,69,35]]"), "{text}");
        assert_eq!(serde_json::from_str::<Chunk>(&text).unwrap(), moving);
    }
}
