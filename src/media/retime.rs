//! A file copied packet by packet with one audio track at another time, or with that track made anew. Everything else stays as it is.

use std::path::Path;

use ffmpeg_next as ff;
use ffmpeg_next::format::context::Output;

use super::demux::Demuxer;
use super::ffmpeg::ratio;
use super::ffmpeg_out as out;
use super::files::{ErrorLatch, SharedOutput};
use super::mux::{Container, MuxSetup};
use super::remux::Reader;
use super::sound::{SoundEncoder, SoundOptions};
use super::streams::{StreamInfo, StreamKind};
use crate::core::{CancelToken, Limits, OutputSink, Rational, Written};
use crate::error::{Error, Result};

/// Seconds that sound is made ahead of the packets beside it: muxers wait for the stream that lags behind.
const AHEAD: f64 = 0.5;
/// Tags of a stream that say what it is.
const TAGS: [&str; 3] = ["language", "title", "handler_name"];

/// Gives the next interleaved samples; `None` at the end.
pub type NextSamples<'a> = dyn FnMut() -> Result<Option<Vec<f32>>> + 'a;

/// What becomes of the audio track.
pub enum SoundChange<'a> {
    /// Its packets stay, their times become this many microseconds later.
    Shift(i64),
    /// Its packets are replaced by what is made of these samples.
    Replace(SoundOptions, &'a mut NextSamples<'a>),
}

impl std::fmt::Debug for SoundChange<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Shift(micros) => f.debug_tuple("Shift").field(micros).finish(),
            Self::Replace(options, _) => f.debug_tuple("Replace").field(options).finish_non_exhaustive(),
        }
    }
}

/// How to read.
#[derive(Debug, Clone, Default)]
pub struct RetimeOptions {
    /// Position among the audio tracks, from 0, of the track that changes.
    pub audio_track: usize,
    /// Limits for reading.
    pub limits: Limits,
    /// Stops the work from another thread.
    pub cancel: CancelToken,
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retimed {
    /// Packets copied, all streams.
    pub packets: u64,
    /// Streams that the container cannot hold (subtitles, data, a cover in Matroska), in words.
    pub left_out: Vec<String>,
    /// Length of the file in bytes.
    pub bytes: u64,
    /// BLAKE3 of the file.
    pub blake3: [u8; 32],
}

/// A stream of the file that is written.
struct Lane {
    source: StreamInfo,
    target: usize,
    base: Rational,
    /// Ticks of the source by which its packets become later.
    shift: i64,
}

struct Writing {
    ctx: Output,
    latch: ErrorLatch,
    path: std::path::PathBuf,
    packets: u64,
}

impl Writing {
    fn write(&mut self, mut packet: ff::Packet, target: usize, from: Rational, to: Rational) -> Result<()> {
        packet.rescale_ts(ratio(from), ratio(to));
        packet.set_stream(target);
        packet.set_position(-1);
        let written = packet.write_interleaved(&mut self.ctx);
        self.latch.check(&self.path)?;
        written.map_err(|e| Error::Bug(format!("the muxer refused a packet: {e}")))
    }
}

/// Sound that is made while packets are copied.
struct Making<'a, 'b> {
    encoder: SoundEncoder,
    next: &'a mut NextSamples<'b>,
    options: SoundOptions,
    target: usize,
    base: Rational,
    ended: bool,
}

impl Making<'_, '_> {
    fn seconds(&self) -> f64 {
        (self.options.start as f64 + self.encoder.samples() as f64) / f64::from(self.options.rate)
    }

    /// Makes sound up to a time on the container's clock.
    fn run_to(&mut self, seconds: f64, to: &mut Writing) -> Result<()> {
        while !self.ended && self.seconds() < seconds {
            match (self.next)()? {
                Some(samples) => self.encoder.push(&samples)?,
                None => {
                    self.encoder.end();
                    self.ended = true;
                }
            }
            while let Some(packet) = self.encoder.receive()? {
                to.write(packet, self.target, self.encoder.time_base(), self.base)?;
            }
        }
        Ok(())
    }
}

/// Says of a stream what its source says: language, name, what it is for.
fn describe(stream: &mut ff::StreamMut<'_>, source: &StreamInfo) {
    let tags: Vec<(&str, &str)> = TAGS.iter().filter_map(|t| Some((*t, source.tag(t)?))).collect();
    stream.set_metadata(ff::Dictionary::from_iter(tags));
    out::set_disposition(stream, source);
}

/// Copies `input` to `output`, an `.mp4` or `.mkv`, with another sound or another time of it.
///
/// # Errors
/// Those of opening a file; `TrackInvalid`; `InputUnsupported` when the container cannot hold a video or audio track; `Usage` for another
/// extension, and for an `.mkv` file of a video that is shown turned, which Matroska cannot store; `Storage`, `Cancelled`, `Deadline`; what the
/// samples return.
pub fn retime<'a>(
    outputs: &(impl OutputSink + ?Sized),
    input: impl AsRef<Path>,
    output: &Path,
    change: SoundChange<'a>,
    options: &RetimeOptions,
) -> Result<Retimed> {
    let demuxer = Demuxer::open(input.as_ref(), &options.limits, &options.cancel)?;
    let changed = demuxer.track(StreamKind::Audio, options.audio_track)?.index;
    let file = SharedOutput::new(outputs.create_output(output)?);
    let mut setup = MuxSetup::new(file.clone(), output, true)?;
    let (mut lanes, mut left_out, mut making) = (Vec::new(), Vec::new(), None);
    let mut change = Some(change);
    for source in demuxer.streams.clone() {
        let of_track = if source.index == changed { change.take() } else { None };
        if let Some(SoundChange::Replace(sound, next)) = of_track {
            let encoder = SoundEncoder::open(&sound, true, setup.wants_global_header())?;
            let failed = |e| Error::Bug(format!("cannot add the audio stream: {e}"));
            let mut stream = setup.ctx.add_stream_with(encoder.context()).map_err(failed)?;
            stream.set_time_base(ratio(encoder.time_base()));
            describe(&mut stream, &source);
            let (target, base) = (stream.index(), encoder.time_base());
            making = Some(Making { encoder, next, options: sound, target, base, ended: false });
            continue;
        }
        // Matroska would make a video track of a picture; so would MP4 of those of chapters.
        let picture = source.is_attached_picture();
        let held = !picture || (source.is_cover() && setup.container == Container::Mp4);
        let takes = if held { out::muxer_takes(&setup.ctx, &demuxer, &source)? } else { Some(false) };
        let needed = source.kind != StreamKind::Other;
        if takes == Some(false) || (takes.is_none() && !needed) {
            let what = format!("{} {}", source.codec, if picture { "attached picture" } else { source.kind.name() });
            if needed {
                let what = format!("copying {what} into a {} file", setup.container.muxer());
                let hint = Some("write an .mkv file instead".into());
                return Err(Error::InputUnsupported { path: demuxer.path(), what, hint });
            }
            left_out.push(what);
            continue;
        }
        let target = out::add_copy_of(&mut setup.ctx, &demuxer, &source)?;
        setup.container.check_rotation(-source.rotation)?;
        if let Some(mut stream) = setup.ctx.stream_mut(target) {
            if source.rotation != 0 {
                out::set_rotation(&mut stream, -source.rotation)?;
            }
            describe(&mut stream, &source);
        }
        let micros = Rational { num: 1, den: 1_000_000 };
        let shift = match of_track {
            Some(SoundChange::Shift(by)) => micros.rescale(by, source.time_base),
            _ => 0,
        };
        let base = source.time_base;
        lanes.push(Lane { source, target, base, shift });
    }
    if let Err(e) = setup.ctx.write_header() {
        setup.latch.check(&setup.path)?;
        return Err(Error::Bug(format!("the muxer refused the copied streams: {e}")));
    }
    let MuxSetup { ctx, latch, path, .. } = setup;
    let base = |target: usize| {
        let tb = ctx.stream(target).map(|s| s.time_base());
        tb.and_then(|t| Rational::new(t.numerator(), t.denominator()))
            .filter(|t| t.num > 0)
            .ok_or_else(|| Error::Bug("the muxer lost a time base".into()))
    };
    for lane in &mut lanes {
        lane.base = base(lane.target)?;
    }
    if let Some(m) = &mut making {
        m.base = base(m.target)?;
    }
    let mut to = Writing { ctx, latch, path, packets: 0 };
    let wanted: Vec<usize> = lanes.iter().map(|l| l.source.index).collect();
    let mut reader = Reader::new(demuxer, &options.limits, &wanted);
    while let Some(facts) = reader.next()? {
        options.cancel.check()?;
        let Some(lane) = lanes.iter().find(|l| l.source.index == facts.stream) else { continue };
        let mut packet = reader.packet.clone();
        let base = lane.source.time_base;
        if let (Some(m), Some(at)) = (&mut making, packet.dts().or(packet.pts())) {
            m.run_to(base.seconds(at) + AHEAD, &mut to)?;
        }
        packet.set_pts(packet.pts().map(|t| t.saturating_add(lane.shift)));
        packet.set_dts(packet.dts().map(|t| t.saturating_add(lane.shift)));
        if lane.source.is_cover() {
            // It has no time, and muxers want one.
            packet.set_pts(Some(0));
            packet.set_dts(Some(0));
        }
        to.write(packet, lane.target, base, lane.base)?;
        to.packets += 1;
    }
    if let Some(m) = &mut making {
        m.run_to(f64::INFINITY, &mut to)?;
    }
    drop(making);
    let trailer = to.ctx.write_trailer();
    to.latch.check(&to.path)?;
    trailer.map_err(|e| Error::Bug(format!("the muxer could not end the file: {e}")))?;
    let Writing { ctx, latch, path, packets } = to;
    drop(ctx);
    latch.check(&path)?;
    let Written { bytes, blake3 } = file.commit()?;
    Ok(Retimed { packets, left_out, bytes, blake3 })
}
