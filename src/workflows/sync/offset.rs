//! The offset between sound and picture from distances of features, by the formula of SyncNet's evaluation, and its repair.

use crate::error::{Error, Result};

/// How shifts are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OffsetOptions {
    /// Frames that the sound may be early or late, at least 1.
    pub reach: usize,
    /// Pad the sound with zero vectors, as SyncNet's script does, instead of leaving out windows that have no partner. Biases large shifts.
    pub zero_padded: bool,
}

impl Default for OffsetOptions {
    /// 15 frames, only real pairs.
    fn default() -> Self {
        Self { reach: 15, zero_padded: false }
    }
}

/// Mean distance at each shift, and what it says.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq)]
pub struct OffsetCurve {
    /// `distances[k]` is the mean distance of window `i` of the picture and window `i + k - reach` of the sound; `NaN` where no pair exists.
    pub distances: Vec<f64>,
    /// `reach - argmin` in frames, the sign of SyncNet: positive where the sound must move to later to fit, so the sound is **early**.
    pub offset: i64,
    /// The same with a parabola through the least distance and its neighbours.
    pub fine_offset: f64,
    /// Median minus minimum of the distances, at least 0.
    pub confidence: f64,
    /// Whether the least distance is at the end of the range: the truth may be beyond it.
    pub at_bound: bool,
}

/// Compares windows of picture and sound, vectors of equal length, at every shift within `reach`.
///
/// `distance` is asked for the windows `(picture, sound)`; `None` stands for a window of zeros ([`OffsetOptions::zero_padded`]).
///
/// # Errors
/// [`Error::Config`] for a reach of 0 or more than 10,000; [`Error::Usage`] without a pair of windows.
pub fn offset_curve(
    pictures: usize,
    sounds: usize,
    options: &OffsetOptions,
    mut distance: impl FnMut(usize, Option<usize>) -> f64,
) -> Result<OffsetCurve> {
    if !(1..=10_000).contains(&options.reach) {
        let message = format!("must be 1 to 10000 frames, got {}", options.reach);
        return Err(Error::Config { field: "offset.reach".into(), message });
    }
    let reach = options.reach;
    let both = pictures.min(sounds);
    let distances: Vec<f64> = (0..=2 * reach)
        .map(|k| {
            let (mut sum, mut count) = (0.0, 0usize);
            for i in 0..if options.zero_padded { both } else { pictures } {
                let at = (i + k).checked_sub(reach).filter(|s| *s < if options.zero_padded { both } else { sounds });
                if at.is_some() || options.zero_padded {
                    sum += distance(i, at);
                    count += 1;
                }
            }
            if count == 0 { f64::NAN } else { sum / count as f64 }
        })
        .collect();
    OffsetCurve::of(distances).ok_or_else(|| {
        Error::usage(format!("{pictures} windows of picture and {sounds} of sound have no pair to compare"))
    })
}

impl OffsetCurve {
    /// What mean distances say, those of the shifts `-reach..=reach` in order: `2 reach + 1` numbers, `NaN` where no pair exists. `None` when
    /// none does.
    pub fn of(distances: Vec<f64>) -> Option<Self> {
        let reach = distances.len() / 2;
        let real = || distances.iter().enumerate().filter(|(_, d)| d.is_finite());
        let (best, least) = real().min_by(|a, b| a.1.total_cmp(b.1)).map(|(k, d)| (k, *d))?;
        let mut sorted: Vec<f64> = real().map(|(_, d)| *d).collect();
        sorted.sort_by(f64::total_cmp);
        let middle = sorted.len() / 2;
        let at = |i: usize| sorted.get(i).copied().unwrap_or(least);
        let median = if sorted.len() % 2 == 1 { at(middle) } else { (at(middle.saturating_sub(1)) + at(middle)) / 2.0 };
        let neighbour = |k: Option<usize>| k.and_then(|k| distances.get(k).copied()).filter(|d| d.is_finite());
        let (left, right) = (neighbour(best.checked_sub(1)), neighbour(best.checked_add(1)));
        let bend = left.zip(right).map_or(0.0, |(l, r)| {
            let curvature = l - 2.0 * least + r;
            if curvature > 0.0 { (0.5 * (l - r) / curvature).clamp(-0.5, 0.5) } else { 0.0 }
        });
        let offset = reach as i64 - best as i64;
        Some(Self {
            offset,
            fine_offset: offset as f64 - bend,
            confidence: (median - least).max(0.0),
            at_bound: left.is_none() || right.is_none(),
            distances,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pseudo-random vectors of 8 numbers.
    fn feature(i: i64) -> [f64; 8] {
        let mut s = (i as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x55;
        std::array::from_fn(|_| {
            s = s.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (s >> 40) as f64 / (1u64 << 24) as f64
        })
    }

    fn apart(a: [f64; 8], b: [f64; 8]) -> f64 {
        a.iter().zip(b).map(|(a, b)| (a - b + 1e-6).powi(2)).sum::<f64>().sqrt()
    }

    #[test]
    fn shifted_features_give_their_shift_in_both_signs() {
        for shift in -15i64..=15 {
            for zero_padded in [false, true] {
                // The sound of window i is that of window i + shift: it must move by shift to fit.
                let options = OffsetOptions { zero_padded, ..OffsetOptions::default() };
                let sound = |s: Option<usize>| s.map_or([0.0; 8], |s| feature(s as i64 + shift));
                let got = offset_curve(60, 60, &options, |p, s| apart(feature(p as i64), sound(s))).unwrap();
                assert_eq!(got.offset, shift, "{zero_padded}");
                assert!(got.confidence > 0.2, "{shift}: {}", got.confidence);
                assert_eq!(got.at_bound, shift.abs() == 15);
                assert!((got.fine_offset - shift as f64).abs() < 0.2);
            }
        }
    }

    #[test]
    fn what_never_changes_says_nothing() {
        let got = offset_curve(60, 60, &OffsetOptions::default(), |_, _| 0.7).unwrap();
        assert!(got.confidence.abs() < 1e-12);
        assert_eq!(got.distances.len(), 31);
    }

    #[test]
    fn a_parabola_finds_what_lies_between_frames() {
        let options = OffsetOptions { reach: 5, zero_padded: false };
        let got = offset_curve(20, 20, &options, |p, s| (s.unwrap_or(0) as f64 - p as f64 - 1.3).powi(2)).unwrap();
        assert_eq!((got.offset, got.at_bound), (-1, false));
        assert!((got.fine_offset + 1.3).abs() < 1e-9);
    }

    #[test]
    fn nothing_to_compare_is_an_error() {
        assert!(offset_curve(0, 10, &OffsetOptions::default(), |_, _| 0.0).is_err());
        assert!(offset_curve(9, 9, &OffsetOptions { reach: 0, zero_padded: false }, |_, _| 0.0).is_err());
        let short = offset_curve(2, 2, &OffsetOptions::default(), |_, _| 1.0).unwrap();
        assert_eq!(short.distances.iter().filter(|d| d.is_finite()).count(), 3);
    }
}
