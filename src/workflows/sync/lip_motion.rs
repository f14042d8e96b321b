//! How late the sound is, from the movement of the lips: no weights of its own.
//!
//! When a mouth opens, the sound gets louder. The logarithms of two measures of the mouth (area within the lips, area of the lips) and the levels
//! of three bands of the sound (about the first three formants) are brought to a grid of 10 ms and smoothed; their
//! rates of change are correlated at each shift within a second. The mean of the six correlations, each weighted by the root of the share that
//! overlaps (so that few samples do not win by chance), has its peak at the offset; a parabola finds it between grid points. Levels
//! themselves follow words and pauses and would be fooled by a pause as long as the shift; their rates follow syllables.

use std::f64::consts::PI;

use serde::{Deserialize, Serialize};

use super::levels::{POINTS_A_SECOND as GRID, SoundLevels};
use crate::error::{Error, Result};

/// Points of the smoothing windows of lips and sound.
const SMOOTH_LIPS: usize = 5;
const SMOOTH_SOUND: usize = 11;
/// Grid points around the peak that do not count as another peak.
const PEAK: usize = 15;
/// Area of the face's side squared below which the logarithm of an area flattens: a closed mouth.
const CLOSED: f64 = 1e-4;
/// Logistic of peak plus margin: fitted to the five speakers of the GRID test clips with their own sound at 11 shifts, against each with the
/// sound of the other four (sentences of the same rhythm) at 5 shifts and with 27 stretches of unrelated speech; equal weight to own and foreign.
const LOGISTIC: (f64, f64) = (-27.94, 47.18);
/// Seconds of those clips, and how many times that a longer stretch counts at most.
const FITTED_SECONDS: f64 = 2.95;
const MOST_TIMES: f64 = 10.0;

/// The mouth in one frame; areas in parts of the square of the face's side, the same in all frames.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MouthSample {
    /// Middle of the time in which the frame is shown, in seconds.
    pub seconds: f64,
    /// Area within the inner edge of the lips, area within the outer one.
    pub measures: [f64; 2],
}

/// When sound and picture are in step.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct LipMotionOptions {
    /// Seconds that the sound may be early or late, 0.1 to 5.
    pub reach: f64,
    /// In sync within this many seconds; EBU R37 allows sound 40 ms early and 60 ms late.
    pub tolerance: f64,
    /// Probability below which the verdict is "cannot tell", 0..=1.
    pub min_probability: f64,
    /// Level in decibels of full scale that the loudest tenth of a second must reach for there to be any sound.
    pub quiet_db: f64,
}

impl Default for LipMotionOptions {
    fn default() -> Self {
        Self { reach: 1.0, tolerance: 0.06, min_probability: 0.5, quiet_db: -50.0 }
    }
}

/// What came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SyncVerdict {
    /// Within the tolerance.
    InSync,
    /// The sound comes before the picture.
    AudioEarly,
    /// The sound comes after the picture.
    AudioLate,
    /// See the reasons.
    CannotTell,
}

/// An offset and how far it can be believed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SyncEstimate {
    /// Verdict.
    pub verdict: SyncVerdict,
    /// Why it cannot be told; empty otherwise.
    pub reasons: Vec<String>,
    /// Seconds that the sound is late; negative where it is early. The best guess even where the verdict is "cannot tell".
    pub offset: f64,
    /// Height of the peak, -1..=1. Of SyncNet: the least mean distance.
    pub peak: f64,
    /// Height of the peak over the next one that is more than 0.15 s away.
    pub margin: f64,
    /// Median minus minimum of 1 - correlation, in the manner of SyncNet; of SyncNet: of the distances.
    pub confidence: f64,
    /// Probability that sound and lips belong together and the offset is right, 0..=1: a logistic over `peak + margin`, fitted to clips of 3 s;
    /// in longer ones the sum counts by the root of their length, as chance agreement shrinks with it.
    pub probability: f64,
    /// `(seconds late, weighted correlation)` over all shifts. Of SyncNet: mean distances.
    pub curve: Vec<(f64, f64)>,
}

impl LipMotionOptions {
    /// # Errors
    /// [`Error::Config`] with the option that is out of range.
    pub fn check(&self) -> Result<()> {
        let wrong = |field: &str, wanted: &str, given: f64| {
            Err(Error::Config {
                field: format!("lip_motion.{field}"),
                message: format!("must be {wanted}, got {given}"),
            })
        };
        if !(0.1..=5.0).contains(&self.reach) {
            return wrong("reach", "0.1 to 5 seconds", self.reach);
        }
        if !(0.0..=1.0).contains(&self.tolerance) {
            return wrong("tolerance", "0 to 1 second", self.tolerance);
        }
        if !(0.0..=1.0).contains(&self.min_probability) {
            return wrong("min_probability", "0 to 1", self.min_probability);
        }
        if !(-200.0..=0.0).contains(&self.quiet_db) {
            return wrong("quiet_db", "-200 to 0 decibels", self.quiet_db);
        }
        Ok(())
    }
}

/// Compares lips with 16 kHz mono sound whose first sample is at `sound_start` seconds on the clock of the frames.
///
/// # Errors
/// [`Error::Config`] for options out of range.
pub fn lip_motion(lips: &[MouthSample], sound: &[f32], sound_start: f64, o: &LipMotionOptions) -> Result<SyncEstimate> {
    lip_motion_levels(lips, &SoundLevels::of(sound, sound_start), o)
}

/// The same with sound that was measured before: what streams use.
///
/// # Errors
/// [`Error::Config`] for options out of range.
pub fn lip_motion_levels(lips: &[MouthSample], sound: &SoundLevels, o: &LipMotionOptions) -> Result<SyncEstimate> {
    o.check()?;
    let mut reasons = Vec::new();
    let (first, last) = (lips.first().map_or(0.0, |l| l.seconds), lips.last().map_or(0.0, |l| l.seconds));
    // Points of the grid of the sound that lie within the lips.
    let start = (first * GRID).ceil() as i64;
    let count = usize::try_from((last * GRID).floor() as i64 - start).unwrap_or(0);
    if lips.len() < 10 || count < 100 {
        reasons.push(format!("lips are seen for {:.1} s; a second is the least", (last - first).max(0.0)));
        return Ok(unknown(reasons));
    }
    let moves = moves(lips, start, count);
    if moves.iter().all(|m| norm(m) < 1e-9) {
        reasons.push("the lips do not move".into());
    }
    let level = sound.loudest(first - o.reach, last + o.reach);
    if level < o.quiet_db {
        reasons.push(format!("the sound is silent: at most {level:.0} dB"));
    }
    if !reasons.is_empty() {
        return Ok(unknown(reasons));
    }
    // Levels on the same grid as the lips, and as far around as sound may be shifted.
    let reach = (o.reach * GRID).round() as i64;
    let levels = rises(sound, start - reach, start + count as i64 + reach);
    // Where the sound has no samples, nothing is compared.
    let (from, to) = sound.range();
    let (from, to) = (from - start, to - start);
    let pairs = (moves.len() * levels.len()).max(1) as f64;
    let curve: Vec<(f64, f64)> = (-reach..=reach)
        .map(|shift| {
            let (a, b) = ((from - shift).clamp(0, count as i64), (to - shift).clamp(0, count as i64));
            let (a, b) = (a as usize, b.max(a) as usize);
            let share = (b - a) as f64 / count as f64;
            let at = |i: usize| (i as i64 + shift + reach).max(0) as usize;
            let mean = moves
                .iter()
                .flat_map(|m| levels.iter().map(move |l| (m, l)))
                .map(|(m, l)| pearson(m.get(a..b).unwrap_or_default(), l.get(at(a)..at(b)).unwrap_or_default()))
                .sum::<f64>()
                / pairs;
            (shift as f64 / GRID, if b - a < 100 { f64::NAN } else { mean * share.sqrt() })
        })
        .collect();
    Ok(judge(curve, count as f64 / GRID, o))
}

/// Rates of change of both measures of the mouth at `count` points of the grid.
fn moves(lips: &[MouthSample], start: i64, count: usize) -> Vec<Vec<f64>> {
    (0..2).map(|m| rate(&smooth(&on_grid(lips, m, start as f64 / GRID, count), SMOOTH_LIPS))).collect()
}

/// Rates of change of the levels of all bands at the points `from..to` of the grid.
fn rises(sound: &SoundLevels, from: i64, to: i64) -> Vec<Vec<f64>> {
    (0..sound.bands()).map(|b| rate(&smooth(&sound.band(b, from, to), SMOOTH_SOUND))).collect()
}

/// How much better sound fits that is `after` seconds late than sound that is `before` seconds late, moment by moment: `(seconds, preference)` on the
/// clock of the lips, from products whose sums are the correlations of [`lip_motion_levels`]. Around an edit it turns from negative to positive. Empty
/// for less than a second of lips.
pub fn lip_preference(lips: &[MouthSample], sound: &SoundLevels, before: f64, after: f64) -> Vec<(f64, f64)> {
    let (first, last) = (lips.first().map_or(0.0, |l| l.seconds), lips.last().map_or(0.0, |l| l.seconds));
    let start = (first * GRID).ceil() as i64;
    let count = usize::try_from((last * GRID).floor() as i64 - start).unwrap_or(0);
    if count < 100 {
        return Vec::new();
    }
    let centred = |mut rates: Vec<Vec<f64>>| {
        for r in &mut rates {
            let mean = r.iter().sum::<f64>() / r.len().max(1) as f64;
            r.iter_mut().for_each(|v| *v -= mean);
            let size = norm(r).max(1e-9);
            r.iter_mut().for_each(|v| *v /= size);
        }
        rates
    };
    let moves = centred(moves(lips, start, count));
    let late = |seconds: f64| {
        let from = start + (seconds * GRID).round() as i64;
        centred(rises(sound, from, from + count as i64))
    };
    let (before, after) = (late(before), late(after));
    let at = |rates: &[f64], i: usize| rates.get(i).copied().unwrap_or(0.0);
    (0..count)
        .map(|i| {
            let lips: f64 = moves.iter().map(|m| at(m, i)).sum();
            let better: f64 =
                after.iter().map(|l| at(l, i)).sum::<f64>() - before.iter().map(|l| at(l, i)).sum::<f64>();
            ((start + i as i64) as f64 / GRID, lips * better)
        })
        .collect()
}

/// An estimate that says nothing but why.
pub(super) fn unknown(reasons: Vec<String>) -> SyncEstimate {
    let (verdict, curve) = (SyncVerdict::CannotTell, Vec::new());
    SyncEstimate { verdict, reasons, offset: 0.0, peak: 0.0, margin: 0.0, confidence: 0.0, probability: 0.0, curve }
}

/// What a curve over shifts, made of so many seconds, says.
fn judge(curve: Vec<(f64, f64)>, seconds: f64, o: &LipMotionOptions) -> SyncEstimate {
    let real = || curve.iter().enumerate().filter(|(_, c)| c.1.is_finite());
    let Some((best, peak)) = real().max_by(|a, b| a.1.1.total_cmp(&b.1.1)).map(|(i, c)| (i, c.1)) else {
        return unknown(vec!["sound and lips overlap for less than a second".into()]);
    };
    let other = real().filter(|(i, _)| i.abs_diff(best) > PEAK).map(|(_, c)| c.1).fold(-1.0, f64::max);
    let mut sorted: Vec<f64> = real().map(|(_, c)| c.1).collect();
    sorted.sort_by(f64::total_cmp);
    let median = sorted.get(sorted.len() / 2).copied().unwrap_or(peak);
    let at = |i: Option<usize>| i.and_then(|i| curve.get(i)).map(|c| c.1).filter(|c| c.is_finite());
    let (left, right) = (at(best.checked_sub(1)), at(best.checked_add(1)));
    let bend = left.zip(right).map_or(0.0, |(l, r)| {
        let curvature = l - 2.0 * peak + r;
        if curvature < 0.0 { (0.5 * (l - r) / curvature).clamp(-0.5, 0.5) } else { 0.0 }
    });
    let offset = curve.get(best).map_or(0.0, |c| c.0) + bend / GRID;
    let margin = peak - other;
    // Chance agreement shrinks with the root of the time: what a peak of three seconds needs, one of twelve needs half of.
    let weight = (seconds / FITTED_SECONDS).clamp(0.0, MOST_TIMES).sqrt();
    let probability = 1.0 / (1.0 + (-(LOGISTIC.0 + LOGISTIC.1 * (peak + margin) * weight)).exp());
    let mut reasons = Vec::new();
    if left.is_none() || right.is_none() {
        reasons.push(format!("the best shift, {offset:+.2} s, is at the end of the range: the truth may be beyond it"));
    }
    if probability < o.min_probability {
        reasons.push(format!("the lips do not follow this sound clearly (probability {probability:.2}): another voice, or too little speech"));
    }
    let verdict = match () {
        () if !reasons.is_empty() => SyncVerdict::CannotTell,
        () if offset.abs() <= o.tolerance => SyncVerdict::InSync,
        () if offset > 0.0 => SyncVerdict::AudioLate,
        () => SyncVerdict::AudioEarly,
    };
    SyncEstimate { verdict, reasons, offset, peak, margin, confidence: peak - median, probability, curve }
}

/// Logarithm of a measure at each point of the grid, linear between frames.
fn on_grid(lips: &[MouthSample], measure: usize, first: f64, count: usize) -> Vec<f64> {
    let area = |l: &MouthSample| l.measures.get(measure).copied().filter(|v| v.is_finite()).unwrap_or(0.0);
    let value = |l: &MouthSample| (area(l).max(0.0) + CLOSED).ln();
    let mut pairs = lips.iter().zip(lips.iter().skip(1)).peekable();
    (0..count)
        .map(|i| {
            let t = first + i as f64 / GRID;
            while pairs.peek().is_some_and(|(_, b)| b.seconds < t) {
                pairs.next();
            }
            pairs.peek().map_or(0.0, |(a, b)| {
                let span = (b.seconds - a.seconds).max(1e-9);
                let share = ((t - a.seconds) / span).clamp(0.0, 1.0);
                value(a) + (value(b) - value(a)) * share
            })
        })
        .collect()
}

/// Mean under a Hann window of `points`, the ends repeated.
fn smooth(values: &[f64], points: usize) -> Vec<f64> {
    let weights: Vec<f64> =
        (1..=points).map(|i| 0.5 - 0.5 * (2.0 * PI * i as f64 / (points + 1) as f64).cos()).collect();
    let sum: f64 = weights.iter().sum();
    let last = values.len().saturating_sub(1);
    let at = |i: usize, k: usize| values.get((i + k).saturating_sub(points / 2).min(last)).copied().unwrap_or(0.0);
    (0..values.len()).map(|i| weights.iter().enumerate().map(|(k, w)| w * at(i, k)).sum::<f64>() / sum).collect()
}

/// Half the difference of the neighbours of each value.
fn rate(values: &[f64]) -> Vec<f64> {
    let last = values.len().saturating_sub(1);
    let at = |i: usize| values.get(i.min(last)).copied().unwrap_or(0.0);
    (0..values.len()).map(|i| (at(i + 1) - at(i.saturating_sub(1))) / 2.0).collect()
}

fn norm(values: &[f64]) -> f64 {
    values.iter().map(|v| v * v).sum::<f64>().sqrt()
}

/// Correlation; 0 where one of them is constant.
fn pearson(a: &[f64], b: &[f64]) -> f64 {
    let n = a.len().min(b.len()) as f64;
    let (ma, mb) = (a.iter().sum::<f64>() / n, b.iter().sum::<f64>() / n);
    let (mut ab, mut aa, mut bb) = (0.0, 0.0, 0.0);
    for (x, y) in a.iter().zip(b) {
        ab += (x - ma) * (y - mb);
        aa += (x - ma) * (x - ma);
        bb += (y - mb) * (y - mb);
    }
    if aa > 0.0 && bb > 0.0 { ab / (aa * bb).sqrt() } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Syllables of random strength: lips at 25 frames a second, and noise whose level follows them `late` seconds later.
    fn talk(late: f64, seconds: usize) -> (Vec<MouthSample>, Vec<f32>) {
        let mut seed = 7u64;
        let mut random = move || {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> 40) as f64 / (1u64 << 24) as f64
        };
        let mut at = 0.0;
        let bumps: Vec<(f64, f64)> = (0..seconds * 4)
            .map(|_| {
                at += 0.15 + 0.35 * random();
                (at, random())
            })
            .collect();
        let open = |t: f64| bumps.iter().map(|(at, h)| h * (-((t - at) / 0.06).powi(2)).exp()).sum::<f64>();
        let lips = (0..seconds * 25)
            .map(|i| {
                let t = (i as f64 + 0.5) / 25.0;
                MouthSample { seconds: t, measures: [0.001 + 0.02 * open(t), 0.04 + 0.02 * open(t)] }
            })
            .collect();
        let sound =
            (0..seconds * 16_000).map(|i| ((random() - 0.5) * 0.3 * open(i as f64 / 16_000.0 - late)) as f32).collect();
        (lips, sound)
    }

    #[test]
    fn a_known_shift_is_found_to_a_few_milliseconds() {
        let options = LipMotionOptions::default();
        for (late, verdict) in
            [(0.0, SyncVerdict::InSync), (0.213, SyncVerdict::AudioLate), (-0.34, SyncVerdict::AudioEarly)]
        {
            let (lips, sound) = talk(late, 6);
            let got = lip_motion(&lips, &sound, 0.0, &options).unwrap();
            assert!((got.offset - late).abs() < 0.015, "{late}: {}", got.offset);
            assert_eq!(got.verdict, verdict, "{late}: {:?} {} {}", got.reasons, got.peak, got.margin);
            // The clock of the sound counts: the same samples said to begin later are later.
            let moved = lip_motion(&lips, &sound, 0.1, &options).unwrap();
            assert!((moved.offset - late - 0.1).abs() < 0.015);
            let narrow = LipMotionOptions { reach: 0.2, ..options };
            assert_eq!(lip_motion(&lips, &sound, 0.0, &narrow).unwrap().verdict == SyncVerdict::InSync, late == 0.0);
        }
    }

    #[test]
    fn an_edit_is_where_the_preference_turns() {
        // The sound of the first 7 s is in step, from then on 0.25 s late.
        let (lips, sound) = talk(0.0, 14);
        let late = |i: usize| if i < 7 * 16_000 { i } else { i.saturating_sub(4_000).max(7 * 16_000) };
        let edited: Vec<f32> = (0..sound.len()).map(|i| sound[late(i)]).collect();
        let levels = SoundLevels::of(&edited, 0.0);
        let found = lip_preference(&lips, &levels, 0.0, 0.25);
        let side = |from: f64, to: f64| found.iter().filter(|p| from <= p.0 && p.0 < to).map(|p| p.1).sum::<f64>();
        assert!(side(0.0, 7.0) < -0.5 && side(7.0, 14.0) > 0.5, "{} {}", side(0.0, 7.0), side(7.0, 14.0));
        let edit = super::super::timeline::turn(&found).unwrap();
        assert!((edit - 7.0).abs() < 0.6, "{edit}");
        assert!(lip_preference(&lips[..10], &levels, 0.0, 0.25).is_empty());
    }

    #[test]
    fn what_cannot_be_told_says_why() {
        let options = LipMotionOptions::default();
        let (lips, sound) = talk(0.0, 4);
        let told = |lips: &[MouthSample], sound: &[f32]| {
            let e = lip_motion(lips, sound, 0.0, &options).unwrap();
            assert_eq!(e.verdict, SyncVerdict::CannotTell);
            e.reasons.join("; ")
        };
        assert!(told(&lips, &vec![0.0; 64_000]).contains("silent"));
        assert!(told(&lips[..8], &sound).contains("lips are seen"));
        let still: Vec<_> = lips.iter().map(|l| MouthSample { measures: [1.0; 2], ..*l }).collect();
        assert!(told(&still, &sound).contains("do not move"));
        assert!(told(&lips, &sound[..8_000]).contains("overlap"));
        // Foreign speech agrees by chance now and then; mostly it must not.
        let ((lips, _), (_, other)) = (talk(0.0, 8), talk(0.0, 60));
        let stretches = (10..52).step_by(3).map(|from| &other[from * 16_000..(from + 8) * 16_000]);
        let judged: Vec<SyncEstimate> =
            stretches.map(|sound| lip_motion(&lips, sound, 0.0, &options).unwrap()).collect();
        let untold = judged.iter().filter(|e| e.reasons.join("; ").contains("do not follow")).count();
        assert!(untold >= 11, "{untold} of {}", judged.len());
        assert!(judged.iter().all(|e| e.probability < 0.95));
        for bad in [
            LipMotionOptions { reach: 0.0, ..options },
            LipMotionOptions { tolerance: f64::NAN, ..options },
            LipMotionOptions { min_probability: 2.0, ..options },
        ] {
            assert!(lip_motion(&lips, &sound, 0.0, &bad).is_err());
        }
    }
}
