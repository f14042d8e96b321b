//! 64-bit hashes of small grey pictures: near-duplicates differ in few bits. Integers: equal on every machine.

use super::geometry::Size;

/// A small grey picture, made as coverage-weighted means of a large one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Thumbnail {
    /// Size in pixels.
    pub size: Size,
    /// 8-bit grey, row by row.
    pub pixels: Vec<u8>,
}

/// Sources of pixel `i` of `n` along an axis of `length`, with the part of each that lies inside, in units of `1/n` source.
fn covered(i: u64, n: u64, length: u64) -> impl Iterator<Item = (u64, u64)> {
    let (start, end) = (i * length, (i + 1) * length);
    (start / n..end.div_ceil(n)).map(move |s| (s, ((s + 1) * n).min(end) - (s * n).max(start)))
}

impl Thumbnail {
    fn at(&self, x: u64, y: u64) -> u64 {
        let i = y * u64::from(self.size.width) + x;
        self.pixels.get(i as usize).copied().map_or(0, u64::from)
    }

    /// The same picture in another size: coverage-weighted means, rounded to nearest, halves up.
    #[must_use]
    pub fn resized(&self, to: Size) -> Self {
        if to == self.size {
            return self.clone();
        }
        let (w, h) = (u64::from(self.size.width), u64::from(self.size.height));
        let area = (w * h).max(1);
        let pixel = |x: u32, y: u32| {
            let mut sum = area / 2;
            for (j, wy) in covered(u64::from(y), u64::from(to.height), h) {
                for (i, wx) in covered(u64::from(x), u64::from(to.width), w) {
                    sum += wx * wy * self.at(i, j);
                }
            }
            (sum / area) as u8
        };
        let pixels =
            (0..to.height).flat_map(|y| (0..to.width).map(move |x| (x, y))).map(|(x, y)| pixel(x, y)).collect();
        Self { size: to, pixels }
    }

    /// Difference hash: of 9x8 means, bit `8 y + x` is set where the pixel right of `(x, y)` is brighter. Best from a thumbnail of 9x8,
    /// which is rounded once.
    pub fn dhash(&self) -> u64 {
        let small = self.resized(Size::new(9, 8));
        let brighter = |i: &u64| small.at(i % 8 + 1, i / 8) > small.at(i % 8, i / 8);
        (0..64).filter(brighter).fold(0, |hash, i| hash | 1 << i)
    }

    /// Average hash: of 8x8 means, bit `8 y + x` is set where the pixel is above the mean of all.
    pub fn ahash(&self) -> u64 {
        let small = self.resized(Size::new(8, 8));
        let sum: u64 = small.pixels.iter().map(|p| u64::from(*p)).sum();
        (0..64).filter(|i| 64 * small.at(i % 8, i / 8) > sum).fold(0, |hash, i| hash | 1 << i)
    }

    /// Perceptual hash: of 32x32 means the 8x8 lowest frequencies of the cosine transform (DCT-II), bit `8 v + u` set where the one of
    /// `u` waves across and `v` down is above their median. Cosines are integers of 14 bits, so that a flat picture has no frequencies.
    pub fn phash(&self) -> u64 {
        let small = self.resized(Size::new(32, 32));
        let cosines: Vec<Vec<i64>> = (0..8u32).map(cosine_row).collect();
        let project = |values: &[i64], k: usize| -> i64 {
            cosines.get(k).map_or(0, |c| c.iter().zip(values).map(|(c, v)| c * v).sum())
        };
        // Frequencies across, for each row; then down.
        let rows: Vec<Vec<i64>> = small
            .pixels
            .chunks(32)
            .map(|row| {
                let row: Vec<i64> = row.iter().map(|p| i64::from(*p)).collect();
                (0..8).map(|u| project(&row, u)).collect()
            })
            .collect();
        let column = |u: usize| -> Vec<i64> { rows.iter().filter_map(|row| row.get(u).copied()).collect() };
        let columns: Vec<Vec<i64>> = (0..8).map(column).collect();
        let low = (0..64).map(|i: usize| columns.get(i % 8).map_or(0, |c| project(c, i / 8)));
        let low: Vec<i64> = low.collect();
        let mut sorted = low.clone();
        sorted.sort_unstable();
        // Twice the median of 64: the sum of the two in the middle.
        let median: i64 = sorted.iter().skip(31).take(2).sum();
        low.iter().enumerate().filter(|(_, v)| 2 * **v > median).fold(0, |hash, (i, _)| hash | 1 << i)
    }
}

/// `2^14 cos(pi k (2 i + 1) / 64)` for the 32 places, rounded to nearest.
fn cosine_row(k: u32) -> Vec<i64> {
    // By the quadrant: cos(pi m / 64) for 0 <= m <= 32, signs exact, so that opposite places cancel.
    let quarter = |m: u32| (f64::from(m) * std::f64::consts::PI / 64.0).cos();
    let cosine = |m: u32| match m % 128 {
        m @ 0..=32 => (16384.0 * quarter(m)).round() as i64,
        m @ 33..=64 => -((16384.0 * quarter(64 - m)).round() as i64),
        m @ 65..=96 => -((16384.0 * quarter(m - 64)).round() as i64),
        m => (16384.0 * quarter(128 - m)).round() as i64,
    };
    (0..32).map(|i| cosine(k * (2 * i + 1))).collect()
}

/// Bits in which two hashes differ, 0..=64.
pub const fn hamming(a: u64, b: u64) -> u32 {
    (a ^ b).count_ones()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn thumbnail(w: u32, h: u32, pixel: impl Fn(u32, u32) -> u8) -> Thumbnail {
        let size = Size::new(w, h);
        Thumbnail { size, pixels: (0..w * h).map(|i| pixel(i % w, i / w)).collect() }
    }

    #[test]
    fn means_by_hand() {
        let two = thumbnail(2, 1, |x, _| [10, 21][x as usize]);
        assert_eq!(two.resized(Size::new(1, 1)).pixels, [16]); // 15.5 up
        assert_eq!(two.resized(Size::new(3, 1)).pixels, [10, 16, 21]);
        assert_eq!(two.resized(Size::new(2, 2)).pixels, [10, 21, 10, 21]);
    }

    #[test]
    fn difference_and_average_by_hand() {
        // Brighter to the right everywhere; nowhere; in the second row only, at x = 3.
        assert_eq!(thumbnail(9, 8, |x, _| x as u8).dhash(), u64::MAX);
        assert_eq!(thumbnail(9, 8, |x, _| 200 - x as u8).dhash(), 0);
        assert_eq!(thumbnail(9, 8, |x, y| u8::from(y == 1 && x > 3)).dhash(), 1 << (8 + 3));
        let half = thumbnail(32, 32, |x, _| if x < 16 { 10 } else { 20 });
        assert_eq!(half.ahash(), 0xF0F0_F0F0_F0F0_F0F0);
        assert_eq!(thumbnail(8, 8, |_, _| 77).ahash(), 0);
    }

    #[test]
    fn a_flat_picture_has_no_frequencies_and_a_wave_has_one() {
        // Only the constant part is above the median of 0.
        assert_eq!(thumbnail(32, 32, |_, _| 93).phash(), 1);
        assert!((1..8).all(|k| cosine_row(k).iter().sum::<i64>() == 0));
        // Two waves across: the constant part, and u = 2; what rounding leaves elsewhere stays below it.
        let wave = |k: f64| {
            thumbnail(32, 32, move |x, _| {
                (128.0 + 100.0 * (std::f64::consts::PI * k * (2.0 * f64::from(x) + 1.0) / 64.0).cos()).round() as u8
            })
        };
        assert_eq!(wave(2.0).phash() & 0b101, 0b101);
        assert!(hamming(wave(2.0).phash(), wave(5.0).phash()) >= 2);
    }

    #[test]
    fn hashes_stay_when_light_changes_and_differ_between_pictures() {
        let picture = |seed: u32, add: u8| {
            thumbnail(32, 32, move |x, y| {
                let wave = (x * (seed + 1) * 13 / 7 + y * (seed * 3 + 2)) % 97;
                wave as u8 + 40 + add
            })
        };
        for hash in [Thumbnail::dhash, Thumbnail::ahash, Thumbnail::phash] {
            assert!(hamming(hash(&picture(1, 0)), hash(&picture(1, 30))) <= 2);
            assert!(hamming(hash(&picture(1, 0)), hash(&picture(4, 0))) >= 10);
        }
        assert_eq!(hamming(0b1011, 0b1101), 2);
    }
}
