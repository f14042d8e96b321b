//! Sound and picture brought into step.
//!
//! A constant offset needs other timestamps and nothing else. Where the offset drifts or jumps, the sound is made anew: each sample of the
//! result is taken from where the timeline says that it is. Where sound was lost there is silence, where there was too much it is left out; a drift is
//! taken out by resampling with a windowed sinc (Smith 1984), which changes the pitch by the drift, parts per million.

use std::collections::VecDeque;
use std::f64::consts::PI;
use std::path::Path;

use serde::Serialize;

use super::timeline::{OffsetJump, OffsetSegment};
use crate::core::{CancelToken, Limits};
use crate::error::{Error, Result};
use crate::media::{AudioOptions, AudioReader, RetimeOptions, Retimed, SoundChange, SoundOptions, probe, retime};
use crate::store::StoreIo;

/// Samples on each side of one that is interpolated.
const TAPS: usize = 16;
/// Places between two samples for which the filter is tabulated.
const PHASES: usize = 512;
/// Samples per channel that are made at once.
const BLOCK: usize = 4096;
/// Seconds over which sound is faded out and in where it was cut, so that there is no click.
const FADE: f64 = 0.003;

/// How late the sound of a stretch of the result is in the source.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct LateSound {
    /// Start and end of the stretch in seconds, on the clock of the offsets; the first begins at negative infinity, the last does not end.
    pub from: f64,
    /// See `from`.
    pub to: f64,
    /// Seconds that the sound is late at time 0 of that clock.
    pub late: f64,
    /// Seconds that it becomes later each second.
    pub slope: f64,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub enum SyncRepair {
    /// Timestamps of the sound become this many microseconds later.
    Shift {
        /// Microseconds; negative for earlier.
        micros: i64,
    },
    /// The sound is made anew.
    Piecewise {
        /// Stretches in order; between them there is silence.
        stretches: Vec<LateSound>,
    },
}

impl SyncRepair {
    /// For sound that is `late` seconds late all the time.
    pub fn shift(late: f64) -> Self {
        Self::Shift { micros: -(late * 1e6).round() as i64 }
    }

    /// For a timeline with a drift in parts per million (0: none) and edits; times in seconds from the first frame.
    ///
    /// # Errors
    /// [`Error::Usage`] without a segment.
    pub fn piecewise(segments: &[OffsetSegment], jumps: &[OffsetJump], drift_ppm: f64) -> Result<Self> {
        if segments.is_empty() || jumps.len() + 1 != segments.len() {
            return Err(Error::usage(format!(
                "{} stretches and {} edits make no timeline: there must be one stretch more",
                segments.len(),
                jumps.len()
            )));
        }
        let slope = drift_ppm / 1e6;
        let before = |i: usize| i.checked_sub(1).and_then(|i| jumps.get(i));
        let stretches = segments
            .iter()
            .enumerate()
            .map(|(i, s)| {
                // Where sound was lost, nothing belongs to the time that it took.
                let lost = |j: &OffsetJump| (-j.by).max(0.0) / 2.0;
                LateSound {
                    from: before(i).map_or(f64::NEG_INFINITY, |j| j.seconds + lost(j)),
                    to: jumps.get(i).map_or(f64::INFINITY, |j| j.seconds - lost(j)),
                    late: s.offset_from - slope * s.from,
                    slope,
                }
            })
            .collect();
        Ok(Self::Piecewise { stretches })
    }
}

/// How to read.
#[derive(Debug, Clone, Default)]
pub struct RepairOptions {
    /// Position among the audio tracks, from 0.
    pub audio_track: usize,
    /// Time of the first frame on the container's clock: time 0 of the repair.
    pub zero: f64,
    /// Limits for reading.
    pub limits: Limits,
    /// Stops the work from another thread.
    pub cancel: CancelToken,
}

/// Writes `input` with its sound put right to `output`, an `.mp4` or `.mkv`. Other streams are copied packet by packet.
///
/// # Errors
/// Those of [`retime()`] and of reading the sound.
pub fn repair(
    io: &dyn StoreIo,
    input: &Path,
    output: &Path,
    repair: &SyncRepair,
    options: &RepairOptions,
) -> Result<Retimed> {
    let RepairOptions { audio_track, limits, cancel, .. } = options.clone();
    let copying = RetimeOptions { audio_track, limits: limits.clone(), cancel };
    let stretches = match repair {
        SyncRepair::Shift { micros } => {
            return retime(io, input, output, SoundChange::Shift(*micros), &copying);
        }
        SyncRepair::Piecewise { stretches } => stretches,
    };
    let info = probe(input, &limits)?;
    let Some(stream) = info.audio_streams.get(audio_track) else {
        let (kind, index, available) = ("audio", audio_track, info.audio_streams.len());
        return Err(Error::TrackInvalid { path: input.to_path_buf(), kind, index, available });
    };
    let rate = SoundOptions::rate_for(stream.sample_rate.unwrap_or(48_000));
    let channels = u16::try_from(stream.channels.unwrap_or(2).clamp(1, 8)).unwrap_or(2);
    let audio = AudioOptions { track: audio_track, rate, channels, limits, ..AudioOptions::default() };
    let start = (options.zero * f64::from(rate)).round() as i64;
    let mut warp = Warp {
        source: Source::new(AudioReader::open(input, &audio)?, channels),
        stretches,
        zero: options.zero,
        rate: f64::from(rate),
        channels: usize::from(channels),
        next: start,
        table: table(),
    };
    let sound = SoundOptions { rate, channels, start };
    retime(io, input, output, SoundChange::Replace(sound, &mut || warp.next_block()), &copying)
}

/// Samples of the source, read in order, the last ones kept.
struct Source {
    reader: AudioReader,
    channels: usize,
    samples: VecDeque<f32>,
    /// Position of the first of them.
    at: i64,
    begun: bool,
    ended: bool,
}

impl Source {
    fn new(reader: AudioReader, channels: u16) -> Self {
        Self { reader, channels: usize::from(channels), samples: VecDeque::new(), at: 0, begun: false, ended: false }
    }

    fn end(&self) -> i64 {
        self.at + (self.samples.len() / self.channels) as i64
    }

    /// Reads on until the sample `until` is there, and forgets what lies before `from`.
    fn reach(&mut self, from: i64, until: i64) -> Result<()> {
        while !self.ended && (!self.begun || self.end() <= until) {
            match self.reader.next_block()? {
                Some(block) => {
                    if !self.begun {
                        self.at = block.start;
                        self.begun = true;
                    }
                    self.samples.extend(block.samples);
                }
                None => self.ended = true,
            }
            let old = usize::try_from(from - self.at).unwrap_or(0).min(self.samples.len() / self.channels);
            self.samples.drain(..old * self.channels);
            self.at += old as i64;
        }
        Ok(())
    }

    fn sample(&self, position: i64, channel: usize) -> f32 {
        let at = usize::try_from(position - self.at).ok();
        at.and_then(|i| self.samples.get(i * self.channels + channel)).copied().unwrap_or(0.0)
    }
}

/// Makes the sound of the result, block by block.
struct Warp<'a> {
    source: Source,
    stretches: &'a [LateSound],
    zero: f64,
    rate: f64,
    channels: usize,
    /// Position of the next sample.
    next: i64,
    table: Vec<f32>,
}

impl Warp<'_> {
    fn next_block(&mut self) -> Result<Option<Vec<f32>>> {
        // The end of the source, by the last stretch.
        let last_late = self.stretches.last().map_or(0.0, |s| s.late + s.slope * self.seconds(self.next));
        if self.source.ended && self.position(self.seconds(self.next), last_late) > self.source.end() as f64 {
            return Ok(None);
        }
        let mut block = Vec::with_capacity(BLOCK * self.channels);
        for n in self.next..self.next + BLOCK as i64 {
            let t = self.seconds(n);
            let Some(s) = self.stretches.iter().find(|s| s.from <= t && t < s.to) else {
                block.resize(block.len() + self.channels, 0.0);
                continue;
            };
            // Without a drift whole samples are moved, and stay what they are.
            let position = self.position(t, s.late + s.slope * t);
            let position = if s.slope == 0.0 { position.round() } else { position };
            let whole = position.floor();
            let (base, part) = (whole as i64, position - whole);
            self.source.reach(base - TAPS as i64 - BLOCK as i64, base + TAPS as i64)?;
            let gain = ((t - s.from).min(s.to - t) / FADE).clamp(0.0, 1.0) as f32;
            let phase = (part * PHASES as f64).round() as usize;
            for channel in 0..self.channels {
                let value = if phase == 0 {
                    self.source.sample(base, channel)
                } else {
                    let filter = self.table.get(phase * 2 * TAPS..(phase + 1) * 2 * TAPS).unwrap_or_default();
                    let first = base + 1 - TAPS as i64;
                    filter.iter().zip(first..).map(|(w, at)| w * self.source.sample(at, channel)).sum()
                };
                block.push(gain * value);
            }
        }
        self.next += BLOCK as i64;
        Ok(Some(block))
    }

    /// Seconds from the first frame.
    fn seconds(&self, position: i64) -> f64 {
        position as f64 / self.rate - self.zero
    }

    /// Where the sound of a time lies in the source, in samples.
    fn position(&self, seconds: f64, late: f64) -> f64 {
        (seconds + self.zero + late) * self.rate
    }
}

/// Sinc under a Hann window for each phase, at the samples `-15..=16` around the place; each sums to 1.
fn table() -> Vec<f32> {
    let taps = 2 * TAPS;
    let mut all = Vec::with_capacity((PHASES + 1) * taps);
    for phase in 0..=PHASES {
        let part = phase as f64 / PHASES as f64;
        let weight = |k: usize| {
            let x = k as f64 + 1.0 - TAPS as f64 - part;
            let sinc = if x.abs() < 1e-12 { 1.0 } else { (PI * x).sin() / (PI * x) };
            sinc * (0.5 + 0.5 * (PI * x / (TAPS as f64 + 1.0)).cos())
        };
        let sum: f64 = (0..taps).map(weight).sum();
        all.extend((0..taps).map(|k| (weight(k) / sum) as f32));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stretches_leave_a_hole_where_sound_was_lost() {
        let segment = |from, to, late: f64| OffsetSegment { from, to, offset_from: late, offset_to: late, points: 9 };
        let jumps = [OffsetJump { seconds: 10.0, by: 0.2 }, OffsetJump { seconds: 20.0, by: -0.4 }];
        let segments = [segment(1.0, 9.0, 0.0), segment(11.0, 19.0, 0.2), segment(21.0, 29.0, -0.2)];
        let SyncRepair::Piecewise { stretches } = SyncRepair::piecewise(&segments, &jumps, 0.0).unwrap() else {
            panic!("pieces")
        };
        let got: Vec<_> = stretches.iter().map(|s| (s.from, s.to, s.late)).collect();
        assert_eq!(got, [(f64::NEG_INFINITY, 10.0, 0.0), (10.0, 19.8, 0.2), (20.2, f64::INFINITY, -0.2)]);
        assert!(SyncRepair::piecewise(&segments, &[], 0.0).is_err());
        assert_eq!(SyncRepair::shift(0.2), SyncRepair::Shift { micros: -200_000 });
    }

    #[test]
    fn a_drift_keeps_its_line() {
        let s = OffsetSegment { from: 100.0, to: 200.0, offset_from: 0.05, offset_to: 0.06, points: 9 };
        let SyncRepair::Piecewise { stretches } = SyncRepair::piecewise(&[s], &[], 100.0).unwrap() else {
            panic!("pieces")
        };
        let at = |t: f64| stretches[0].late + stretches[0].slope * t;
        assert!((at(100.0) - 0.05).abs() < 1e-9 && (at(200.0) - 0.06).abs() < 1e-9);
    }

    #[test]
    fn the_filter_gives_a_sine_between_its_samples() {
        let table = table();
        for (phase, hz) in [(0usize, 440.0), (128, 440.0), (256, 3000.0), (511, 9000.0)] {
            let at = |x: f64| (2.0 * PI * hz * x / 48_000.0).sin();
            let filter = &table[phase * 2 * TAPS..(phase + 1) * 2 * TAPS];
            let first = 1000.0 + 1.0 - TAPS as f64;
            let got: f64 = filter.iter().enumerate().map(|(k, w)| f64::from(*w) * at(first + k as f64)).sum();
            assert!((got - at(1000.0 + phase as f64 / PHASES as f64)).abs() < 2e-3, "{phase} {hz}: {got}");
        }
    }
}
