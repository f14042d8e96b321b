//! Where a track is silent, with the rules of FFmpeg's `silencedetect` (its default, all channels together).

use std::path::Path;

use serde::Serialize;

use crate::error::{Error, Result};
use crate::media::{AudioOptions, AudioReader};

/// What counts as silence.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct SilenceOptions {
    /// A sample is silent below this level in decibels of full scale, -200 to 0.
    pub threshold_db: f64,
    /// Least length of a silence in seconds, above 0.
    pub min_silence: f64,
}

impl Default for SilenceOptions {
    /// -30 dB for a second.
    fn default() -> Self {
        Self { threshold_db: -30.0, min_silence: 1.0 }
    }
}

impl SilenceOptions {
    /// # Errors
    /// [`Error::Config`] with the field that is out of range.
    pub fn check(&self) -> Result<()> {
        let wrong = |field: &str, wanted: &str, given: f64| {
            Err(Error::Config { field: field.into(), message: format!("must be {wanted}, got {given}") })
        };
        if !(-200.0..=0.0).contains(&self.threshold_db) {
            return wrong("silence.threshold_db", "-200 to 0 decibels", self.threshold_db);
        }
        if !(self.min_silence > 0.0 && self.min_silence <= 86_400.0) {
            return wrong("silence.min_silence", "above 0 and at most 86400 seconds", self.min_silence);
        }
        Ok(())
    }
}

/// A silent stretch, in samples from the first one that was pushed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Silence {
    /// First silent sample.
    pub start: u64,
    /// First sample after it that is louder, or the end.
    pub end: u64,
}

/// Finds silence in a stream of samples; memory does not grow with it.
#[derive(Debug, Clone)]
pub struct SilenceDetector {
    amplitude: f32,
    needed: u64,
    channels: usize,
    at: u64,
    /// Start of the silent run that goes on.
    run: Option<u64>,
}

impl SilenceDetector {
    /// For interleaved samples of `channels` channels at `rate` samples a second.
    ///
    /// # Errors
    /// [`Error::Config`] for options out of range.
    pub fn new(rate: u32, channels: u16, options: &SilenceOptions) -> Result<Self> {
        options.check()?;
        let needed = (options.min_silence * f64::from(rate)).ceil().max(1.0) as u64;
        // In the precision of the samples, as FFmpeg compares them.
        let amplitude = 10f64.powf(options.threshold_db / 20.0) as f32;
        Ok(Self { amplitude, needed, channels: usize::from(channels).max(1), at: 0, run: None })
    }

    /// Takes samples in -1..=1 and gives the silences that ended among them. A sample is silent when it is so on every channel; what is no
    /// number is loud.
    pub fn push(&mut self, samples: &[f32]) -> Vec<Silence> {
        let mut found = Vec::new();
        for sample in samples.chunks_exact(self.channels) {
            if sample.iter().all(|v| v.abs() < self.amplitude) {
                self.run.get_or_insert(self.at);
            } else {
                found.extend(self.close());
            }
            self.at += 1;
        }
        found
    }

    /// The silence that is open at the end.
    pub fn finish(mut self) -> Option<Silence> {
        self.close()
    }

    fn close(&mut self) -> Option<Silence> {
        let start = self.run.take()?;
        (self.at - start >= self.needed).then_some(Silence { start, end: self.at })
    }
}

/// Silences of an audio track, `(start, end)` in seconds on the clock of the container, and the end of the track.
///
/// # Errors
/// Those of [`AudioReader`]; [`Error::Config`] for options out of range; `InputCorrupt` when the track holds no sample.
pub fn detect_silence(path: &Path, audio: &AudioOptions, options: &SilenceOptions) -> Result<(Vec<(f64, f64)>, f64)> {
    let mut detector = SilenceDetector::new(audio.rate, audio.channels, options)?;
    let mut reader = AudioReader::open(path, audio)?;
    let (mut first, mut found) = (None, Vec::new());
    while let Some(block) = reader.next_block()? {
        first.get_or_insert(block.start);
        found.extend(detector.push(&block.samples));
    }
    let Some(first) = first else {
        let reason = format!("audio track {} holds no samples", audio.track);
        return Err(Error::InputCorrupt { path: path.to_path_buf(), reason });
    };
    let rate = f64::from(audio.rate);
    let seconds = |n: u64| (first as f64 + n as f64) / rate;
    let end = seconds(detector.at);
    found.extend(detector.finish());
    Ok((found.iter().map(|s| (seconds(s.start), seconds(s.end))).collect(), end))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(samples: &[f32], channels: u16, block: usize, options: SilenceOptions) -> Vec<(u64, u64)> {
        let mut d = SilenceDetector::new(10, channels, &options).unwrap();
        let mut found: Vec<Silence> = samples.chunks(block).flat_map(|b| d.push(b)).collect();
        found.extend(d.finish());
        found.iter().map(|s| (s.start, s.end)).collect()
    }

    #[test]
    fn runs_open_at_their_first_sample_and_close_at_the_first_louder_one() {
        // -20 dB is 0.1; half a second is five samples of ten a second.
        let options = SilenceOptions { threshold_db: -20.0, min_silence: 0.5 };
        let mut s = vec![0.5f32; 40];
        s[3..7].fill(0.0);
        s[10..15].fill(-0.099);
        s[20..26].fill(0.05);
        // What reaches the level is loud.
        s[22] = 0.1;
        s[30..40].fill(0.0);
        for block in [1, 3, 40] {
            assert_eq!(run(&s, 1, block, options), [(10, 15), (30, 40)], "four samples are too few, block {block}");
        }
        // Silent on every channel, or not at all.
        let stereo: Vec<f32> = s.iter().flat_map(|v| [*v, if *v == 0.0 { 0.0 } else { 0.5 }]).collect();
        assert_eq!(run(&stereo, 2, 8, options), [(30, 40)]);
        assert_eq!(run(&[f32::NAN; 20], 1, 20, options), []);
    }

    #[test]
    fn options_have_a_range() {
        for (threshold_db, min_silence) in [(1.0, 1.0), (f64::NAN, 1.0), (-30.0, 0.0), (-30.0, f64::NAN), (-300.0, 1.0)]
        {
            assert!(SilenceDetector::new(10, 1, &SilenceOptions { threshold_db, min_silence }).is_err());
        }
    }
}
