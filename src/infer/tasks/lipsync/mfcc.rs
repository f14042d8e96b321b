//! Mel-frequency cepstral coefficients as SyncNet was trained with.
//!
//! Source: Davis & Mermelstein 1980, in the form that Python's `python_speech_features` made the usual one. 16 kHz; pre-emphasis 0.97; frames
//! of 400 samples every 160, not windowed, the last one filled up with zeros; power spectrum of 512 points divided by 512; 26 triangles
//! evenly spaced in mel from 0 to 8 kHz; logarithm; orthonormal DCT-II, 13 coefficients; lifter of 22; coefficient 0 is the logarithm of the
//! frame's power. Computed in f64.

use std::f64::consts::PI;

/// Samples a second that these coefficients are made for.
const RATE: u32 = 16_000;
/// Coefficients of a column.
pub(super) const COEFFICIENTS: usize = 13;
/// Samples from one column to the next.
const HOP: usize = 160;

const FRAME: usize = 400;
const POINTS: usize = 512;
const BINS: usize = POINTS / 2 + 1;
const FILTERS: usize = 26;
const EMPHASIS: f64 = 0.97;
const LIFTER: f64 = 22.0;

/// Coefficients over time.
#[derive(Debug, Clone, PartialEq)]
pub struct Mfcc {
    columns: Vec<[f32; 13]>,
}

impl Mfcc {
    /// Of mono samples at 16 kHz in the range of 16-bit integers (a full scale of 1.0 must be multiplied by 32768).
    ///
    /// `1 + ceil((n - 400) / 160)` columns, one for up to 400 samples, none for none.
    pub fn new(samples: &[f32]) -> Self {
        if samples.is_empty() {
            return Self { columns: Vec::new() };
        }
        let before = std::iter::once(0.0).chain(samples.iter().copied());
        let emphasized: Vec<f64> =
            samples.iter().zip(before).map(|(v, p)| f64::from(*v) - EMPHASIS * f64::from(p)).collect();
        let count = 1 + emphasized.len().saturating_sub(FRAME).div_ceil(HOP);
        let tables = Tables::new();
        let columns = (0..count)
            .map(|i| {
                let rest = emphasized.get(i * HOP..).unwrap_or_default();
                tables.column(rest.get(..FRAME).unwrap_or(rest))
            })
            .collect();
        Self { columns }
    }

    /// Number of columns, 100 a second.
    pub fn len(&self) -> usize {
        self.columns.len()
    }

    /// Whether there is no column.
    pub fn is_empty(&self) -> bool {
        self.columns.is_empty()
    }

    /// Columns in order.
    pub fn columns(&self) -> &[[f32; 13]] {
        &self.columns
    }
}

/// What all frames share.
struct Tables {
    /// `exp(-2 pi i k / 512)` for the first half.
    turns: Vec<(f64, f64)>,
    /// Bins and weights of each triangle.
    triangles: Vec<Vec<(usize, f64)>>,
    /// One row per coefficient, the lifter in it.
    cosines: Vec<Vec<f64>>,
}

impl Tables {
    fn new() -> Self {
        let turn = |k: usize| {
            let (sin, cos) = (-2.0 * PI * k as f64 / POINTS as f64).sin_cos();
            (cos, sin)
        };
        let mel = |hertz: f64| 2595.0 * (1.0 + hertz / 700.0).log10();
        let hertz = |mel: f64| 700.0 * (10f64.powf(mel / 2595.0) - 1.0);
        let top = mel(f64::from(RATE) / 2.0);
        let corner = |i: usize| {
            let at = hertz(top * i as f64 / (FILTERS + 1) as f64);
            ((POINTS + 1) as f64 * at / f64::from(RATE)).floor()
        };
        let triangle = |i: usize| {
            let (low, middle, high) = (corner(i), corner(i + 1), corner(i + 2));
            let weight =
                |bin: f64| if bin < middle { (bin - low) / (middle - low) } else { (high - bin) / (high - middle) };
            (low as usize..high as usize).map(|bin| (bin, weight(bin as f64))).collect()
        };
        let cosine = |c: usize| {
            let scale = if c == 0 { (1.0 / FILTERS as f64).sqrt() } else { (2.0 / FILTERS as f64).sqrt() };
            let lift = 1.0 + LIFTER / 2.0 * (PI * c as f64 / LIFTER).sin();
            let angle = |f: usize| (PI * c as f64 * (2 * f + 1) as f64 / (2 * FILTERS) as f64).cos();
            (0..FILTERS).map(|f| scale * lift * angle(f)).collect()
        };
        Self {
            turns: (0..POINTS / 2).map(turn).collect(),
            triangles: (0..FILTERS).map(triangle).collect(),
            cosines: (0..COEFFICIENTS).map(cosine).collect(),
        }
    }

    fn column(&self, frame: &[f64]) -> [f32; COEFFICIENTS] {
        let mut values: Vec<(f64, f64)> = frame.iter().map(|v| (*v, 0.0)).collect();
        values.resize(POINTS, (0.0, 0.0));
        let power: Vec<f64> =
            self.transform(&values).iter().take(BINS).map(|(re, im)| (re * re + im * im) / POINTS as f64).collect();
        // Silence has no logarithm.
        let log = |v: f64| if v > 0.0 { v.ln() } else { f64::EPSILON.ln() };
        let energies: Vec<f64> = self
            .triangles
            .iter()
            .map(|t| log(t.iter().map(|(bin, w)| w * power.get(*bin).copied().unwrap_or_default()).sum()))
            .collect();
        let mut column = [0.0; COEFFICIENTS];
        for (to, row) in column.iter_mut().zip(&self.cosines) {
            *to = row.iter().zip(&energies).map(|(c, e)| c * e).sum::<f64>() as f32;
        }
        if let Some(first) = column.first_mut() {
            *first = log(power.iter().sum()) as f32;
        }
        column
    }

    /// Fast Fourier transform, radix 2 (Cooley & Tukey 1965).
    fn transform(&self, values: &[(f64, f64)]) -> Vec<(f64, f64)> {
        if values.len() < 2 {
            return values.to_vec();
        }
        let part = |skip: usize| self.transform(&values.iter().skip(skip).step_by(2).copied().collect::<Vec<_>>());
        let (even, odd) = (part(0), part(1));
        let turns = self.turns.iter().step_by(POINTS / values.len());
        let turned: Vec<(f64, f64)> =
            odd.iter().zip(turns).map(|((a, b), (c, s))| (a * c - b * s, a * s + b * c)).collect();
        let sum = even.iter().zip(&turned).map(|(e, t)| (e.0 + t.0, e.1 + t.1));
        let difference = even.iter().zip(&turned).map(|(e, t)| (e.0 - t.0, e.1 - t.1));
        sum.chain(difference).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_transform_is_the_sum_that_defines_it() {
        let values: Vec<(f64, f64)> = (0..POINTS).map(|i| (((i * 37) % 101) as f64 - 50.0, 0.0)).collect();
        let got = Tables::new().transform(&values);
        for k in [0usize, 1, 17, 255, 256, 511] {
            let angle = |n: usize| -2.0 * PI * ((k * n) % POINTS) as f64 / POINTS as f64;
            let re: f64 = values.iter().enumerate().map(|(n, v)| v.0 * angle(n).cos()).sum();
            let im: f64 = values.iter().enumerate().map(|(n, v)| v.0 * angle(n).sin()).sum();
            assert!((got[k].0 - re).abs() < 1e-8 && (got[k].1 - im).abs() < 1e-8, "{k}");
        }
    }

    #[test]
    fn columns_as_they_are_counted() {
        for (samples, columns) in [(0, 0), (1, 1), (400, 1), (401, 2), (560, 2), (561, 3), (16_000, 99)] {
            assert_eq!(Mfcc::new(&vec![1.0; samples]).len(), columns, "{samples}");
        }
        // Silence: every energy is the least one.
        let silent = Mfcc::new(&[0.0; 800]);
        let [first, second, ..] = silent.columns()[0];
        assert!((first - f64::EPSILON.ln() as f32).abs() < 1e-4 && second.abs() < 1e-4);
    }
}
