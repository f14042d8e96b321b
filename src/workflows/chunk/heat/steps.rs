//! Collects the activity of cells step by step.

use std::collections::BTreeMap;

use crate::core::{FrameInfo, Size};
use crate::error::Result;
use crate::workflows::chunk::activity::{ActivityCell, ActivityGrid, ActivityShape, ActivityStep};

/// Which step a frame belongs to.
#[derive(Debug, Clone, Copy)]
pub(super) struct StepClock {
    seconds: f64,
}

impl StepClock {
    pub(super) fn new(seconds: f64) -> Self {
        Self { seconds }
    }

    /// By the time of the frame; where the container has none, at 25 frames a second.
    pub(super) fn step_of(&self, info: &FrameInfo) -> i64 {
        (self.time_of(info) / self.seconds).floor() as i64
    }

    /// Its time in seconds.
    pub(super) fn time_of(&self, info: &FrameInfo) -> f64 {
        info.seconds().unwrap_or(info.index as f64 / 25.0)
    }
}

#[derive(Debug, Default)]
struct Step {
    frames: u32,
    /// Number of the cell, row by row, and its heat, rising.
    cells: Vec<(u32, u32)>,
}

/// Steps under construction.
#[derive(Debug)]
pub(super) struct Steps {
    shape: ActivityShape,
    /// Steps are this many times twice as long as asked for.
    doubled: u32,
    steps: BTreeMap<i64, Step>,
    cells: usize,
    most: usize,
}

impl Steps {
    pub(super) fn new(frame: Size, map: Size, full: u32, clock: &StepClock) -> Self {
        let pair = |s: Size| [s.width, s.height];
        let (cell, step) = (ActivityGrid::CELL, clock.seconds);
        let shape = ActivityShape { frame: pair(frame), map: pair(map), cell, step, full, steps: Vec::new() };
        Self { shape, doubled: 0, steps: BTreeMap::new(), cells: 0, most: ActivityGrid::MAX_CELLS }
    }

    /// Counts a frame.
    pub(super) fn count(&mut self, step: i64) {
        let step = self.steps.entry(step >> self.doubled.min(63)).or_default();
        step.frames = step.frames.saturating_add(1);
        self.bound();
    }

    /// Adds heat of all cells, row by row.
    pub(super) fn add(&mut self, step: i64, heat: Vec<u64>) {
        let step = self.steps.entry(step >> self.doubled.min(63)).or_default();
        let hot = (0u32..).zip(heat).filter(|(_, heat)| *heat > 0);
        let hot = hot.map(|(cell, heat)| (cell, u32::try_from(heat).unwrap_or(u32::MAX))).collect();
        let had = step.cells.len();
        merge(&mut step.cells, hot);
        self.cells += step.cells.len() - had;
        self.bound();
    }

    /// Makes steps twice as long while there is too much of them.
    fn bound(&mut self) {
        while (self.cells > self.most || self.steps.len() > self.most / 16) && self.doubled < 63 {
            self.doubled += 1;
            let mut wider: BTreeMap<i64, Step> = BTreeMap::new();
            for (number, step) in std::mem::take(&mut self.steps) {
                let to = wider.entry(number >> 1).or_default();
                to.frames = to.frames.saturating_add(step.frames);
                merge(&mut to.cells, step.cells);
            }
            self.cells = wider.values().map(|s| s.cells.len()).sum();
            let least = wider.len() < 2;
            self.steps = wider;
            if least {
                return;
            }
        }
    }

    pub(super) fn finish(mut self) -> Result<ActivityGrid> {
        self.shape.step *= f64::from(self.doubled).exp2();
        let columns = self.shape.map[0].div_ceil(self.shape.cell).max(1);
        let mut cells = Vec::with_capacity(self.cells);
        // Heat without a frame of its own cannot be: results and frames come together.
        for (index, (number, step)) in (0u32..).zip(self.steps) {
            self.shape.steps.push(ActivityStep { number, frames: step.frames });
            let cell =
                |(at, heat): (u32, u32)| ActivityCell { step: index, row: at / columns, column: at % columns, heat };
            cells.extend(step.cells.into_iter().map(cell));
        }
        ActivityGrid::new(self.shape, cells)
    }
}

impl Steps {
    /// Adds the heat of `other`, of cells of the same grid, `by` of its units in one of ours. Frames are those of the map itself.
    pub(super) fn blend(&mut self, other: Self, by: f64) {
        self.both(other, by, 0);
    }

    /// Adds frames and heat of `other`, of cells of the same grid.
    pub(super) fn join(&mut self, other: Self) {
        self.both(other, 1.0, 1);
    }

    fn both(&mut self, other: Self, by: f64, times: u32) {
        let doubled = self.doubled.max(other.doubled);
        let (mine, more) = (std::mem::take(&mut self.steps), other.steps);
        for (steps, shift, by, frames) in
            [(mine, doubled - self.doubled, 1.0, 1), (more, doubled - other.doubled, by, times)]
        {
            for (number, step) in steps {
                let to = self.steps.entry(number >> shift.min(63)).or_default();
                to.frames = to.frames.saturating_add(step.frames * frames);
                let scaled = step.cells.into_iter().map(|(at, heat)| (at, (f64::from(heat) * by).round() as u32));
                merge(&mut to.cells, scaled.filter(|(_, heat)| *heat > 0).collect());
            }
        }
        self.doubled = doubled;
        self.cells = self.steps.values().map(|s| s.cells.len()).sum();
        self.bound();
    }

    /// Takes back that a frame was counted.
    pub(super) fn uncount(&mut self, step: i64) {
        let number = step >> self.doubled.min(63);
        if let Some(step) = self.steps.get_mut(&number) {
            step.frames = step.frames.saturating_sub(1);
            if step.frames == 0 && step.cells.is_empty() {
                self.steps.remove(&number);
            }
        }
    }

    /// How many times steps were made twice as long.
    pub(super) fn doubled(&self) -> u32 {
        self.doubled
    }

    /// Number (i64), frames, count of cells, and number and heat of each cell (u32), of all steps; little-endian.
    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (number, step) in &self.steps {
            bytes.extend(number.to_le_bytes());
            bytes.extend(step.frames.to_le_bytes());
            bytes.extend((step.cells.len() as u32).to_le_bytes());
            bytes.extend(step.cells.iter().flat_map(|(at, heat)| [at.to_le_bytes(), heat.to_le_bytes()]).flatten());
        }
        bytes
    }

    /// With the steps of [`Self::bytes`]; `None` for other bytes.
    pub(super) fn with(mut self, mut bytes: &[u8], doubled: u32) -> Option<Self> {
        while !bytes.is_empty() {
            let (number, rest) = bytes.split_first_chunk::<8>()?;
            let (frames, rest) = rest.split_first_chunk::<4>()?;
            let (count, rest) = rest.split_first_chunk::<4>()?;
            let (cells, rest) = rest.split_at_checked((u32::from_le_bytes(*count) as usize).checked_mul(8)?)?;
            let pair = |[a, b, c, d, e, f, g, h]: &[u8; 8]| {
                (u32::from_le_bytes([*a, *b, *c, *d]), u32::from_le_bytes([*e, *f, *g, *h]))
            };
            let cells: Vec<(u32, u32)> = cells.as_chunks::<8>().0.iter().map(pair).collect();
            self.cells += cells.len();
            self.steps.insert(i64::from_le_bytes(*number), Step { frames: u32::from_le_bytes(*frames), cells });
            bytes = rest;
        }
        self.doubled = doubled;
        Some(self)
    }
}

/// Cells of the step under way, summed on the host.
#[derive(Debug)]
pub(super) struct StepCells {
    map: Size,
    columns: u32,
    cells: Vec<u64>,
    now: Option<i64>,
}

impl StepCells {
    pub(super) fn new(map: Size) -> Self {
        let (columns, rows) = (map.width.div_ceil(ActivityGrid::CELL), map.height.div_ceil(ActivityGrid::CELL));
        Self { map, columns, cells: vec![0; columns as usize * rows as usize], now: None }
    }

    /// A frame of `step` follows; what belongs to another goes to `steps`.
    pub(super) fn at(&mut self, step: i64, steps: &mut Steps) {
        if self.now != Some(step) {
            self.flush(steps);
            self.now = Some(step);
        }
    }

    /// All is in: the last step goes to `steps`.
    pub(super) fn flush(&mut self, steps: &mut Steps) {
        if let Some(step) = self.now.take() {
            let fresh = vec![0; self.cells.len()];
            steps.add(step, std::mem::replace(&mut self.cells, fresh));
        }
    }

    /// Adds to the cell at `column` and `row`.
    pub(super) fn add(&mut self, column: u32, row: u32, heat: u64) {
        if let Some(cell) = self.cells.get_mut((row * self.columns + column) as usize) {
            *cell += heat;
        }
    }

    /// Adds 1 for each pixel of a rectangle `[x0, y0, x1, y1]` of the map.
    pub(super) fn add_rect(&mut self, [x0, y0, x1, y1]: [u32; 4]) {
        let side = ActivityGrid::CELL;
        let within =
            |at: u32, from: u32, to: u32| u64::from(((at + 1) * side).min(to).saturating_sub((at * side).max(from)));
        let (x1, y1) = (x1.min(self.map.width), y1.min(self.map.height));
        for row in y0 / side..y1.div_ceil(side) {
            for column in x0 / side..x1.div_ceil(side) {
                self.add(column, row, within(column, x0, x1) * within(row, y0, y1));
            }
        }
    }
}

/// Adds rising `more` to rising `cells`.
fn merge(cells: &mut Vec<(u32, u32)>, more: Vec<(u32, u32)>) {
    if cells.is_empty() {
        *cells = more;
        return;
    }
    cells.extend(more);
    cells.sort_by_key(|(at, _)| *at);
    cells.dedup_by(|next, kept| {
        let same = next.0 == kept.0;
        if same {
            kept.1 = kept.1.saturating_add(next.1);
        }
        same
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_summed_sparse_and_bounded() {
        let size = Size::new(40, 20);
        let mut steps = Steps::new(size, size, 255, &StepClock::new(0.5));
        // 3 x 2 cells.
        steps.add(-1, vec![0, 7, 0, 0, 0, 0]);
        steps.add(0, vec![1, 0, 0, 0, 0, 2]);
        steps.add(0, vec![1, 3, 0, 0, 0, 0]);
        for step in [-1, -1, 0, 4] {
            steps.count(step);
        }
        let grid = steps.finish().unwrap();
        assert_eq!((grid.columns(), grid.rows(), grid.frames(), grid.span()), (3, 2, 4, [-0.5, 2.5]));
        let frames: Vec<(i64, u32)> = grid.steps().iter().map(|s| (*s).into()).collect();
        assert_eq!(frames, [(-1, 2), (0, 1), (4, 1)]);
        let cells: Vec<[u32; 4]> = grid.cells().iter().map(|c| [c.step, c.row, c.column, c.heat]).collect();
        assert_eq!(cells, [[0, 0, 1, 7], [1, 0, 0, 2], [1, 0, 1, 3], [1, 1, 2, 2]]);

        let mut long = Steps::new(size, size, 255, &StepClock::new(0.5));
        long.most = 64;
        for step in 0..100 {
            long.add(step, vec![1; 6]);
            long.count(step);
        }
        let long = long.finish().unwrap();
        // Nothing is lost: 100 frames, 1 a cell each.
        assert_eq!((long.frames(), long.cells().iter().map(|c| c.heat).sum::<u32>()), (100, 600));
        assert!(long.cells().len() <= 64 && long.steps().len() <= 4, "{:?}", long.steps());
        assert_eq!(long.shape().step, 16.0);
    }

    #[test]
    fn two_grids_become_one_and_rectangles_are_shared_out() {
        let (size, clock) = (Size::new(40, 20), StepClock::new(0.5));
        let (mut a, mut b) = (Steps::new(size, size, 255, &clock), Steps::new(size, size, 255, &clock));
        b.most = 32;
        for step in 0..4 {
            a.count(step);
            a.add(step, vec![10; 6]);
            b.count(step);
            b.add(step, vec![0, 4, 0, 0, 0, 0]);
        }
        b.bound();
        assert_eq!(b.doubled, 1);
        a.blend(b, 2.5);
        let grid = a.finish().unwrap();
        let frames: Vec<(i64, u32)> = grid.steps().iter().map(|s| (*s).into()).collect();
        assert_eq!((frames, grid.shape().step), (vec![(0, 2), (1, 2)], 1.0));
        let heat: Vec<u32> = grid.cells().iter().take(3).map(|c| c.heat).collect();
        assert_eq!(heat, [20, 40, 20]);

        // Joined, frames count too; bytes give them back.
        let part = |from: i64| {
            let mut part = Steps::new(size, size, 255, &clock);
            for step in from..from + 3 {
                part.count(step);
                part.add(step, vec![1, 0, 2, 0, 0, 0]);
            }
            part
        };
        let read = Steps::new(size, size, 255, &clock).with(&part(2).bytes(), 0).unwrap();
        let mut all = part(0);
        all.join(read);
        all.uncount(4);
        let grid = all.finish().unwrap();
        let frames: Vec<(i64, u32)> = grid.steps().iter().map(|s| (*s).into()).collect();
        assert_eq!(frames, [(0, 1), (1, 1), (2, 2), (3, 1), (4, 0)]);
        assert_eq!(grid.cells().iter().map(|c| c.heat).collect::<Vec<_>>(), [1, 2, 1, 2, 2, 4, 1, 2, 1, 2]);
        assert!(Steps::new(size, size, 255, &clock).with(&[1; 15], 0).is_none());

        let (mut cells, mut steps) = (StepCells::new(size), Steps::new(size, size, 1, &clock));
        cells.at(3, &mut steps);
        cells.add_rect([10, 12, 36, 18]);
        cells.add_rect([39, 19, 90, 90]);
        cells.at(4, &mut steps);
        cells.flush(&mut steps);
        let grid = steps.finish().unwrap();
        let heat: Vec<[u32; 3]> = grid.cells().iter().map(|c| [c.row, c.column, c.heat]).collect();
        assert_eq!(heat, [[0, 0, 24], [0, 1, 64], [0, 2, 16], [1, 0, 12], [1, 1, 32], [1, 2, 8 + 1]]);
    }
}
