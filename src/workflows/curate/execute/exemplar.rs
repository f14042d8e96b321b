//! Holes filled with patches of the rest of the picture, from coarse to fine: Wexler, Shechtman, Irani, "Space-Time Completion of Video", TPAMI
//! 29(3), 2007, with the search of Barnes et al., "PatchMatch", SIGGRAPH 2009.
//!
//! What stands in for a network where large holes are filled: fast marching carries the colours of the rim inwards in rays, patches carry texture. On
//! the host, since each place learns from the one before it. Deterministic: draws are a fixed sequence. Time O(hole * log of the side), about a
//! second for half a megapixel; memory some 40 bytes a pixel.
#![allow(clippy::indexing_slicing, reason = "places are checked against the size once, where they are made")]

use crate::core::Size;

/// Patches have `2 * RADIUS + 1` pixels a side.
const RADIUS: i32 = 3;
/// Shorter side below which nothing is halved any more.
const COARSEST: usize = 40;
/// Pixels up to which a level is searched everywhere; larger ones only look around what the level before found.
const SEARCHED: usize = 200_000;
/// Rounds of search and vote at the coarsest level, at levels that are searched, and at the others.
const ROUNDS: [usize; 3] = [8, 3, 1];

/// A picture of one scale.
struct Level {
    w: usize,
    h: usize,
    rgb: Vec<[f32; 3]>,
    hole: Vec<bool>,
}

/// For each place of a hole the middle of the patch that looks like its own, and how far apart the two are.
#[derive(Clone)]
struct Field {
    at: Vec<u32>,
    far: Vec<f32>,
}

struct Draws(u32);

impl Draws {
    /// At least `low`, below `high`.
    fn within(&mut self, low: i32, high: i32) -> i32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        low + (self.0 % (high - low).max(1) as u32) as i32
    }
}

impl Level {
    fn halved(&self) -> Self {
        let (w, h) = (self.w.div_ceil(2), self.h.div_ceil(2));
        let mut level = Self { w, h, rgb: vec![[0.0; 3]; w * h], hole: vec![false; w * h] };
        for y in 0..h {
            for x in 0..w {
                let (mut sum, mut known, mut all) = ([0f32; 3], 0f32, 0f32);
                for (dx, dy) in [(0, 0), (1, 0), (0, 1), (1, 1)] {
                    let (sx, sy) = (2 * x + dx, 2 * y + dy);
                    if sx < self.w && sy < self.h {
                        all += 1.0;
                        if !self.hole[sy * self.w + sx] {
                            known += 1.0;
                            (0..3).for_each(|c| sum[c] += self.rgb[sy * self.w + sx][c]);
                        }
                    }
                }
                level.hole[y * w + x] = known < all;
                level.rgb[y * w + x] = sum.map(|s| s / known.max(1.0));
            }
        }
        level
    }

    /// Middles of patches without a pixel of the hole and inside of the picture.
    fn sources(&self) -> Vec<bool> {
        let (w, h, r) = (self.w as i32, self.h as i32, RADIUS);
        let sums = self.hole_sums();
        let at = |x: i32, y: i32| sums[y as usize * (self.w + 1) + x as usize];
        let free = |x: i32, y: i32| {
            let (l, t, right, b) = (x - r, y - r, x + r + 1, y + r + 1);
            l >= 0 && t >= 0 && right <= w && b <= h && at(right, b) + at(l, t) == at(l, b) + at(right, t)
        };
        (0..h).flat_map(|y| (0..w).map(move |x| (x, y))).map(|(x, y)| free(x, y)).collect()
    }

    /// Pixels of the hole above and left of each corner.
    fn hole_sums(&self) -> Vec<u32> {
        let wide = self.w + 1;
        let mut sums = vec![0u32; wide * (self.h + 1)];
        for y in 0..self.h {
            let mut row = 0;
            for x in 0..self.w {
                row += u32::from(self.hole[y * self.w + x]);
                sums[(y + 1) * wide + x + 1] = sums[y * wide + x + 1] + row;
            }
        }
        sums
    }

    /// The hole filled as a skin stretched over it: each pixel the mean of its neighbours.
    fn stretched(&mut self) {
        let mut places: Vec<usize> = (0..self.hole.len()).filter(|i| self.hole[*i]).collect();
        let known = self.rgb.iter().zip(&self.hole).filter(|(_, h)| !**h);
        let (sum, n) =
            known.fold(([0f32; 3], 0f32), |(s, n), (c, _)| ([s[0] + c[0], s[1] + c[1], s[2] + c[2]], n + 1.0));
        let mean = sum.map(|s| s / n.max(1.0));
        places.iter().for_each(|i| self.rgb[*i] = mean);
        // From rim to rim and back; a level this coarse has no longer way, but for pictures that are all length.
        for _ in 0..(2 * self.w.max(self.h)).min(400) {
            for i in &places {
                let (x, y) = (i % self.w, i / self.w);
                let (mut sum, mut n) = ([0f32; 3], 0f32);
                let around = [
                    (x > 0, i.wrapping_sub(1)),
                    (x + 1 < self.w, i + 1),
                    (y > 0, i.wrapping_sub(self.w)),
                    (y + 1 < self.h, i + self.w),
                ];
                for (_, j) in around.into_iter().filter(|(there, _)| *there) {
                    n += 1.0;
                    (0..3).for_each(|c| sum[c] += self.rgb[j][c]);
                }
                self.rgb[*i] = sum.map(|s| s / n.max(1.0));
            }
            places.reverse();
        }
    }

    /// Mean square difference of the patches around a place and a source, given up beyond `most`.
    fn apart(&self, place: usize, source: usize, most: f32) -> f32 {
        let (w, h) = (self.w as i32, self.h as i32);
        let (px, py) = ((place % self.w) as i32, (place / self.w) as i32);
        let (mut sum, mut n) = (0f32, 0f32);
        let whole = ((2 * RADIUS + 1) * (2 * RADIUS + 1)) as f32;
        for dy in -RADIUS..=RADIUS {
            let y = py + dy;
            if y < 0 || y >= h {
                continue;
            }
            for dx in -RADIUS..=RADIUS {
                let x = px + dx;
                if x < 0 || x >= w {
                    continue;
                }
                let a = self.rgb[(y * w + x) as usize];
                let b = self.rgb[(source as i32 + dy * w + dx) as usize];
                sum += (0..3).map(|c| (a[c] - b[c]) * (a[c] - b[c])).sum::<f32>();
                n += 1.0;
            }
            // Of a whole patch, which is the most that `n` can become.
            if sum > most * whole {
                return f32::INFINITY;
            }
        }
        sum / n.max(1.0)
    }

    /// Better patches for all places: those of neighbours, and draws around the best so far.
    fn search(&self, field: &mut Field, places: &[usize], sources: &[bool], reach: i32, draws: &mut Draws) {
        let (w, h) = (self.w as i32, self.h as i32);
        for i in places {
            field.far[*i] = self.apart(*i, field.at[*i] as usize, f32::INFINITY);
        }
        for sweep in 0..2 {
            let step: i32 = if sweep == 0 { -1 } else { 1 };
            let mut one = |i: usize| {
                let (x, y) = ((i % self.w) as i32, (i / self.w) as i32);
                let mut best = (field.far[i], field.at[i]);
                let try_at = |sx: i32, sy: i32, best: &mut (f32, u32)| {
                    if sx < 0 || sy < 0 || sx >= w || sy >= h || !sources[(sy * w + sx) as usize] {
                        return;
                    }
                    let source = (sy * w + sx) as u32;
                    let far = self.apart(i, source as usize, best.0);
                    if far < best.0 {
                        *best = (far, source);
                    }
                };
                for (nx, ny) in [(x + step, y), (x, y + step)] {
                    let inside = nx >= 0 && ny >= 0 && nx < w && ny < h;
                    if inside && self.hole[(ny * w + nx) as usize] {
                        let found = field.at[(ny * w + nx) as usize] as i32;
                        try_at(found % w + x - nx, found / w + y - ny, &mut best);
                    }
                }
                let mut radius = reach;
                while radius >= 1 {
                    let (bx, by) = (best.1 as i32 % w, best.1 as i32 / w);
                    let (dx, dy) = (draws.within(-radius, radius + 1), draws.within(-radius, radius + 1));
                    try_at(bx + dx, by + dy, &mut best);
                    radius /= 2;
                }
                (field.far[i], field.at[i]) = best;
            };
            if sweep == 0 {
                places.iter().copied().for_each(&mut one);
            } else {
                places.iter().rev().copied().for_each(&mut one);
            }
        }
    }

    /// Every pixel of the hole from all patches that lie over it; those that fit better count more.
    fn vote(&mut self, field: &Field, places: &[usize]) {
        let mut far: Vec<f32> = places.iter().map(|i| field.far[*i]).collect();
        far.sort_by(f32::total_cmp);
        let usual = far.get(far.len() * 3 / 4).copied().unwrap_or(1.0).max(1.0);
        let (w, h) = (self.w as i32, self.h as i32);
        let made: Vec<[f32; 3]> = places
            .iter()
            .map(|i| {
                let (x, y) = ((i % self.w) as i32, (i / self.w) as i32);
                let (mut sum, mut total) = ([0f32; 3], 0f32);
                for dy in -RADIUS..=RADIUS {
                    for dx in -RADIUS..=RADIUS {
                        let (px, py) = (x + dx, y + dy);
                        if px < 0 || py < 0 || px >= w || py >= h || !self.hole[(py * w + px) as usize] {
                            continue;
                        }
                        let patch = (py * w + px) as usize;
                        let from = self.rgb[(field.at[patch] as i32 - dy * w - dx) as usize];
                        let weight = (-field.far[patch] / (2.0 * usual)).exp().max(1e-6);
                        (0..3).for_each(|c| sum[c] += weight * from[c]);
                        total += weight;
                    }
                }
                sum.map(|s| s / total.max(1e-6))
            })
            .collect();
        places.iter().zip(made).for_each(|(i, c)| self.rgb[*i] = c);
    }
}

/// Fills the pixels of `rgb` (bytes red, green, blue) where `hole` is not 0 with what the rest of the picture looks like.
///
/// A hole that covers everything has nothing to be filled from: the picture stays as it is. `rgb` has three bytes and `hole` one for each pixel
/// of `size`; others are left alone.
pub(super) fn inpaint(size: Size, rgb: &mut [u8], hole: &[u8]) {
    let (w, h) = (size.width as usize, size.height as usize);
    if rgb.len() != w * h * 3 || hole.len() != w * h || hole.iter().all(|v| *v != 0) || hole.iter().all(|v| *v == 0) {
        return;
    }
    let pixels = rgb.as_chunks::<3>().0.iter().map(|p| p.map(f32::from)).collect();
    let mut levels = vec![Level { w, h, rgb: pixels, hole: hole.iter().map(|v| *v != 0).collect() }];
    while let Some(next) = levels.last().filter(|l| l.w.min(l.h) >= 2 * COARSEST).map(Level::halved) {
        // A coarser level whose patches all touch the hole teaches nothing.
        if !next.sources().contains(&true) {
            break;
        }
        levels.push(next);
    }
    let mut draws = Draws(0x9e37_79b9);
    let mut before: Option<(usize, usize, Level, Option<Field>)> = None;
    while let Some(mut level) = levels.pop() {
        let coarsest = before.is_none();
        match &before {
            None => level.stretched(),
            Some((bw, bh, coarse, _)) => {
                for i in (0..level.hole.len()).filter(|i| level.hole[*i]).collect::<Vec<_>>() {
                    let (x, y) = ((i % level.w / 2).min(bw - 1), (i / level.w / 2).min(bh - 1));
                    level.rgb[i] = coarse.rgb[y * bw + x];
                }
            }
        }
        let field = fill(
            &mut level,
            before.as_ref().and_then(|(bw, _, _, f)| f.as_ref().map(|f| (*bw, f))),
            coarsest,
            &mut draws,
        );
        before = Some((level.w, level.h, level, field));
    }
    let Some((_, _, level, _)) = before else { return };
    for ((to, from), _) in rgb.as_chunks_mut::<3>().0.iter_mut().zip(&level.rgb).zip(hole).filter(|(_, h)| **h != 0) {
        *to = from.map(|v| v.round().clamp(0.0, 255.0) as u8);
    }
}

/// Fills a level, beginning with what the coarser one found; gives what this one found, nothing where no patch is free of the hole.
fn fill(level: &mut Level, coarser: Option<(usize, &Field)>, coarsest: bool, draws: &mut Draws) -> Option<Field> {
    let sources = level.sources();
    let known: Vec<u32> = (0..sources.len()).filter(|i| sources[*i]).map(|i| i as u32).collect();
    if known.is_empty() {
        return None;
    }
    let places: Vec<usize> = (0..level.hole.len()).filter(|i| level.hole[*i]).collect();
    let mut field = Field { at: vec![0; sources.len()], far: vec![f32::INFINITY; sources.len()] };
    for i in &places {
        let drawn = known[draws.within(0, known.len() as i32) as usize];
        field.at[*i] = coarser.map_or(drawn, |(bw, coarse)| {
            let (x, y) = (i % level.w, i / level.w);
            let found = coarse.at.get(y / 2 * bw + x / 2).copied().unwrap_or(0) as usize;
            let (sx, sy) = (found % bw * 2 + x % 2, found / bw * 2 + y % 2);
            let at = sy * level.w + sx;
            if sx < level.w && sources.get(at) == Some(&true) { at as u32 } else { drawn }
        });
    }
    let wide = level.hole.len() <= SEARCHED;
    let rounds = if coarsest { ROUNDS[0] } else { ROUNDS[if wide { 1 } else { 2 }] };
    let reach = if wide { level.w.max(level.h) as i32 / 2 } else { 4 };
    for _ in 0..rounds {
        level.search(&mut field, &places, &sources, reach, draws);
        level.vote(&field, &places);
    }
    Some(field)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holed(
        size: Size,
        hole: impl Fn(u32, u32) -> bool,
        pixel: impl Fn(u32, u32) -> [u8; 3],
    ) -> (Vec<u8>, Vec<u8>, Vec<u8>) {
        let places: Vec<(u32, u32)> = (0..size.height).flat_map(|y| (0..size.width).map(move |x| (x, y))).collect();
        let whole: Vec<u8> = places.iter().flat_map(|(x, y)| pixel(*x, *y)).collect();
        let mask: Vec<u8> = places.iter().map(|(x, y)| u8::from(hole(*x, *y))).collect();
        let mut with = whole.clone();
        for (i, _) in mask.iter().enumerate().filter(|(_, m)| **m != 0) {
            with[i * 3..i * 3 + 3].fill(0);
        }
        (whole, mask, with)
    }

    fn error(whole: &[u8], made: &[u8], mask: &[u8]) -> f64 {
        let of = |i: usize| (0..3).map(|c| f64::from(whole[i * 3 + c].abs_diff(made[i * 3 + c]))).sum::<f64>() / 3.0;
        let inside: Vec<f64> = (0..mask.len()).filter(|i| mask[*i] != 0).map(of).collect();
        inside.iter().sum::<f64>() / inside.len() as f64
    }

    #[test]
    fn texture_goes_on_where_marching_smears_it() {
        // Stripes, as of a fence: period 12, across the hole.
        let size = Size::new(180, 120);
        let stripes = |x: u32, _: u32| if x % 12 < 6 { [200, 190, 180] } else { [60, 70, 50] };
        let inside = |x: u32, y: u32| (60..120).contains(&x) && (35..85).contains(&y);
        let (whole, mask, with) = holed(size, inside, stripes);
        let (mut ours, mut marched) = (with.clone(), with);
        inpaint(size, &mut ours, &mask);
        super::super::telea::inpaint(size, &mut marched, &mask, 3, 0.0);
        let (a, b) = (error(&whole, &ours, &mask), error(&whole, &marched, &mask));
        assert!(a < 12.0 && a < b / 2.0, "{a} {b}");
        for (i, _) in mask.iter().enumerate().filter(|(_, m)| **m == 0) {
            assert_eq!(ours[i * 3..i * 3 + 3], whole[i * 3..i * 3 + 3]);
        }
        let mut again = holed(size, inside, stripes).2;
        inpaint(size, &mut again, &mask);
        assert!(again == ours, "the same bytes each time");
    }

    #[test]
    fn every_shape_and_every_hole_ends() {
        for (w, h) in [(1, 1), (5, 3), (7, 7), (8, 200), (41, 90), (100, 9)] {
            let size = Size::new(w, h);
            for share in [2, 3, 10] {
                let (_, mask, mut with) = holed(size, |x, y| (x + y * w) % share == 0, |x, y| [x as u8, y as u8, 9]);
                inpaint(size, &mut with, &mask);
            }
            let (_, all, mut with) = holed(size, |_, _| true, |_, _| [7; 3]);
            let before = with.clone();
            inpaint(size, &mut with, &all);
            assert_eq!(with, before);
        }
        // All but the rim is gone.
        let size = Size::new(60, 60);
        let (whole, mask, mut with) =
            holed(size, |x, y| (2..58).contains(&x) && (2..58).contains(&y), |_, _| [90, 80, 70]);
        inpaint(size, &mut with, &mask);
        assert!(error(&whole, &with, &mask) < 2.0);
    }
}
