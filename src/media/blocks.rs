//! Blocks of audio: what the resampler gives, put in its place in time and cut into pieces.

use std::collections::VecDeque;

use super::audio::{AudioOptions, GapPolicy};
use super::feed::MAX_NOTES;
use super::wav::to_i16;
use crate::core::Limits;
use crate::error::Result;

/// A piece of audio.
#[derive(Debug, Clone, PartialEq)]
pub struct AudioBlock {
    /// Presentation time of the first sample, in samples (units of 1 / `rate` seconds) on the clock of the container.
    pub start: i64,
    /// Samples per second.
    pub rate: u32,
    /// Channels.
    pub channels: u16,
    /// Interleaved samples, usually in -1..=1.
    pub samples: Vec<f32>,
}

impl AudioBlock {
    /// Samples per channel.
    pub fn len(&self) -> usize {
        self.samples.len() / usize::from(self.channels.max(1))
    }

    /// Whether there are no samples.
    pub fn is_empty(&self) -> bool {
        self.samples.is_empty()
    }

    /// Presentation time of the first sample in seconds.
    pub fn seconds(&self) -> f64 {
        self.start as f64 / f64::from(self.rate)
    }

    /// The samples as 16-bit integers.
    pub fn to_i16(&self) -> Vec<i16> {
        self.samples.iter().map(|s| to_i16(*s)).collect()
    }
}

/// A jump of the timestamps by more than half a frame, 5 ms or two units of the container's clock, whichever is largest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AudioGap {
    /// Where the next sample was expected, in output samples on the clock of the container.
    pub at: i64,
    /// Missing samples per channel; negative where the track overlaps itself.
    pub samples: i64,
}

/// Blocks under construction.
#[derive(Debug)]
pub(crate) struct Blocks {
    rate: u32,
    channels: u16,
    block: usize,
    policy: GapPolicy,
    limit_seconds: u64,
    /// Position of the sample after the last one in `buffer`.
    next: i64,
    /// Samples (per channel) still to be dropped, and still to be filled with silence.
    drop_left: usize,
    silence_left: u64,
    /// Samples that come after that silence.
    after_silence: Vec<f32>,
    buffer: Vec<f32>,
    ready: VecDeque<AudioBlock>,
    produced: u64,
    pub(crate) gaps: Vec<AudioGap>,
}

impl Blocks {
    pub(crate) fn new(o: &AudioOptions) -> Self {
        Self {
            rate: o.rate,
            channels: o.channels,
            block: o.block,
            policy: o.gaps,
            limit_seconds: o.limits.duration_seconds,
            next: 0,
            drop_left: 0,
            silence_left: 0,
            after_silence: Vec::new(),
            buffer: Vec::new(),
            ready: VecDeque::new(),
            produced: 0,
            gaps: Vec::new(),
        }
    }

    /// Position at which the next sample goes.
    pub(crate) const fn next(&self) -> i64 {
        self.next
    }

    /// Says where the first sample goes.
    pub(crate) const fn start_at(&mut self, position: i64) {
        self.next = position;
    }

    /// Takes a finished block, if there is one. Silence is made here, block by block, so that a long gap is never in memory;
    /// nothing may be pushed but what comes right after a [`Self::jump`] before this has returned `None`.
    pub(crate) fn pop(&mut self) -> Result<Option<AudioBlock>> {
        while self.ready.is_empty() && self.silence_left > 0 {
            let count = self.silence_left.min(self.block as u64);
            self.silence_left -= count;
            let zeros = vec![0.0; usize::try_from(count).unwrap_or(0) * usize::from(self.channels)];
            self.append(&zeros)?;
            if self.silence_left == 0 {
                let samples = std::mem::take(&mut self.after_silence);
                self.push(&samples)?;
            }
        }
        Ok(self.ready.pop_front())
    }

    /// The next samples belong at `to`: notes the gap and does what the policy says.
    pub(crate) fn jump(&mut self, to: i64) -> Result<()> {
        let missing = to.saturating_sub(self.next);
        if self.gaps.len() < MAX_NOTES {
            self.gaps.push(AudioGap { at: self.next, samples: missing });
        }
        match self.policy {
            GapPolicy::Skip => {
                self.cut();
                self.next = to;
            }
            GapPolicy::Fill if missing >= 0 => {
                // A wild timestamp must not turn into hours of silence before the limit is noticed.
                self.check_length(self.produced.saturating_add(missing.unsigned_abs()))?;
                (self.silence_left, self.drop_left) = (missing.unsigned_abs(), 0);
            }
            GapPolicy::Fill => self.drop_left = usize::try_from(missing.unsigned_abs()).unwrap_or(usize::MAX),
        }
        Ok(())
    }

    /// Adds resampled samples, minus those that overlap what is there already.
    pub(crate) fn push(&mut self, samples: &[f32]) -> Result<()> {
        if self.silence_left > 0 {
            self.after_silence.extend_from_slice(samples);
            return Ok(());
        }
        let channels = usize::from(self.channels);
        let dropped = self.drop_left.min(samples.len() / channels);
        self.drop_left -= dropped;
        self.append(samples.get(dropped * channels..).unwrap_or_default())
    }

    /// Ends the block under construction.
    pub(crate) fn cut(&mut self) {
        let samples = std::mem::take(&mut self.buffer);
        if !samples.is_empty() {
            self.emit(samples);
        }
    }

    fn check_length(&self, samples: u64) -> Result<()> {
        let seconds = samples / u64::from(self.rate.max(1));
        Limits::check("duration_seconds", self.limit_seconds, seconds, || "the duration of the audio in seconds".into())
    }

    fn append(&mut self, samples: &[f32]) -> Result<()> {
        let channels = usize::from(self.channels);
        let count = samples.len() / channels;
        self.produced += count as u64;
        self.check_length(self.produced)?;
        self.buffer.extend_from_slice(samples);
        self.next = self.next.saturating_add(i64::try_from(count).unwrap_or(0));
        while self.buffer.len() >= self.block * channels {
            let rest = self.buffer.split_off(self.block * channels);
            let samples = std::mem::replace(&mut self.buffer, rest);
            self.emit(samples);
        }
        Ok(())
    }

    /// Queues a block whose samples were just taken off the front of the buffer.
    fn emit(&mut self, samples: Vec<f32>) {
        let behind = (self.buffer.len() + samples.len()) / usize::from(self.channels);
        let start = self.next.saturating_sub(i64::try_from(behind).unwrap_or(0));
        self.ready.push_back(AudioBlock { start, rate: self.rate, channels: self.channels, samples });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(blocks: &mut Blocks) -> Vec<(i64, Vec<f32>)> {
        std::iter::from_fn(|| blocks.pop().unwrap()).map(|b| (b.start, b.samples)).collect()
    }

    #[test]
    fn what_overlaps_is_dropped_and_what_is_missing_is_silent() {
        let o = AudioOptions { block: 3, ..AudioOptions::default() };
        let mut b = Blocks::new(&o);
        b.start_at(10);
        b.push(&[1.0, 2.0, 3.0, 4.0]).unwrap();
        b.jump(12).unwrap();
        b.push(&[9.0, 9.0, 5.0]).unwrap();
        assert_eq!(all(&mut b), [(10, vec![1.0, 2.0, 3.0])]);
        b.jump(17).unwrap();
        b.push(&[6.0]).unwrap();
        assert_eq!(all(&mut b), [(13, vec![4.0, 5.0, 0.0])]);
        b.cut();
        assert_eq!(all(&mut b), [(16, vec![0.0, 6.0])]);
        assert_eq!(b.gaps, [AudioGap { at: 14, samples: -2 }, AudioGap { at: 15, samples: 2 }]);
    }
}
