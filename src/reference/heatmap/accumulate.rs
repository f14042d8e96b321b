//! `heatmap/accumulate`: what happens where, over a sequence of frames.

use crate::Result;
use crate::core::HeatMode;
use crate::reference::plane::{Plane, unfit};

/// Adds `frames` to `heat`, one `u32` per pixel in rows without padding.
///
/// With `p_t` the samples of frame `t` and `p_(-1)` those of `previous`: `CountOver` adds 1 where `|p_t - p_(t-1)| >
/// threshold`, `SumAbs` adds `|p_t - p_(t-1)|`, `SumValues` adds `p_t`, `CountSet` adds 1 where `p_t` is not 0. Without
/// `previous` the first frame adds nothing in the modes that look at differences. A sequence may be cut anywhere, if
/// each part gets the last frame of the part before as `previous`: the sums are the same.
///
/// Overflow: at most 255 per frame, so `255 * frames < 2^32`, [`HeatMode::MAX_FRAMES`] over the life of a map.
///
/// # Errors
/// [`crate::Error::Parameter`] for frames of different sizes or more than one channel, a map of another size, or a sum
/// that does not fit.
pub fn accumulate(heat: &mut [u32], previous: Option<&Plane<'_>>, frames: &[Plane<'_>], mode: HeatMode) -> Result<()> {
    const OP: &str = "heatmap/accumulate";
    let Some(first) = frames.first() else {
        return Ok(());
    };
    if heat.len() as u64 != first.size().area() {
        return Err(unfit(OP, "heat", format!("{} counters", first.size().area()), heat.len()));
    }
    for plane in frames.iter().chain(previous) {
        plane.expect_channels(OP, 1)?;
        if plane.size() != first.size() {
            return Err(unfit(OP, "frames", first.size().to_string(), plane.size()));
        }
    }
    let mut before = previous;
    for frame in frames {
        for ((x, y), sum) in frame.pixels().zip(heat.iter_mut()) {
            let value = frame.at(x, y, 0);
            // Without a frame before nothing has changed yet.
            let previous = before.map_or(value, |b| b.at(x, y, 0));
            let add = mode.contribution(previous, value);
            *sum =
                sum.checked_add(add).ok_or_else(|| unfit(OP, "frames", "sums below 2^32", format!("{sum} + {add}")))?;
        }
        before = Some(frame);
    }
    Ok(())
}

/// What a number of a map adds: `int(255 v / full)` in f32, from 0 to 255; nothing where it is negative or not finite.
pub fn count_of(v: f32, full: f32) -> u32 {
    if v.is_finite() && v > 0.0 { (v * (255.0 / full)).min(255.0) as u32 } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::Size;

    const SIZE: Size = Size::new(3, 1);
    const ROWS: [[u8; 3]; 4] = [[0, 100, 255], [5, 100, 0], [11, 90, 0], [11, 255, 200]];

    fn heat(mode: HeatMode, cut: usize) -> Vec<u32> {
        let frames: Vec<_> = ROWS.iter().map(|r| Plane::tight(SIZE, r).unwrap()).collect();
        let mut heat = vec![0; 3];
        accumulate(&mut heat, None, &frames[..cut], mode).unwrap();
        accumulate(&mut heat, cut.checked_sub(1).map(|i| &frames[i]), &frames[cut..], mode).unwrap();
        heat
    }

    #[test]
    fn modes_by_hand_whole_and_cut_anywhere() {
        for cut in 0..=4 {
            // differences: 5 6 0 | 0 10 165 | 255 0 200
            assert_eq!(heat(HeatMode::CountOver { threshold: 5 }, cut), [1, 2, 2]);
            assert_eq!(heat(HeatMode::CountOver { threshold: 0 }, cut), [2, 2, 2]);
            assert_eq!(heat(HeatMode::SumAbs, cut), [11, 175, 455]);
            assert_eq!(heat(HeatMode::SumValues, cut), [27, 545, 455]);
            assert_eq!(heat(HeatMode::CountSet, cut), [3, 4, 2]);
        }
    }

    #[test]
    fn numbers_by_hand() {
        let counts =
            [0.0, 1.0, 4.0, 8.0, 9.0, -3.0, f32::NAN, f32::INFINITY, f32::NEG_INFINITY].map(|v| count_of(v, 8.0));
        assert_eq!(counts, [0, 31, 127, 255, 255, 0, 0, 0, 0]);
    }

    #[test]
    fn overflow_and_wrong_sizes_are_errors() {
        let plane = Plane::tight(SIZE, &[0, 0, 1]).unwrap();
        assert!(accumulate(&mut [0, 0, u32::MAX], None, &[plane], HeatMode::SumValues).is_err());
        assert!(accumulate(&mut [0; 2], None, &[plane], HeatMode::SumValues).is_err());
        let other = Plane::tight(Size::new(1, 3), &[0; 3]).unwrap();
        assert!(accumulate(&mut [0; 3], Some(&other), &[plane], HeatMode::SumAbs).is_err());
    }
}
