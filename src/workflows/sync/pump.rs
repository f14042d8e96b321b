//! Sound handed out exactly up to a sample, so that pieces can begin and end anywhere; and what one piece gets of it.

use std::path::Path;

use crate::error::Result;
use crate::media::{AudioOptions, AudioReader};

/// Samples per channel of a block.
const BLOCK: usize = 4096;

/// A track read in order. Memory is a block.
pub(super) struct Pump {
    reader: AudioReader,
    pub(super) rate: u32,
    pub(super) channels: u16,
    /// Interleaved samples that are read and not handed out.
    pending: Vec<f32>,
    /// Position of the first of them on the container's clock.
    at: i64,
    ended: bool,
}

impl Pump {
    pub(super) fn open(path: &Path, options: &AudioOptions) -> Result<Self> {
        let options = AudioOptions { block: BLOCK, ..options.clone() };
        let reader = AudioReader::open(path, &options)?;
        Ok(Self { reader, rate: options.rate, channels: options.channels, pending: Vec::new(), at: 0, ended: false })
    }

    /// The sample at a time in seconds on the container's clock.
    pub(super) fn position(&self, seconds: f64) -> i64 {
        (seconds * f64::from(self.rate)).round() as i64
    }

    /// Hands out what comes before the sample `until`, in order.
    pub(super) fn run_to(&mut self, until: i64, mut take: impl FnMut(i64, &[f32]) -> Result<()>) -> Result<()> {
        let channels = usize::from(self.channels);
        while !self.ended {
            if self.pending.is_empty() {
                match self.reader.next_block()? {
                    Some(block) => (self.at, self.pending) = (block.start, block.samples),
                    None => self.ended = true,
                }
                continue;
            }
            let wanted = usize::try_from(until.saturating_sub(self.at)).unwrap_or(0);
            if wanted == 0 {
                break;
            }
            let count = wanted.min(self.pending.len() / channels);
            take(self.at, self.pending.get(..count * channels).unwrap_or_default())?;
            self.pending.drain(..count * channels);
            self.at += count as i64;
        }
        Ok(())
    }
}

/// What one piece has got of a track: it is continuous, with silence where the track has nothing.
#[derive(Debug, Clone, Copy)]
pub(super) struct Share {
    /// Position of the next sample of the piece.
    next: i64,
    channels: usize,
    /// Samples that were filled in.
    pub(super) filled: u64,
    /// Samples written, silence included.
    pub(super) written: u64,
}

impl Share {
    /// A piece that begins at the sample `start`.
    pub(super) fn new(start: i64, channels: u16) -> Self {
        Self { next: start, channels: usize::from(channels).max(1), filled: 0, written: 0 }
    }

    /// Passes on the samples at `at`, minus those before the piece, after silence for what is missing.
    pub(super) fn give(&mut self, at: i64, samples: &[f32], mut write: impl FnMut(&[f32]) -> Result<()>) -> Result<()> {
        let early = usize::try_from(self.next.saturating_sub(at)).unwrap_or(0);
        let samples = samples.get(early.saturating_mul(self.channels)..).unwrap_or_default();
        if samples.is_empty() {
            return Ok(());
        }
        self.fill(at, &mut write)?;
        write(samples)?;
        let count = samples.len() / self.channels;
        self.next += count as i64;
        self.written += count as u64;
        Ok(())
    }

    /// Silence up to the sample `until`.
    pub(super) fn fill(&mut self, until: i64, mut write: impl FnMut(&[f32]) -> Result<()>) -> Result<()> {
        let zeros = vec![0.0; BLOCK * self.channels];
        while self.next < until {
            let count = usize::try_from(until - self.next).unwrap_or(BLOCK).min(BLOCK);
            write(zeros.get(..count * self.channels).unwrap_or_default())?;
            self.next += count as i64;
            self.filled += count as u64;
            self.written += count as u64;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_continuous() {
        let mut got = Vec::new();
        let mut share = Share::new(10, 1);
        for (at, samples) in [(6, &[9.0, 9.0, 9.0, 9.0, 1.0, 2.0][..]), (14, &[3.0]), (0, &[9.0])] {
            share
                .give(at, samples, |s| {
                    got.extend_from_slice(s);
                    Ok(())
                })
                .unwrap();
        }
        share
            .fill(17, |s| {
                got.extend_from_slice(s);
                Ok(())
            })
            .unwrap();
        assert_eq!(got, [1.0, 2.0, 0.0, 0.0, 3.0, 0.0, 0.0]);
        assert_eq!((share.filled, share.written), (4, 7));
    }
}
