//! Separable resampling of one plane of floats on the host, for masks and for the small pictures around a model.
//!
//! Pixel centres lie at halves; outside of the plane the nearest pixel counts. Frames are resampled on the GPU (`resize/*`): this is
//! for what a model hands back, which lies on the host already.

use crate::core::Size;

/// Weights of consecutive source samples that make one sample of the result.
#[derive(Debug, Clone, PartialEq)]
struct Tap {
    first: usize,
    weights: Vec<f32>,
}

/// One axis: a tap per sample of the result.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Taps(Vec<Tap>);

/// Sums weights that fall on the same sample after clamping to `0..source`.
fn clamped(first: i64, weights: &[f64], source: usize) -> Tap {
    let last = i64::try_from(source).unwrap_or(i64::MAX).max(1) - 1;
    let at = |i: usize| (first + i as i64).clamp(0, last);
    let (low, high) = (at(0), at(weights.len().saturating_sub(1)));
    let mut sums = vec![0.0f64; (high - low + 1) as usize];
    for (i, w) in weights.iter().enumerate() {
        if let Some(sum) = sums.get_mut((at(i) - low) as usize) {
            *sum += w;
        }
    }
    Tap { first: low as usize, weights: sums.into_iter().map(|w| w as f32).collect() }
}

impl Taps {
    /// Linear between the two nearest centres (as OpenCV `INTER_LINEAR`).
    pub(crate) fn linear(source: usize, result: usize) -> Self {
        let ratio = source as f64 / result.max(1) as f64;
        Self(
            (0..result)
                .map(|i| {
                    let x = (i as f64 + 0.5) * ratio - 0.5;
                    let t = x - x.floor();
                    clamped(x.floor() as i64, &[1.0 - t, t], source)
                })
                .collect(),
        )
    }

    /// Mean of what a sample of the result covers.
    pub(crate) fn area(source: usize, result: usize) -> Self {
        let ratio = source as f64 / result.max(1) as f64;
        Self(
            (0..result)
                .map(|i| {
                    let (from, to) = (i as f64 * ratio, (i as f64 + 1.0) * ratio);
                    let (first, end) = (from.floor(), to.ceil().max(from.floor() + 1.0));
                    let covered = |k: f64| ((k + 1.0).min(to) - k.max(from)).max(0.0) / ratio;
                    let weights: Vec<f64> = (0..(end - first) as usize).map(|k| covered(first + k as f64)).collect();
                    clamped(first as i64, &weights, source)
                })
                .collect(),
        )
    }

    /// Keys' cubic with `a = -3/4` (as OpenCV `INTER_CUBIC` and `resize/bicubic`), samples `rows` of the result only.
    pub(crate) fn cubic(source: usize, result: usize, rows: std::ops::Range<usize>) -> Self {
        const A: f64 = -0.75;
        let ratio = source as f64 / result.max(1) as f64;
        let near = |t: f64| ((A + 2.0) * t - (A + 3.0)) * t * t + 1.0;
        let far = |t: f64| ((A * t - 5.0 * A) * t + 8.0 * A) * t - 4.0 * A;
        Self(
            rows.map(|i| {
                let x = (i as f64 + 0.5) * ratio - 0.5;
                let t = x - x.floor();
                clamped(x.floor() as i64 - 1, &[far(1.0 + t), near(t), near(1.0 - t), far(2.0 - t)], source)
            })
            .collect(),
        )
    }

    /// `result` samples over the stretch of `length` samples that begins at `from`, both with fractions: area where it shrinks, linear
    /// where it grows. Samples outside of the stretch count for nothing.
    pub(crate) fn window(source: usize, from: f64, length: f64, result: usize) -> Self {
        let ratio = length / result.max(1) as f64;
        let (first, end) = (from.floor().max(0.0), (from + length).ceil().min(source as f64));
        let inside = |k: f64| k >= first && k < end;
        Self(
            (0..result)
                .map(|i| {
                    if ratio > 1.0 {
                        let (a, b) = (from + i as f64 * ratio, from + (i as f64 + 1.0) * ratio);
                        let weights: Vec<f64> = (a.floor() as i64..b.ceil() as i64)
                            .map(|k| ((k as f64 + 1.0).min(b) - (k as f64).max(a)).max(0.0) / ratio)
                            .collect();
                        return clamped(a.floor() as i64, &weights, source);
                    }
                    let x = from + (i as f64 + 0.5) * ratio - 0.5;
                    let (low, t) = (x.floor(), x - x.floor());
                    match (inside(low), inside(low + 1.0)) {
                        (true, false) => clamped(low as i64, &[1.0], source),
                        (false, true) => clamped(low as i64 + 1, &[1.0], source),
                        _ => clamped(low as i64, &[1.0 - t, t], source),
                    }
                })
                .collect(),
        )
    }

    /// Area where the axis shrinks, linear where it grows.
    pub(crate) fn fitting(source: usize, result: usize) -> Self {
        if result < source { Self::area(source, result) } else { Self::linear(source, result) }
    }

    fn len(&self) -> usize {
        self.0.len()
    }
}

/// `plane` (rows of `width`) through one set of taps per axis.
pub(crate) fn resample(plane: &[f32], width: usize, across: &Taps, down: &Taps) -> Vec<f32> {
    let first = down.0.iter().map(|t| t.first).min().unwrap_or(0);
    let end = down.0.iter().map(|t| t.first + t.weights.len()).max().unwrap_or(0);
    // Only the rows that are needed: callers make large pictures in bands.
    let mut narrow: Vec<f32> = Vec::with_capacity((end - first.min(end)) * across.len());
    for row in plane.chunks_exact(width.max(1)).skip(first).take(end.saturating_sub(first)) {
        narrow.extend(
            across
                .0
                .iter()
                .map(|t| t.weights.iter().zip(row.get(t.first..).unwrap_or_default()).map(|(w, v)| w * v).sum::<f32>()),
        );
    }
    let mut out = vec![0.0f32; across.len() * down.len()];
    for (tap, to) in down.0.iter().zip(out.chunks_exact_mut(across.len().max(1))) {
        let rows = narrow.chunks_exact(across.len().max(1)).skip(tap.first - first);
        for (w, row) in tap.weights.iter().zip(rows) {
            for (sum, v) in to.iter_mut().zip(row) {
                *sum += w * v;
            }
        }
    }
    out
}

/// `plane` of `from` in the size `to`: area where it shrinks, bilinear where it grows, each axis for itself.
pub(crate) fn resize(plane: &[f32], from: Size, to: Size) -> Vec<f32> {
    let (across, down) = (
        Taps::fitting(from.width as usize, to.width as usize),
        Taps::fitting(from.height as usize, to.height as usize),
    );
    resample(plane, from.width as usize, &across, &down)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_sum_to_one_and_stay_inside() {
        for (source, result) in [(1, 5), (5, 1), (7, 3), (3, 7), (4, 4), (2, 9)] {
            let cubic = Taps::cubic(source, result, 0..result);
            let window = Taps::window(source, 0.0, source as f64, result);
            assert_eq!(window, Taps::fitting(source, result), "a window over everything");
            for taps in [Taps::linear(source, result), Taps::area(source, result), cubic] {
                assert_eq!(taps.len(), result);
                for t in taps.0 {
                    assert!((t.weights.iter().sum::<f32>() - 1.0).abs() < 1e-6);
                    assert!(t.first + t.weights.len() <= source);
                }
            }
        }
    }

    #[test]
    fn by_hand() {
        let size = Size::new;
        assert_eq!(resize(&[0.0, 4.0], size(2, 1), size(4, 1)), [0.0, 1.0, 3.0, 4.0]);
        assert_eq!(resize(&[0.0, 4.0, 8.0, 2.0], size(4, 1), size(2, 1)), [2.0, 5.0]);
        assert_eq!(resize(&[1.0, 2.0, 3.0, 4.0], size(2, 2), size(1, 1)), [2.5]);
        assert_eq!(resize(&[1.0, 2.0, 3.0, 4.0], size(2, 2), size(2, 2)), [1.0, 2.0, 3.0, 4.0]);
        // Thirds: 3 samples to 2 cover one and a half each.
        let [a, b] = resize(&[3.0, 6.0, 9.0], size(3, 1), size(2, 1))[..] else { panic!("two samples") };
        assert!((a - 4.0).abs() < 1e-6 && (b - 8.0).abs() < 1e-6);
        // cv2.resize([[0, 1, 0, 0]], (8, 1), INTER_CUBIC) in the middle: weights at a quarter and three quarters.
        let out = resample(&[0.0, 1.0, 0.0, 0.0], 4, &Taps::cubic(4, 8, 0..8), &Taps::linear(1, 1));
        assert!((out[2] - 0.8789063).abs() < 1e-6 && (out[4] - 0.2617188).abs() < 1e-6, "{out:?}");
    }

    #[test]
    fn bands_are_rows_of_the_whole() {
        let plane: Vec<f32> = (0..35).map(|i| ((i * 7) % 11) as f32).collect();
        let across = Taps::cubic(5, 15, 0..15);
        let whole = resample(&plane, 5, &across, &Taps::cubic(7, 21, 0..21));
        let band = resample(&plane, 5, &across, &Taps::cubic(7, 21, 6..10));
        assert_eq!(whole[6 * 15..10 * 15], band);
    }
}
