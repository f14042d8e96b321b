//! Tables of non-local means: weights of alike pixels, and the roots of L*a*b*.

/// Weight of two pixels whose 7x7 patches differ by `i` = sum of squared differences of all channels >> 6, up to the first that is 0.
///
/// `exp(-d / (h^2 channels))` with `d = i * 64 / 49`, in units that keep sums over the search window below 2^31; below a thousandth: 0.
pub(super) fn weights(h: f32, channels: u32, search: u32) -> Vec<u32> {
    let one = f64::from(i32::MAX as u32 / (search * search * 255));
    // A square that is 0 would make a weight of 0/0 of pixels that are alike; with the least there is, they alone count.
    let spread = f64::from((h * h).max(f32::MIN_POSITIVE)) * f64::from(channels);
    let most = 255 * 255 * 49 * channels / 64;
    let weight = |i: u32| {
        let w = (one * (-f64::from(i) * (64.0 / 49.0) / spread).exp()).round_ties_even();
        if w < 0.001 * one { 0 } else { w as u32 }
    };
    let mut table: Vec<u32> = (0..=most).map(weight).take_while(|w| *w > 0).collect();
    table.push(0);
    table
}

/// `f(i / 2040)` in 2^-15, `i` = 0 to 2040: the cube root, or its tangent line below `(6/29)^3`.
pub(super) fn cube_roots() -> Vec<u32> {
    let f = |t: f64| if t < 216.0 / 24389.0 { t * (841.0 / 108.0) + 16.0 / 116.0 } else { t.cbrt() };
    (0..=2040u32).map(|i| (32768.0 * f(f64::from(i) / 2040.0)).round() as u32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_fall_to_zero_and_never_overflow() {
        for (h, channels, search) in [(10.0, 1, 21), (3.0, 3, 21), (1000.0, 2, 31), (0.1, 1, 3)] {
            let table = weights(h, channels, search);
            assert!(table.windows(2).all(|w| w[0] >= w[1]) && table.last() == Some(&0), "{h}");
            let most = u64::from(search * search) * 255 * u64::from(table[0]);
            assert!(most < 1 << 31 && most > 1 << 30, "{h} {most}");
        }
        // However small, pixels count themselves and what is alike.
        for h in [1e-18, 1e-23, 1e-30, f32::from_bits(1)] {
            assert_eq!(weights(h, 3, 21), [19096, 0], "{h}");
        }
        // 10: d = 100 is reached at i = 76.6: 19096 / e = 7025.
        assert_eq!(weights(10.0, 1, 21)[..2], [19096, 18848]);
        assert!((6960..7090).contains(&weights(10.0, 1, 21)[76]));
    }

    #[test]
    fn roots_begin_at_the_line_and_end_at_one() {
        let roots = cube_roots();
        assert_eq!((roots[0], roots[2040], roots.len()), (4520, 32768, 2041));
        assert!(roots.windows(2).all(|w| w[0] < w[1]));
    }
}
