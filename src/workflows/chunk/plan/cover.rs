//! Which cells chosen windows cover, and which window would add most.
#![allow(clippy::indexing_slicing, reason = "spots and spans are made from the tables they index")]

use super::contact::thin;
use super::params::PlanParams;
use super::table::Cells;
use crate::core::{CellGrid, Rect, Size};
use crate::error::Result;

/// A place along one axis.
#[derive(Debug, Clone, Copy)]
struct Span {
    /// First pixel.
    start: u32,
    /// Pixels that are used, without the halo.
    used: [u32; 2],
    /// The same in cells.
    cells: [u32; 2],
}

/// Windows of one size.
#[derive(Debug)]
struct Shape {
    size: Size,
    turned: bool,
    /// What one costs.
    pixels: u64,
    xs: Vec<Span>,
    ys: Vec<Span>,
}

/// A window: shape, column, row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Spot {
    shape: u32,
    x: u32,
    y: u32,
}

/// A window and the heat it would add.
#[derive(Debug, Clone, Copy)]
pub(super) struct Offer {
    pub(super) spot: Spot,
    pub(super) gain: u64,
    pixels: u64,
}

/// All windows over a map.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) frame: Size,
    pub(super) grid: CellGrid,
    shapes: Vec<Shape>,
    pub(super) overlap: u32,
    /// Least overlap of tiles, across and down, with the margins of both.
    common: [u32; 2],
    factor: u32,
}

/// Windows looked at in one search at most: beyond, positions are every second or third multiple of the factor.
const MOST_WINDOWS: u64 = 60_000;

impl Field {
    /// Windows over `frame`. `scale` only changes what they cost.
    pub(super) fn new(frame: Size, params: &PlanParams, scale: f64) -> Result<Self> {
        let factor = params.factor_at(scale);
        let fit =
            |side: u32, frame: u32| if side >= frame { frame } else { (side / factor * factor).max(factor).min(frame) };
        let mut sizes: Vec<(Size, bool)> = Vec::new();
        for [width, height] in &params.sizes {
            for (w, h, turned) in [(*width, *height, false), (*height, *width, true)] {
                let size = Size::new(fit(w, frame.width), fit(h, frame.height));
                let wanted = !turned || (params.rotate && params.has_room(Size::new(w, h), scale));
                if wanted && sizes.iter().all(|(s, _)| *s != size) {
                    sizes.push((size, turned));
                }
            }
        }
        let places = |step: u32| {
            let along = |frame: u32, side: u32| u64::from((frame - side) / step + 2);
            sizes.iter().map(|(s, _)| along(frame.width, s.width) * along(frame.height, s.height)).sum::<u64>()
        };
        let mut step = factor;
        while places(step) > MOST_WINDOWS {
            step += factor;
        }
        let [mx, my] = params.margins();
        let common = [mx, my].map(|m| params.overlap + 2 * m);
        let spans = |frame: u32, side: u32, margin: u32| -> Vec<Span> {
            let last = frame - side;
            let starts = (0..=last).step_by(step as usize).chain((!last.is_multiple_of(step)).then_some(last));
            let tiles = tiles(frame, side, params.overlap + 2 * margin, factor);
            let mut starts: Vec<u32> = starts.chain(tiles).collect();
            starts.sort_unstable();
            starts.dedup();
            let of = |start: u32| {
                let used = [
                    if start > 0 { start + margin } else { 0 },
                    if start < last { start + side - margin } else { frame },
                ];
                Span { start, used, cells: [0; 2] }
            };
            starts.into_iter().map(of).collect()
        };
        let mut shapes: Vec<Shape> = sizes
            .into_iter()
            .map(|(size, turned)| {
                let scaled = |n: u32| (f64::from(n) * scale).round() as u64;
                let (xs, ys) = (spans(frame.width, size.width, mx), spans(frame.height, size.height, my));
                Shape { size, turned, pixels: scaled(size.width) * scaled(size.height), xs, ys }
            })
            .collect();
        let cuts = |of: fn(&Shape) -> &Vec<Span>| shapes.iter().flat_map(of).flat_map(|s| s.used).collect::<Vec<u32>>();
        let grid = CellGrid::new(frame, cuts(|s| &s.xs), cuts(|s| &s.ys))?;
        let locate = |spans: &mut Vec<Span>, cuts: &[u32]| {
            for s in spans {
                s.cells = s.used.map(|at| cuts.binary_search(&at).unwrap_or(0) as u32);
            }
        };
        for shape in &mut shapes {
            locate(&mut shape.xs, grid.xs());
            locate(&mut shape.ys, grid.ys());
        }
        Ok(Self { frame, grid, shapes, overlap: params.overlap, common, factor })
    }

    /// The whole window, halo included.
    pub(super) fn rect(&self, spot: Spot) -> Rect {
        let shape = &self.shapes[spot.shape as usize];
        let (x, y) = (shape.xs[spot.x as usize].start, shape.ys[spot.y as usize].start);
        Rect { x, y, width: shape.size.width, height: shape.size.height }
    }

    /// The part of the window in which heat is covered.
    pub(super) fn used(&self, spot: Spot) -> Rect {
        let shape = &self.shapes[spot.shape as usize];
        let ([x0, x1], [y0, y1]) = (shape.xs[spot.x as usize].used, shape.ys[spot.y as usize].used);
        Rect { x: x0, y: y0, width: x1 - x0, height: y1 - y0 }
    }

    pub(super) fn turned(&self, spot: Spot) -> bool {
        self.shapes[spot.shape as usize].turned
    }

    pub(super) fn pixels(&self, spot: Spot) -> u64 {
        self.shapes[spot.shape as usize].pixels
    }

    pub(super) fn several_costs(&self) -> bool {
        self.shapes.iter().any(|s| s.pixels != self.shapes[0].pixels)
    }

    pub(super) fn shapes(&self) -> u32 {
        self.shapes.len() as u32
    }

    /// Windows looked at in one search.
    pub(super) fn windows(&self) -> u64 {
        self.shapes.iter().map(|s| s.xs.len() as u64 * s.ys.len() as u64).sum()
    }

    fn cells(&self, spot: Spot) -> ([usize; 2], [usize; 2]) {
        let shape = &self.shapes[spot.shape as usize];
        (shape.xs[spot.x as usize].cells.map(|c| c as usize), shape.ys[spot.y as usize].cells.map(|c| c as usize))
    }

    /// Tiles of one shape over the whole frame, with room for blending.
    pub(super) fn tiling(&self, shape: u32) -> Vec<Spot> {
        let s = &self.shapes[shape as usize];
        let of = |frame, side, common, spans: &[Span]| -> Vec<u32> {
            let starts = tiles(frame, side, common, self.factor);
            starts.into_iter().filter_map(|t| spans.iter().position(|s| s.start == t)).map(|i| i as u32).collect()
        };
        let [across, down] = self.common;
        let xs = of(self.frame.width, s.size.width, across, &s.xs);
        let ys = of(self.frame.height, s.size.height, down, &s.ys);
        ys.iter().flat_map(|y| xs.iter().map(move |x| Spot { shape, x: *x, y: *y })).collect()
    }
}

/// Starts of tiles over `frame` that overlap by at least `margin`; the last one lies flush.
fn tiles(frame: u32, side: u32, margin: u32, factor: u32) -> Vec<u32> {
    let last = frame - side;
    let step = (side.saturating_sub(margin) / factor * factor).max(1);
    (0..last).step_by(step as usize).chain([last]).collect()
}

/// Chosen windows.
#[derive(Debug, Clone)]
pub(super) struct Cover<'a> {
    pub(super) field: &'a Field,
    cells: &'a Cells,
    pub(super) spots: Vec<Spot>,
    counts: Vec<u16>,
    pub(super) covered: u64,
    table: Vec<u64>,
    /// First row of cells in which `table` is out of date.
    changed: usize,
}

impl<'a> Cover<'a> {
    pub(super) fn new(field: &'a Field, cells: &'a Cells) -> Self {
        let counts = vec![0; cells.heat.len()];
        Self { field, cells, spots: Vec::new(), counts, covered: 0, table: Vec::new(), changed: 0 }
    }

    pub(super) fn pixels(&self) -> u64 {
        self.spots.iter().map(|s| self.field.pixels(*s)).sum()
    }

    pub(super) fn add(&mut self, spot: Spot) {
        self.change(spot, true);
        self.spots.push(spot);
    }

    pub(super) fn remove(&mut self, at: usize) -> Spot {
        let spot = self.spots.remove(at);
        self.change(spot, false);
        spot
    }

    /// Puts `spot` in the place of the one at `at`.
    pub(super) fn insert(&mut self, at: usize, spot: Spot) {
        self.change(spot, true);
        self.spots.insert(at, spot);
    }

    fn change(&mut self, spot: Spot, more: bool) {
        let ([x0, x1], [y0, y1]) = self.field.cells(spot);
        let columns = self.cells.columns();
        self.changed = self.changed.min(y0);
        for y in y0..y1 {
            for at in y * columns + x0..y * columns + x1 {
                if more {
                    self.covered += if self.counts[at] == 0 { self.cells.heat[at] } else { 0 };
                    self.counts[at] += 1;
                } else {
                    self.counts[at] -= 1;
                    self.covered -= if self.counts[at] == 0 { self.cells.heat[at] } else { 0 };
                }
            }
        }
    }

    /// Heat that `spot` would add.
    pub(super) fn would_add(&self, spot: Spot) -> u64 {
        let ([x0, x1], [y0, y1]) = self.field.cells(spot);
        let columns = self.cells.columns();
        let row = |y: usize| y * columns + x0..y * columns + x1;
        (y0..y1).flat_map(row).filter(|at| self.counts[*at] == 0).map(|at| self.cells.heat[at]).sum()
    }

    /// Heat that only the window at `at` covers.
    pub(super) fn own(&self, at: usize) -> u64 {
        let ([x0, x1], [y0, y1]) = self.field.cells(self.spots[at]);
        let columns = self.cells.columns();
        let row = |y: usize| y * columns + x0..y * columns + x1;
        (y0..y1).flat_map(row).filter(|at| self.counts[*at] == 1).map(|at| self.cells.heat[at]).sum()
    }

    /// The first cell with heat that is not covered, by rows, counted from the corner that `flip` names.
    pub(super) fn first_open(&self, flip: [bool; 2]) -> Option<(usize, usize)> {
        let columns = self.cells.columns();
        let rows = self.cells.heat.len() / columns;
        let turn = |i: usize, n: usize, flip: bool| if flip { n - 1 - i } else { i };
        for y in (0..rows).map(|y| turn(y, rows, flip[1])) {
            for x in (0..columns).map(|x| turn(x, columns, flip[0])) {
                let at = y * columns + x;
                if self.counts[at] == 0 && self.cells.heat[at] > 0 {
                    return Some((x, y));
                }
            }
        }
        None
    }

    /// The table of sums of what is not covered, taken out, to be put back. Only rows below the first change are made anew.
    fn refreshed(&mut self) -> Vec<u64> {
        let mut table = std::mem::take(&mut self.table);
        let columns = self.cells.columns();
        let rows = self.cells.heat.len() / columns;
        table.resize((columns + 1) * (rows + 1), 0);
        for y in self.changed..rows {
            let (before, here) = table.split_at_mut((y + 1) * (columns + 1));
            let above = &before[y * (columns + 1) + 1..];
            let line = y * columns..(y + 1) * columns;
            let mut row = 0;
            let cells = self.cells.heat[line.clone()].iter().zip(&self.counts[line]);
            for ((cell, above), (heat, count)) in here[1..].iter_mut().zip(above).zip(cells) {
                row += if *count == 0 { *heat } else { 0 };
                *cell = above + row;
            }
        }
        self.changed = rows;
        table
    }

    fn meets_thinly(&self, spot: Spot) -> bool {
        let rect = self.field.used(spot);
        self.spots.iter().any(|s| thin(rect, self.field.used(*s), self.field.overlap))
    }

    /// The best window to add: the cheapest that adds `need`, or, where none does, the one that adds most per pixel; of these the one
    /// that adds most. With `through`, only windows over that cell. One that meets others thinly is taken only where it adds twice as
    /// much as any other. `None` where nothing is left.
    pub(super) fn best(&mut self, need: u64, through: Option<(usize, usize)>) -> Option<Offer> {
        let table = self.refreshed();
        let stride = self.cells.columns() + 1;
        let over =
            |cells: [u32; 2], at: Option<usize>| at.is_none_or(|at| cells[0] as usize <= at && at < cells[1] as usize);
        let (mut clean, mut any): (Option<Offer>, Option<Offer>) = (None, None);
        for (shape, number) in self.field.shapes.iter().zip(0u32..) {
            for (span, y) in shape.ys.iter().zip(0u32..).filter(|(s, _)| over(s.cells, through.map(|t| t.1))) {
                let (top, low) = (span.cells[0] as usize * stride, span.cells[1] as usize * stride);
                for (span, x) in shape.xs.iter().zip(0u32..).filter(|(s, _)| over(s.cells, through.map(|t| t.0))) {
                    let [x0, x1] = span.cells.map(|c| c as usize);
                    let gain = table[low + x1] + table[top + x0] - table[low + x0] - table[top + x1];
                    if gain == 0 {
                        continue;
                    }
                    let offer = Offer { spot: Spot { shape: number, x, y }, gain, pixels: shape.pixels };
                    if any.is_none_or(|a| better(&offer, &a, need)) {
                        any = Some(offer);
                    }
                    if clean.is_none_or(|c| better(&offer, &c, need)) && !self.meets_thinly(offer.spot) {
                        clean = Some(offer);
                    }
                }
            }
        }
        self.table = table;
        match (clean, any) {
            (Some(c), Some(a)) if c.gain >= need.min(a.gain / 2) => Some(c),
            (_, a) => a,
        }
    }

    /// Twice the mean position of the heat that only the window at `at` covers, by the middles of cells; the middle of the window where
    /// there is none.
    pub(super) fn middle(&self, at: usize) -> (i64, i64) {
        let spot = self.spots[at];
        let ([x0, x1], [y0, y1]) = self.field.cells(spot);
        let (mut heat, mut mx, mut my) = (0u128, 0u128, 0u128);
        for y in y0..y1 {
            for x in x0..x1 {
                let cell = y * self.cells.columns() + x;
                if self.counts[cell] == 1 {
                    let h = u128::from(self.cells.heat[cell]);
                    heat += h;
                    mx += h * u128::from(self.cells.xs[x] + self.cells.xs[x + 1]);
                    my += h * u128::from(self.cells.ys[y] + self.cells.ys[y + 1]);
                }
            }
        }
        match (mx.checked_div(heat), my.checked_div(heat)) {
            (Some(x), Some(y)) => (x as i64, y as i64),
            _ => doubled_middle(self.field.rect(spot)),
        }
    }

    /// The place for a window like `spot` that adds at least `need` and whose middle is nearest to `target`, in half pixels. What meets
    /// others thinly is passed over.
    pub(super) fn nearest(&mut self, spot: Spot, need: u64, target: (i64, i64)) -> Option<Spot> {
        let table = self.refreshed();
        let stride = self.cells.columns() + 1;
        let shape = &self.field.shapes[spot.shape as usize];
        let off = |start: u32, side: u32, target: i64| (i64::from(2 * start + side) - target).pow(2);
        let mut best: Option<(i64, Spot)> = None;
        for (ys, y) in shape.ys.iter().zip(0u32..) {
            let (top, low) = (ys.cells[0] as usize * stride, ys.cells[1] as usize * stride);
            let dy = off(ys.start, shape.size.height, target.1);
            for (xs, x) in shape.xs.iter().zip(0u32..) {
                let distance = dy + off(xs.start, shape.size.width, target.0);
                if best.is_some_and(|(least, _)| least <= distance) {
                    continue;
                }
                let [x0, x1] = xs.cells.map(|c| c as usize);
                let gain = table[low + x1] + table[top + x0] - table[low + x0] - table[top + x1];
                let here = Spot { shape: spot.shape, x, y };
                if gain >= need && !self.meets_thinly(here) {
                    best = Some((distance, here));
                }
            }
        }
        self.table = table;
        best.map(|(_, spot)| spot)
    }

    /// A window over the whole of `wanted`, grown by the overlap, that meets no other thinly; of these the one that adds most.
    pub(super) fn bridge(&mut self, wanted: Rect) -> Option<Spot> {
        let table = self.refreshed();
        let stride = self.cells.columns() + 1;
        let inside = |used: [u32; 2], from: u32, length: u32| used[0] <= from && from + length <= used[1];
        let mut best: Option<Offer> = None;
        for (shape, number) in self.field.shapes.iter().zip(0u32..) {
            for (ys, y) in shape.ys.iter().zip(0u32..).filter(|(s, _)| inside(s.used, wanted.y, wanted.height)) {
                for (xs, x) in shape.xs.iter().zip(0u32..).filter(|(s, _)| inside(s.used, wanted.x, wanted.width)) {
                    let ([x0, x1], [y0, y1]) = (xs.cells.map(|c| c as usize), ys.cells.map(|c| c as usize * stride));
                    let gain = table[y1 + x1] + table[y0 + x0] - table[y1 + x0] - table[y0 + x1];
                    let offer = Offer { spot: Spot { shape: number, x, y }, gain, pixels: shape.pixels };
                    let more = best.is_none_or(|b| (offer.pixels, b.gain) < (b.pixels, offer.gain));
                    if more && !self.meets_thinly(offer.spot) {
                        best = Some(offer);
                    }
                }
            }
        }
        self.table = table;
        best.map(|b| b.spot)
    }
}

fn better(a: &Offer, b: &Offer, need: u64) -> bool {
    match (a.gain >= need, b.gain >= need) {
        (true, true) => (a.pixels, b.gain) < (b.pixels, a.gain),
        (true, false) => true,
        (false, true) => false,
        (false, false) if a.pixels == b.pixels => a.gain > b.gain,
        (false, false) => u128::from(a.gain) * u128::from(b.pixels) > u128::from(b.gain) * u128::from(a.pixels),
    }
}

/// Twice the middle of a rectangle.
pub(super) fn doubled_middle(r: Rect) -> (i64, i64) {
    (i64::from(2 * r.x + r.width), i64::from(2 * r.y + r.height))
}
