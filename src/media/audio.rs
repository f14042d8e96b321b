//! Audio: one track of any container as PCM at a wanted rate and channel count, in blocks that know their time.

use std::path::Path;

use ffmpeg_next::frame::Audio as Frame;

use super::blocks::Blocks;
pub use super::blocks::{AudioBlock, AudioGap};
use super::codec::Codec;
use super::demux::Demuxer;
use super::feed::Feed;
use super::hardware::HardwareDecode;
use super::resample::{MAX_CHANNELS, Resampler};
use super::streams::StreamKind;
use super::track::Track;
use crate::core::{CancelToken, Limits, Rational};
use crate::error::{Error, Result};

/// What to do where the timestamps of a track jump.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum GapPolicy {
    /// Keep time: silence for what is missing, what overlaps is dropped. Sample `n` is always at `start + n`.
    #[default]
    Fill,
    /// Keep samples: a block after a jump begins at its own time.
    Skip,
}

/// What to decode and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AudioOptions {
    /// Track, counted from 0 among the audio tracks.
    pub track: usize,
    /// Samples per second of the output, 1000 to 384000.
    pub rate: u32,
    /// Channels of the output, 1 to 8. Other counts are mixed by libswresample with its usual matrix, normalised so that
    /// full scale stays full scale (stereo to mono is the mean; the low-frequency channel of 5.1 is left out).
    pub channels: u16,
    /// Samples per channel of a block, 1 to 2^20; the last block, and one before a jump, may be shorter.
    pub block: usize,
    /// What to do where the timestamps jump.
    pub gaps: GapPolicy,
    /// Limits; `duration_seconds` bounds the output.
    pub limits: Limits,
}

impl Default for AudioOptions {
    /// The first track as 16 kHz mono in blocks of 16000 samples, jumps filled.
    fn default() -> Self {
        Self { track: 0, rate: 16_000, channels: 1, block: 16_000, gaps: GapPolicy::Fill, limits: Limits::default() }
    }
}

/// Decodes one audio track block by block.
pub struct AudioReader {
    track: Track,
    options: AudioOptions,
    resampler: Option<Resampler>,
    /// Position of the next input sample at the source rate; `None` until the first frame.
    next_in: Option<i64>,
    blocks: Blocks,
    /// Positions in output samples that the container declares possible; a timestamp outside is damage, not a jump.
    declared: Option<(i64, i64)>,
    ended: bool,
}

impl std::fmt::Debug for AudioReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AudioReader").field("track", &self.track).finish_non_exhaustive()
    }
}

impl AudioReader {
    /// Opens a track of the file at `path`.
    ///
    /// # Errors
    /// Those of [`super::probe()`] except for a declared duration over the limit (only what is produced counts); `TrackInvalid`;
    /// `InputUnsupported` (codec); `Parameter`.
    pub fn open(path: impl AsRef<Path>, options: &AudioOptions) -> Result<Self> {
        check(options)?;
        let demuxer = Demuxer::open(path.as_ref(), &options.limits, &CancelToken::new())?;
        let stream = demuxer.track(StreamKind::Audio, options.track)?;
        let codec = Codec::open(&demuxer, &stream, 1, &options.limits, &HardwareDecode::Off)?;
        let declared = declared_range(&demuxer, options.rate);
        Ok(Self {
            track: Track::new(Feed::new(demuxer, stream, options.limits.packet_bytes, false), codec),
            options: options.clone(),
            resampler: None,
            next_in: None,
            blocks: Blocks::new(options),
            declared,
            ended: false,
        })
    }

    /// The next block; `None` at the end of the track.
    ///
    /// # Errors
    /// `LimitExceeded`, `Deadline`, `InputUnsupported` (more than 64 channels), and, after all blocks before the failure, `Storage`
    /// if reading the file failed. Damaged packets are no errors, see [`Self::damage`].
    pub fn next_block(&mut self) -> Result<Option<AudioBlock>> {
        loop {
            if let Some(block) = self.blocks.pop()? {
                return Ok(Some(block));
            }
            if self.ended {
                return self.track.failed.take().map_or(Ok(None), Err);
            }
            let mut frame = Frame::empty();
            if self.track.advance(&mut frame)? {
                self.take(&frame)?;
            } else {
                self.flush_resampler()?;
                self.blocks.cut();
                self.ended = true;
            }
        }
    }

    /// Jumps of the timestamps seen so far (the first 1000).
    pub fn gaps(&self) -> &[AudioGap] {
        &self.blocks.gaps
    }

    /// What the demuxer and the decoder complained about so far (the first 1000).
    pub fn damage(&self) -> &[String] {
        &self.track.damage.texts
    }

    /// Number of damaged packets and frames seen so far.
    pub fn damaged(&self) -> u64 {
        self.track.damage.count
    }

    /// Resamples one frame, at the time where it belongs.
    fn take(&mut self, frame: &Frame) -> Result<()> {
        let count = i64::try_from(frame.samples()).unwrap_or(0);
        if i32::from(frame.channels()) > MAX_CHANNELS {
            return Err(Error::InputUnsupported {
                path: self.track.feed.demuxer.path(),
                what: format!("audio with {} channels", frame.channels()),
                hint: None,
            });
        }
        if count == 0 || frame.rate() == 0 || frame.channels() == 0 {
            return Ok(());
        }
        if frame.is_corrupt() {
            self.track.damage.note("a frame is marked corrupt".into());
        }
        let (source, output) = (per_second(frame.rate()), per_second(self.options.rate));
        let changed = self.resampler.as_ref().is_some_and(|r| !r.fits(frame));
        if changed {
            self.flush_resampler()?;
            // Positions are counted at the source rate: begin anew where the output stands.
            self.next_in = Some(output.rescale(self.blocks.next(), source));
        }
        let time_base = self.track.feed.stream.time_base;
        // Kept within what arithmetic can bear.
        let position = |pts| time_base.rescale(pts, source).clamp(-(1 << 60), 1 << 60);
        match (self.next_in, frame.timestamp().or(frame.pts()).map(position)) {
            (None, at) => {
                let at = at.unwrap_or(0);
                self.next_in = Some(at);
                self.blocks.start_at(source.rescale(at, output));
            }
            (Some(expected), Some(at)) if (at - expected).abs() > tolerance(count, frame.rate(), time_base) => {
                let to = source.rescale(at, output);
                if self.declared.is_some_and(|(first, last)| to < first || to > last) {
                    self.track.damage.note(format!("a timestamp of {:.3} s", source.seconds(at)));
                } else {
                    self.flush_resampler()?;
                    self.blocks.jump(to)?;
                    self.next_in = Some(at);
                }
            }
            _ => {}
        }
        let mut resampler = match self.resampler.take() {
            Some(r) => r,
            None => Resampler::new(frame, self.options.rate, self.options.channels)?,
        };
        let mut made = Vec::new();
        resampler.convert(frame, &mut made)?;
        self.resampler = Some(resampler);
        self.next_in = self.next_in.map(|n| n.saturating_add(count));
        self.blocks.push(&made)
    }

    fn flush_resampler(&mut self) -> Result<()> {
        let Some(mut resampler) = self.resampler.take() else { return Ok(()) };
        let mut rest = Vec::new();
        resampler.flush(&mut rest)?;
        self.blocks.push(&rest)
    }
}

/// The time base of positions in samples.
fn per_second(rate: u32) -> Rational {
    Rational { num: 1, den: i32::try_from(rate).unwrap_or(i32::MAX).max(1) }
}

/// Largest difference, in source samples, that is rounding and not a jump.
fn tolerance(frame_samples: i64, rate: u32, time_base: Rational) -> i64 {
    let two_ticks = (2.0 * time_base.as_f64() * f64::from(rate)).ceil() as i64;
    (frame_samples / 2).max(i64::from(rate) / 200).max(two_ticks)
}

/// First and last position that the container's own start and duration allow, with ten seconds to spare.
fn declared_range(demuxer: &Demuxer, rate: u32) -> Option<(i64, i64)> {
    let (start, duration) = (demuxer.start_micros?, demuxer.duration_micros?);
    let to_samples = |micros| Rational { num: 1, den: 1_000_000 }.rescale(micros, per_second(rate));
    let spare = 10 * i64::from(rate);
    let first = to_samples(start).saturating_sub(spare);
    Some((first, first.saturating_add(to_samples(duration)).saturating_add(2 * spare)))
}

fn check(o: &AudioOptions) -> Result<()> {
    let wrong = |name, wanted: &str, given: String| {
        Err(Error::Parameter { op: "media/audio", name, wanted: wanted.into(), given })
    };
    if !(1000..=384_000).contains(&o.rate) {
        return wrong("rate", "1000 to 384000 Hz", o.rate.to_string());
    }
    if !(1..=8).contains(&o.channels) {
        return wrong("channels", "1 to 8", o.channels.to_string());
    }
    if !(1..=1 << 20).contains(&o.block) {
        return wrong("block", "1 to 1048576 samples", o.block.to_string());
    }
    Ok(())
}
