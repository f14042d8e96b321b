//! `resize/area`: smaller pictures as coverage-weighted means.

use crate::Result;
use crate::core::Size;
use crate::reference::plane::{Plane, unfit};

/// The sources of destination `x` along one axis from `from` to `to` samples (`to <= from`), with integer weights: the
/// overlap of `[x*from, (x+1)*from)` with `[i*to, (i+1)*to)`. The weights of one destination sum to `from`.
pub fn area_weights(x: u32, from: u32, to: u32) -> impl Iterator<Item = (u32, u64)> {
    let (from, to) = (u64::from(from), u64::from(to));
    let (start, end) = (u64::from(x) * from, (u64::from(x) + 1) * from);
    (start / to..end.div_ceil(to)).map(move |i| (i as u32, ((i + 1) * to).min(end) - (i * to).max(start)))
}

/// `src`: W x H pixels of 1, 2 or 4 channels. Gives `to.width` x `to.height` pixels of the same channels, rows without
/// padding.
///
/// `out = floor((sum_ij wx_i * wy_j * p_ij + floor(W*H/2)) / (W*H))`, the weights as in [`area_weights`], in exact
/// integers (`u64` here; `u32` suffices while `256 * W * H <= 2^32`). For whole factors this is the box mean, halves
/// rounded up. OpenCV's `INTER_AREA` computes fractional factors in f32 and may differ by 1. No border: sources never
/// lie outside.
///
/// # Errors
/// [`crate::Error::Parameter`] for 3 channels, an empty target, or a target larger than the source along either axis.
pub fn area(src: &Plane<'_>, to: Size) -> Result<Vec<u8>> {
    const OP: &str = "resize/area";
    let from = src.size();
    if src.channels() == 3 {
        return Err(unfit(OP, "channels", "1, 2 or 4", 3));
    }
    if to.is_empty() || to.width > from.width || to.height > from.height {
        return Err(unfit(OP, "to", format!("1x1 to {from}"), to));
    }
    let area = from.area();
    let mut out = Vec::with_capacity(to.area() as usize * src.channels() as usize);
    for y in 0..to.height {
        for x in 0..to.width {
            for c in 0..src.channels() {
                let mut sum = area / 2;
                for (j, wy) in area_weights(y, from.height, to.height) {
                    for (i, wx) in area_weights(x, from.width, to.width) {
                        sum += wx * wy * u64::from(src.at(i, j, c));
                    }
                }
                out.push((sum / area) as u8);
            }
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reference::Pattern;

    #[test]
    fn whole_and_fractional_factors_by_hand() {
        let p = [0, 10, 20, 30, 1, 11, 21, 31, 100, 100, 200, 200, 100, 101, 200, 203];
        let plane = Plane::tight(Size::new(4, 4), &p).unwrap();
        // means 5.5, 25.5, 100.25, 200.75: halves up
        assert_eq!(area(&plane, Size::new(2, 2)).unwrap(), [6, 26, 100, 201]);
        assert_eq!(area(&plane, Size::new(4, 4)).unwrap(), p);
        // 3 to 2: (2a + b)/3, (b + 2c)/3
        let row = Plane::tight(Size::new(3, 1), &[0, 90, 255]).unwrap();
        assert_eq!(area(&row, Size::new(2, 1)).unwrap(), [30, 200]);
        assert_eq!(area_weights(1, 5, 3).collect::<Vec<_>>(), [(1, 1), (2, 3), (3, 1)]);
    }

    #[test]
    fn channels_are_kept_apart_and_constants_stay() {
        let pixels = Plane::interleaved(Size::new(2, 1), 2, 4, &[0, 100, 10, 200]).unwrap();
        assert_eq!(area(&pixels, Size::new(1, 1)).unwrap(), [5, 150]);
        let size = Size::new(17, 13);
        let data = Pattern::Constant { level: 255 }.plane(size, 4, 80);
        let plane = Plane::interleaved(size, 4, 80, &data).unwrap();
        assert!(area(&plane, Size::new(7, 5)).unwrap().into_iter().all(|v| v == 255));
    }

    #[test]
    fn weights_cover_every_source_equally() {
        for (from, to) in [(17, 5), (5, 5), (100, 1), (33, 32)] {
            let mut covered = vec![0u64; from as usize];
            for x in 0..to {
                let weights: Vec<_> = area_weights(x, from, to).collect();
                assert_eq!(weights.iter().map(|w| w.1).sum::<u64>(), u64::from(from));
                weights.into_iter().for_each(|(i, w)| covered[i as usize] += w);
            }
            assert!(covered.into_iter().all(|c| c == u64::from(to)), "{from} to {to}");
        }
    }

    #[test]
    fn larger_targets_are_refused() {
        let plane = Plane::tight(Size::new(2, 2), &[0; 4]).unwrap();
        for to in [Size::new(3, 1), Size::new(1, 3), Size::new(0, 1)] {
            assert!(area(&plane, to).is_err());
        }
    }
}
