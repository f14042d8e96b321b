//! When it is hot where: a sparse grid of cells over steps of time.

use serde::{Deserialize, Serialize};

use crate::core::Size;
use crate::error::{Error, Result};

/// What one cell collected in one step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ActivityCell {
    /// Which of [`ActivityGrid::steps`].
    pub step: u32,
    /// Row of cells from the top.
    pub row: u32,
    /// Column of cells from the left.
    pub column: u32,
    /// Sum over its pixels and the frames of the step: a pixel adds up to [`ActivityShape::full`] a frame.
    pub heat: u32,
}

/// A stretch of time that was counted by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "(i64, u32)", into = "(i64, u32)")]
pub struct ActivityStep {
    /// It begins at this number times the length of a step, in seconds of the stream.
    pub number: i64,
    /// Its frames.
    pub frames: u32,
}

impl From<(i64, u32)> for ActivityStep {
    fn from((number, frames): (i64, u32)) -> Self {
        Self { number, frames }
    }
}

impl From<ActivityStep> for (i64, u32) {
    fn from(s: ActivityStep) -> Self {
        (s.number, s.frames)
    }
}

/// Shape of a grid: what its sidecar says besides its cells.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ActivityShape {
    /// Width and height of the frames.
    pub frame: [u32; 2],
    /// Width and height of the heat map whose pixels were summed.
    pub map: [u32; 2],
    /// Side of a cell in pixels of the map; cells at the right and bottom edge stop at the edge.
    pub cell: u32,
    /// Length of a step in seconds.
    pub step: f64,
    /// Most that a pixel adds per frame.
    pub full: u32,
    /// The steps that have frames, rising: `[number, frames]`. Step `n` is the time from `n * step` on, below `(n + 1) * step`.
    pub steps: Vec<ActivityStep>,
}

/// Heat by cells of [`Self::CELL`] pixels and steps of time. Cells that stayed cold in a step are left out.
#[derive(Debug, Clone, PartialEq)]
pub struct ActivityGrid {
    shape: ActivityShape,
    cells: Vec<ActivityCell>,
}

impl ActivityGrid {
    /// Side of the cells of new grids, in pixels of the map.
    pub const CELL: u32 = 16;
    /// Most cells a grid holds; steps of new grids become twice as long when there would be more.
    pub const MAX_CELLS: usize = 4_000_000;

    /// A grid of these cells.
    ///
    /// # Errors
    /// [`Error::Parameter`] for an empty size, a cell or step without length, steps that do not rise, and cells outside of the grid or in
    /// another order than that of step, row and column.
    pub fn new(shape: ActivityShape, cells: Vec<ActivityCell>) -> Result<Self> {
        let bad = |name, wanted: &str, given: String| {
            Err(Error::Parameter { op: "chunk/activity", name, wanted: wanted.into(), given })
        };
        let [frame, map] = [shape.frame, shape.map].map(|[w, h]| Size::new(w, h));
        if frame.is_empty() || map.is_empty() || map.width.max(map.height) > 32_768 {
            return bad("map", "1x1 to 32768x32768", format!("{map} of {frame}"));
        }
        if shape.cell == 0 || shape.full == 0 {
            return bad("cell", "at least 1 pixel, and 1 unit a frame", format!("{} and {}", shape.cell, shape.full));
        }
        if !(shape.step > 0.0 && shape.step.is_finite()) {
            return bad("step", "more than 0 seconds", shape.step.to_string());
        }
        if !shape.steps.iter().zip(shape.steps.iter().skip(1)).all(|(a, b)| a.number < b.number) {
            return bad("steps", "numbers that rise", "others".into());
        }
        let this = Self { shape, cells };
        let (columns, rows) = (this.columns(), this.rows());
        let inside =
            |c: &ActivityCell| c.row < rows && c.column < columns && (c.step as usize) < this.shape.steps.len();
        let key = |c: &ActivityCell| (c.step, c.row, c.column);
        let ordered = this.cells.iter().zip(this.cells.iter().skip(1)).all(|(a, b)| key(a) < key(b));
        if !ordered || !this.cells.iter().all(inside) {
            return bad("cells", "each once, inside, by step, row and column", format!("{} others", this.cells.len()));
        }
        Ok(this)
    }

    /// What the sidecar says.
    pub fn shape(&self) -> &ActivityShape {
        &self.shape
    }

    /// Size of the frames.
    pub fn frame(&self) -> Size {
        Size::new(self.shape.frame[0], self.shape.frame[1])
    }

    /// Cells across.
    pub fn columns(&self) -> u32 {
        self.shape.map[0].div_ceil(self.shape.cell)
    }

    /// Cells down.
    pub fn rows(&self) -> u32 {
        self.shape.map[1].div_ceil(self.shape.cell)
    }

    /// The steps that have frames.
    pub fn steps(&self) -> &[ActivityStep] {
        &self.shape.steps
    }

    /// The cells that are hot, by step, row and column.
    pub fn cells(&self) -> &[ActivityCell] {
        &self.cells
    }

    /// Begin and end of a step in seconds of the stream.
    pub fn time(&self, step: ActivityStep) -> [f64; 2] {
        let length = self.shape.step;
        [step.number as f64 * length, (step.number as f64 + 1.0) * length]
    }

    /// Begin of the first step and end of the last one; zeros without a step.
    pub fn span(&self) -> [f64; 2] {
        match (self.shape.steps.first(), self.shape.steps.last()) {
            (Some(first), Some(last)) => [self.time(*first)[0], self.time(*last)[1]],
            _ => [0.0; 2],
        }
    }

    /// Number of frames.
    pub fn frames(&self) -> u64 {
        self.shape.steps.iter().map(|s| u64::from(s.frames)).sum()
    }

    /// Heat a frame that makes a cell count: `threshold` times that of the hottest cell over all frames, of those for which `of_interest` says so
    /// of row and column.
    pub(super) fn least(&self, threshold: f64, of_interest: impl Fn(u32, u32) -> bool) -> f64 {
        let columns = self.columns() as usize;
        let mut sums = vec![0u64; columns * self.rows() as usize];
        for cell in &self.cells {
            if let Some(sum) = sums.get_mut(cell.row as usize * columns + cell.column as usize) {
                *sum += u64::from(cell.heat);
            }
        }
        let places = (0..self.rows()).flat_map(|row| (0..self.columns()).map(move |column| (row, column)));
        let hot = places.zip(sums).filter(|((row, column), sum)| *sum > 0 && of_interest(*row, *column));
        let most = hot.map(|(_, sum)| sum).max().unwrap_or(0);
        threshold * most as f64 / self.frames().max(1) as f64
    }

    /// Whether a cell is above the heat a frame that counts, `least`.
    pub(super) fn counts(&self, cell: &ActivityCell, least: f64) -> bool {
        let frames = self.shape.steps.get(cell.step as usize).map_or(0, |s| s.frames);
        f64::from(cell.heat) > least * f64::from(frames)
    }
}
