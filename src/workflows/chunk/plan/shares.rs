//! How much of the heat of a cell lies in a rectangle.
#![allow(
    clippy::indexing_slicing,
    reason = "the table has one entry per crossing of pixels; positions are cut to the frame"
)]

use super::heat::HeatMap;
use crate::core::{Rect, Size};
use crate::error::{Error, Result};
use crate::workflows::chunk::activity::{ActivityCell, ActivityGrid};

/// Cells of an activity over the heat map of the whole time: within a cell heat is thought to lie as the map has it.
pub(super) struct Shares<'a> {
    pub(super) activity: &'a ActivityGrid,
    frame: Size,
    /// Sums of the map left of and above each crossing of pixels.
    table: Vec<f64>,
    /// Heat of the map by cells, row by row: summed by itself, as a difference of sums hardly ever is 0.
    cells: Vec<f64>,
    /// Heat a frame above which a cell counts.
    least: f64,
}

impl<'a> Shares<'a> {
    /// For the heat in `map`, of which a cell counts in a step from `threshold` times the heat of the hottest cell on. Cells where the map has none
    /// have no say in that: a map may be limited to what is of interest.
    pub(super) fn new(map: &HeatMap, activity: &'a ActivityGrid, threshold: f64) -> Result<Self> {
        let frame = map.size();
        if activity.frame() != frame {
            let (wanted, given) = (format!("frames of {frame}, as those of the plan"), activity.frame().to_string());
            return Err(Error::Parameter { op: "chunk/schedule", name: "activity", wanted, given });
        }
        let stride = frame.width as usize + 1;
        let mut table = vec![0.0; stride * (frame.height as usize + 1)];
        for y in 0..frame.height {
            let at = (y as usize + 1) * stride;
            let mut row = 0.0;
            for (x, v) in map.row(y, 0, frame.width).iter().enumerate() {
                row += f64::from(*v);
                table[at + x + 1] = table[at + x + 1 - stride] + row;
            }
        }
        let mut this = Self { activity, frame, table, cells: Vec::new(), least: 0.0 };
        let places = (0..activity.rows()).flat_map(|row| (0..activity.columns()).map(move |column| (row, column)));
        this.cells = places
            .map(|(row, column)| {
                let [x0, y0, x1, y1] = this.pixels(row, column);
                (y0..y1).flat_map(|y| map.row(y, x0, x1)).map(|v| f64::from(*v)).sum::<f64>()
            })
            .collect();
        this.least = activity.least(threshold, |row, column| this.of_cell(row, column) > 0.0);
        Ok(this)
    }

    fn sum(&self, [x0, y0, x1, y1]: [u32; 4]) -> f64 {
        if x0 >= x1 || y0 >= y1 {
            return 0.0;
        }
        let at = |x: u32, y: u32| self.table[y as usize * (self.frame.width as usize + 1) + x as usize];
        at(x1, y1) - at(x0, y1) - at(x1, y0) + at(x0, y0)
    }

    /// The pixels of the frame that belong to a cell.
    pub(super) fn pixels(&self, row: u32, column: u32) -> [u32; 4] {
        let shape = self.activity.shape();
        let along = |at: u32, map: u32, frame: u32| {
            let cut =
                |at: u32| (u64::from((at * shape.cell).min(map)) * u64::from(frame)).div_ceil(u64::from(map)) as u32;
            [cut(at), cut(at + 1)]
        };
        let [x0, x1] = along(column, shape.map[0], self.frame.width);
        let [y0, y1] = along(row, shape.map[1], self.frame.height);
        [x0, y0, x1, y1]
    }

    /// Heat of the map in a cell.
    pub(super) fn of_cell(&self, row: u32, column: u32) -> f64 {
        self.cells[row as usize * self.activity.columns() as usize + column as usize]
    }

    /// The share of a cell's heat in `rect`; 0 where the map has none.
    pub(super) fn share(&self, cell: &ActivityCell, rect: Rect) -> f64 {
        if self.of_cell(cell.row, cell.column) <= 0.0 {
            return 0.0;
        }
        let [x0, y0, x1, y1] = self.pixels(cell.row, cell.column);
        let (right, bottom) = (rect.x + rect.width, rect.y + rect.height);
        let part = [x0.max(rect.x), y0.max(rect.y), x1.min(right), y1.min(bottom)];
        let inside = self.sum(part);
        if inside <= 0.0 { 0.0 } else { (inside / self.sum([x0, y0, x1, y1])).min(1.0) }
    }

    /// Whether a cell counts in its step, and the map has heat there.
    pub(super) fn counts(&self, cell: &ActivityCell) -> bool {
        self.activity.counts(cell, self.least) && self.of_cell(cell.row, cell.column) > 0.0
    }

    /// Heat in the rectangle that `rect` names per step, step by step: of cells that count, or of all.
    pub(super) fn by_step(&self, counted: bool, rect: impl Fn(usize) -> Option<Rect>) -> Vec<f64> {
        let mut sums = vec![0.0; self.activity.steps().len()];
        let rects: Vec<Option<Rect>> = (0..sums.len()).map(rect).collect();
        for cell in self.activity.cells() {
            let step = cell.step as usize;
            let Some(rect) = rects[step] else { continue };
            let share = self.share(cell, rect);
            if share > 0.0 && (!counted || self.activity.counts(cell, self.least)) {
                sums[step] += share * f64::from(cell.heat);
            }
        }
        sums
    }

    /// The share of the heat that counts which lies, at its time, in one of the rectangles of its step.
    pub(super) fn covered(&self, rects: impl Fn(f64) -> Vec<Rect>) -> f64 {
        let by_step: Vec<Vec<Rect>> = self.activity.steps().iter().map(|s| rects(self.middle(*s))).collect();
        let (mut inside, mut all) = (0.0, 0.0);
        for cell in self.activity.cells().iter().filter(|c| self.counts(c)) {
            let heat = f64::from(cell.heat);
            // Of rectangles that overlap in a cell the larger part counts: never too much.
            let share = by_step[cell.step as usize].iter().map(|r| self.share(cell, *r)).fold(0.0, f64::max);
            inside += share * heat;
            all += heat;
        }
        if all > 0.0 { inside / all } else { 1.0 }
    }

    /// The middle of a step, in seconds.
    pub(super) fn middle(&self, step: crate::workflows::chunk::activity::ActivityStep) -> f64 {
        let [from, to] = self.activity.time(step);
        (from + to) / 2.0
    }
}
