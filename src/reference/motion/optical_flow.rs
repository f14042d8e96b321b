//! `motion/optical_flow`: dense optical flow, coarse to fine, by inverse search of patches.

use crate::Result;
use crate::core::{FlowScale, Size};
use crate::reference::plane::{Plane, unfit};

/// Sampling is in sixteenths of a pixel, vectors in 64ths.
const UNIT: i32 = 64;
const ITERATIONS: u32 = 12;
/// Added to the diagonal of the matrix of a patch: keeps flat patches where they are.
const DAMPING: i32 = 512;
/// Longest step of an iteration, and longest component of a vector, in 64ths of a pixel.
const MAX_STEP: i32 = 2 * UNIT;
const MAX_FLOW: i32 = 16_383;
/// A patch that ends further than 3 pixels from its start has lost its way: it stays there.
const STRAYED: i32 = 3 * UNIT;

/// Flow of a pair of pictures at the size of one pyramid level: vectors in 64ths of a pixel *of that level*.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flow {
    /// Size of the level.
    pub size: Size,
    /// Vectors, row by row.
    pub vectors: Vec<(i32, i32)>,
}

/// `before`, `now`: 8-bit samples, one channel, equal size. Gives for each pixel of `before`, at the level of `scale`, where it lies in
/// `now`. All steps are in integers:
///
/// 1. Pyramid: means of 2x2 pixels `(a + b + c + d + 2) >> 2`, sides rounded up, last row and column repeated. From the level of `scale` up
///    to level 7 as long as both sides have 12 pixels.
/// 2. Per level, from the coarsest: patches of 8x8 pixels every 4 pixels, from -4 on. A patch starts with twice the vector of the coarser
///    level at its middle (0 at the coarsest) and makes up to 12 Gauss-Newton steps on the sum of squared differences without their mean,
///    with the matrix of its own gradients (inverse search); it keeps the place with the least sum, and the last small step from there. Patches that strayed
///    more than 3 pixels stay at their start.
/// 3. Twice: means of 3x3 patches, weighted by how well their gradients fix a vector.
/// 4. A pixel takes the mean of the vectors of its four patches, weighted by `256 >> floor(log2(1 + |difference|))`.
///
/// Samples outside a picture repeat its border.
///
/// # Errors
/// [`crate::Error::Parameter`] for different sizes or more than one channel.
pub fn optical_flow(before: &Plane<'_>, now: &Plane<'_>, scale: FlowScale) -> Result<Flow> {
    const OP: &str = "motion/optical_flow";
    before.expect_channels(OP, 1)?;
    now.expect_channels(OP, 1)?;
    if before.size() != now.size() {
        return Err(unfit(OP, "before", now.size().to_string(), before.size()));
    }
    let (finest, coarsest) = scale.levels(now.size());
    let (a, b) = (pyramid(before, coarsest), pyramid(now, coarsest));
    let mut flow: Option<Flow> = None;
    for level in (finest..=coarsest).rev() {
        let (a, b) = (&a[level as usize], &b[level as usize]);
        let starts = |i: u32, j: u32| {
            flow.as_ref().map_or((0, 0), |coarse| {
                let (x, y) = ((2 * i).min(coarse.size.width - 1), (2 * j).min(coarse.size.height - 1));
                let (u, v) = coarse.vectors[(y * coarse.size.width + x) as usize];
                (2 * u, 2 * v)
            })
        };
        let count = Size::new(a.width.div_ceil(4) + 1, a.height.div_ceil(4) + 1);
        let patches: Vec<Found> = (0..count.height)
            .flat_map(|j| (0..count.width).map(move |i| (i, j)))
            .map(|(i, j)| Patch::new(a, 4 * i as i32 - 4, 4 * j as i32 - 4).search(b, starts(i, j)))
            .collect();
        let patches = smooth(&smooth(&patches, count), count);
        flow = Some(densify(a, b, &patches));
    }
    Ok(flow.unwrap_or(Flow { size: now.size(), vectors: Vec::new() }))
}

struct Level {
    width: u32,
    height: u32,
    samples: Vec<u8>,
}

impl Level {
    fn at(&self, x: i32, y: i32) -> i32 {
        let (x, y) = (x.clamp(0, self.width as i32 - 1), y.clamp(0, self.height as i32 - 1));
        i32::from(self.samples[y as usize * self.width as usize + x as usize])
    }

    /// Place of a patch or tile from `(x, y)` on, moved by 64ths of a pixel: in 16ths, not further out than 8 pixels before the picture
    /// or the end of it.
    fn place(&self, (x, y): (i32, i32), (u, v): (i32, i32)) -> (i32, i32) {
        let moved = |at: i32, d: i32, side: u32| (at * 16 + ((d + 2) >> 2)).clamp(-128, side as i32 * 16);
        (moved(x, u, self.width), moved(y, v, self.height))
    }

    /// 16 times the sample at a place in 16ths of a pixel, bilinear.
    fn sample(&self, (x, y): (i32, i32)) -> i32 {
        let (i, j, fx, fy) = (x >> 4, y >> 4, x & 15, y & 15);
        let row = |j| self.at(i, j) * (16 - fx) + self.at(i + 1, j) * fx;
        (row(j) * (16 - fy) + row(j + 1) * fy + 8) >> 4
    }
}

fn pyramid(src: &Plane<'_>, coarsest: u32) -> Vec<Level> {
    let Size { width, height } = src.size();
    let mut levels = vec![Level { width, height, samples: src.pixels().map(|(x, y)| src.at(x, y, 0)).collect() }];
    for _ in 0..coarsest {
        let fine = &levels[levels.len() - 1];
        let (width, height) = (fine.width.div_ceil(2), fine.height.div_ceil(2));
        let mean = |x: i32, y: i32| {
            let sum = fine.at(2 * x, 2 * y)
                + fine.at(2 * x + 1, 2 * y)
                + fine.at(2 * x, 2 * y + 1)
                + fine.at(2 * x + 1, 2 * y + 1);
            ((sum + 2) >> 2) as u8
        };
        let samples = (0..height as i32).flat_map(|y| (0..width as i32).map(move |x| (x, y))).map(|(x, y)| mean(x, y));
        let samples = samples.collect();
        levels.push(Level { width, height, samples });
    }
    levels
}

/// 8x8 pixels with their gradients (next minus previous) and the matrix of a step.
struct Patch {
    at: (i32, i32),
    /// Sample times 16, gradients.
    pixels: Vec<(i32, i32, i32)>,
    sum_gx: i32,
    sum_gy: i32,
    shift: u32,
    matrix: (i32, i32, i32),
    /// An eighth of the determinant.
    divisor: i32,
}

fn patch_pixels() -> impl Iterator<Item = (i32, i32)> {
    (0..8).flat_map(|y| (0..8).map(move |x| (x, y)))
}

impl Patch {
    fn new(src: &Level, x: i32, y: i32) -> Self {
        let pixel = |(a, b)| {
            let (x, y) = (x + a, y + b);
            (src.at(x, y) * 16, src.at(x + 1, y) - src.at(x - 1, y), src.at(x, y + 1) - src.at(x, y - 1))
        };
        let pixels: Vec<_> = patch_pixels().map(pixel).collect();
        let sum = |f: &dyn Fn(i32, i32) -> i32| pixels.iter().map(|(_, gx, gy)| f(*gx, *gy)).sum::<i32>();
        let (sum_gx, sum_gy) = (sum(&|gx, _| gx), sum(&|_, gy| gy));
        let xx = sum(&|gx, _| gx * gx) - ((sum_gx * sum_gx) >> 6) + DAMPING;
        let xy = sum(&|gx, gy| gx * gy) - ((sum_gx * sum_gy) >> 6);
        let yy = sum(&|_, gy| gy * gy) - ((sum_gy * sum_gy) >> 6) + DAMPING;
        // 13 bits each, so that products fit into 32.
        let shift = (32 - xx.max(yy).leading_zeros()).saturating_sub(13);
        let (xx, xy, yy) = (xx >> shift, xy >> shift, yy >> shift);
        // Along an edge the determinant is next to nothing: steps stay finite.
        let determinant = (xx * yy - xy * xy).max((xx * yy) >> 7);
        Self { at: (x, y), pixels, sum_gx, sum_gy, shift, matrix: (xx, xy, yy), divisor: (determinant >> 3).max(1) }
    }

    /// Sum of squared differences without their mean at a place in 16ths of a pixel, and the step from there in 64ths.
    fn step(&self, src: &Level, (x, y): (i32, i32)) -> (i32, (i32, i32)) {
        let (mut sum, mut squares, mut bx, mut by) = (0, 0, 0, 0);
        for ((a, b), (sample, gx, gy)) in patch_pixels().zip(&self.pixels) {
            let d = src.sample((x + 16 * a, y + 16 * b)) - sample;
            sum += d;
            squares += d * d;
            bx += gx * d;
            by += gy * d;
        }
        let mean = (sum + 32) >> 6;
        let side = |b: i32, g: i32| ((b - g * mean) >> self.shift).clamp(-65_535, 65_535);
        let (bx, by) = (side(bx, self.sum_gx), side(by, self.sum_gy));
        let (xx, xy, yy) = self.matrix;
        let quotient = |n: i32| {
            let rounded = (n.abs() + (self.divisor >> 1)) / self.divisor;
            rounded.min(MAX_STEP) * -n.signum()
        };
        (squares - mean * sum, (quotient(yy * bx - xy * by), quotient(xx * by - xy * bx)))
    }

    fn search(&self, src: &Level, start: (i32, i32)) -> Found {
        let origin = (self.at.0 * 16, self.at.1 * 16);
        let mut vector = start;
        let mut best = (i32::MAX, (0, 0));
        for _ in 0..ITERATIONS {
            let place = src.place(self.at, vector);
            let here = (4 * (place.0 - origin.0), 4 * (place.1 - origin.1));
            let (cost, step) = self.step(src, place);
            if cost >= best.0 {
                break;
            }
            // What is too small to be sampled anew is taken over as it is.
            let small = |d: i32| d.clamp(-8, 8);
            let keep = |at: i32, d: i32| (at + small(d)).clamp(-MAX_FLOW, MAX_FLOW);
            best = (cost, (keep(here.0, step.0), keep(here.1, step.1)));
            vector = (here.0 + step.0, here.1 + step.1);
        }
        let far = (best.1.0 - start.0).abs().max((best.1.1 - start.1).abs());
        if far > STRAYED {
            let inside = |v: i32| v.clamp(-MAX_FLOW, MAX_FLOW);
            return Found { vector: (inside(start.0), inside(start.1)), trust: 1 };
        }
        // Not above the smaller eigenvalue (Gershgorin): small where nothing, or an edge alone, is in the patch.
        let (xx, xy, yy) = self.matrix;
        let trust = (((xx.min(yy) - xy.abs()) << self.shift) >> 6).clamp(1, 1024);
        Found { vector: best.1, trust }
    }
}

/// Vector of a patch and how well its gradients fix it, 1 to 1024.
struct Found {
    vector: (i32, i32),
    trust: i32,
}

/// `sum / weight` to the nearest, halves up.
fn mean(sum: i32, weight: i32) -> i32 {
    (sum + weight / 2).div_euclid(weight)
}

/// Means of 3x3 patches weighted by their trust, the one in the middle eightfold.
fn smooth(patches: &[Found], count: Size) -> Vec<Found> {
    let one = |(x, y): (u32, u32)| {
        let (mut sum, mut weights) = ((0, 0), 0);
        for j in y.saturating_sub(1)..=(y + 1).min(count.height - 1) {
            for i in x.saturating_sub(1)..=(x + 1).min(count.width - 1) {
                let Found { vector, trust } = patches[(j * count.width + i) as usize];
                let weight = if (i, j) == (x, y) { 8 * trust } else { trust };
                sum = (sum.0 + weight * vector.0, sum.1 + weight * vector.1);
                weights += weight;
            }
        }
        let trust = patches[(y * count.width + x) as usize].trust;
        Found { vector: (mean(sum.0, weights), mean(sum.1, weights)), trust }
    };
    (0..count.height).flat_map(|y| (0..count.width).map(move |x| (x, y))).map(one).collect()
}

fn densify(a: &Level, b: &Level, patches: &[Found]) -> Flow {
    let across = a.width.div_ceil(4) + 1;
    let mut vectors = Vec::new();
    for (x, y) in (0..a.height).flat_map(|y| (0..a.width).map(move |x| (x, y))) {
        let (i, j) = (x / 4, y / 4);
        let tile = (4 * i as i32, 4 * j as i32);
        let (mut sum, mut weights) = ((0, 0), 0);
        for (i, j) in [(i, j), (i + 1, j), (i, j + 1), (i + 1, j + 1)] {
            let vector = patches[(j * across + i) as usize].vector;
            let place = b.place(tile, vector);
            let there = b.sample((place.0 + 16 * (x as i32 - tile.0), place.1 + 16 * (y as i32 - tile.1)));
            let difference = (there - 16 * a.at(x as i32, y as i32)).abs() >> 4;
            let weight = 256 >> (difference + 1).ilog2();
            sum = (sum.0 + weight * vector.0, sum.1 + weight * vector.1);
            weights += weight;
        }
        vectors.push((mean(sum.0, weights), mean(sum.1, weights)));
    }
    Flow { size: Size::new(a.width, a.height), vectors }
}

impl Flow {
    /// Length of a vector in 64ths of a pixel of the level, rounded.
    pub fn length((u, v): (i32, i32)) -> u32 {
        let squared = (u * u + v * v) as u32;
        let root = squared.isqrt();
        root + u32::from(squared - root * root > root)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn level(width: u32, samples: &[u8]) -> Level {
        Level { width, height: samples.len() as u32 / width, samples: samples.to_vec() }
    }

    #[test]
    fn levels_are_means_of_boxes_with_the_border_repeated() {
        let src = [0, 4, 8, 1, 3, 9, 10, 20, 30];
        let levels = pyramid(&Plane::tight(Size::new(3, 3), &src).unwrap(), 2);
        // (0+4+1+3+2)/4, (8+8+9+9+2)/4; the last row twice: (10+20+10+20+2)/4, 30.
        assert_eq!((levels[1].width, &levels[1].samples[..]), (2, &[2, 9, 15, 30][..]));
        assert_eq!(levels[2].samples, [14]);
    }

    #[test]
    fn samples_between_pixels_by_hand() {
        let l = level(2, &[0, 100, 40, 20]);
        assert_eq!([l.sample((0, 0)), l.sample((16, 16)), l.sample((8, 0)), l.sample((0, 4))], [0, 320, 800, 160]);
        // Half and half: (0 + 100 + 40 + 20) / 4 * 16; outside the border repeats.
        assert_eq!([l.sample((8, 8)), l.sample((-40, 0)), l.sample((90, 90))], [640, 0, 320]);
    }

    /// A ramp of 8 levels a pixel, moved by half a pixel: gx = 16, d = -64 sixteenths everywhere. Without their mean nothing is left of
    /// either, so a ramp alone does not move; its corner does.
    #[test]
    fn steps_look_at_structure_not_at_brightness() {
        let ramp = |add: i32| level(16, &(0..256).map(|i| (i % 16 * 8 + add) as u8).collect::<Vec<u8>>());
        let patch = Patch::new(&ramp(20), 4, 4);
        assert_eq!((patch.sum_gx, patch.sum_gy, patch.matrix.1), (64 * 16, 0, 0));
        assert_eq!(patch.step(&ramp(16), (64, 64)), (0, (0, 0)));
        // A bright square, its corner in the patch, moved by (1, 2): found to a sixteenth.
        let square = |x, y| {
            level(24, &(0..576).map(|i| if i % 24 > 10 + x && i / 24 > 9 + y { 200 } else { 20 }).collect::<Vec<u8>>())
        };
        let found = Patch::new(&square(0, 0), 8, 8).search(&square(1, 2), (0, 0));
        assert!((found.vector.0 - 64).abs() <= 4 && (found.vector.1 - 128).abs() <= 4, "{:?}", found.vector);
    }

    #[test]
    fn means_round_to_the_nearest_and_lengths_too() {
        assert_eq!([mean(7, 2), mean(-7, 2), mean(-8, 3), mean(0, 5)], [4, -3, -3, 0]);
        assert_eq!(
            [Flow::length((3, -4)), Flow::length((1, 1)), Flow::length((2, 2)), Flow::length((0, 0))],
            [5, 1, 3, 0]
        );
    }

    #[test]
    fn sizes_must_agree() {
        let plane = |w, h| Plane::tight(Size::new(w, h), &[0; 6]).unwrap();
        assert!(optical_flow(&plane(2, 3), &plane(3, 2), FlowScale::Full).is_err());
        assert_eq!(optical_flow(&plane(2, 3), &plane(2, 3), FlowScale::Quarter).unwrap().vectors, [(0, 0)]);
    }
}
