//! How loud sound is in three bands of speech, a hundred times a second: what lips are compared with. Hours of it fit in a few megabytes.

use std::f64::consts::PI;

/// Samples per second that the sound must have.
pub const LEVEL_RATE: u32 = 16_000;
/// Points per second.
pub(super) const POINTS_A_SECOND: f64 = 100.0;
/// Samples of a window of the spectrum (25 ms) and from one to the next (10 ms).
const WINDOW: usize = 400;
const HOP: usize = 160;
/// Points of the Fourier transform whose bins are summed.
const BINS: f64 = 512.0;
/// Bands in hertz: about the first, the second and the third formant.
const BANDS: [(f64, f64); 3] = [(300.0, 800.0), (800.0, 2000.0), (2000.0, 3500.0)];
/// Level below which the logarithm flattens: -60 dB.
const FLOOR: f64 = 1e-3;

/// Levels of a track. Point `n` is the time `n / 100` s on the clock of the samples.
#[derive(Debug, Clone, PartialEq)]
pub struct SoundLevels {
    /// First point that lies in the sound.
    first: i64,
    /// Natural logarithm of the level of each band at each point.
    bands: [Vec<f32>; BANDS.len()],
    /// Mean square of the 10 ms that begin at each point.
    power: Vec<f32>,
}

impl SoundLevels {
    /// Levels of mono samples at [`LEVEL_RATE`], the first one at `start` seconds.
    pub fn of(samples: &[f32], start: f64) -> Self {
        let mut meter = LevelMeter::new();
        meter.push((start * f64::from(LEVEL_RATE)).round() as i64, samples);
        meter.finish()
    }

    /// First point in the sound, and the one after the last.
    pub(super) fn range(&self) -> (i64, i64) {
        (self.first, self.first + self.power.len() as i64)
    }

    /// Seconds from the first point to the last.
    pub fn seconds(&self) -> f64 {
        self.power.len() as f64 / POINTS_A_SECOND
    }

    /// Levels of a band at the points `from..to`; silence where there is no sound.
    pub(super) fn band(&self, band: usize, from: i64, to: i64) -> Vec<f64> {
        let values = self.bands.get(band).map_or(&[][..], Vec::as_slice);
        let at = |n: i64| usize::try_from(n - self.first).ok().and_then(|i| values.get(i));
        (from..to).map(|n| at(n).map_or(FLOOR.ln(), |v| f64::from(*v))).collect()
    }

    /// Number of bands.
    pub(super) const fn bands(&self) -> usize {
        self.bands.len()
    }

    /// Level in decibels of full scale of the loudest tenth of a second that begins at the points `from..to`; -200 without sound.
    pub fn loudest(&self, from: f64, to: f64) -> f64 {
        let index = |seconds: f64| {
            let n = (seconds * POINTS_A_SECOND).floor() as i64 - self.first;
            usize::try_from(n).unwrap_or(0).min(self.power.len())
        };
        let here = self.power.get(index(from)..index(to)).unwrap_or_default();
        let tenth = (POINTS_A_SECOND / 10.0) as usize;
        let mean = |c: &[f32]| c.iter().map(|v| f64::from(*v)).sum::<f64>() / c.len().max(1) as f64;
        let most = here.chunks(tenth).map(mean).fold(0.0, f64::max);
        10.0 * (most + 1e-20).log10()
    }
}

/// Measures levels of samples as they come; holds 50 ms of them.
#[derive(Debug, Clone)]
pub struct LevelMeter {
    hann: Vec<f64>,
    /// `2 cos` of the turn of each bin, and its band.
    bins: Vec<(f64, usize)>,
    waiting: Vec<f32>,
    /// Position of the first waiting sample; `None` before the first one.
    at: Option<i64>,
    /// Next point to be measured.
    next: i64,
    levels: SoundLevels,
}

impl Default for LevelMeter {
    fn default() -> Self {
        Self::new()
    }
}

impl LevelMeter {
    /// Nothing heard yet.
    pub fn new() -> Self {
        let hann = (0..WINDOW).map(|i| 0.5 - 0.5 * (2.0 * PI * (i as f64 + 0.5) / WINDOW as f64).cos()).collect();
        let bin = |hz: f64| (hz * BINS / f64::from(LEVEL_RATE)).round() as usize;
        let bins = BANDS
            .iter()
            .enumerate()
            .flat_map(|(band, (low, high))| {
                (bin(*low)..bin(*high)).map(move |k| (2.0 * (2.0 * PI * k as f64 / BINS).cos(), band))
            })
            .collect();
        let levels = SoundLevels { first: 0, bands: [const { Vec::new() }; BANDS.len()], power: Vec::new() };
        Self { hann, bins, waiting: Vec::new(), at: None, next: 0, levels }
    }

    /// Takes the samples from position `start` on, in samples; they must follow those before.
    pub fn push(&mut self, start: i64, samples: &[f32]) {
        if samples.is_empty() {
            return;
        }
        if self.at.is_none() {
            // The window around the first point reaches back to before the sound.
            self.at = Some(start - WINDOW as i64 / 2);
            self.waiting = vec![0.0; WINDOW / 2];
            self.next = start.div_euclid(HOP as i64) + i64::from(start.rem_euclid(HOP as i64) > 0);
            self.levels.first = self.next;
        }
        self.waiting.extend_from_slice(samples);
        self.measure(0);
    }

    /// The levels of all that was heard.
    pub fn finish(mut self) -> SoundLevels {
        if self.at.is_some() {
            self.waiting.resize(self.waiting.len() + WINDOW / 2, 0.0);
            self.measure(WINDOW / 2);
        }
        self.levels
    }

    /// Measures the points whose windows are there; the last `padding` samples are no sound.
    fn measure(&mut self, padding: usize) {
        let Some(base) = self.at else { return };
        let mut states = vec![(0.0f64, 0.0f64); self.bins.len()];
        let power: f64 = self.hann.iter().map(|w| w * w).sum();
        loop {
            let centre = self.next * HOP as i64 - base;
            let from = usize::try_from(centre - WINDOW as i64 / 2).unwrap_or(0);
            let centre = usize::try_from(centre).unwrap_or(0);
            let Some(window) = self.waiting.get(from..from + WINDOW) else { break };
            if centre + padding >= self.waiting.len() {
                break;
            }
            // Goertzel 1958: a bin is a recursion without tables; all bins side by side.
            states.fill((0.0, 0.0));
            for (v, w) in window.iter().zip(&self.hann) {
                let v = f64::from(*v) * w;
                for (state, (turn, _)) in states.iter_mut().zip(&self.bins) {
                    *state = (v + turn * state.0 - state.1, state.0);
                }
            }
            let mut sums = [0.0; BANDS.len()];
            for ((now, before), (turn, band)) in states.iter().zip(&self.bins) {
                if let Some(sum) = sums.get_mut(*band) {
                    *sum += now * now + before * before - turn * now * before;
                }
            }
            for (levels, sum) in self.levels.bands.iter_mut().zip(sums) {
                // Rounding may leave a tiny negative power.
                levels.push((((2.0 * sum.max(0.0) / (BINS * power)).sqrt() + FLOOR).ln()) as f32);
            }
            let hop = self.waiting.get(centre..(centre + HOP).min(self.waiting.len())).unwrap_or_default();
            let square: f64 = hop.iter().map(|v| f64::from(*v) * f64::from(*v)).sum();
            self.levels.power.push((square / HOP as f64) as f32);
            self.next += 1;
        }
        let used = self.next * HOP as i64 - WINDOW as i64 / 2 - base;
        let used = usize::try_from(used).unwrap_or(0).min(self.waiting.len());
        self.waiting.drain(..used);
        self.at = Some(base + used as i64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(hz: f64, amplitude: f64, samples: usize) -> Vec<f32> {
        (0..samples).map(|i| (amplitude * (2.0 * PI * hz * i as f64 / 16_000.0).sin()) as f32).collect()
    }

    #[test]
    fn a_tone_is_heard_in_its_band_at_its_level() {
        let levels = SoundLevels::of(&tone(500.0, 0.5, 16_000), 0.0);
        assert_eq!(levels.range(), (0, 100));
        let (low, high) = (levels.band(0, 40, 60), levels.band(1, 40, 60));
        // The root mean square of a sine of 0.5.
        assert!(low.iter().all(|v| (v.exp() - 0.5 / 2f64.sqrt()).abs() < 0.01), "{low:?}");
        assert!(high.iter().all(|v| v.exp() < 0.01), "{high:?}");
        assert!((levels.loudest(0.0, 1.0) + 9.03).abs() < 0.1, "{}", levels.loudest(0.0, 1.0));
        assert!(levels.loudest(5.0, 6.0) < -100.0);
        assert_eq!(levels.band(0, -3, -1), [FLOOR.ln(); 2]);
    }

    #[test]
    fn blocks_of_any_length_give_the_same_levels() {
        let sound: Vec<f32> = (0..9_000u64).map(|i| ((i * i * 7919) % 1999) as f32 / 1999.0 - 0.5).collect();
        for start in [-1000i64, 0, 77] {
            let whole = {
                let mut meter = LevelMeter::new();
                meter.push(start, &sound);
                meter.finish()
            };
            let (first, last) = whole.range();
            assert_eq!(first, (start as f64 / 160.0).ceil() as i64);
            assert_eq!(last, ((start + 9_000) as f64 / 160.0).ceil() as i64);
            for block in [1usize, 159, 160, 401, 4096] {
                let mut meter = LevelMeter::new();
                for (i, part) in sound.chunks(block).enumerate() {
                    meter.push(start + (i * block) as i64, part);
                }
                assert_eq!(meter.finish(), whole, "{start} {block}");
            }
        }
        assert_eq!(LevelMeter::new().finish().range(), (0, 0));
    }
}
