//! Sources of destinations along an axis, weighted by how much of them is covered, in integers.

/// How destinations lie over the samples of an axis: destination `x` covers `[origin + x * step, origin + (x + 1) * step)` where
/// sample `k` covers `[k * full, (k + 1) * full)`. Behind the last sample it is repeated.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ruler {
    origin: u64,
    step: u64,
    full: u64,
    count: u32,
}

/// One axis: sources of each destination, in weights without a common factor.
pub(super) struct Axis {
    /// First and last source, what their weights exceed `full` by (modulo 2^32); a multiple of four entries.
    pub(super) spans: Vec<[u32; 4]>,
    pub(super) full: u32,
    pub(super) sum: u32,
    pub(super) most: u64,
}

impl Ruler {
    /// `to` destinations over all of `from` samples.
    pub(super) fn whole(from: u32, to: u32) -> Self {
        Self::part(0, from, from, to)
    }

    /// `to` destinations over the `size` samples from `start` on, of `count`.
    pub(super) fn part(start: u32, size: u32, count: u32, to: u32) -> Self {
        Self { origin: u64::from(start) * u64::from(to), step: u64::from(size), full: u64::from(to), count }
    }

    /// The same, on chroma samples that lie two pixels apart: on every other pixel (`cosited`) or between two.
    pub(super) fn half(start: u32, size: u32, count: u32, to: u32, cosited: bool) -> Self {
        let Self { origin, step, full, .. } = Self::part(start, size, count, to);
        // A sample stands for the two pixels around it: half a pixel further left when it lies on one.
        Self { origin: 2 * origin + if cosited { full } else { 0 }, step: 2 * step, full: 4 * full, count }
    }

    /// The sources of `to` destinations.
    pub(super) fn axis(self, to: u32) -> Axis {
        let Self { origin, step, full, count } = self;
        // Dividing by the common factor changes neither quotient nor rounding, and keeps the sums small.
        let common = divisor(divisor(step, full), origin);
        let (origin, step, full) = (origin / common, step / common, full / common);
        let spans = (0..to.next_multiple_of(4)).map(|x| {
            let start = origin + u64::from(x.min(to - 1)) * step;
            let sample = |at: u64| (at / full).min(u64::from(count) - 1);
            let (first, last) = (sample(start), sample(start + step - 1));
            // One source alone has all the weight at its head.
            let head = if first == last { step } else { (first + 1) * full - start };
            let tail = if first == last { full } else { step - head - (last - first - 1) * full };
            [
                first as u32,
                last as u32,
                (head as u32).wrapping_sub(full as u32),
                (tail as u32).wrapping_sub(full as u32),
            ]
        });
        let spans: Vec<_> = spans.collect();
        let most = spans.iter().map(|[first, last, ..]| u64::from(last - first) + 1).max().unwrap_or(1);
        // Sides are at most 32,768: all of these are below 2^18.
        Axis { spans, full: full as u32, sum: step as u32, most }
    }
}

fn divisor(mut a: u64, mut b: u64) -> u64 {
    while b > 0 {
        (a, b) = (b, a % b);
    }
    a.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_cover_the_axis_without_gaps() {
        for (from, to) in [(1, 1), (7, 3), (1920, 480), (1921, 480), (32_768, 32_767), (32_768, 1), (1, 9), (5, 9)] {
            let a = Ruler::whole(from, to).axis(to);
            let mut end = 0;
            for [first, last, head, tail] in a.spans.iter().take(to as usize) {
                let sum = (last - first + 1).wrapping_mul(a.full).wrapping_add(*head).wrapping_add(*tail);
                assert_eq!(sum, a.sum, "{from} {to}");
                assert!(*first == end || *first + 1 == end);
                end = last + 1;
            }
            assert_eq!(end, from);
        }
    }

    #[test]
    fn parts_and_chroma_by_hand() {
        let weights = |r: Ruler, to: u32| {
            let a = r.axis(to);
            let one = |[first, last, head, tail]: &[u32; 4]| {
                let (h, t) = (head.wrapping_add(a.full), tail.wrapping_add(a.full));
                if first == last { (*first, *last, h, 0) } else { (*first, *last, h, t) }
            };
            a.spans.iter().take(to as usize).map(one).collect::<Vec<_>>()
        };
        // Samples 2 to 4 of ten in two: 2 and half of 3, half of 3 and 4.
        assert_eq!(weights(Ruler::part(2, 3, 10, 2), 2), [(2, 3, 2, 1), (3, 4, 1, 2)]);
        // Four pixels, two chroma samples between them: one each. On pixels 0 and 2: the second is repeated.
        assert_eq!(weights(Ruler::half(0, 4, 2, 2, false), 2), [(0, 0, 1, 0), (1, 1, 1, 0)]);
        assert_eq!(weights(Ruler::half(0, 4, 2, 2, true), 2), [(0, 1, 3, 1), (1, 1, 4, 0)]);
    }
}
