//! Holes of a mask: what hangs together, and which of them are looked at together.

use crate::core::{BoxRect, Size};

/// The holes of a mask.
#[derive(Debug)]
pub(super) struct Holes {
    /// Number of the hole of each pixel, from 1 on; 0 outside.
    pub(super) of: Vec<u32>,
    /// Bounds of each hole.
    bounds: Vec<BoxRect>,
}

/// Holes that one run fills.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Group {
    /// Their numbers, in rising order.
    pub(super) holes: Vec<u32>,
    /// Bounds of all of them.
    pub(super) rect: BoxRect,
}

/// Bounds of both.
fn union(a: BoxRect, b: BoxRect) -> BoxRect {
    let (x, y) = (a.x.min(b.x), a.y.min(b.y));
    let end = |from: i32, n: u32| i64::from(from) + i64::from(n);
    let width = end(a.x, a.width).max(end(b.x, b.width)) - i64::from(x);
    let height = end(a.y, a.height).max(end(b.y, b.height)) - i64::from(y);
    BoxRect { x, y, width: width as u32, height: height as u32 }
}

fn area(r: BoxRect) -> u64 {
    u64::from(r.width) * u64::from(r.height)
}

impl Holes {
    /// Pixels with `values` over 0 that touch, diagonals included. Numbers count up in the order of first pixels, row by row.
    pub(super) fn find(values: &[f32], size: Size) -> Self {
        let (w, h) = (size.width as usize, size.height as usize);
        let mut of = vec![0u32; values.len()];
        let mut bounds = Vec::new();
        let mut open = Vec::new();
        for first in 0..values.len() {
            let number = bounds.len() as u32 + 1;
            let enter = |at: usize, of: &mut [u32], open: &mut Vec<usize>| {
                let hole = values.get(at).is_some_and(|v| *v > 0.0);
                if let Some(seen) = of.get_mut(at)
                    && *seen == 0
                    && hole
                {
                    *seen = number;
                    open.push(at);
                }
            };
            enter(first, &mut of, &mut open);
            let (mut left, mut right, mut top, mut bottom) = (usize::MAX, 0, usize::MAX, 0);
            while let Some(at) = open.pop() {
                let (x, y) = (at % w, at / w);
                (left, right, top, bottom) = (left.min(x), right.max(x), top.min(y), bottom.max(y));
                for ny in y.saturating_sub(1)..=(y + 1).min(h - 1) {
                    for nx in x.saturating_sub(1)..=(x + 1).min(w - 1) {
                        enter(ny * w + nx, &mut of, &mut open);
                    }
                }
            }
            if left != usize::MAX {
                let (width, height) = ((right - left + 1) as u32, (bottom - top + 1) as u32);
                bounds.push(BoxRect { x: left as i32, y: top as i32, width, height });
            }
        }
        Self { of, bounds }
    }

    /// Holes in groups: those whose common stretch, as `around` makes it, is no larger than their own ones together.
    pub(super) fn groups(&self, around: impl Fn(BoxRect) -> BoxRect) -> Vec<Group> {
        let mut groups: Vec<Group> =
            (1..).zip(&self.bounds).map(|(n, rect)| Group { holes: vec![n], rect: *rect }).collect();
        loop {
            let before = groups.len();
            let mut joined: Vec<Group> = Vec::with_capacity(before);
            for group in groups {
                let cost = area(around(group.rect));
                let near = joined
                    .iter_mut()
                    .find(|other| area(around(union(other.rect, group.rect))) <= area(around(other.rect)) + cost);
                match near {
                    Some(other) => {
                        other.rect = union(other.rect, group.rect);
                        other.holes.extend(group.holes);
                    }
                    None => joined.push(group),
                }
            }
            groups = joined;
            if groups.len() == before {
                groups.iter_mut().for_each(|g| g.holes.sort_unstable());
                return groups;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_touches_is_one_hole() {
        let picture = ["#..#.", ".#...", "....#", "#...#"];
        let values: Vec<f32> = picture.concat().bytes().map(|b| f32::from(u8::from(b == b'#'))).collect();
        let holes = Holes::find(&values, Size::new(5, 4));
        assert_eq!(holes.of, [1, 0, 0, 2, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 3, 4, 0, 0, 0, 3]);
        let rect = |x, y, width, height| BoxRect { x, y, width, height };
        assert_eq!(holes.bounds, [rect(0, 0, 2, 2), rect(3, 0, 1, 1), rect(4, 2, 1, 2), rect(0, 3, 1, 1)]);
        // Each by itself, all together.
        assert_eq!(holes.groups(|r| r).len(), 4);
        let all = holes.groups(|_| rect(0, 0, 5, 4));
        assert_eq!(all, [Group { holes: vec![1, 2, 3, 4], rect: rect(0, 0, 5, 4) }]);
        assert!(Holes::find(&[0.0; 20], Size::new(5, 4)).groups(|r| r).is_empty());
    }
}
