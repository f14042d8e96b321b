//! Heat of boxes: the share of frames in which a pixel lies in at least one.

use std::collections::BTreeMap;
use std::io::BufRead;
use std::path::Path;

use serde::Deserialize;

use super::config::{BoxMark, HeatConfig};
use super::middles::{Middles, Points};
use super::pass::{HeatSight, HeatWatch};
use super::steps::{StepCells, Steps};
use crate::core::{BoxF, Size};
use crate::error::{Error, Result};
use crate::pipeline::HeldBatch;

/// Pixels of the map a side of the mark of a middle.
const MIDDLE: u32 = 8;

/// Sums of rectangles in a table of differences: four additions a rectangle, however large it is.
#[derive(Debug)]
pub(super) struct BoxSums {
    frame: Size,
    map: Size,
    /// One more column and row than the map.
    differences: Vec<i64>,
    cells: StepCells,
    /// Where middles are marked.
    middles: Option<Middles>,
    /// How many boxes have which width and height, in whole pixels of the frame.
    sides: [BTreeMap<u32, u64>; 2],
}

impl BoxSums {
    pub(super) fn new(config: &HeatConfig, frame: Size, map: Size) -> Self {
        Self {
            frame,
            map,
            differences: vec![0; (map.width as usize + 1) * (map.height as usize + 1)],
            cells: StepCells::new(map),
            middles: (config.mark == BoxMark::Middle).then(|| Middles::new(config.step)),
            sides: Default::default(),
        }
    }

    /// Adds a frame, at `time` in seconds, with `boxes` in its pixels.
    pub(super) fn add(&mut self, (step, time): (i64, f64), boxes: &[BoxF], steps: &mut Steps) {
        let clipped = boxes.iter().map(|b| b.clip(self.frame));
        let boxes: Vec<BoxF> = clipped.filter(|b| b.width > 0.0 && b.height > 0.0).collect();
        for b in &boxes {
            for (counts, side) in self.sides.iter_mut().zip([b.width, b.height]) {
                *counts.entry(side.ceil() as u32).or_default() += 1;
            }
        }
        if let Some(middles) = &mut self.middles {
            let points = middles.look(time, &boxes);
            self.mark(points, steps);
            return;
        }
        let rects: Vec<[u32; 4]> = boxes
            .iter()
            .map(|b| {
                let [x0, x1] = along(b.x, b.right(), self.frame.width, self.map.width);
                let [y0, y1] = along(b.y, b.bottom(), self.frame.height, self.map.height);
                [x0, y0, x1, y1]
            })
            .filter(|[x0, y0, x1, y1]| x0 < x1 && y0 < y1)
            .collect();
        self.union(step, &rects, steps);
    }

    /// All frames are in.
    pub(super) fn end(&mut self, steps: &mut Steps) {
        if let Some(middles) = &mut self.middles {
            let points = middles.end();
            self.mark(points, steps);
        }
        self.cells.flush(steps);
    }

    /// How many boxes have which width and height, in whole pixels of the frame.
    pub(super) fn sides(&self) -> &[BTreeMap<u32, u64>; 2] {
        &self.sides
    }

    /// Marks points of the frame in their steps.
    fn mark(&mut self, points: Points, steps: &mut Steps) {
        for (step, points) in points {
            let square = |[x, y]: &[f32; 2]| {
                let [x0, x1] = square(*x, self.frame.width, self.map.width);
                let [y0, y1] = square(*y, self.frame.height, self.map.height);
                [x0, y0, x1, y1]
            };
            let rects: Vec<[u32; 4]> = points.iter().map(square).collect();
            self.union(step, &rects, steps);
        }
    }

    /// Adds 1 wherever one of `rects` is.
    fn union(&mut self, step: i64, rects: &[[u32; 4]], steps: &mut Steps) {
        self.cells.at(step, steps);
        let stride = self.map.width as usize + 1;
        for rect in disjoint(rects) {
            let [x0, y0, x1, y1] = rect.map(|v| v as usize);
            for (at, by) in
                [(y0 * stride + x0, 1), (y0 * stride + x1, -1), (y1 * stride + x0, -1), (y1 * stride + x1, 1)]
            {
                if let Some(v) = self.differences.get_mut(at) {
                    *v += by;
                }
            }
            self.cells.add_rect(rect);
        }
    }

    /// How many frames each pixel lay in a box, row by row.
    pub(super) fn counts(&self) -> Vec<u64> {
        let width = self.map.width as usize;
        let mut above = vec![0i64; width];
        let mut out = Vec::with_capacity(width * self.map.height as usize);
        for row in self.differences.chunks_exact(width + 1).take(self.map.height as usize) {
            let mut run = 0;
            for (sum, by) in above.iter_mut().zip(row) {
                run += by;
                *sum += run;
                out.push(u64::try_from(*sum).unwrap_or(0));
            }
        }
        out
    }
}

/// Width and height that 95 of 100 boxes do not exceed, of how many have which; `None` without a box.
pub(super) fn subject_of([width, height]: &[BTreeMap<u32, u64>; 2]) -> Option<[u32; 2]> {
    let of = |counts: &BTreeMap<u32, u64>| -> Option<u32> {
        let all: u64 = counts.values().sum();
        let mut below = 0;
        for (side, count) in counts {
            below += count;
            if below * 100 >= all * 95 {
                return Some(*side);
            }
        }
        None
    };
    Some([of(width)?, of(height)?])
}

/// A stretch of the frame in pixels of the map.
fn along(from: f32, to: f32, frame: u32, map: u32) -> [u32; 2] {
    let at = |v: f32| (f64::from(v) * f64::from(map) / f64::from(frame)).round().clamp(0.0, f64::from(map)) as u32;
    [at(from), at(to)]
}

/// A side of the mark around a place of the frame, in pixels of the map and inside of it.
fn square(at: f32, frame: u32, map: u32) -> [u32; 2] {
    let [at, _] = along(at, at, frame, map);
    let low = at.saturating_sub(MIDDLE / 2).min(map.saturating_sub(MIDDLE));
    [low, (low + MIDDLE).min(map)]
}

/// The union of rectangles `[x0, y0, x1, y1]` as rectangles that do not overlap: slabs between their horizontal edges.
fn disjoint(rects: &[[u32; 4]]) -> Vec<[u32; 4]> {
    let mut cuts: Vec<u32> = rects.iter().flat_map(|[_, y0, _, y1]| [*y0, *y1]).collect();
    cuts.sort_unstable();
    cuts.dedup();
    let mut out = Vec::new();
    for (top, bottom) in cuts.iter().zip(cuts.iter().skip(1)) {
        let over = rects.iter().filter(|[_, y0, _, y1]| y0 <= top && bottom <= y1);
        let mut spans: Vec<[u32; 2]> = over.map(|[x0, _, x1, _]| [*x0, *x1]).collect();
        spans.sort_unstable();
        let mut open: Option<[u32; 2]> = None;
        for [from, to] in spans {
            match &mut open {
                Some([_, end]) if from <= *end => *end = to.max(*end),
                _ => {
                    out.extend(open.replace([from, to]).map(|[x0, x1]| [x0, *top, x1, *bottom]));
                }
            }
        }
        out.extend(open.map(|[x0, x1]| [x0, *top, x1, *bottom]));
    }
    out
}

#[derive(Debug, Deserialize)]
struct Line {
    frame: Option<u64>,
    #[serde(default)]
    detections: Vec<Item>,
}

#[derive(Debug, Deserialize)]
struct Item {
    /// Left, top, width, height in pixels.
    #[serde(rename = "box")]
    rect: [f32; 4],
    #[serde(default = "one")]
    score: f32,
}

const fn one() -> f32 {
    1.0
}

/// Boxes of frames by their number, as somebody saw them.
#[derive(Debug)]
struct BoxFile {
    frames: BTreeMap<u64, Vec<BoxF>>,
}

impl HeatWatch for BoxFile {
    fn watch(&mut self, batch: &HeldBatch, _: Size) -> Result<Vec<(usize, HeatSight)>> {
        let of = |index: u64| self.frames.get(&index).cloned().unwrap_or_default();
        Ok(batch.infos().iter().enumerate().map(|(i, info)| (i, HeatSight::Boxes(of(info.index)))).collect())
    }
}

/// Reads a file of boxes: a line of JSON per frame, `{"frame": 0, "detections": [{"box": [x, y, width, height], "score": 0.9}]}`, frames counted from 0
/// and boxes in pixels. Lines without a frame are heads, frames without a line have no boxes. Those below `score` are left out.
///
/// # Errors
/// [`Error::InputNotFound`]; [`Error::InputCorrupt`] for other lines, and for numbers that are not finite or sides below 0.
pub fn read_boxes(path: &Path, score: f64) -> Result<Box<dyn HeatWatch>> {
    let missing = |e: std::io::Error| Error::unreadable(path, &e);
    let file = std::fs::File::open(path).map_err(missing)?;
    let mut frames: BTreeMap<u64, Vec<BoxF>> = BTreeMap::new();
    for (number, line) in (1u64..).zip(std::io::BufReader::new(file).lines()) {
        let wrong = |e: String| Error::InputCorrupt { path: path.to_path_buf(), reason: format!("line {number}: {e}") };
        let line = line.map_err(|e| wrong(e.to_string()))?;
        if line.trim().is_empty() {
            continue;
        }
        let line: Line = serde_json::from_str(&line).map_err(|e| wrong(e.to_string()))?;
        let Some(frame) = line.frame else { continue };
        for item in line.detections {
            let [x, y, width, height] = item.rect;
            if !(item.rect.iter().all(|v| v.is_finite()) && width >= 0.0 && height >= 0.0) {
                return Err(wrong(format!("{:?} is no box", item.rect)));
            }
            if f64::from(item.score) >= score {
                frames.entry(frame).or_default().push(BoxF { x, y, width, height });
            }
        }
    }
    Ok(Box::new(BoxFile { frames }))
}

#[cfg(test)]
mod tests {
    use super::super::steps::StepClock;
    use super::*;
    use crate::core::random::{below, pcg4d};

    #[test]
    fn boxes_are_counted_as_pixels_are() {
        let (frame, map) = (Size::new(120, 90), Size::new(60, 45));
        let mut sums = BoxSums::new(&HeatConfig::default(), frame, map);
        let mut steps = Steps::new(frame, map, 1, &StepClock::new(1.0));
        let mut wanted = vec![0u64; 60 * 45];
        for f in 0..40u32 {
            let word = |i| pcg4d([f, i, 3, 1])[0];
            let boxes: Vec<BoxF> = (0..below(word(0), 5))
                .map(|i| {
                    let v = |k, n| below(word(1 + i * 4 + k), n) as f32;
                    BoxF { x: v(0, 130) - 10.0, y: v(1, 100) - 10.0, width: v(2, 70), height: v(3, 70) }
                })
                .collect();
            for (at, count) in wanted.iter_mut().enumerate() {
                let (x, y) = ((at % 60) as f32, (at / 60) as f32);
                let over =
                    |from: f32, side: f32, v: f32| (from / 2.0).round() <= v && v < ((from + side) / 2.0).round();
                *count += u64::from(boxes.iter().any(|b| over(b.x, b.width, x) && over(b.y, b.height, y)));
            }
            sums.add((i64::from(f) / 10, 0.0), &boxes, &mut steps);
            steps.count(i64::from(f) / 10);
        }
        sums.end(&mut steps);
        assert_eq!(sums.counts(), wanted);
        let grid = steps.finish().unwrap();
        assert_eq!(grid.cells().iter().map(|c| u64::from(c.heat)).sum::<u64>(), wanted.iter().sum::<u64>());
        assert!(wanted.iter().any(|v| *v > 3));
    }

    #[test]
    fn middles_are_marks_of_one_size() {
        let (frame, map) = (Size::new(240, 180), Size::new(120, 90));
        let mut sums = BoxSums::new(&HeatConfig { mark: BoxMark::Middle, ..HeatConfig::default() }, frame, map);
        let mut steps = Steps::new(frame, map, 1, &StepClock::new(1.0));
        let of = |x, y, width, height| BoxF { x, y, width, height };
        // A large one, a small one at the edge, one that is hardly in the frame, one outside of it.
        let boxes = [
            of(40.0, 20.0, 80.0, 140.0),
            of(230.0, 0.0, 10.0, 10.0),
            of(-50.0, 170.0, 54.0, 40.0),
            of(300.0, 9.0, 9.0, 9.0),
        ];
        sums.add((0, 0.0), &boxes, &mut steps);
        sums.end(&mut steps);
        // The one outside does not count, for sizes neither.
        assert_eq!(subject_of(sums.sides()), Some([80, 140]));
        let counts = sums.counts();
        let at = |x: usize, y: usize| counts[y * 120 + x];
        assert_eq!([at(36, 41), at(43, 48), at(35, 45), at(44, 45)], [1, 1, 0, 0]);
        assert_eq!([at(119, 0), at(113, 6), at(111, 0), at(0, 89), at(7, 82), at(8, 89)], [1, 1, 0, 1, 1, 0]);
        assert_eq!(counts.iter().sum::<u64>(), 3 * 64);
    }

    #[test]
    fn a_union_is_cut_into_slabs() {
        assert_eq!(disjoint(&[[0, 0, 4, 4], [2, 2, 6, 6]]), [[0, 0, 4, 2], [0, 2, 6, 4], [2, 4, 6, 6]]);
        assert_eq!(disjoint(&[[0, 0, 1, 1], [3, 0, 4, 1]]), [[0, 0, 1, 1], [3, 0, 4, 1]]);
        assert_eq!(disjoint(&[]), [[0u32; 4]; 0]);
    }
}
