//! `quality/lighting`: sums of the HSV value over patches.

use crate::core::{LightingSums, PatchSums};
use crate::reference::colors::Colors;

/// Sums over `V = max(R, G, B)` in patches of 32x32 pixels, cut at the right and the bottom, row by row.
pub fn lighting(picture: &Colors) -> LightingSums {
    let size = picture.size();
    let (across, down) = LightingSums::patches_of(size);
    let mut patches = vec![PatchSums::default(); (across * down) as usize];
    for y in 0..size.height {
        for x in 0..size.width {
            let v = picture.at(x, y).into_iter().map(u32::from).fold(0, u32::max);
            let patch = &mut patches[(y / 32 * across + x / 32) as usize];
            patch.sum += v;
            patch.sum_sq += v * v;
            patch.dark += u32::from(v < 64);
            patch.bright += u32::from(v >= 192);
        }
    }
    LightingSums { size, patches }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::Size;

    #[test]
    fn patches_by_hand() {
        let mut pixels = vec![[63, 0, 1]; 33 * 34];
        pixels[32] = [1, 192, 191];
        pixels[33 * 32] = [0, 64, 0];
        let sums = lighting(&Colors::new(Size::new(33, 34), pixels).unwrap());
        let flat = |n: u32| PatchSums { sum: 63 * n, sum_sq: 63 * 63 * n, dark: n, bright: 0 };
        let changed = |n: u32, v: u32, bright| PatchSums {
            sum: 63 * (n - 1) + v,
            sum_sq: 63 * 63 * (n - 1) + v * v,
            dark: n - 1,
            bright,
        };
        assert_eq!(sums.patches, [flat(1024), changed(32, 192, 1), changed(64, 64, 0), flat(2)]);
    }
}
