//! How pictures are blended: weights in integers that kernels and their references share.

/// How a forward and a reversed pass over the same frame are blended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TemporalMode {
    /// Frame `index` of `count`: with `a = index / (count - 1)` (0 for a single frame) the forward pass weighs `(1 - a/2) / 1.5`, the
    /// reversed one `(1/2 + a/2) / 1.5`: each is trusted more near its own end.
    Weighted {
        /// Number of the frame, below `count`.
        index: u32,
        /// Frames of the pass, at least 1.
        count: u32,
    },
    /// Both in equal parts.
    Average,
    /// The pixel with the larger alpha, the forward one where they are equal; of grey pictures (alpha mattes) the larger value.
    MaxAlpha,
    /// The pixel with the smaller alpha, the forward one where they are equal; of grey pictures the smaller value.
    MinAlpha,
}

impl TemporalMode {
    /// Most frames of a pass: `255 * 3 * count` and half the divisor stay below 2^32.
    pub const MAX_COUNT: u32 = 1 << 22;

    /// Weights of the forward and of the reversed pass and their sum, in whole numbers: `[2m - i, m + i, 3m]` with `m = max(count - 1,
    /// 1)`. `None` for the modes that choose, an index that is not below the count, and more than [`Self::MAX_COUNT`] frames.
    pub fn weights(self) -> Option<[u32; 3]> {
        match self {
            Self::Average => Some([1, 1, 2]),
            Self::Weighted { index, count } if index < count && count <= Self::MAX_COUNT => {
                let m = (count - 1).max(1);
                Some([2 * m - index, m + index, 3 * m])
            }
            _ => None,
        }
    }
}

/// How colours and alpha of a picture go together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Alpha {
    /// Colours are what they are, alpha says how much of them there is.
    Straight,
    /// Colours are multiplied by alpha already.
    Premultiplied,
}

/// A tile of a composite: a picture of its own at a place of the canvas.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Tile {
    /// Slot of the tile in its own batch.
    pub slot: u32,
    /// Column of its left edge in the canvas.
    pub x: u32,
    /// Row of its top edge.
    pub y: u32,
}

/// A tile of a composite over a canvas: it may be weaker than whole, and need not fade where it lies at an edge of the canvas.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct OverTile {
    /// The tile and its place.
    pub tile: Tile,
    /// Sides that do not fade: left, top, right, bottom.
    pub flush: [bool; 4],
    /// Strength in sixteenths, 1..=16; 16 is whole.
    pub strength: u32,
}

/// [`OverTile::strength`] of a tile that hides the canvas where it does not fade.
pub const WHOLE: u32 = 16;

/// Weight along one axis of a tile over a canvas at its sample `i` of `n`: the distance to the nearer end that fades, without the first
/// `inset` samples, at most `feather`.
pub fn ramp_over(i: u32, n: u32, (from, to): (bool, bool), inset: u32, feather: u32) -> u32 {
    let side = |flush: bool, distance: u32| if flush { feather } else { distance.saturating_sub(inset) };
    side(from, i + 1).min(side(to, n - i)).min(feather)
}

/// Weight of a tile along one axis at its sample `i` of `n`: the distance to the nearer end, 1 at the outermost sample, at most
/// `feather`. A pixel weighs the product of both axes; never 0.
pub fn ramp(i: u32, n: u32, feather: u32) -> u32 {
    (i + 1).min(n - i).min(feather)
}

/// Largest `tiles * feather^2` of one canvas: below it `sum(weight * 255) + sum(weight) / 2` fits into 32 bits.
pub const MAX_WEIGHT: u64 = u32::MAX as u64 / 256;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn temporal_weights_by_hand() {
        let of = |index, count| TemporalMode::Weighted { index, count }.weights();
        // 2/3 and 1/3, halves, 1/3 and 2/3.
        assert_eq!([of(0, 3), of(1, 3), of(2, 3)], [Some([4, 2, 6]), Some([3, 3, 6]), Some([2, 4, 6])]);
        assert_eq!((of(0, 1), of(1, 1), of(0, 0)), (Some([2, 1, 3]), None, None));
        let most = TemporalMode::MAX_COUNT;
        assert_eq!((of(0, most).map(|w| w[2]), of(0, most + 1)), (Some(3 * most - 3), None));
        assert!(255 * 3 * u64::from(most) + 3 * u64::from(most) / 2 < 1 << 32);
        assert_eq!((TemporalMode::Average.weights(), TemporalMode::MaxAlpha.weights()), (Some([1, 1, 2]), None));
    }

    #[test]
    fn ramps_over_a_canvas_start_behind_the_inset_and_know_flush_sides() {
        let of = |flush, inset| (0..8).map(|i| ramp_over(i, 8, flush, inset, 3)).collect::<Vec<_>>();
        assert_eq!(of((false, false), 0), [1, 2, 3, 3, 3, 3, 2, 1]);
        assert_eq!(of((false, false), 2), [0, 0, 1, 2, 2, 1, 0, 0]);
        assert_eq!(of((true, false), 2), [3, 3, 3, 3, 2, 1, 0, 0]);
        assert_eq!(of((true, true), 2), [3; 8]);
    }

    #[test]
    fn ramps_never_reach_zero() {
        assert_eq!((0..6).map(|i| ramp(i, 6, 2)).collect::<Vec<_>>(), [1, 2, 2, 2, 2, 1]);
        assert_eq!((0..5).map(|i| ramp(i, 5, 9)).collect::<Vec<_>>(), [1, 2, 3, 2, 1]);
        assert_eq!(ramp(0, 1, 1), 1);
        assert!(MAX_WEIGHT * 255 + MAX_WEIGHT / 2 <= u64::from(u32::MAX));
    }
}
