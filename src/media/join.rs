//! Videos that were encoded in pieces become one file, packet by packet: no picture is decoded, none is encoded again.

use std::path::{Path, PathBuf};

use super::demux::Demuxer;
use super::encode::AudioCopy;
use super::ffmpeg_out::same_parameters;
use super::files::SharedOutput;
use super::mux::{Mux, MuxSetup, Picture, Streams};
use super::remux::Reader;
use super::streams::{StreamInfo, StreamKind};
use crate::core::{CancelToken, Limits, OutputSink, Rational, Size, Written};
use crate::error::{Error, Result};

/// One piece: a file of [`super::VideoWriter`] whose first picture has the time 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JoinPiece {
    /// The file.
    pub path: PathBuf,
    /// Time of its first picture in the joined file, in [`JoinOptions::time_base`].
    pub start: i64,
}

/// How pieces are joined.
#[derive(Debug, Clone)]
pub struct JoinOptions {
    /// Unit of the times, the one that the pieces were written with.
    pub time_base: Rational,
    /// How long the last picture lasts, in that unit.
    pub last_duration: i64,
    /// Rotation for display in degrees counter-clockwise, as in [`super::WriterOptions::rotation`].
    pub rotation: i32,
    /// Size of the pictures, where they were padded.
    pub picture: Option<Size>,
    /// Stops the work from another thread.
    pub cancel: CancelToken,
}

/// What was joined.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Joined {
    /// Pictures.
    pub frames: u64,
    /// Length of the file in bytes.
    pub bytes: u64,
    /// BLAKE3 of the file.
    pub blake3: [u8; 32],
    /// Size of the coded pictures.
    pub coded: Size,
    /// Audio packets copied.
    pub audio_packets: u64,
    /// Damage met while the audio was read.
    pub audio_damage: Vec<String>,
}

fn open(piece: &JoinPiece, cancel: &CancelToken) -> Result<(Demuxer, StreamInfo)> {
    let demuxer = Demuxer::open(&piece.path, &Limits::default(), cancel)?;
    let stream = demuxer.track(StreamKind::Video, 0)?;
    Ok((demuxer, stream))
}

/// Writes the pictures of all `pieces`, one piece after the other, into `path` (`.mp4` or `.mkv`), with an audio track copied between
/// them. Each piece begins with a key frame, so nothing but times changes.
///
/// # Errors
/// [`Error::Usage`] without a piece; [`Error::InputCorrupt`] for pieces that were encoded differently; as [`super::VideoWriter::create_in`] for
/// the audio; `Cancelled`, `Storage`.
pub fn join_videos(
    outputs: &(impl OutputSink + ?Sized),
    path: impl AsRef<Path>,
    pieces: &[JoinPiece],
    options: &JoinOptions,
    audio: Option<&AudioCopy>,
) -> Result<Joined> {
    let path = path.as_ref();
    let first = pieces.first().ok_or_else(|| Error::usage("no piece to join"))?;
    let (head, stream) = open(first, &options.cancel)?;
    let coded = Size::new(stream.width, stream.height);
    let file = SharedOutput::new(outputs.create_output(path)?);
    let comment = options.picture.filter(|p| *p != coded).map(|p| format!("picture {p} in the top left of {coded}"));
    let mut mux = MuxSetup::new(file.clone(), path, true)?.start(&Streams {
        video: Picture::Copied(&head, &stream),
        time_base: options.time_base,
        rotation: options.rotation,
        comment: comment.as_deref(),
        copy: audio,
        sound: None,
    })?;
    let (mut frames, mut last) = (0, None);
    for (at, piece) in pieces.iter().enumerate() {
        let (demuxer, own) = open(piece, &options.cancel)?;
        if !same_parameters((&head, stream.index), (&demuxer, own.index))? {
            let reason = format!("it was encoded differently from `{}`", first.path.display());
            return Err(Error::InputCorrupt { path: piece.path.clone(), reason });
        }
        let mut times = times(piece, options)?;
        let end = times.last().map_or(piece.start, |t| t.saturating_add(options.last_duration));
        times.push(pieces.get(at + 1).map_or(end, |p| p.start));
        frames += copy(&mut mux, (demuxer, own), (piece, &times), options.time_base, &mut last)?;
    }
    let audio = mux.finish()?.unwrap_or_default();
    let Written { bytes, blake3 } = file.commit()?;
    Ok(Joined { frames, bytes, blake3, coded, audio_packets: audio.packets, audio_damage: audio.damaged })
}

/// Times of the pictures of a piece, in the joined file, in the order in which they are shown. The container keeps no durations of them:
/// each lasts until the next one.
fn times(piece: &JoinPiece, options: &JoinOptions) -> Result<Vec<i64>> {
    let (demuxer, stream) = open(piece, &options.cancel)?;
    let mut reader = Reader::new(demuxer, &Limits::default(), &[stream.index]);
    let mut times = Vec::new();
    while let Some(facts) = reader.next()? {
        if let Some(pts) = reader.packet.pts().filter(|_| facts.stream == stream.index) {
            times.push(stream.time_base.rescale(pts, options.time_base).saturating_add(piece.start));
        }
    }
    times.sort_unstable();
    Ok(times)
}

/// Copies the packets of one piece, whose pictures are shown at `times`, the last of which is its end; gives their number.
fn copy(
    mux: &mut Mux,
    (demuxer, stream): (Demuxer, StreamInfo),
    (piece, times): (&JoinPiece, &[i64]),
    time_base: Rational,
    last: &mut Option<i64>,
) -> Result<u64> {
    let mut reader = Reader::new(demuxer, &Limits::default(), &[stream.index]);
    let mut frames = 0;
    while let Some(facts) = reader.next()? {
        if facts.stream != stream.index {
            continue;
        }
        let mut packet = reader.packet.clone();
        let moved = |t: i64| stream.time_base.rescale(t, time_base).saturating_add(piece.start);
        let pts = packet.pts().map(moved);
        // An encoder puts the first decoding times before the first picture, where the piece before still has its own.
        let dts = match (packet.dts().map(moved).or(pts), *last) {
            (Some(d), Some(l)) => Some(d.max(l.saturating_add(1))),
            (d, _) => d,
        };
        packet.set_pts(pts);
        packet.set_dts(dts);
        let shown = pts.and_then(|p| times.binary_search(&p).ok());
        if let Some((from, to)) = shown.and_then(|i| times.get(i).zip(times.get(i + 1))) {
            packet.set_duration(to.saturating_sub(*from));
        }
        *last = dts;
        mux.write_video(packet, time_base)?;
        frames += 1;
    }
    Ok(frames)
}
