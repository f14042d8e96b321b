//! What is kept of a frame beside its figures: the vector that a network describes it by, and where it is sharp. Both as short texts, so that a
//! journal and the file of figures stay small and are read back to the bit.

use serde::{Deserialize, Serialize};

use crate::core::{BlurMap, Size};
use crate::workflows::short::{bytes, hex, in_steps};

/// A network's description of a picture, each number as one of 255 steps of the largest: cosines of such vectors are within about 0.001 of
/// those of the vectors themselves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct Embedding(Vec<i8>);

impl Embedding {
    /// Of a vector; nothing for one of zeros or of numbers that are none.
    pub fn new(vector: &[f32]) -> Option<Self> {
        in_steps(vector).map(Self)
    }

    /// Numbers of the vector.
    pub fn dim(&self) -> usize {
        self.0.len()
    }

    /// Sum of squares.
    pub(super) fn square(&self) -> i64 {
        self.0.iter().map(|v| i64::from(*v) * i64::from(*v)).sum()
    }

    /// Cosine with another one, -1..=1; 0 where they differ in length. Exact sums: the same on every machine.
    pub fn cosine(&self, other: &Self) -> f64 {
        let lengths = self.square() as f64 * other.square() as f64;
        if self.dim() != other.dim() || lengths <= 0.0 { 0.0 } else { self.dot(other) as f64 / lengths.sqrt() }
    }

    /// Inner product, of as many numbers as both have.
    pub(super) fn dot(&self, other: &Self) -> i64 {
        // 127 * 127 * 4096 fits into 32 bits, which compilers add many at a time.
        let part = |(a, b): (&[i8], &[i8])| a.iter().zip(b).map(|(a, b)| i32::from(*a) * i32::from(*b)).sum::<i32>();
        self.0.chunks(4096).zip(other.0.chunks(4096)).map(|pair| i64::from(part(pair))).sum()
    }
}

impl From<String> for Embedding {
    fn from(text: String) -> Self {
        Self(bytes(&text).into_iter().map(u8::cast_signed).collect())
    }
}

impl From<Embedding> for String {
    fn from(e: Embedding) -> Self {
        hex(e.0.into_iter().map(i8::cast_unsigned))
    }
}

/// Where a frame is sharp, tile by tile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlurTiles {
    /// Tiles across.
    pub across: u32,
    /// Tiles down.
    pub down: u32,
    /// One level a tile, row by row, two hexadecimal digits each: four times the standard deviation of the Laplacian, 255 at most.
    pub levels: String,
}

/// Level below which a tile counts as blurred: a variance of 100, a tenth of what [`super::FrameMetrics::sharpness`] takes for 1.
const BLURRED: u8 = 40;

impl BlurTiles {
    /// Side of a tile in pixels of the measured frame.
    pub(super) const TILE: u32 = 32;

    pub(super) fn new(map: &BlurMap) -> Self {
        let level = |variance: f64| (4.0 * variance.sqrt()).min(255.0) as u8;
        let levels = hex(map.variances().into_iter().map(level));
        Self { across: map.size.width, down: map.size.height, levels }
    }

    /// Share of the tiles that are blurred, or have nothing in them that could be sharp, 0..=1.
    pub fn blurred(&self) -> f64 {
        let levels = bytes(&self.levels);
        levels.iter().filter(|l| **l < BLURRED).count() as f64 / levels.len().max(1) as f64
    }

    /// As a grey picture of `side` pixels a tile, white where it is sharp: its size and a byte a pixel.
    pub fn picture(&self, side: u32) -> (Size, Vec<u8>) {
        let levels = bytes(&self.levels);
        let across = (self.across as usize).max(1);
        let rows = levels.chunks(across).flat_map(|row| {
            let wide: Vec<u8> = row.iter().flat_map(|l| std::iter::repeat_n(*l, side as usize)).collect();
            std::iter::repeat_n(wide, side as usize)
        });
        (Size::new(self.across * side, self.down * side), rows.flatten().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::LaplacianSums;

    #[test]
    fn vectors_come_back_and_their_angles_stay() {
        let vector = |seed: u32| -> Vec<f32> {
            (0..700u32).map(|i| ((i * 37 + seed * i * i) % 101) as f32 / 50.0 - 1.0).collect()
        };
        let (a, b) = (vector(1), vector(2));
        let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>();
        let exact = dot(&a, &b) / (dot(&a, &a) * dot(&b, &b)).sqrt();
        let (a, b) = (Embedding::new(&a).unwrap(), Embedding::new(&b).unwrap());
        assert!((a.cosine(&b) - exact).abs() < 1e-3 && (a.cosine(&a) - 1.0).abs() < 1e-12);
        let text = serde_json::to_string(&a).unwrap();
        assert_eq!((text.len(), serde_json::from_str::<Embedding>(&text).unwrap()), (1402, a.clone()));
        assert_eq!(Embedding::new(&[0.0; 4]), None);
        assert_eq!(Embedding::new(&[1.0, f32::NAN]), None);
        assert_eq!(a.cosine(&Embedding::new(&[1.0]).unwrap()), 0.0);
    }

    #[test]
    fn tiles_below_the_limit_are_blurred() {
        let tile = |variance: u64| LaplacianSums { n: 10, sum: 0, sum_sq: 10 * variance };
        let map = BlurMap { tile: 32, size: Size::new(3, 1), tiles: vec![tile(99), tile(100), tile(1_000_000)] };
        let tiles = BlurTiles::new(&map);
        assert_eq!(tiles.levels, "2728ff");
        assert!((tiles.blurred() - 1.0 / 3.0).abs() < 1e-12);
        let (size, grey) = tiles.picture(2);
        assert_eq!((size, grey), (Size::new(6, 2), [39, 39, 40, 40, 255, 255].repeat(2)));
    }
}
