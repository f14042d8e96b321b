//! Holes filled from their rims inwards: the fast marching method of Telea, "An Image Inpainting Technique Based on the Fast Marching Method",
//! Journal of Graphics Tools 9(1), 2004.
//!
//! On the host: every pixel depends on those filled before it, so there is nothing to do in parallel. Deterministic: equal distances in the
//! order in which they were found. Time O(hole * radius^2 + hole log hole), memory 9 bytes a pixel of the picture.
#![allow(clippy::indexing_slicing, reason = "places are checked against the size once, where they are made")]

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::core::Size;

const KNOWN: u8 = 0;
const BAND: u8 = 1;
const HOLE: u8 = 2;
const FAR: f32 = 1e6;

/// The picture with a border of one pixel, so that neighbours always exist.
struct March {
    width: usize,
    height: usize,
    flag: Vec<u8>,
    time: Vec<f32>,
    heap: BinaryHeap<Reverse<(u32, u64)>>,
    order: u64,
}

impl March {
    fn around(&self, at: usize) -> [usize; 4] {
        [at - self.width, at - 1, at + self.width, at + 1]
    }

    fn inner(&self, at: usize) -> bool {
        let (x, y) = (at % self.width, at / self.width);
        x > 0 && y > 0 && x + 1 < self.width && y + 1 < self.height
    }

    /// Times are not negative, so their bits are in their order; ties go by when they were found.
    fn push(&mut self, at: usize) {
        self.heap.push(Reverse((self.time[at].to_bits(), self.order << 32 | at as u64)));
        self.order += 1;
    }

    fn pop(&mut self) -> Option<usize> {
        self.heap.pop().map(|Reverse((_, place))| (place & 0xffff_ffff) as usize)
    }

    /// Arrival time by two neighbours, one across and one down.
    fn solve(&self, a: usize, b: usize, unknown: u8) -> f32 {
        let (ta, tb) = (self.time[a], self.time[b]);
        match (self.flag[a] != unknown, self.flag[b] != unknown) {
            (true, true) if (ta - tb).abs() >= 1.0 => 1.0 + ta.min(tb),
            (true, true) => (ta + tb + (2.0 - (ta - tb) * (ta - tb)).sqrt()) * 0.5,
            (true, false) => 1.0 + ta,
            (false, true) => 1.0 + tb,
            (false, false) => 1.0 + ta.min(tb),
        }
    }

    fn arrival(&self, at: usize) -> f32 {
        let [up, left, down, right] = self.around(at);
        [(up, left), (down, left), (up, right), (down, right)]
            .into_iter()
            .map(|(a, b)| self.solve(a, b, HOLE))
            .fold(f32::INFINITY, f32::min)
    }
}

/// Fills the pixels of `rgb` (bytes red, green, blue) where `hole` is not 0, each from known ones within `radius`.
///
/// `drift` is added to every value before it is rounded: 0, or 0.5 as OpenCV does, which makes large holes lighter towards their middle.
///
/// A hole that covers everything has nothing to be filled from: the picture stays as it is. `rgb` has three bytes and `hole` one for each
/// pixel of `size`; others are left alone.
pub(super) fn inpaint(size: Size, rgb: &mut [u8], hole: &[u8], radius: u32, drift: f32) {
    let (w, h) = (size.width as usize, size.height as usize);
    if rgb.len() != w * h * 3 || hole.len() != w * h || hole.iter().all(|v| *v != 0) {
        return;
    }
    let (width, height) = (w + 2, h + 2);
    let inside = |x: usize, y: usize| x >= 1 && y >= 1 && x <= w && y <= h;
    let mut flag = vec![KNOWN; width * height];
    for y in 1..=h {
        for x in 1..=w {
            if hole[(y - 1) * w + x - 1] != 0 {
                flag[y * width + x] = HOLE;
            }
        }
    }
    let time: Vec<f32> = flag.iter().map(|f| if *f == HOLE { FAR } else { 0.0 }).collect();
    let mut march = March { width, height, flag, time, heap: BinaryHeap::new(), order: 0 };
    outside(&mut march, radius);
    // The rim: known pixels beside the hole.
    let rim: Vec<usize> = (0..width * height)
        .filter(|at| {
            march.inner(*at) && march.flag[*at] == KNOWN && march.around(*at).iter().any(|n| march.flag[*n] == HOLE)
        })
        .collect();
    for at in rim {
        march.flag[at] = BAND;
        march.time[at] = 0.0;
        march.push(at);
    }
    while let Some(at) = march.pop() {
        march.flag[at] = KNOWN;
        for next in march.around(at) {
            let (x, y) = (next % width, next / width);
            if !inside(x, y) || march.flag[next] != HOLE {
                continue;
            }
            march.time[next] = march.arrival(next);
            fill(&march, rgb, (w, h), (x, y), (radius, drift));
            march.flag[next] = BAND;
            march.push(next);
        }
    }
}

/// Distances of known pixels near the hole, negative: they weigh by how far they lie from the rim.
fn outside(march: &mut March, radius: u32) {
    let (width, all) = (march.width, march.flag.len());
    // Rings of growing distance, from the rim outwards.
    let mut ring: Vec<usize> = (0..all)
        .filter(|at| march.inner(*at) && march.flag[*at] == KNOWN)
        .filter(|at| march.around(*at).iter().any(|n| march.flag[*n] == HOLE))
        .collect();
    let mut seen = vec![false; all];
    ring.iter().for_each(|at| seen[*at] = true);
    let mut out = March {
        width,
        height: march.height,
        flag: march.flag.iter().map(|f| if *f == HOLE { KNOWN } else { HOLE }).collect(),
        time: vec![FAR; all],
        heap: BinaryHeap::new(),
        order: 0,
    };
    for at in 0..all {
        if march.flag[at] == HOLE {
            out.time[at] = 0.0;
        }
    }
    for at in ring.drain(..) {
        out.flag[at] = BAND;
        out.time[at] = 0.0;
        out.push(at);
    }
    let far = radius as f32 + 1.0;
    while let Some(at) = out.pop() {
        out.flag[at] = KNOWN;
        if out.time[at] > far {
            continue;
        }
        for next in out.around(at) {
            if out.inner(next) && out.flag[next] == HOLE && march.flag[next] != HOLE {
                out.time[next] = out.arrival(next);
                out.flag[next] = BAND;
                out.push(next);
            }
        }
    }
    for at in 0..all {
        if march.flag[at] == KNOWN && out.time[at] < FAR {
            march.time[at] = -out.time[at];
        }
    }
}

/// One pixel from the known ones around it, weighted by direction, distance and level; along the gradient of the picture.
fn fill(march: &March, rgb: &mut [u8], (w, h): (usize, usize), (x, y): (usize, usize), (radius, drift): (u32, f32)) {
    let width = march.width;
    let at = y * width + x;
    let t = |i: usize| march.time[i];
    let known = |i: usize| march.flag[i] != HOLE;
    let slope = |low: usize, high: usize| match (known(low), known(high)) {
        (true, true) => (t(high) - t(low)) * 0.5,
        (true, false) => t(at) - t(low),
        (false, true) => t(high) - t(at),
        (false, false) => 0.0,
    };
    let (gx, gy) = (slope(at - 1, at + 1), slope(at - width, at + width));
    let r = radius as isize;
    let (mut sums, mut jx, mut jy) = ([0f32; 3], [0f32; 3], [0f32; 3]);
    let mut total = 0f32;
    for dy in -r..=r {
        for dx in -r..=r {
            let (Some(px), Some(py)) = (x.checked_add_signed(dx), y.checked_add_signed(dy)) else { continue };
            if px < 1 || py < 1 || px > w || py > h || dx * dx + dy * dy > r * r {
                continue;
            }
            let place = py * width + px;
            if !known(place) {
                continue;
            }
            // From the known pixel to this one.
            let (rx, ry) = (-dx as f32, -dy as f32);
            let square = rx * rx + ry * ry;
            let near = 1.0 / (square * square.sqrt());
            let level = 1.0 / (1.0 + (t(place) - t(at)).abs());
            let mut along = rx * gx + ry * gy;
            if along.abs() <= 0.01 {
                along = 1e-6;
            }
            let weight = (near * level * along).abs();
            for c in 0..3 {
                let value = |i: usize| {
                    let (ix, iy) = (i % width, i / width);
                    f32::from(rgb[((iy - 1) * w + ix - 1) * 3 + c])
                };
                let within = |i: usize| {
                    let (ix, iy) = (i % width, i / width);
                    ix >= 1 && iy >= 1 && ix <= w && iy <= h && known(i)
                };
                let gradient = |low: usize, high: usize| match (within(low), within(high)) {
                    (true, true) => (value(high) - value(low)) * 2.0,
                    (true, false) => value(place) - value(low),
                    (false, true) => value(high) - value(place),
                    (false, false) => 0.0,
                };
                sums[c] += weight * value(place);
                jx[c] -= weight * gradient(place - 1, place + 1) * rx;
                jy[c] -= weight * gradient(place - width, place + width) * ry;
            }
            total += weight;
        }
    }
    if total <= 0.0 {
        return;
    }
    for c in 0..3 {
        let turn = (jx[c] + jy[c]) / ((jx[c] * jx[c] + jy[c] * jy[c]).sqrt() + 1e-20);
        let value = sums[c] / total + turn;
        rgb[((y - 1) * w + x - 1) * 3 + c] = (value + drift).round_ties_even().clamp(0.0, 255.0) as u8;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flat_picture_stays_flat_and_a_slope_goes_on() {
        let size = Size::new(40, 30);
        let hole: Vec<u8> =
            (0..1200).map(|i| u8::from((10..30).contains(&(i % 40)) && (8..22).contains(&(i / 40)))).collect();
        let mut flat = vec![77u8; 3600];
        inpaint(size, &mut flat, &hole, 3, 0.0);
        assert!(flat.iter().all(|v| v.abs_diff(77) <= 1));
        let slope: Vec<u8> = (0..1200).flat_map(|i| [(i % 40 * 6) as u8, 100, (i / 40 * 8) as u8]).collect();
        let mut holed = slope.clone();
        for (i, h) in hole.iter().enumerate() {
            if *h != 0 {
                holed[i * 3..i * 3 + 3].fill(0);
            }
        }
        let before = holed.clone();
        inpaint(size, &mut holed, &hole, 3, 0.0);
        let mut error = 0f64;
        for (i, h) in hole.iter().enumerate() {
            for c in 0..3 {
                if *h == 0 {
                    assert_eq!(holed[i * 3 + c], before[i * 3 + c]);
                } else {
                    error += f64::from(holed[i * 3 + c].abs_diff(slope[i * 3 + c]));
                }
            }
        }
        let mean = error / (280.0 * 3.0);
        assert!(mean < 12.0, "{mean}");
    }

    #[test]
    fn nothing_to_fill_from_and_holes_at_the_rim() {
        let mut all = vec![9u8; 48];
        inpaint(Size::new(4, 4), &mut all, &[1; 16], 3, 0.0);
        assert!(all.iter().all(|v| *v == 9));
        let mut corner = vec![50u8; 48];
        corner[..3].fill(0);
        let mut hole = [0u8; 16];
        hole[0] = 255;
        inpaint(Size::new(4, 4), &mut corner, &hole, 3, 0.0);
        assert!(corner[..3].iter().all(|v| v.abs_diff(50) <= 1), "{:?}", &corner[..3]);
        let mut one = vec![1, 2, 3];
        inpaint(Size::new(1, 1), &mut one, &[1], 3, 0.0);
        assert_eq!(one, [1, 2, 3]);
    }
}
