//! Packets of a video and an audio track copied into other files, without decoding: pieces from key frame to key frame, and sound moved in time.

use std::path::{Path, PathBuf};

use ffmpeg_next as ff;
use ffmpeg_next::format::context::Output;

use super::demux::{Demuxer, Read};
use super::ffmpeg::{error_text, ratio};
use super::ffmpeg_out as out;
use super::files::{ErrorLatch, SharedOutput};
use super::mux::MuxSetup;
use super::packet::PacketFacts;
use super::streams::{StreamInfo, StreamKind};
use crate::core::{CancelToken, Limits, OutputSink, Rational, Written};
use crate::error::{Error, Result};

/// Failed reads in a row after which the rest of a container is given up.
const MAX_READ_FAILURES: u32 = 16;

/// Key frames of a video track.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyFrames {
    /// Unit of the times.
    pub time_base: Rational,
    /// Presentation times of the key frames, ascending.
    pub pts: Vec<i64>,
    /// Least presentation time of all frames.
    pub first: i64,
}

/// How to read.
#[derive(Debug, Clone, Default)]
pub struct CopyOptions {
    /// Position among the video tracks, from 0.
    pub track: usize,
    /// Position among the audio tracks, from 0; `None` leaves the sound out.
    pub audio_track: Option<usize>,
    /// Microseconds that the sound is moved to later.
    pub audio_shift_micros: i64,
    /// Limits for reading.
    pub limits: Limits,
    /// Stops the work from another thread.
    pub cancel: CancelToken,
}

/// A piece to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopyPiece {
    /// File, `.mp4` or `.mkv`.
    pub path: PathBuf,
    /// Presentation time of the key frame that it begins with, in the track's time base, which becomes 0; `None` for the beginning of
    /// the file, whose times stay as they are.
    pub start: Option<i64>,
    /// Presentation time of the key frame before which it ends; `None` for the end of the file.
    pub end: Option<i64>,
}

/// What was copied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopiedPiece {
    /// Packets of the video track: frames.
    pub frames: u64,
    /// Packets of the audio track.
    pub audio_packets: u64,
    /// Frames left out because they are shown before the key frame that they follow (open groups of pictures).
    pub leading: u64,
    /// Length of the file in bytes.
    pub bytes: u64,
    /// BLAKE3 of the file.
    pub blake3: [u8; 32],
}

/// Reads the packets of some streams of a file.
pub(super) struct Reader {
    demuxer: Demuxer,
    pub(super) packet: ff::Packet,
    limit: u64,
    failures: u32,
}

impl Reader {
    pub(super) fn new(mut demuxer: Demuxer, limits: &Limits, streams: &[usize]) -> Self {
        demuxer.keep(|i| streams.contains(&i));
        Self { demuxer, packet: ff::Packet::empty(), limit: limits.packet_bytes, failures: 0 }
    }

    /// Reads on into `packet`; `None` at the end of what can be read. Stretches that cannot be read are passed over: the copy is told apart
    /// from a whole one by its number of frames.
    pub(super) fn next(&mut self) -> Result<Option<PacketFacts>> {
        self.demuxer.watch.progress();
        loop {
            self.demuxer.watch.check()?;
            match self.demuxer.read(&mut self.packet) {
                Read::Packet(facts) => {
                    self.failures = 0;
                    let what = || "the size of a compressed packet in bytes".to_owned();
                    Limits::check("packet_bytes", self.limit, facts.size, what)?;
                    if facts.size > 0 {
                        return Ok(Some(facts));
                    }
                }
                Read::Again => {}
                Read::End => return self.demuxer.take_io_error().map_or(Ok(None), Err),
                Read::Failed(code) => {
                    self.failures += 1;
                    match self.demuxer.error("reading failed", code) {
                        e @ (Error::Cancelled | Error::Deadline { .. } | Error::Storage { .. }) => return Err(e),
                        _ if self.failures > MAX_READ_FAILURES => {
                            let reason = format!("reading failed: {}", error_text(code));
                            return Err(Error::InputCorrupt { path: self.demuxer.path(), reason });
                        }
                        _ => {}
                    }
                }
            }
        }
    }
}

/// Where the key frames of a track are, by reading all its packets.
///
/// # Errors
/// Those of opening a file; `TrackInvalid`; `InputCorrupt` when there is no key frame with a time; `Cancelled`, `Deadline`, `Storage`.
pub fn key_frames(path: impl AsRef<Path>, options: &CopyOptions) -> Result<KeyFrames> {
    let demuxer = Demuxer::open(path.as_ref(), &options.limits, &options.cancel)?;
    let stream = demuxer.track(StreamKind::Video, options.track)?;
    let mut reader = Reader::new(demuxer, &options.limits, &[stream.index]);
    let (mut pts, mut first) = (Vec::new(), None);
    while let Some(facts) = reader.next()? {
        // Packets of other streams that were read while probing still come.
        let Some(at) = reader.packet.pts().filter(|_| facts.stream == stream.index) else { continue };
        first = Some(first.map_or(at, |f: i64| f.min(at)));
        if reader.packet.is_key() {
            pts.push(at);
        }
    }
    pts.sort_unstable();
    pts.dedup();
    match first {
        Some(first) if !pts.is_empty() => Ok(KeyFrames { time_base: stream.time_base, pts, first }),
        _ => Err(Error::InputCorrupt { path: path.as_ref().to_path_buf(), reason: "no key frame has a time".into() }),
    }
}

/// One file being written.
struct Target {
    ctx: Output,
    latch: ErrorLatch,
    file: SharedOutput,
    path: PathBuf,
    /// Time bases of video and audio in the file.
    bases: [Rational; 2],
    counts: [u64; 2],
    leading: u64,
    /// The key frame it begins with has been seen.
    begun: bool,
    /// The key frame it ends before has been seen; nothing more for the video.
    ended: bool,
}

/// Streams of the source: video, then audio if wanted.
struct Sources {
    video: StreamInfo,
    audio: Option<StreamInfo>,
}

impl Target {
    fn create(outputs: &(impl OutputSink + ?Sized), piece: &CopyPiece, input: &Demuxer, s: &Sources) -> Result<Self> {
        let file = SharedOutput::new(outputs.create_output(&piece.path)?);
        let mut setup = MuxSetup::new(file.clone(), &piece.path, true)?;
        setup.container.check_rotation(-s.video.rotation)?;
        for stream in [Some(&s.video), s.audio.as_ref()].into_iter().flatten() {
            if out::muxer_takes(&setup.ctx, input, stream)? == Some(false) {
                let what =
                    format!("copying {} {} into a {} file", stream.codec, stream.kind.name(), setup.container.muxer());
                let hint = Some("write an .mkv file, or cut without --copy".into());
                return Err(Error::InputUnsupported { path: input.path(), what, hint });
            }
            out::add_copy_of(&mut setup.ctx, input, stream)?;
        }
        if s.video.rotation != 0
            && let Some(mut stream) = setup.ctx.stream_mut(0)
        {
            out::set_rotation(&mut stream, -s.video.rotation)?;
        }
        if let Err(e) = setup.ctx.write_header() {
            setup.latch.check(&setup.path)?;
            return Err(Error::Bug(format!("the muxer refused the copied streams: {e}")));
        }
        let base = |i: usize| {
            let tb = setup.ctx.stream(i).map(|s| s.time_base());
            tb.and_then(|t| Rational::new(t.numerator(), t.denominator())).filter(|t| t.num > 0)
        };
        let lost = || Error::Bug("the muxer lost a time base".into());
        let video = base(0).ok_or_else(lost)?;
        let bases = [video, if s.audio.is_some() { base(1).ok_or_else(lost)? } else { video }];
        let MuxSetup { ctx, latch, path, .. } = setup;
        Ok(Self {
            ctx,
            latch,
            file,
            path,
            bases,
            counts: [0, 0],
            leading: 0,
            begun: piece.start.is_none(),
            ended: false,
        })
    }

    /// Writes a packet of the source, `shift` ticks of its stream later.
    fn write(&mut self, packet: &ff::Packet, which: usize, from: Rational, shift: i64) -> Result<()> {
        let mut packet = packet.clone();
        packet.set_pts(packet.pts().map(|t| t.saturating_add(shift)));
        packet.set_dts(packet.dts().map(|t| t.saturating_add(shift)));
        let to = self.bases.get(which).copied().unwrap_or(from);
        packet.rescale_ts(ratio(from), ratio(to));
        packet.set_stream(which);
        packet.set_position(-1);
        let written = packet.write_interleaved(&mut self.ctx);
        self.latch.check(&self.path)?;
        written.map_err(|e| Error::Bug(format!("the muxer refused a copied packet: {e}")))?;
        if let Some(n) = self.counts.get_mut(which) {
            *n += 1;
        }
        Ok(())
    }

    fn finish(mut self) -> Result<CopiedPiece> {
        let trailer = self.ctx.write_trailer();
        self.latch.check(&self.path)?;
        trailer.map_err(|e| Error::Bug(format!("the muxer could not end the file: {e}")))?;
        let Self { ctx, latch, file, path, counts: [frames, audio_packets], leading, .. } = self;
        drop(ctx);
        latch.check(&path)?;
        let Written { bytes, blake3 } = file.commit()?;
        Ok(CopiedPiece { frames, audio_packets, leading, bytes, blake3 })
    }
}

/// Copies pieces of `input` into files of `outputs`, reading it once. Sound goes by time: a packet belongs where it begins.
///
/// # Errors
/// As [`key_frames`]; `InputUnsupported` when a container cannot hold a codec; `Usage` when a piece has no frame, and for an `.mkv` file of a video
/// that is shown turned, which Matroska cannot store; `Storage`.
pub fn copy_pieces(
    outputs: &(impl OutputSink + ?Sized),
    input: impl AsRef<Path>,
    pieces: &[CopyPiece],
    options: &CopyOptions,
) -> Result<Vec<CopiedPiece>> {
    let demuxer = Demuxer::open(input.as_ref(), &options.limits, &options.cancel)?;
    let video = demuxer.track(StreamKind::Video, options.track)?;
    let audio = options.audio_track.map(|i| demuxer.track(StreamKind::Audio, i)).transpose()?;
    let sources = Sources { video, audio };
    let mut targets = Vec::with_capacity(pieces.len());
    for piece in pieces {
        targets.push(Target::create(outputs, piece, &demuxer, &sources)?);
    }
    let Sources { video, audio } = &sources;
    let streams: Vec<usize> = [Some(video), audio.as_ref()].into_iter().flatten().map(|s| s.index).collect();
    let mut reader = Reader::new(demuxer, &options.limits, &streams);
    let micros = Rational { num: 1, den: 1_000_000 };
    let mut first_key = None;
    while let Some(facts) = reader.next()? {
        let (packet, pts) = (&reader.packet, reader.packet.pts().or(reader.packet.dts()));
        if facts.stream == video.index && packet.is_key() {
            first_key = first_key.or(pts);
        }
        for (target, piece) in targets.iter_mut().zip(pieces) {
            if facts.stream == video.index {
                if packet.is_key() {
                    target.begun |= piece.start == pts;
                    target.ended |= piece.end.is_some() && piece.end == pts;
                }
                if !target.begun || target.ended {
                    continue;
                }
                if piece.start.zip(pts).is_some_and(|(start, at)| at < start) {
                    target.leading += 1;
                    continue;
                }
                target.write(packet, 0, video.time_base, -piece.start.unwrap_or(0))?;
            } else if let Some(audio) = audio {
                let at = |t: Option<i64>| t.map(|t| video.time_base.rescale(t, audio.time_base));
                let inside =
                    pts.is_none_or(|p| at(piece.start).is_none_or(|s| p >= s) && at(piece.end).is_none_or(|e| p < e));
                if inside {
                    let shift = micros.rescale(options.audio_shift_micros, audio.time_base);
                    target.write(packet, 1, audio.time_base, shift - at(piece.start).unwrap_or(0))?;
                }
            }
        }
    }
    if let Some((empty, piece)) = targets.iter().zip(pieces).find(|(t, _)| t.counts[0] == 0) {
        let (start, first) = (piece.start, first_key);
        return Err(Error::usage(format!(
            "no frame belongs into `{}`: its key frame at {start:?} was not found, the first one is at {first:?}",
            empty.path.display()
        )));
    }
    targets.into_iter().map(Target::finish).collect()
}
