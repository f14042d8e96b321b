//! Connected parts of a mask.
#![allow(clippy::indexing_slicing, reason = "pixel loops over masks whose length is checked at the entry")]

use crate::core::{Rect, Size};

/// Pixels that hang together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Component {
    /// The least rectangle around them.
    pub(super) rect: Rect,
    /// Their number.
    pub(super) pixels: u64,
}

fn root(parents: &mut [u32], mut at: u32) -> u32 {
    while parents[at as usize] != at {
        parents[at as usize] = parents[parents[at as usize] as usize];
        at = parents[at as usize];
    }
    at
}

/// The parts of `mask` (8-connected), in the order of their first pixels. Gaps of up to `2 * join` pixels do not separate; rectangles and
/// counts are of the pixels themselves. Empty for a mask of another length than `size` has pixels.
///
/// Two passes with union-find: Wu, Otoo and Suzuki, "Optimizing Two-Pass Connected-Component Labeling Algorithms", 2009.
pub(super) fn components(mask: &[bool], size: Size, join: u32) -> Vec<Component> {
    let (w, h) = (size.width as usize, size.height as usize);
    if w == 0 || mask.len() != w * h {
        return Vec::new();
    }
    let grown = grow(mask, w, h, join as usize);
    let mut labels = vec![u32::MAX; w * h];
    let mut parents: Vec<u32> = Vec::new();
    for y in 0..h {
        for x in 0..w {
            let at = y * w + x;
            if !grown[at] {
                continue;
            }
            // West, north-west, north, north-east.
            let mut label = if x > 0 { labels[at - 1] } else { u32::MAX };
            if y > 0 {
                for nx in x.saturating_sub(1)..=(x + 1).min(w - 1) {
                    let other = labels[at - w - x + nx];
                    if other == u32::MAX {
                        continue;
                    }
                    if label == u32::MAX {
                        label = other;
                    } else {
                        let (a, b) = (root(&mut parents, label), root(&mut parents, other));
                        parents[a.max(b) as usize] = a.min(b);
                    }
                }
            }
            if label == u32::MAX {
                label = parents.len() as u32;
                parents.push(label);
            }
            labels[at] = label;
        }
    }
    let mut places = vec![usize::MAX; parents.len()];
    // Left, top, right, bottom (inclusive), pixels.
    let mut found: Vec<[u64; 5]> = Vec::new();
    for y in 0..h {
        for x in 0..w {
            let at = y * w + x;
            if !mask[at] {
                continue;
            }
            let label = root(&mut parents, labels[at]) as usize;
            if places[label] == usize::MAX {
                places[label] = found.len();
                found.push([x as u64, y as u64, x as u64, y as u64, 0]);
            }
            let [left, _, right, bottom, pixels] = &mut found[places[label]];
            (*left, *right) = ((*left).min(x as u64), (*right).max(x as u64));
            (*bottom, *pixels) = (y as u64, *pixels + 1);
        }
    }
    let part = |[left, top, right, bottom, pixels]: [u64; 5]| Component {
        rect: Rect {
            x: left as u32,
            y: top as u32,
            width: (right - left + 1) as u32,
            height: (bottom - top + 1) as u32,
        },
        pixels,
    };
    found.into_iter().map(part).collect()
}

/// Every pixel with a set one at most `by` away along both axes.
fn grow(mask: &[bool], w: usize, h: usize, by: usize) -> Vec<bool> {
    if by == 0 {
        return mask.to_vec();
    }
    let mut wide = vec![false; w * h];
    for (row, out) in mask.chunks_exact(w).zip(wide.chunks_exact_mut(w)) {
        for x in (0..w).filter(|x| row[*x]) {
            out[x.saturating_sub(by)..(x + by + 1).min(w)].fill(true);
        }
    }
    let mut out = vec![false; w * h];
    for y in 0..h {
        for from in y.saturating_sub(by)..(y + by + 1).min(h) {
            for x in 0..w {
                out[y * w + x] |= wide[from * w + x];
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(rows: &[&str], join: u32) -> Vec<([u32; 4], u64)> {
        let size = Size::new(rows[0].len() as u32, rows.len() as u32);
        let mask: Vec<bool> = rows.concat().chars().map(|c| c == '#').collect();
        let each = |c: Component| ([c.rect.x, c.rect.y, c.rect.width, c.rect.height], c.pixels);
        components(&mask, size, join).into_iter().map(each).collect()
    }

    #[test]
    fn shapes_that_need_merging() {
        // Two labels that meet at the bottom, a diagonal, a lone pixel in the corner.
        let rows = ["#.#...#", "#.#..#.", "###....", "......#"];
        assert_eq!(parts(&rows, 0), [([0, 0, 3, 3], 7), ([5, 0, 2, 2], 2), ([6, 3, 1, 1], 1)]);
        assert_eq!(parts(&["#.#...#"], 1), [([0, 0, 3, 1], 2), ([6, 0, 1, 1], 1)]);
        assert_eq!(parts(&["#.#...#"], 2), [([0, 0, 7, 1], 3)]);
        assert_eq!(parts(&["..", ".."], 3), []);
        assert_eq!(components(&[true; 3], Size::new(2, 2), 0), []);
    }

    #[test]
    fn a_spiral_and_a_comb_are_one_part_each() {
        let spiral = ["#######", "......#", "#####.#", "#...#.#", "#.###.#", "#.....#", "#######"];
        assert_eq!(parts(&spiral, 0).len(), 1);
        let comb = ["#.#.#.#.#", "#.#.#.#.#", "#########"];
        assert_eq!(parts(&comb, 0), [([0, 0, 9, 3], 19)]);
    }
}
