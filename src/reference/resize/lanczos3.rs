//! `resize/lanczos3`: any size to any size with a windowed sinc.

use crate::Result;
use crate::core::Size;
use crate::reference::plane::{Plane, unfit};
use std::f64::consts::PI;

/// First source of destination `x` along an axis from `from` to `to` samples, and the weights from there on in 2^-22.
///
/// With `s = from / to`, `k = max(s, 1)` and the centre `c = (x + 1/2) s`: the sources from `trunc(c - 3k + 1/2)`, at
/// least 0, to before `trunc(c + 3k + 1/2)`, at most `from`. Source `i` weighs `L((i - c + 1/2) / k)`, `L(u) = sinc(u)
/// sinc(u / 3)` for `-3 <= u < 3`; the weights are divided by their sum in f64 and rounded to nearest. So pictures that
/// shrink are averaged over a window as much wider, and sources outside are left out.
pub fn lanczos3_taps(x: u32, from: u32, to: u32) -> (u32, Vec<i64>) {
    let s = f64::from(from) / f64::from(to);
    let k = if s > 1.0 { s } else { 1.0 };
    let c = (f64::from(x) + 0.5) * s;
    let first = (c - 3.0 * k + 0.5).max(0.0) as u32;
    let end = ((c + 3.0 * k + 0.5) as u32).min(from);
    let window = |u: f64| {
        let sinc = |v: f64| if v == 0.0 { 1.0 } else { (v * PI).sin() / (v * PI) };
        if (-3.0..3.0).contains(&u) { sinc(u) * sinc(u / 3.0) } else { 0.0 }
    };
    let weights: Vec<f64> = (first..end).map(|i| window((f64::from(i) - c + 0.5) * (1.0 / k))).collect();
    let sum: f64 = weights.iter().sum();
    (first, weights.iter().map(|w| (w / sum * 4_194_304.0).round() as i64).collect())
}

/// `src`: W x H pixels of 1 to 4 channels. Gives `to.width` x `to.height` pixels of the same channels, rows without
/// padding.
///
/// First along rows, then along columns, each `clamp((sum w p + 2^21) >> 22)` with [`lanczos3_taps`]: bytes in between,
/// as Pillow does.
///
/// # Errors
/// [`crate::Error::Parameter`] for an empty target.
pub fn lanczos3(src: &Plane<'_>, to: Size) -> Result<Vec<u8>> {
    if to.is_empty() {
        return Err(unfit("resize/lanczos3", "to", "at least 1x1", to));
    }
    let (from, channels) = (src.size(), src.channels());
    let limited = |sum: i64| ((sum + (1 << 21)) >> 22).clamp(0, 255) as u8;
    let columns: Vec<_> = (0..to.width).map(|x| lanczos3_taps(x, from.width, to.width)).collect();
    let mut between = Vec::with_capacity((to.width * from.height * channels) as usize);
    for y in 0..from.height {
        for (first, weights) in &columns {
            for c in 0..channels {
                let terms = (*first..).zip(weights).map(|(x, w)| w * i64::from(src.at(x, y, c)));
                between.push(limited(terms.sum()));
            }
        }
    }
    let stride = (to.width * channels) as usize;
    let mut out = Vec::with_capacity(stride * to.height as usize);
    for y in 0..to.height {
        let (first, weights) = lanczos3_taps(y, from.height, to.height);
        for i in 0..stride {
            let rows = (first as usize..).zip(&weights);
            out.push(limited(rows.map(|(y, w)| w * i64::from(between[y * stride + i])).sum()));
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reference::Pattern;

    #[test]
    fn weights_by_hand() {
        // Half the size: k = 2, centre 3 of 6 samples: u = -1.25, -0.75, -0.25, .. symmetric.
        let (first, weights) = lanczos3_taps(1, 6, 3);
        assert_eq!((first, weights.len()), (0, 6));
        let mirrored: Vec<i64> = weights.iter().rev().copied().collect();
        assert_eq!(weights, mirrored);
        // L(0.25) = 0.8900, L(0.75) = 0.2702, L(1.25) = -0.1329; their sum twice is 2.0546.
        let shares = [-0.1329, 0.2702, 0.8900].map(|l| l / 2.0546);
        assert!(weights.iter().zip(shares).all(|(w, s)| (*w as f64 / 4_194_304.0 - s).abs() < 2e-4), "{weights:?}");
        assert_eq!(lanczos3_taps(0, 1, 5), (0, vec![1 << 22]));
    }

    #[test]
    fn same_size_copies_and_constants_stay() {
        let size = Size::new(17, 9);
        let data = Pattern::Random { seed: 5 }.plane(size, 1, 17);
        assert_eq!(lanczos3(&Plane::tight(size, &data).unwrap(), size).unwrap(), data);
        let white = vec![255; 153];
        let out = lanczos3(&Plane::tight(size, &white).unwrap(), Size::new(40, 5)).unwrap();
        assert!(out.len() == 200 && out.into_iter().all(|v| v == 255));
        assert!(lanczos3(&Plane::tight(size, &white).unwrap(), Size::new(4, 0)).is_err());
    }
}
