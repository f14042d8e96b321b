//! Where tiles lie along one axis, and how much each counts where two overlap.

use std::ops::Range;

/// Tiles along one axis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tiling {
    /// First pixel of each tile.
    pub(super) starts: Vec<u32>,
    /// Pixels of a tile; more than the picture has only when the model fixes it and the picture is smaller.
    pub(super) length: u32,
    /// Pixels of the picture.
    total: u32,
    /// Pixels over which neighbours are blended.
    blend: u32,
}

impl Tiling {
    /// As few tiles as let each see `overlap` pixels beyond its seams, spread evenly.
    pub(super) fn new(total: u32, tile: u32, overlap: u32) -> Self {
        let overlap = overlap.min(tile / 4);
        if total <= tile {
            return Self { starts: vec![0], length: tile.max(1), total, blend: overlap };
        }
        // A tile is good for what is between its seams; the outermost ones have none on one side.
        let core = (tile - 2 * overlap).max(1);
        let count = (total - 2 * overlap).div_ceil(core).max(2);
        let room = u64::from(total - tile);
        let starts = (0..count).map(|i| (room * u64::from(i) / u64::from(count - 1)) as u32).collect();
        Self { starts, length: tile, total, blend: overlap }
    }

    /// Seam between tile `i` and the one behind it, doubled so that it is whole: the middle of what both cover.
    fn seam(&self, i: usize) -> Option<u32> {
        let (a, b) = (self.starts.get(i)?, self.starts.get(i + 1)?);
        Some(b + a + self.length)
    }

    /// Pixels of the picture for which tile `i` counts.
    pub(super) fn covered(&self, i: usize) -> Range<u32> {
        let start = i.checked_sub(1).and_then(|b| self.seam(b)).map_or(0, |s| (s.saturating_sub(self.blend)) / 2);
        let end = self.seam(i).map_or(self.total, |s| (s + self.blend).div_ceil(2));
        start..end.min(self.total)
    }

    /// Weight of each pixel of tile `i`, enlarged `factor` times: 1 in its middle, down to 0 over the blend around a seam; 0 outside of
    /// the picture. Weights of all tiles at one place sum to 1.
    pub(super) fn weights(&self, i: usize, factor: u32) -> Vec<f32> {
        let start = self.starts.get(i).copied().unwrap_or(0);
        let f = f64::from(factor);
        // Share of the tile behind a seam: 0 before the blend, 1 behind it.
        let behind = |seam: Option<u32>, x: f64| {
            seam.map(|s| {
                let (middle, blend) = (f64::from(s) / 2.0 * f, f64::from(self.blend) * f);
                if blend > 0.0 { ((x - middle) / blend + 0.5).clamp(0.0, 1.0) } else { f64::from(u8::from(x > middle)) }
            })
        };
        let before = i.checked_sub(1).and_then(|b| self.seam(b));
        (0..self.length * factor)
            .map(|k| {
                let x = f64::from(start) * f + f64::from(k) + 0.5;
                if x > f64::from(self.total) * f {
                    return 0.0;
                }
                // Twice the same number from both sides, so that the two weights sum to 1.
                let here = behind(before, x).unwrap_or(1.0);
                (here * (1.0 - behind(self.seam(i), x).unwrap_or(0.0))) as f32
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_sum_to_one_everywhere_and_seams_have_their_margin() {
        for total in [1, 15, 16, 17, 31, 40, 63, 64, 65, 100, 257] {
            for (tile, overlap) in [(16, 4), (16, 0), (16, 3), (32, 8), (64, 16)] {
                for factor in [1, 2, 3] {
                    let t = Tiling::new(total, tile, overlap);
                    let mut sums = vec![0.0f32; (total * factor) as usize];
                    for (i, start) in t.starts.iter().enumerate() {
                        let weights = t.weights(i, factor);
                        assert_eq!(weights.len() as u32, t.length * factor);
                        let covered = t.covered(i);
                        for (k, w) in weights.into_iter().enumerate() {
                            let x = (start * factor) as usize + k;
                            if w > 0.0 {
                                assert!(covered.contains(&(x as u32 / factor)), "{x} is not in {covered:?}");
                                sums[x] += w;
                                // What counts is never nearer to a cut than half the overlap.
                                let inner = |edge: bool, d: u32| edge || d >= overlap / 2;
                                let at = x as u32 / factor;
                                assert!(inner(*start == 0, at - start), "{t:?} {at}");
                                assert!(inner(start + t.length >= total, start + t.length - 1 - at + 1), "{t:?} {at}");
                            }
                        }
                    }
                    assert!(sums.iter().all(|s| (s - 1.0).abs() < 1e-6), "{total} {tile} {overlap} {factor}: {sums:?}");
                }
            }
        }
    }

    #[test]
    fn a_picture_of_one_tile_is_one_tile() {
        assert_eq!(Tiling::new(16, 16, 4).starts, [0]);
        assert_eq!(Tiling::new(17, 16, 4).starts, [0, 1]);
        assert_eq!(Tiling::new(24, 16, 4).starts, [0, 8]);
        assert_eq!(Tiling::new(25, 16, 4).starts, [0, 4, 9]);
    }
}
