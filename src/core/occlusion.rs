//! What covers parts of pictures: regions, rectangles, grids and cells, in integers that kernels and their references share.

use super::geometry::{Rect, Size};
use super::random::{Draw, below, happens, stream, unit};

/// Area that an operation covered in one picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Covered {
    /// Covered pixels, each counted once.
    pub pixels: u64,
    /// Pixels of the picture.
    pub n: u64,
}

impl Covered {
    /// Covered share of the picture, 0..=1; 0 for no pixels.
    pub fn share(&self) -> f64 {
        if self.n == 0 { 0.0 } else { self.pixels as f64 / self.n as f64 }
    }
}

/// A share of one in 65 536ths, to the nearest; `None` outside 0..=1.
pub fn parts(share: f64) -> Option<u32> {
    (0.0..=1.0).contains(&share).then(|| (share * 65_536.0).round() as u32)
}

/// Side of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Side {
    /// x = 0.
    Left,
    /// x = width - 1.
    Right,
    /// y = 0.
    Top,
    /// y = height - 1.
    Bottom,
}

impl Side {
    /// The band along this side: the share of the width (left, right) or of the height (top, bottom), rounded down to pixels, at most
    /// the whole picture. `None` where nothing is left.
    pub fn band(self, size: Size, share: f64) -> Option<Rect> {
        let Size { width, height } = size;
        // The slack lifts products such as 100 * 0.29 over the whole number they stand for.
        let part = |side: u32| ((f64::from(side) * share + 1e-9).max(0.0) as u32).min(side);
        let rect = match self {
            Self::Left => Rect { x: 0, y: 0, width: part(width), height },
            Self::Right => Rect { x: width - part(width), y: 0, width: part(width), height },
            Self::Top => Rect { x: 0, y: 0, width, height: part(height) },
            Self::Bottom => Rect { x: 0, y: height - part(height), width, height: part(height) },
        };
        rect.fits(size).then_some(rect)
    }
}

/// Part of a picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Region {
    /// A band along a side, thick as a share of the picture, see [`Side::band`].
    Band {
        /// Where.
        side: Side,
        /// Share of the width or height, 0..=1.
        share: f64,
    },
    /// A rectangle; what lies outside the picture does not count.
    Rect(Rect),
}

impl Region {
    /// The pixels of a picture of `size`; `None` where there are none.
    pub fn rect(self, size: Size) -> Option<Rect> {
        match self {
            Self::Band { side, share } => side.band(size, share),
            Self::Rect(r) => clipped(r, size),
        }
    }
}

/// The part of `r` inside `size`; `None` for nothing.
fn clipped(r: Rect, size: Size) -> Option<Rect> {
    let width = r.x.saturating_add(r.width).min(size.width).saturating_sub(r.x);
    let height = r.y.saturating_add(r.height).min(size.height).saturating_sub(r.y);
    (width > 0 && height > 0).then_some(Rect { width, height, ..r })
}

/// How a colour is laid over pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LayMode {
    /// Alpha blend: the share of the colour takes the place of the same share of the pixel.
    Blend,
    /// The share of the colour is added, saturating: makes every picture lighter.
    Add,
}

/// A blurred band along one side.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EdgeBlur {
    /// Where.
    pub side: Side,
    /// Thickness as a share of the width (left, right) or height, 0..=1, see [`Side::band`]; 0 blurs nothing.
    pub share: f64,
    /// Radius `r` of the Gaussian of `2r + 1` taps, 1..=127.
    pub radius: u32,
    /// Pixels over which the blur sets in, from the seam inwards, 0..=4096; 0 makes a hard seam.
    pub feather: u32,
    /// What pixels outside the band look like to the blur.
    pub inside: Inside,
}

/// Where the Gaussian of [`EdgeBlur`] mirrors (reflect-101).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Inside {
    /// At the borders of the picture: pixels beyond the seam flow in.
    Picture,
    /// At the borders of the band: as if it were cut out.
    Band,
}

impl Default for EdgeBlur {
    /// A quarter of the picture at the left with 31 taps and a seam of 16 pixels.
    fn default() -> Self {
        Self { side: Side::Left, share: 0.25, radius: 15, feather: 16, inside: Inside::Picture }
    }
}

/// Taps of the Gaussian with `2 radius + 1` taps in 256ths, which sum to 256.
///
/// Standard deviation `0.3 (radius - 1) + 0.8`; from outside in `v = 256 k_i + carry`, `q_i` = v to the nearest (even), `carry = v -
/// q_i`; the middle takes the rest. Radius 1, 2 and 3 have the binomial taps that OpenCV uses.
pub fn gauss_taps(radius: u32) -> Vec<u32> {
    match radius {
        0 => return vec![256],
        1 => return vec![64, 128, 64],
        2 => return vec![16, 64, 96, 64, 16],
        3 => return vec![8, 28, 56, 72, 56, 28, 8],
        _ => {}
    }
    let sigma = 0.3 * (f64::from(radius) - 1.0) + 0.8;
    let value = |i: u32| (-(f64::from(i) - f64::from(radius)).powi(2) / (2.0 * sigma * sigma)).exp();
    let sum: f64 = (0..=2 * radius).map(value).sum();
    let mut carry = 0.0;
    let half: Vec<u32> = (0..radius)
        .map(|i| {
            let v = 256.0 * value(i) / sum + carry;
            carry = v - v.round_ties_even();
            v.round_ties_even() as u32
        })
        .collect();
    let middle = 256 - 2 * half.iter().sum::<u32>();
    half.iter().copied().chain([middle]).chain(half.iter().rev().copied()).collect()
}

/// What covered pixels are filled with. Alpha is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fill {
    /// R, G, B; of grey pictures the first.
    Constant([u8; 3]),
    /// Mean of each channel over the whole picture before it was covered, `(sum + n/2) / n` rounded down.
    Mean,
    /// The top bytes of the first three words of [`Draw::words`]`(y * width + x, stream::NOISE)`; of grey pictures the first.
    Noise,
}

/// Rectangles to erase at random (Zhong et al., "Random Erasing Data Augmentation", 2020).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Erasing {
    /// Rectangles per picture, 0..=64; each is drawn alone and they may overlap.
    pub count: u32,
    /// Probability that a rectangle is erased at all, 0..=1.
    pub probability: f64,
    /// Least and largest area of a rectangle as a share of the picture, 0..=1.
    pub area: [f64; 2],
    /// Least and largest ratio of height to width, above 0.
    pub aspect: [f64; 2],
}

impl Default for Erasing {
    /// The values of the paper: one rectangle with probability 1/2, 2 to 40 % of the area, ratio 0.3 to 1/0.3.
    fn default() -> Self {
        Self { count: 1, probability: 0.5, area: [0.02, 0.4], aspect: [0.3, 1.0 / 0.3] }
    }
}

impl Erasing {
    /// Times that a rectangle is drawn before it is given up because it does not fit.
    pub const ATTEMPTS: u32 = 10;

    /// The rectangles of a picture, all inside it.
    ///
    /// Attempt `k` of rectangle `i` uses the words `w` of item `16 i + k`: area = `size.area() * (area[0] + (area[1]-area[0]) u0)`,
    /// ratio likewise with `u1`, `u = w / 2^32`; height = sqrt(area * ratio), width = sqrt(area / ratio), to the nearest and at least 1;
    /// position = [`below`] what is left over + 1, with the last two words. The first attempt that fits is taken. Whether the
    /// rectangle is erased at all says the first word of item `16 i + 15`. Only operations that IEEE 754 rounds correctly: the
    /// same on every machine.
    pub fn rects(&self, size: Size, draw: Draw) -> Vec<Rect> {
        let wanted = |i: &u32| happens(draw.words(16 * i + 15, stream::ERASE)[0], parts(self.probability).unwrap_or(0));
        (0..self.count).filter(wanted).filter_map(|i| self.one(size, draw, i)).collect()
    }

    fn one(&self, size: Size, draw: Draw, index: u32) -> Option<Rect> {
        let between = |[low, high]: [f64; 2], word: u32| low + (high - low) * unit(word);
        (0..Self::ATTEMPTS).find_map(|attempt| {
            let [a, b, c, d] = draw.words(16 * index + attempt, stream::ERASE);
            let area = size.area() as f64 * between(self.area, a);
            let ratio = between(self.aspect, b);
            let side = |v: f64| v.sqrt().round().max(1.0) as u32;
            let (width, height) = (side(area / ratio), side(area * ratio));
            (width <= size.width && height <= size.height).then(|| Rect {
                x: below(c, size.width - width + 1),
                y: below(d, size.height - height + 1),
                width,
                height,
            })
        })
    }
}

/// A grid of square holes (Chen et al., "GridMask Data Augmentation", 2020).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Grid {
    /// Pixels from hole to hole, 2..=32 768.
    pub period: u32,
    /// Share of the period that is kept between holes, 0..=1: the paper's `r`.
    pub ratio: f64,
    /// Where the first hole begins left of and above the picture, in pixels (modulo the period).
    pub offset: [u32; 2],
    /// Turns the grid around the middle of the picture, in degrees, clockwise as seen (y down).
    pub degrees: f64,
}

/// A [`Grid`] in integers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GridSteps {
    /// Pixels from hole to hole.
    pub period: u32,
    /// Side of a hole: `period - round(period * ratio)`.
    pub hole: u32,
    /// Offset across and down; for turned grids so large that no place is negative.
    pub offset: [u32; 2],
    /// Cosine and sine in 2^-14, to the nearest.
    pub turn: [i32; 2],
    /// Whether the grid is turned at all.
    pub turned: bool,
}

impl Grid {
    /// Offset and angle at random, from the words of item 0: offset below the period from the first two, angle between 0 and
    /// `max_degrees` from the third.
    #[must_use]
    pub fn drawn(self, draw: Draw, max_degrees: f64) -> Self {
        let [a, b, c, _] = draw.words(0, stream::GRID);
        Self { offset: [below(a, self.period), below(b, self.period)], degrees: max_degrees * unit(c), ..self }
    }

    /// The integers that decide which pixels are covered.
    pub fn steps(&self) -> GridSteps {
        let radians = self.degrees.to_radians();
        let fixed = |v: f64| (v * 16_384.0).round() as i32;
        let turn = [fixed(radians.cos()), fixed(radians.sin())];
        let turned = turn != [16_384, 0];
        // Half a diagonal of the largest picture is below 23 171 px.
        let period = self.period.max(1);
        let ahead = if turned { 32_768u32.next_multiple_of(period) } else { 0 };
        let kept = (f64::from(period) * self.ratio).round() as u32;
        GridSteps {
            period,
            hole: period.saturating_sub(kept),
            offset: self.offset.map(|o| ahead + o % period),
            turn,
            turned,
        }
    }
}

impl GridSteps {
    /// Whether pixel `(x, y)` of a picture of `size` is covered. A turned grid is looked up at `(cos X + sin Y) >> 15` and
    /// `(cos Y - sin X) >> 15` plus the offsets, `X = 2x + 1 - width`, `Y = 2y + 1 - height`.
    pub fn covers(&self, size: Size, x: u32, y: u32) -> bool {
        let [across, down] = self.offset.map(i64::from);
        let [cos, sin] = self.turn.map(i64::from);
        let (u, v) = if self.turned {
            let dx = 2 * i64::from(x) + 1 - i64::from(size.width);
            let dy = 2 * i64::from(y) + 1 - i64::from(size.height);
            ((cos * dx + sin * dy) >> 15, (cos * dy - sin * dx) >> 15)
        } else {
            (i64::from(x), i64::from(y))
        };
        let inside = |place: i64| place.rem_euclid(i64::from(self.period)) < i64::from(self.hole);
        inside(u + across) && inside(v + down)
    }
}

/// Cells hidden at random (Singh and Lee, "Hide-and-Seek", 2017).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hiding {
    /// Cells across, and cells down, 1..=64.
    pub cells: u32,
    /// Probability that a cell is hidden, 0..=1.
    pub probability: f64,
}

impl Hiding {
    /// Whether cell `(column, row)` is hidden: from the first word of item `row * cells + column`.
    pub fn hides(&self, draw: Draw, column: u32, row: u32) -> bool {
        let [word, ..] = draw.words(row * self.cells + column, stream::HIDE);
        happens(word, parts(self.probability).unwrap_or(0))
    }

    /// Cell of pixel `(x, y)`: `(x * cells / width, y * cells / height)`, rounded down.
    pub fn cell(&self, size: Size, x: u32, y: u32) -> (u32, u32) {
        (x * self.cells / size.width, y * self.cells / size.height)
    }
}

/// A foreground element on a picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Paste {
    /// Slot of the element in its own batch.
    pub object: u32,
    /// Column of its left edge in the picture; may lie outside.
    pub x: i32,
    /// Row of its top edge.
    pub y: i32,
    /// Pixels of the result per pixel of the element, above 0. There is no low-pass: below 1/2 pixels are skipped.
    pub scale: f64,
    /// 0..=1, counts in 256ths.
    pub opacity: f64,
}

impl Paste {
    /// Size on the picture of an element of `size`: each side to the nearest, at least 1; `None` above 32 768 pixels a side or for a
    /// scale that is not above 0.
    pub fn target(&self, size: Size) -> Option<Size> {
        let side = |v: u32| {
            let scaled = (f64::from(v) * self.scale).round().max(1.0);
            (self.scale > 0.0 && scaled <= 32_768.0).then_some(scaled as u32)
        };
        Some(Size { width: side(size.width)?, height: side(size.height)? })
    }

    /// The opacity in 256ths, to the nearest; `None` outside 0..=1.
    pub fn opacity_256ths(&self) -> Option<u32> {
        (0.0..=1.0).contains(&self.opacity).then(|| (self.opacity * 256.0).round() as u32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bands_are_parts_rounded_down() {
        let size = Size::new(7, 100);
        let rect = |x, y, width, height| Some(Rect { x, y, width, height });
        assert_eq!(Side::Left.band(size, 0.25), rect(0, 0, 1, 100));
        assert_eq!(Side::Right.band(size, 0.3), rect(5, 0, 2, 100));
        assert_eq!(Side::Top.band(size, 0.29), rect(0, 0, 7, 29));
        assert_eq!(Side::Bottom.band(size, 1.0), rect(0, 0, 7, 100));
        assert_eq!(Side::Left.band(size, 0.1), None);
        assert!((1..3000).all(|w| Side::Left.band(Size::new(3 * w, 1), 1.0 / 3.0).is_some_and(|r| r.width == w)));
    }

    #[test]
    fn taps_of_known_gaussians() {
        assert_eq!(gauss_taps(4), [4, 13, 30, 51, 60, 51, 30, 13, 4]);
        let half = [0, 1, 0, 1, 2, 3, 4, 6, 7, 10, 13, 15, 17, 19, 20, 20];
        assert_eq!(gauss_taps(15)[..16], half);
        for radius in 0..=127 {
            let taps = gauss_taps(radius);
            assert!(taps.len() as u32 == 2 * radius + 1 && taps.iter().sum::<u32>() == 256, "{radius}");
            assert!(taps.iter().eq(taps.iter().rev()), "{radius}");
        }
    }

    #[test]
    fn regions_end_with_the_picture() {
        let size = Size::new(10, 8);
        let of = |x, y, width, height| Region::Rect(Rect { x, y, width, height }).rect(size);
        assert_eq!(of(8, 2, 5, 5), Some(Rect { x: 8, y: 2, width: 2, height: 5 }));
        assert_eq!(of(10, 0, 5, 5), None);
        assert_eq!(of(0, 0, u32::MAX, 1), Some(Rect { x: 0, y: 0, width: 10, height: 1 }));
        assert_eq!(of(3, 3, 0, 4), None);
        assert_eq!((parts(0.5), parts(1.0), parts(1.01), parts(f64::NAN)), (Some(32_768), Some(65_536), None, None));
    }

    #[test]
    fn rectangles_keep_area_and_ratio_and_lie_inside() {
        let erasing = Erasing { count: 3, probability: 1.0, area: [0.1, 0.2], aspect: [0.5, 2.0] };
        let size = Size::new(200, 150);
        let mut seen = 0;
        for picture in 0..200 {
            for r in erasing.rects(size, Draw { seed: 1, picture }) {
                let share = f64::from(r.width * r.height) / size.area() as f64;
                let ratio = f64::from(r.height) / f64::from(r.width);
                assert!(r.fits(size) && (0.098..0.204).contains(&share) && (0.49..2.05).contains(&ratio), "{r:?}");
                seen += 1;
            }
        }
        assert_eq!(seen, 600);
        let half = Erasing { probability: 0.5, ..Erasing::default() };
        let erased = (0..1000).filter(|p| !half.rects(size, Draw { seed: 1, picture: *p }).is_empty()).count();
        assert!((430..570).contains(&erased), "{erased}");
        // Nothing of a tenth of the area fits as a flat strip.
        let flat = Erasing { aspect: [0.0001, 0.0002], ..erasing };
        assert!(flat.rects(size, Draw::default()).is_empty());
    }

    #[test]
    fn a_grid_by_hand() {
        let grid = Grid { period: 4, ratio: 0.5, offset: [1, 0], degrees: 0.0 };
        let row = |y| (0..8).map(|x| u8::from(grid.steps().covers(Size::new(8, 4), x, y))).collect::<Vec<_>>();
        assert_eq!((grid.steps().hole, row(0), row(2)), (2, vec![1, 0, 0, 1, 1, 0, 0, 1], vec![0; 8]));
        // A quarter turn of a square picture: (x, y) is looked up at (Y, -X), so columns become rows.
        let turned = Grid { degrees: 90.0, offset: [0, 0], ..grid };
        assert_eq!(turned.steps().turn, [0, 16_384]);
        let size = Size::new(8, 8);
        let plain = Grid { offset: [0, 0], ..grid };
        for (x, y) in (0..8).flat_map(|y| (0..8).map(move |x| (x, y))) {
            // u = y - 4, v = 3 - x, both congruent to y and 7 - x modulo 4.
            assert_eq!(turned.steps().covers(size, x, y), plain.steps().covers(size, y, 7 - x), "{x} {y}");
        }
    }

    #[test]
    fn grids_cover_the_square_of_what_they_do_not_keep() {
        let grid = Grid { period: 10, ratio: 0.4, offset: [3, 7], degrees: 33.0 };
        let (size, steps) = (Size::new(300, 300), grid.steps());
        let covered = (0..size.area() as u32).filter(|i| steps.covers(size, i % 300, i / 300)).count();
        assert!((covered as f64 / size.area() as f64 - 0.36).abs() < 0.01, "{covered}");
        let drawn = grid.drawn(Draw { seed: 3, picture: 4 }, 360.0);
        assert!(drawn.offset.iter().all(|o| *o < 10) && drawn.degrees < 360.0 && drawn != grid);
    }

    #[test]
    fn cells_by_hand() {
        let hiding = Hiding { cells: 3, probability: 0.5 };
        let size = Size::new(7, 3);
        // 7 columns in 3 cells: 0 3 6 9 12 15 18 / 7.
        assert_eq!((0..7).map(|x| hiding.cell(size, x, 2).0).collect::<Vec<_>>(), [0, 0, 0, 1, 1, 2, 2]);
        assert_eq!(hiding.cell(size, 0, 2), (0, 2));
        let all = |p| (0..9).all(|i| Hiding { probability: p, ..hiding }.hides(Draw::default(), i % 3, i / 3));
        assert!(all(1.0) && !all(0.5) && !all(0.0));
    }
}
