//! Where windows may be put over a picture, and how good a place is.

use super::geometry::{Rect, Size};
use crate::error::{Error, Result};

fn bad(name: &'static str, wanted: impl Into<String>, given: impl std::fmt::Display) -> Error {
    Error::Parameter { op: "placement", name, wanted: wanted.into(), given: given.to_string() }
}

/// A picture cut into cells by lines across and down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CellGrid {
    size: Size,
    xs: Vec<u32>,
    ys: Vec<u32>,
}

impl CellGrid {
    /// Largest side of a cell.
    pub const MAX_CELL: u32 = 64;

    /// Square cells of `cell` pixels a side; those at the right and bottom edge stop at the edge.
    ///
    /// # Errors
    /// `Parameter` for an empty picture, or a side that is not a multiple of 4 from 4 to 64.
    pub fn uniform(size: Size, cell: u32) -> Result<Self> {
        if !cell.is_multiple_of(4) || !(4..=Self::MAX_CELL).contains(&cell) {
            return Err(bad("cell", "a multiple of 4 from 4 to 64 pixels", cell));
        }
        let cuts = |side: u32| (0..side).step_by(cell as usize).collect();
        Self::new(size, cuts(size.width), cuts(size.height))
    }

    /// Cells between cuts at `xs` and `ys`, in any order; both sides of the picture are cut too, and what is wider than 64 pixels is
    /// cut again.
    ///
    /// # Errors
    /// `Parameter` for an empty picture, or cuts outside.
    pub fn new(size: Size, xs: Vec<u32>, ys: Vec<u32>) -> Result<Self> {
        if size.is_empty() {
            return Err(bad("size", "at least 1x1", size));
        }
        Ok(Self { size, xs: cuts("xs", size.width, xs)?, ys: cuts("ys", size.height, ys)? })
    }

    /// Size of the picture.
    pub const fn size(&self) -> Size {
        self.size
    }

    /// Number of cells across and down.
    pub fn cells(&self) -> Size {
        Size::new(self.xs.len() as u32 - 1, self.ys.len() as u32 - 1)
    }

    /// Cuts along x, from 0 to the width: one more than cells.
    pub fn xs(&self) -> &[u32] {
        &self.xs
    }

    /// Cuts along y, from 0 to the height.
    pub fn ys(&self) -> &[u32] {
        &self.ys
    }
}

fn cuts(name: &'static str, side: u32, mut cuts: Vec<u32>) -> Result<Vec<u32>> {
    if let Some(outside) = cuts.iter().find(|c| **c > side) {
        return Err(bad(name, format!("cuts within 0 to {side}"), outside));
    }
    cuts.extend([0, side]);
    cuts.sort_unstable();
    cuts.dedup();
    let starts = cuts.iter().zip(cuts.iter().skip(1));
    let mut all: Vec<u32> = starts.flat_map(|(a, b)| (*a..*b).step_by(CellGrid::MAX_CELL as usize)).collect();
    all.push(side);
    Ok(all)
}

/// Windows of one size at all their places.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    /// Size of the windows.
    pub window: Size,
    /// Whether width and height were exchanged.
    pub turned: bool,
    /// Left edges, rising.
    pub xs: Vec<u32>,
    /// Top edges, rising.
    pub ys: Vec<u32>,
}

impl Places {
    /// Number of windows. They are numbered row by row.
    pub fn count(&self) -> u64 {
        self.xs.len() as u64 * self.ys.len() as u64
    }

    /// Window `index`.
    pub fn rect(&self, index: usize) -> Option<Rect> {
        let columns = self.xs.len();
        let (x, y) = (self.xs.get(index.checked_rem(columns)?)?, self.ys.get(index / columns)?);
        Some(Rect { x: *x, y: *y, width: self.window.width, height: self.window.height })
    }
}

/// Which windows are tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WindowParams {
    /// Pixels from one place to the next, across and down.
    pub step: u32,
    /// Try width and height exchanged, too.
    pub rotate: bool,
    /// Try the last place before the right and the bottom edge even where the steps do not meet it.
    pub flush: bool,
}

/// All candidate windows over a picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Windows {
    frame: Size,
    places: Vec<Places>,
}

impl Windows {
    /// Windows of size `window` at steps from 0 to the last place that fits into `frame`, as given and, with `rotate`, turned. What
    /// does not fit is left out, as is a turned square.
    ///
    /// # Errors
    /// `Parameter` for a step of 0 and where no window fits.
    pub fn new(frame: Size, window: Size, params: WindowParams) -> Result<Self> {
        if params.step == 0 {
            return Err(bad("step", "at least 1 pixel", params.step));
        }
        let turned = params.rotate && window.width != window.height;
        let mut places = Vec::new();
        for (size, turned) in [(window, false)].into_iter().chain(turned.then_some((window.transposed(), true))) {
            if size.is_empty() || size.width > frame.width || size.height > frame.height {
                continue;
            }
            let along = |frame: u32, side: u32| {
                let last = frame - side;
                let mut starts: Vec<u32> = (0..=last).step_by(params.step as usize).collect();
                if params.flush && starts.last() != Some(&last) {
                    starts.push(last);
                }
                starts
            };
            let (xs, ys) = (along(frame.width, size.width), along(frame.height, size.height));
            places.push(Places { window: size, turned, xs, ys });
        }
        if places.is_empty() {
            return Err(bad("window", format!("a window of at least 1x1 that fits into {frame}"), window));
        }
        Ok(Self { frame, places })
    }

    /// Size of the picture.
    pub const fn frame(&self) -> Size {
        self.frame
    }

    /// Windows by orientation: as given first, turned second.
    pub fn places(&self) -> &[Places] {
        &self.places
    }

    /// The coarsest grid of which every window is made of whole cells.
    ///
    /// # Errors
    /// None but for an empty picture.
    pub fn grid(&self) -> Result<CellGrid> {
        let edges = |starts: fn(&Places) -> &[u32], side: fn(Size) -> u32| {
            let of = move |p: &Places| starts(p).iter().flat_map(|s| [*s, s + side(p.window)]).collect::<Vec<u32>>();
            self.places.iter().flat_map(of).collect()
        };
        CellGrid::new(self.frame, edges(|p| &p.xs, |s| s.width), edges(|p| &p.ys, |s| s.height))
    }
}

/// The heat in a window, as an integer, and whether it lies where it should.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WindowScore {
    /// The window.
    pub rect: Rect,
    /// Whether width and height were exchanged.
    pub turned: bool,
    /// Sum of the heat.
    pub sum: u64,
    /// Whether the centre of the active heat lies outside the margin of the window: else its score is 0.85 times the sum.
    pub centred: bool,
}

impl WindowScore {
    /// Score in twentieths: scores are compared by it.
    pub fn key(&self) -> u64 {
        self.sum.wrapping_mul(if self.centred { 20 } else { 17 })
    }

    /// Score of a map summed with `fraction_bits` binary places.
    pub fn score(&self, fraction_bits: u32) -> f64 {
        self.key() as f64 / 20.0 * (-f64::from(fraction_bits)).exp2()
    }

    /// Least key that counts as equal to `key`: `2^-20` of it, about `1e-6`, below.
    pub const fn tie(key: u64) -> u64 {
        key - (key >> 20)
    }

    /// The best of several: the first that is not below the largest by more than [`Self::tie`] allows.
    pub fn best(scores: &[Self]) -> Option<Self> {
        let least = Self::tie(scores.iter().map(Self::key).max()?);
        scores.iter().find(|s| s.key() >= least).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_stop_at_the_edges_and_are_at_most_64_wide() {
        let grid = CellGrid::uniform(Size::new(33, 8), 16).unwrap();
        assert_eq!((grid.xs(), grid.ys(), grid.cells()), (&[0, 16, 32, 33][..], &[0, 8][..], Size::new(3, 1)));
        let grid = CellGrid::new(Size::new(200, 1), vec![130, 10, 10], vec![]).unwrap();
        assert_eq!(grid.xs(), [0, 10, 74, 130, 194, 200]);
        for cell in [0, 2, 6, 68] {
            assert!(CellGrid::uniform(Size::new(9, 9), cell).is_err(), "{cell}");
        }
        assert!(CellGrid::new(Size::new(9, 9), vec![10], vec![]).is_err());
        assert!(CellGrid::new(Size::new(0, 9), vec![], vec![]).is_err());
    }

    #[test]
    fn windows_go_to_the_last_place_that_fits() {
        let window = |flush, rotate| {
            Windows::new(Size::new(21, 10), Size::new(8, 4), WindowParams { step: 4, rotate, flush }).unwrap()
        };
        let plain = window(false, true);
        let [a, b] = plain.places() else { panic!("{plain:?}") };
        assert_eq!((&a.xs[..], &a.ys[..]), (&[0, 4, 8, 12][..], &[0, 4][..]));
        assert_eq!((b.window, &b.xs[..], &b.ys[..]), (Size::new(4, 8), &[0, 4, 8, 12, 16][..], &[0][..]));
        assert_eq!(a.rect(5), Some(Rect { x: 4, y: 4, width: 8, height: 4 }));
        assert_eq!(a.rect(8), None);
        let flush = window(true, false);
        assert_eq!((&flush.places()[0].xs[..], &flush.places()[0].ys[..]), (&[0, 4, 8, 12, 13][..], &[0, 4, 6][..]));
        assert_eq!(flush.grid().unwrap().ys(), [0, 4, 6, 8, 10]);
        let square = WindowParams { step: 8, rotate: true, flush: true };
        assert_eq!(Windows::new(Size::new(9, 9), Size::new(9, 9), square).unwrap().places().len(), 1);
        assert!(Windows::new(Size::new(9, 9), Size::new(10, 4), square).is_err());
        assert!(Windows::new(Size::new(9, 9), Size::new(10, 10), square).is_err());
        assert!(Windows::new(Size::new(9, 9), Size::new(4, 4), WindowParams { step: 0, ..square }).is_err());
    }

    #[test]
    fn the_first_of_nearly_equal_scores_is_best() {
        let of =
            |x, sum, centred| WindowScore { rect: Rect { x, y: 0, width: 1, height: 1 }, turned: false, sum, centred };
        let best = |scores: &[WindowScore]| WindowScore::best(scores).map(|s| s.rect.x);
        assert_eq!(best(&[of(0, 1 << 30, true), of(1, (1 << 30) + 900, true)]), Some(0));
        assert_eq!(best(&[of(0, 1 << 30, true), of(1, (1 << 30) + 1200, true)]), Some(1));
        assert_eq!(best(&[of(0, 100, false), of(1, 86, true), of(2, 86, true)]), Some(1));
        assert_eq!(best(&[]), None);
        assert_eq!(of(0, 40, false).score(2), 8.5);
    }
}
