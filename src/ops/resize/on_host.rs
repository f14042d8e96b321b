//! The rule of [`super::area`] on the host, for pictures that are there anyway: a decoder's, before they are sent to the device.

use std::ops::{Add, Mul};

use super::spans::{Axis, Ruler};
use crate::core::{ChromaSiting, Rect, Size};
use crate::error::Result;
use crate::ops::plan_error;

const NAME: &str = "resize/area";

/// Means of what each pixel of a smaller picture covers, for planes of one size. The same numbers as [`super::area`] gives.
///
/// Parts smaller than the result are enlarged by the same rule.
pub struct AreaOnHost {
    x: Axis,
    y: Axis,
    plane: Size,
    to: Size,
}

impl std::fmt::Debug for AreaOnHost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "AreaOnHost({} to {})", self.plane, self.to)
    }
}

impl AreaOnHost {
    /// From `part` of a picture to a picture of `to`. `plane` is the size of the plane that is read: that of the picture, or, for
    /// chroma whose samples stand for `1 << shift` pixels and lie by `siting`, about a half of it.
    ///
    /// # Errors
    /// `Parameter` for empty pictures, sides above 32,768, and parts that are not inside.
    pub fn new(part: Rect, plane: Size, (sx, sy): (u32, u32), siting: ChromaSiting, to: Size) -> Result<Self> {
        let sides = [part.width, part.height, plane.width, plane.height, to.width, to.height];
        let wrong = |wanted: &str| Err(plan_error(NAME, "part", wanted, format!("{part:?} of {plane} to {to}")));
        if sides.iter().any(|s| !(1..=32_768).contains(s)) || sx > 1 || sy > 1 {
            return wrong("sides of 1 to 32768, chroma of the same or half the size");
        }
        let inside = |start: u32, size: u32, count: u32, shift: u32| {
            u64::from(start) + u64::from(size) <= u64::from(count) << shift
        };
        if !inside(part.x, part.width, plane.width, sx) || !inside(part.y, part.height, plane.height, sy) {
            return wrong("a part inside the plane");
        }
        let ruler = |shift: u32, cosited: bool, start: u32, size: u32, count: u32, to: u32| match shift {
            0 => Ruler::part(start, size, count, to).axis(to),
            _ => Ruler::half(start, size, count, to, cosited).axis(to),
        };
        let (cosited_x, cosited_y) = (siting != ChromaSiting::Center, siting == ChromaSiting::TopLeft);
        Ok(Self {
            x: ruler(sx, cosited_x, part.x, part.width, plane.width, to.width),
            y: ruler(sy, cosited_y, part.y, part.height, plane.height, to.height),
            plane,
            to,
        })
    }

    /// Rows of `CHANNELS` interleaved samples without padding in, the same out.
    ///
    /// # Errors
    /// `Parameter` for another number of bytes than the plane has.
    pub fn reduce<const CHANNELS: usize>(&self, src: &[u8]) -> Result<Vec<u8>> {
        let bytes = self.plane.area() as usize * CHANNELS;
        if src.len() != bytes {
            return Err(plan_error(NAME, "input", format!("{bytes} bytes for {}", self.plane), src.len()));
        }
        let total = u64::from(self.x.sum) * u64::from(self.y.sum);
        // Sums are at most 255 times this: below 2^24 an f32 holds them exactly, an f64 all the others.
        Ok(if total < 1 << 16 { self.run::<f32, CHANNELS>(src, total) } else { self.run::<f64, CHANNELS>(src, total) })
    }

    fn run<T: Number, const CHANNELS: usize>(&self, src: &[u8], total: u64) -> Vec<u8> {
        let row = self.plane.width as usize * CHANNELS;
        let rows = Taps::<T>::new(&self.y, self.to.height);
        let columns = Taps::<T>::new(&self.x, self.to.width);
        // A mean beyond the last column has weights of 0 there.
        let mut down = vec![T::from(0u8); row + columns.count * CHANNELS];
        let line = self.to.width as usize * CHANNELS;
        let mut sums = vec![T::from(0u8); line];
        let mut out = vec![0; self.to.area() as usize * CHANNELS];
        let mean = Mean::new(total);
        for ((start, weights), out) in rows.iter().zip(out.chunks_exact_mut(line.max(1))) {
            let lines = src.get(start * row..).unwrap_or_default();
            add_rows(down.get_mut(..row).unwrap_or_default(), lines, row, weights);
            match columns.count {
                1 => across::<T, CHANNELS, 1>(&columns, &down, &mut sums),
                2 => across::<T, CHANNELS, 2>(&columns, &down, &mut sums),
                3 => across::<T, CHANNELS, 3>(&columns, &down, &mut sums),
                4 => across::<T, CHANNELS, 4>(&columns, &down, &mut sums),
                _ => across_many::<T, CHANNELS>(&columns, &down, &mut sums),
            }
            // A loop of its own: several at a time.
            for (out, sum) in out.iter_mut().zip(&sums) {
                *out = mean.of((*sum).into());
            }
        }
        out
    }
}

/// The first source of each destination, and as many weights for all of them.
struct Taps<T> {
    starts: Vec<u32>,
    weights: Vec<T>,
    count: usize,
}

impl<T: Number> Taps<T> {
    fn new(axis: &Axis, to: u32) -> Self {
        let count = axis.most as usize;
        let spans = axis.spans.get(..to as usize).unwrap_or_default();
        let mut weights = Vec::with_capacity(spans.len() * count);
        for [first, last, head, tail] in spans {
            weights.extend((*first..first + axis.most as u32).map(|i| {
                let head = if i == *first { *head } else { 0 };
                let more = head.wrapping_add(if i == *last { *tail } else { 0 });
                // At most 2^18.
                let weight = if i <= *last { axis.full.wrapping_add(more) } else { 0 };
                T::whole(weight)
            }));
        }
        Self { starts: spans.iter().map(|[first, ..]| *first).collect(), weights, count }
    }

    fn iter(&self) -> impl Iterator<Item = (usize, &[T])> {
        self.starts.iter().map(|s| *s as usize).zip(self.weights.chunks_exact(self.count.max(1)))
    }
}

/// Weighted sum of the first lines of `src`; those of weight 0 need not be there.
fn add_rows<T: Number>(down: &mut [T], src: &[u8], row: usize, weights: &[T]) {
    let line = |i: usize| src.get(i * row..(i + 1) * row);
    let of = |sample: &u8| T::from(*sample);
    // Three lines in one go: most pictures need no more.
    let head = (line(0), line(1), line(2), weights);
    let done = if let (Some(a), Some(b), Some(c), [u, v, w, ..]) = head {
        for (((sum, a), b), c) in down.iter_mut().zip(a).zip(b).zip(c) {
            *sum = of(a) * *u + of(b) * *v + of(c) * *w;
        }
        3
    } else {
        down.fill(T::from(0));
        0
    };
    for (line, weight) in weights.iter().enumerate().skip(done).filter_map(|(i, w)| Some((line(i)?, *w))) {
        for (sum, sample) in down.iter_mut().zip(line) {
            *sum = *sum + of(sample) * weight;
        }
    }
}

/// Weighted sums of `TAPS` neighbours along a line.
fn across<T: Number, const CHANNELS: usize, const TAPS: usize>(taps: &Taps<T>, down: &[T], sums: &mut [T]) {
    let pixels = sums.as_chunks_mut::<CHANNELS>().0.iter_mut();
    for ((sums, start), weights) in pixels.zip(&taps.starts).zip(taps.weights.as_chunks::<TAPS>().0) {
        let covered = down.get(*start as usize * CHANNELS..).unwrap_or_default();
        let Some(covered) = covered.as_chunks::<CHANNELS>().0.first_chunk::<TAPS>() else { continue };
        *sums = weighted(covered, weights);
    }
}

/// The same for any number of neighbours.
fn across_many<T: Number, const CHANNELS: usize>(taps: &Taps<T>, down: &[T], sums: &mut [T]) {
    for (sums, (start, weights)) in sums.as_chunks_mut::<CHANNELS>().0.iter_mut().zip(taps.iter()) {
        *sums = weighted(down.get(start * CHANNELS..).unwrap_or_default().as_chunks::<CHANNELS>().0, weights);
    }
}

fn weighted<T: Number, const CHANNELS: usize>(pixels: &[[T; CHANNELS]], weights: &[T]) -> [T; CHANNELS] {
    let mut sums = [T::from(0); CHANNELS];
    for (pixel, weight) in pixels.iter().zip(weights) {
        for (sum, value) in sums.iter_mut().zip(pixel) {
            *sum = *sum + *value * *weight;
        }
    }
    sums
}

/// What sums are held in.
trait Number: Copy + From<u8> + Into<f64> + Mul<Output = Self> + Add<Output = Self> {
    fn whole(value: u32) -> Self;
}

impl Number for f32 {
    fn whole(value: u32) -> Self {
        value as Self
    }
}

impl Number for f64 {
    fn whole(value: u32) -> Self {
        Self::from(value)
    }
}

/// `floor((sum + total / 2) / total)`, the quotient rounded to nearest, halves up, by a multiplication.
#[derive(Clone, Copy)]
struct Mean {
    inverse: f64,
}

impl Mean {
    fn new(total: u64) -> Self {
        Self { inverse: 1.0 / total.max(1) as f64 }
    }

    fn of(self, sum: f64) -> u8 {
        // From here up neighbours are 1 apart: the addition rounds to whole numbers, which the lowest bits then hold. Unlike a cast this
        // is done for several values at once.
        const WHOLE: f64 = 1.5 * (1u64 << 52) as f64;
        // A quarter turns halves up and lets nothing else cross one: quotients are 1 / total apart, and f64 errs by far less.
        ((sum + 0.25) * self.inverse + WHOLE).to_bits() as u8
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reference::resize::area::area;
    use crate::reference::{Pattern, Plane};

    #[test]
    fn equals_the_reference() {
        for (from, to) in [
            (Size::new(480, 270), Size::new(256, 144)),
            (Size::new(1280, 720), Size::new(256, 144)),
            (Size::new(501, 281), Size::new(256, 143)),
            (Size::new(499, 397), Size::new(97, 89)),
            (Size::new(33, 7), Size::new(33, 7)),
            (Size::new(300, 200), Size::new(1, 1)),
        ] {
            for pattern in [Pattern::Random { seed: 7 }, Pattern::Constant { level: 255 }] {
                let one = pattern.plane(from, 1, from.width as usize);
                let whole = AreaOnHost::new(Rect::full(from), from, (0, 0), ChromaSiting::Left, to).unwrap();
                assert_eq!(whole.reduce::<1>(&one).unwrap(), area(&Plane::tight(from, &one).unwrap(), to).unwrap());
                let four = pattern.plane(from, 4, from.width as usize * 4);
                let plane = Plane::interleaved(from, 4, from.width as usize * 4, &four).unwrap();
                assert_eq!(whole.reduce::<4>(&four).unwrap(), area(&plane, to).unwrap(), "{from} {to}");
            }
        }
    }

    #[test]
    fn every_sum_is_divided_exactly() {
        for total in [1u64, 2, 3, 7, 225, 255, 256, 257, 4097, 35_125, 65_521, 65_535, 70_375, (1 << 30) - 1, 1 << 36] {
            let step = (total * 255 / 50_000).max(1);
            let edges = (0..=255).flat_map(|k| [k * total + total / 2, (k * total + total / 2).saturating_sub(1)]);
            for sum in (0..=255 * total).step_by(step as usize).chain(edges).filter(|s| *s <= 255 * total) {
                assert_eq!(u64::from(Mean::new(total).of(sum as f64)), (sum + total / 2) / total, "{sum} / {total}");
            }
        }
    }

    #[test]
    fn parts_and_chroma_by_hand() {
        // Columns 1 and 2 of four, as one pixel.
        let part = Rect { x: 1, y: 0, width: 2, height: 1 };
        let one = AreaOnHost::new(part, Size::new(4, 1), (0, 0), ChromaSiting::Center, Size::new(1, 1)).unwrap();
        assert_eq!(one.reduce::<1>(&[9, 10, 21, 200]).unwrap(), [16]);
        // The same pixels of chroma of half the width: half of each sample.
        let chroma = AreaOnHost::new(part, Size::new(2, 1), (1, 0), ChromaSiting::Center, Size::new(1, 1)).unwrap();
        assert_eq!(chroma.reduce::<1>(&[10, 21]).unwrap(), [16]);
        assert!(one.reduce::<1>(&[0; 3]).is_err());
        assert!(AreaOnHost::new(part, Size::new(2, 1), (0, 0), ChromaSiting::Center, Size::new(1, 1)).is_err());
    }
}
