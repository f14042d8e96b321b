//! Sound of a video file, handed in as samples and encoded as AAC. Copied packets can begin only where the source has one, samples anywhere.

use std::collections::VecDeque;

use ffmpeg_next as ff;
use ffmpeg_next::codec::encoder::audio::Encoder as Opened;
use ffmpeg_next::format::Sample;
use ffmpeg_next::format::sample::Type as Packing;

use super::ffmpeg::{self, EAGAIN, ratio};
use crate::core::Rational;
use crate::error::{Error, Result};

/// Rates that AAC has, in samples per second.
const RATES: [u32; 13] =
    [96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350];
/// Bits per second of a channel where the rate allows that many; transparent for nearly everything.
const CHANNEL_BITS: u32 = 96_000;

/// Sound of a video file; see [`super::VideoWriter::create_with_sound_in`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SoundOptions {
    /// Samples per second, one of those that AAC has.
    pub rate: u32,
    /// Channels, 1 to 8, in FFmpeg's usual order.
    pub channels: u16,
    /// Presentation time of the first sample in samples, on the clock of the pictures' timestamps.
    pub start: i64,
}

impl SoundOptions {
    /// `rate` itself where AAC has it, else 48000.
    pub fn rate_for(rate: u32) -> u32 {
        if RATES.contains(&rate) { rate } else { 48_000 }
    }
}

/// An open encoder.
pub(crate) struct SoundEncoder {
    opened: Opened,
    options: SoundOptions,
    frame: usize,
    /// Interleaved samples that do not fill a frame yet.
    waiting: VecDeque<f32>,
    samples: u64,
    sent: i64,
    ended: bool,
}

impl std::fmt::Debug for SoundEncoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SoundEncoder")
            .field("options", &self.options)
            .field("samples", &self.samples)
            .finish_non_exhaustive()
    }
}

impl SoundEncoder {
    pub(crate) fn open(options: &SoundOptions, bitexact: bool, global_header: bool) -> Result<Self> {
        ffmpeg::init();
        let wrong = |name, wanted: String, given: String| Error::Parameter { op: "media/sound", name, wanted, given };
        if !RATES.contains(&options.rate) {
            let wanted = format!("one of {RATES:?} samples per second");
            return Err(wrong("rate", wanted, options.rate.to_string()));
        }
        if !(1..=8).contains(&options.channels) {
            return Err(wrong("channels", "1 to 8".into(), options.channels.to_string()));
        }
        let codec = ff::encoder::find(ff::codec::Id::AAC).ok_or_else(|| Error::Usage {
            message: "the linked FFmpeg has no AAC encoder".into(),
            hint: Some("install an FFmpeg with its own AAC encoder, as all usual builds have it".into()),
        })?;
        let opened = open_aac(codec, options, bitexact, global_header)
            .map_err(|e| Error::Bug(format!("the AAC encoder refused {options:?}: {e}")))?;
        let frame = usize::try_from(opened.frame_size()).unwrap_or(0).max(1);
        Ok(Self {
            opened,
            options: *options,
            frame,
            waiting: VecDeque::new(),
            samples: 0,
            sent: options.start,
            ended: false,
        })
    }

    pub(crate) fn context(&self) -> &ff::codec::Context {
        &self.opened
    }

    /// Unit of the packets' times: one sample.
    pub(crate) fn time_base(&self) -> Rational {
        Rational { num: 1, den: i32::try_from(self.options.rate).unwrap_or(i32::MAX) }
    }

    /// Samples per channel taken so far.
    pub(crate) fn samples(&self) -> u64 {
        self.samples
    }

    /// Takes interleaved samples; whole ones only.
    pub(crate) fn push(&mut self, samples: &[f32]) -> Result<()> {
        let channels = usize::from(self.options.channels);
        if !samples.len().is_multiple_of(channels) {
            let wanted = format!("a multiple of {channels} numbers");
            return Err(Error::Parameter {
                op: "media/sound",
                name: "samples",
                wanted,
                given: samples.len().to_string(),
            });
        }
        self.samples += (samples.len() / channels) as u64;
        self.waiting.extend(samples);
        Ok(())
    }

    /// Says that no more samples come.
    pub(crate) fn end(&mut self) {
        self.ended = true;
    }

    fn send(&mut self, count: usize) -> Result<()> {
        let channels = usize::from(self.options.channels);
        let layout = ff::ChannelLayout::default(i32::from(self.options.channels));
        let mut frame = ff::frame::Audio::new(Sample::F32(Packing::Planar), count, layout);
        if frame.planes() != channels {
            return Err(ffmpeg::no_memory(count * channels * 4));
        }
        let taken: Vec<f32> = self.waiting.drain(..count * channels).collect();
        for channel in 0..channels {
            let from = taken.iter().skip(channel).step_by(channels);
            for (to, sample) in frame.plane_mut::<f32>(channel).iter_mut().zip(from) {
                *to = if sample.is_finite() { *sample } else { 0.0 };
            }
        }
        frame.set_rate(self.options.rate);
        frame.set_pts(Some(self.sent));
        self.sent = self.sent.saturating_add(i64::try_from(count).unwrap_or(0));
        self.opened.send_frame(&frame).map_err(failed)
    }

    /// The next packet, if one can be made of what was pushed. The encoder takes a frame only after what it had was fetched, so frames go in here.
    pub(crate) fn receive(&mut self) -> Result<Option<ff::Packet>> {
        let mut packet = ff::Packet::empty();
        loop {
            match self.opened.receive_packet(&mut packet) {
                Ok(()) => return Ok(Some(packet)),
                Err(ff::Error::Eof) => return Ok(None),
                Err(ff::Error::Other { errno }) if errno == EAGAIN => {}
                Err(e) => return Err(failed(e)),
            }
            let ready = self.waiting.len() / usize::from(self.options.channels);
            match () {
                () if ready >= self.frame => self.send(self.frame)?,
                () if !self.ended => return Ok(None),
                () if ready > 0 => self.send(ready)?,
                () => self.opened.send_eof().map_err(failed)?,
            }
        }
    }
}

fn failed(e: ff::Error) -> Error {
    Error::Bug(format!("the AAC encoder failed: {e}"))
}

fn open_aac(codec: ff::Codec, options: &SoundOptions, bitexact: bool, global: bool) -> Result<Opened, ff::Error> {
    let context = ff::codec::Context::new_with_codec(codec);
    let mut audio = context.encoder().audio()?;
    let rate = i32::try_from(options.rate).unwrap_or(i32::MAX);
    audio.set_rate(rate);
    audio.set_format(Sample::F32(Packing::Planar));
    audio.set_channel_layout(ff::ChannelLayout::default(i32::from(options.channels)));
    audio.set_time_base(ratio(Rational { num: 1, den: rate }));
    // A frame of 1024 samples holds at most 6144 bits a channel: 6 a sample.
    let bits = CHANNEL_BITS.min(options.rate.saturating_mul(4));
    audio.set_bit_rate(bits as usize * usize::from(options.channels));
    let mut flags = ff::codec::Flags::empty();
    flags.set(ff::codec::Flags::BITEXACT, bitexact);
    flags.set(ff::codec::Flags::GLOBAL_HEADER, global);
    audio.set_flags(flags);
    audio.open_as(codec)
}
