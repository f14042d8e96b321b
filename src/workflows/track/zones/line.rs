//! A track and a line: crossings with direction.

use serde::Serialize;

use super::Happening;

/// What two times may differ by and still be the same, in seconds.
const SLACK: f64 = 1e-6;

/// Which way a line is crossed, for someone who looks along it from its first point to its second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// From the left side to the right.
    LeftToRight,
    /// From the right side to the left.
    RightToLeft,
}

/// Sums of a line.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct LineTotals {
    /// Crossings from left to right.
    pub left_to_right: u64,
    /// Crossings from right to left.
    pub right_to_left: u64,
}

/// Twice the area of the triangle from `a` to `b` to `p`: above 0 where `p` lies to the right of the way, the vertical axis pointing down.
fn side(a: [f64; 2], b: [f64; 2], p: [f64; 2]) -> f64 {
    let ([ax, ay], [bx, by], [px, py]) = (a, b, p);
    (bx - ax) * (py - ay) - (by - ay) * (px - ax)
}

/// Whether the way from `from` to `to` crosses the line from `a` to `b`: 1 from left to right, -1 from right to left, 0 not at all. A point on
/// the line counts as right of it, the first end of the line belongs to it, the second does not: a way in two pieces crosses as often as
/// the way in one.
pub(super) fn crossing(a: [f64; 2], b: [f64; 2], from: [f64; 2], to: [f64; 2]) -> i32 {
    let (before, after) = (side(a, b, from), side(a, b, to));
    let (right_before, right_after) = (before >= 0.0, after >= 0.0);
    if right_before == right_after {
        return 0;
    }
    // Where the way meets the whole straight line, as a share of the line.
    let share = before / (before - after);
    let meet = [from[0] + (to[0] - from[0]) * share, from[1] + (to[1] - from[1]) * share];
    let along = [b[0] - a[0], b[1] - a[1]];
    let at = (meet[0] - a[0]) * along[0] + (meet[1] - a[1]) * along[1];
    let length = along[0] * along[0] + along[1] * along[1];
    if at < 0.0 || at >= length {
        return 0;
    }
    if right_after { 1 } else { -1 }
}

/// State of one track at one line.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Crosser {
    /// Crossings to the right less those to the left, not counted yet.
    net: i32,
    /// When the last of them was.
    at: f64,
}

type Happened = Vec<(f64, Happening)>;

impl Crosser {
    /// `crossed` as [`crossing`] gives it.
    pub(super) fn observe(
        &mut self,
        line: usize,
        now: f64,
        crossed: i32,
        settle: f64,
        totals: &mut LineTotals,
        happened: &mut Happened,
    ) {
        if crossed != 0 {
            (self.net, self.at) = (self.net + crossed, now);
        }
        if now - self.at + SLACK >= settle {
            std::mem::take(self).end(line, totals, happened);
        }
    }

    /// Counts what is left.
    pub(super) fn end(self, line: usize, totals: &mut LineTotals, happened: &mut Happened) {
        let (direction, count) = match self.net {
            0 => return,
            1.. => (Direction::LeftToRight, &mut totals.left_to_right),
            _ => (Direction::RightToLeft, &mut totals.right_to_left),
        };
        *count += 1;
        happened.push((self.at, Happening::Cross { line, direction }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ways_cross_a_segment_with_direction() {
        let (a, b) = ([0.0, 0.0], [10.0, 0.0]);
        // Looking to the right, below is the right side.
        assert_eq!(crossing(a, b, [5.0, -3.0], [5.0, 3.0]), 1);
        assert_eq!(crossing(a, b, [5.0, 3.0], [5.0, -3.0]), -1);
        assert_eq!(crossing(a, b, [5.0, 3.0], [7.0, 1.0]), 0);
        // Past the ends, and steeply from far away.
        assert_eq!(crossing(a, b, [-1.0, -3.0], [-1.0, 3.0]), 0);
        assert_eq!(crossing(a, b, [20.0, -10.0], [0.0, 10.0]), 0);
        assert_eq!(crossing(a, b, [18.0, -10.0], [0.0, 10.0]), 1);
        // In two pieces, the middle one on the line: once.
        assert_eq!(crossing(a, b, [5.0, -3.0], [5.0, 0.0]) + crossing(a, b, [5.0, 0.0], [5.0, 3.0]), 1);
        assert_eq!(crossing(a, b, [5.0, 3.0], [5.0, 0.0]) + crossing(a, b, [5.0, 0.0], [5.0, 3.0]), 0);
        // The ends: half-open, so that lines joined at an end count once.
        let c = [20.0, 0.0];
        let both = |x: f64| crossing(a, b, [x, -1.0], [x, 1.0]) + crossing(b, c, [x, -1.0], [x, 1.0]);
        assert_eq!((both(0.0), both(10.0), both(20.0)), (1, 1, 0));
        // A line of no length is never crossed.
        assert_eq!(crossing(a, a, [-1.0, -1.0], [1.0, 1.0]), 0);
    }
}
