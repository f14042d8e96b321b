//! Sliced inference: where a frame is cut, and how boxes of overlapping parts become boxes of the frame.

use super::{BoxF, Detection, Rect, Size};

/// Parts of frames that are looked at on their own.
pub trait Slices: std::fmt::Debug + Send + Sync {
    /// Size of the frames.
    fn frame(&self) -> Size;

    /// The parts at `time`, in seconds of the stream; they may overlap and need not cover the frame.
    fn rects_at(&self, time: f64) -> Vec<Rect>;

    /// Most parts at a time.
    fn most(&self) -> usize;
}

/// Tiles of one size over the whole frame, as few as overlap by at least `overlap`, the last ones flush with the edges; row by row. `None` for an
/// overlap that is not below the sides of a tile.
pub fn tiles(frame: Size, tile: Size, overlap: u32) -> Option<Vec<Rect>> {
    if overlap >= tile.width.min(tile.height) {
        return None;
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
    let rows = starts(frame.height, height);
    Some(rows.into_iter().flat_map(|y| columns.iter().map(move |x| Rect { x: *x, y, width, height })).collect())
}

/// When two boxes are one object.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MergeRule {
    /// Largest intersection over union of two kept boxes of a class, 0..=1.
    pub iou: f32,
    /// A box that its chunk cuts off goes when at least this share of it lies in another box of its class, 0..=1.
    pub inside: f32,
    /// Boxes of different classes may be one object too.
    pub agnostic: bool,
}

impl Default for MergeRule {
    fn default() -> Self {
        Self { iou: 0.5, inside: 0.5, agnostic: false }
    }
}

/// Pixels from a side of a chunk within which a box counts as cut off by it.
const EDGE: f32 = 2.0;

/// Whether a side of `chunk` inside the frame cuts off `rect`.
fn cut_off(rect: &BoxF, chunk: Rect, frame: Size) -> bool {
    let (left, top) = (chunk.x as f32, chunk.y as f32);
    let (right, bottom) = ((chunk.x + chunk.width) as f32, (chunk.y + chunk.height) as f32);
    (chunk.x > 0 && rect.x < left + EDGE)
        || (chunk.y > 0 && rect.y < top + EDGE)
        || (chunk.x + chunk.width < frame.width && rect.right() > right - EDGE)
        || (chunk.y + chunk.height < frame.height && rect.bottom() > bottom - EDGE)
}

/// Share of `a` that lies in `b`.
fn share_inside(a: &BoxF, b: &BoxF) -> f32 {
    let width = (a.right().min(b.right()) - a.x.max(b.x)).max(0.0);
    let height = (a.bottom().min(b.bottom()) - a.y.max(b.y)).max(0.0);
    if a.area() > 0.0 { width * height / a.area() } else { 0.0 }
}

/// Detections of the chunks of one frame, each in pixels of the frame with the rectangle of its chunk, merged: boxes are cut at their
/// chunk, then kept one after the other, whole ones before those that a chunk cuts off, higher scores first, equal ones in order. Best
/// score first.
///
/// This is sliced inference with non-maximum suppression; plain suppression would keep halves of objects beside the whole.
pub fn merge_detections(found: &[(Detection, Rect)], frame: Size, rule: &MergeRule) -> Vec<Detection> {
    let mut candidates: Vec<(bool, Detection)> = found
        .iter()
        .map(|(d, chunk)| {
            let (x, y) = (chunk.x as f32, chunk.y as f32);
            let (right, bottom) = (x + chunk.width as f32, y + chunk.height as f32);
            let r = &d.rect;
            let rect = BoxF::from_corners(
                r.x.clamp(x, right),
                r.y.clamp(y, bottom),
                r.right().clamp(x, right),
                r.bottom().clamp(y, bottom),
            );
            (cut_off(&rect, *chunk, frame), Detection { rect, ..*d })
        })
        .filter(|(_, d)| d.rect.area() > 0.0 && !d.score.is_nan())
        .collect();
    candidates.sort_by(|(a_cut, a), (b_cut, b)| a_cut.cmp(b_cut).then(b.score.total_cmp(&a.score)));
    let mut kept: Vec<Detection> = Vec::new();
    for (cut, d) in candidates {
        let same = |k: &&Detection| rule.agnostic || k.class == d.class;
        let doubled =
            |k: &Detection| k.rect.iou(&d.rect) > rule.iou || (cut && share_inside(&d.rect, &k.rect) >= rule.inside);
        if !kept.iter().filter(same).any(doubled) {
            kept.push(d);
        }
    }
    kept.sort_by(|a, b| b.score.total_cmp(&a.score));
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_go_and_neighbours_stay() {
        let frame = Size::new(200, 100);
        let left = Rect { x: 0, y: 0, width: 120, height: 100 };
        let right = Rect { x: 80, y: 0, width: 120, height: 100 };
        let d = |x0, x1, score, class| Detection { rect: BoxF::from_corners(x0, 20.0, x1, 60.0), score, class };
        // An object at 90..150: whole in the right chunk, cut at 120 in the left one, which is surer.
        let whole = d(90.0, 150.0, 0.6, 0);
        let half = d(90.0, 121.0, 0.9, 0);
        let other_class = d(90.0, 119.0, 0.5, 1);
        let apart = d(20.0, 60.0, 0.7, 0);
        let found = [(half, left), (apart, left), (whole, right), (other_class, left)];
        let merged = merge_detections(&found, frame, &MergeRule::default());
        assert_eq!(merged.iter().map(|d| d.score).collect::<Vec<_>>(), [0.7, 0.6, 0.5]);
        // Whatever the class: the half of the other one goes as well.
        let agnostic = MergeRule { agnostic: true, ..MergeRule::default() };
        let merged = merge_detections(&found, frame, &agnostic);
        assert_eq!(merged.iter().map(|d| d.score).collect::<Vec<_>>(), [0.7, 0.6]);
        // Found whole by both.
        let twice = [(d(90.0, 110.0, 0.8, 0), left), (d(91.0, 111.0, 0.9, 0), right)];
        assert_eq!(merge_detections(&twice, frame, &MergeRule::default()), [twice[1].0]);
        // Cut at the edge of the frame is not cut by a chunk; what reaches out of its chunk is cut there.
        let edge = [(d(-5.0, 30.0, 0.8, 0), left), (d(60.0, 90.0, 0.7, 0), right)];
        let merged = merge_detections(&edge, frame, &MergeRule::default());
        assert_eq!(merged.iter().map(|d| (d.rect.x, d.rect.right())).collect::<Vec<_>>(), [(0.0, 30.0), (80.0, 90.0)]);
        let outside = [(d(10.0, 40.0, 0.8, 0), right)];
        assert!(merge_detections(&outside, frame, &MergeRule::default()).is_empty());
    }
}
