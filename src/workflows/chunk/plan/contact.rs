//! Where chunks meet: no seam without room for blending.
//!
//! Where the covered area goes on over an edge of a chunk, some other chunk must cover both sides: the first pixel outside, and at least
//! `overlap` pixels before the edge.

use crate::core::Rect;

/// Half-open intervals of a rectangle: along an axis, and across it.
fn axes(r: Rect, across: bool) -> ([u32; 2], [u32; 2]) {
    let (x, y) = ([r.x, r.x + r.width], [r.y, r.y + r.height]);
    if across { (y, x) } else { (x, y) }
}

fn common([a0, a1]: [u32; 2], [b0, b1]: [u32; 2]) -> Option<[u32; 2]> {
    let both = [a0.max(b0), a1.min(b1)];
    (both[0] < both[1]).then_some(both)
}

/// Whether two chunks meet with less than `overlap` in common.
pub(super) fn thin(a: Rect, b: Rect, overlap: u32) -> bool {
    // How much is common, negative for a gap.
    let along = |a0: u32, a: u32, b0: u32, b: u32| i64::from((a0 + a).min(b0 + b)) - i64::from(a0.max(b0));
    let (x, y) = (along(a.x, a.width, b.x, b.width), along(a.y, a.height, b.y, b.height));
    x >= 0 && y >= 0 && x.max(y) > 0 && x.min(y) < i64::from(overlap)
}

/// The first pair that meets without room for blending, and without others that make up for it.
pub(super) fn unsupported(chunks: &[Rect], overlap: u32) -> Option<(usize, usize)> {
    for (i, a) in chunks.iter().enumerate() {
        for (j, b) in chunks.iter().enumerate() {
            if i != j && thin(*a, *b, overlap) && seam(*a, *b, chunks, overlap) {
                return Some((i, j));
            }
        }
    }
    None
}

/// Whether `b` goes on over an edge of `a` where no chunk reaches far enough into `a`.
fn seam(a: Rect, b: Rect, chunks: &[Rect], overlap: u32) -> bool {
    [false, true].into_iter().any(|across| {
        let ((aa, ac), (ba, bc)) = (axes(a, across), axes(b, across));
        let Some(lines) = common(ac, bc) else { return false };
        // Over the far edge, then over the near one.
        let far = ba[0] <= aa[1] && aa[1] < ba[1];
        let near = ba[0] < aa[0] && aa[0] <= ba[1];
        let reach = |c: Rect, far: bool| {
            let ([c0, c1], lines) = axes(c, across);
            let both = if far { c0 + overlap <= aa[1] && aa[1] < c1 } else { c0 < aa[0] && c1 >= aa[0] + overlap };
            both.then_some(lines)
        };
        [(far, true), (near, false)].into_iter().any(|(meets, far)| {
            meets && !filled(lines, chunks.iter().filter(|c| **c != a).filter_map(|c| reach(*c, far)).collect())
        })
    })
}

/// Whether intervals together cover `whole`.
fn filled([mut from, to]: [u32; 2], mut parts: Vec<[u32; 2]>) -> bool {
    parts.sort_unstable();
    for [start, end] in parts {
        if start > from {
            break;
        }
        from = from.max(end);
    }
    from >= to
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn rect(x: u32, y: u32, width: u32, height: u32) -> Rect {
        Rect { x, y, width, height }
    }

    #[test]
    fn chunks_meet_deep_enough_or_not_at_all() {
        let a = rect(0, 0, 64, 64);
        for (b, bad) in [
            (rect(64, 0, 64, 64), true),
            (rect(72, 0, 64, 64), false),
            (rect(60, 0, 64, 64), true),
            (rect(56, 0, 64, 64), false),
            (rect(56, 60, 64, 64), true),
            (rect(56, 56, 64, 64), false),
            (rect(64, 64, 64, 64), false),
            (rect(0, 64, 64, 64), true),
            (rect(8, 0, 64, 64), false),
        ] {
            assert_eq!((thin(a, b, 8), unsupported(&[a, b], 8).is_some()), (bad, bad), "{b:?}");
            assert_eq!(unsupported(&[b, a], 8).is_some(), bad, "{b:?}");
        }
    }

    #[test]
    fn a_third_chunk_can_make_up_for_it() {
        let (a, b) = (rect(0, 0, 64, 64), rect(60, 0, 64, 64));
        assert_eq!(unsupported(&[a, b, rect(32, 0, 64, 64)], 8), None);
        // It must be there along the whole edge.
        assert!(unsupported(&[a, b, rect(32, 8, 64, 64)], 8).is_some());
        assert_eq!(unsupported(&[a, b, rect(32, 8, 64, 64), rect(32, 0, 64, 32)], 8), None);
    }
}
