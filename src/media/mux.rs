//! The writing end of a container: video packets as they come, audio packets copied between them in time order, every
//! write error seen.

use std::io::{Seek, Write};
use std::path::{Path, PathBuf};

use ffmpeg_next as ff;
use ffmpeg_next::format::context::{Output, StreamIo};

use super::codec::decoder_for;
use super::demux::Demuxer;
use super::encode::AudioCopy;
use super::feed::{Damage, Feed, Next};
use super::ffmpeg::{self, ratio};
use super::ffmpeg_out as out;
use super::files::{ErrorLatch, Latched};
use super::sound::SoundEncoder;
use super::streams::{StreamInfo, StreamKind};
use crate::core::{CancelToken, Rational};
use crate::error::{Error, Result};

/// Containers that can be written, by file extension.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Container {
    Mp4,
    Matroska,
}

impl Container {
    /// The container a file name asks for.
    pub(crate) fn of(path: &Path) -> Result<Self> {
        let ext = path.extension().map(|e| e.to_ascii_lowercase());
        match ext.as_deref().and_then(|e| e.to_str()) {
            Some("mp4") => Ok(Self::Mp4),
            Some("mkv") => Ok(Self::Matroska),
            _ => Err(Error::Usage {
                message: format!("a video file must end in .mp4 or .mkv, got `{}`", path.display()),
                hint: Some("choose the container by the file extension".into()),
            }),
        }
    }

    pub(super) fn muxer(self) -> &'static str {
        match self {
            Self::Mp4 => "mp4",
            Self::Matroska => "matroska",
        }
    }

    /// Refuses a rotation in degrees counter-clockwise, as `ffprobe` prints it, that the container cannot store.
    pub(super) fn check_rotation(self, degrees: i32) -> Result<()> {
        if degrees == 0 || self == Self::Mp4 {
            return Ok(());
        }
        Err(Error::Usage {
            message: format!("a rotation of {degrees} degrees cannot be stored in a Matroska file"),
            hint: Some("write an .mp4 file, or turn the pictures and use a rotation of 0".into()),
        })
    }
}

/// Audio packets on their way from a source to the output.
struct AudioFeed {
    feed: Feed,
    target: usize,
    out_tb: Rational,
    next: Option<ff::Packet>,
    last_dts: Option<i64>,
    ended: bool,
    /// Packets from this time on, in seconds, are left out.
    until: f64,
    packets: u64,
    adjusted: u64,
    damage: Damage,
}

impl std::fmt::Debug for AudioFeed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AudioFeed").field("feed", &self.feed).field("packets", &self.packets).finish_non_exhaustive()
    }
}

/// What was copied of the audio track.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct AudioCopied {
    pub(crate) packets: u64,
    pub(crate) adjusted: u64,
    pub(crate) damaged: Vec<String>,
}

/// A container being written.
pub(crate) struct Mux {
    // Dropped before the latch is looked at for the last time: dropping flushes.
    ctx: Output,
    latch: ErrorLatch,
    path: PathBuf,
    video_tb: Rational,
    audio: Option<AudioFeed>,
    /// Stream and time base of sound that is encoded here.
    sound: Option<(usize, Rational)>,
}

impl std::fmt::Debug for Mux {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mux").field("path", &self.path).field("audio", &self.audio).finish_non_exhaustive()
    }
}

/// Where the pictures come from.
#[derive(Clone, Copy)]
pub(crate) enum Picture<'a> {
    /// An encoder.
    Encoded(&'a ff::codec::Context),
    /// A track of another file, copied.
    Copied(&'a Demuxer, &'a StreamInfo),
}

/// What goes into a file.
pub(crate) struct Streams<'a> {
    pub(crate) video: Picture<'a>,
    pub(crate) time_base: Rational,
    pub(crate) rotation: i32,
    pub(crate) comment: Option<&'a str>,
    /// A track of another file, copied.
    pub(crate) copy: Option<&'a AudioCopy>,
    /// Sound that is encoded here.
    pub(crate) sound: Option<&'a SoundEncoder>,
}

/// A muxer whose streams are not decided yet.
pub(crate) struct MuxSetup {
    pub(super) ctx: Output,
    pub(super) latch: ErrorLatch,
    pub(super) path: PathBuf,
    pub(super) container: Container,
}

impl MuxSetup {
    /// A muxer that writes to `sink`; `path` is for messages only.
    pub(crate) fn new(sink: impl Write + Seek + Send + 'static, path: &Path, bitexact: bool) -> Result<Self> {
        ffmpeg::init();
        let container = Container::of(path)?;
        let (sink, latch) = Latched::new(sink);
        let failed = |e: ff::Error| Error::Bug(format!("no {} muxer: {e}", container.muxer()));
        let io = StreamIo::from_write_seek(sink).map_err(failed)?;
        let mut ctx = ff::format::output_to_stream(io, None, Some(container.muxer())).map_err(failed)?;
        if bitexact {
            out::set_muxer_bitexact(&mut ctx);
        }
        Ok(Self { ctx, latch, path: path.to_path_buf(), container })
    }

    pub(crate) fn wants_global_header(&self) -> bool {
        out::wants_global_header(&self.ctx)
    }

    /// Adds the streams and writes the header.
    pub(crate) fn start(mut self, streams: &Streams<'_>) -> Result<Mux> {
        let Streams { video: picture, time_base, rotation, comment, copy: audio, sound } = *streams;
        self.container.check_rotation(rotation)?;
        let video = {
            let failed = |e| Error::Bug(format!("cannot add the video stream: {e}"));
            let mut stream = match picture {
                Picture::Encoded(encoder) => {
                    let mut stream = self.ctx.add_stream_with(encoder).map_err(failed)?;
                    out::tell_pixel_aspect(&mut stream);
                    stream
                }
                Picture::Copied(input, stream) => {
                    let index = out::add_copy_of(&mut self.ctx, input, stream)?;
                    self.ctx.stream_mut(index).ok_or_else(|| Error::Bug("the muxer lost the video stream".into()))?
                }
            };
            stream.set_time_base(ratio(time_base));
            if rotation != 0 {
                out::set_rotation(&mut stream, rotation)?;
            }
            stream.index()
        };
        let mut audio = audio.map(|a| self.add_audio(a)).transpose()?;
        let sound = match sound {
            Some(s) => {
                let failed = |e| Error::Bug(format!("cannot add the audio stream: {e}"));
                let mut stream = self.ctx.add_stream_with(s.context()).map_err(failed)?;
                stream.set_time_base(ratio(s.time_base()));
                Some(stream.index())
            }
            None => None,
        };
        if let Some(text) = comment {
            self.ctx.set_metadata(ff::Dictionary::from_iter([("comment", text)]));
        }
        if let Err(e) = self.ctx.write_header() {
            self.latch.check(&self.path)?;
            return Err(Error::Bug(format!("the muxer refused the streams: {e}")));
        }
        let tb_of = |index: usize| {
            let tb = self.ctx.stream(index).map(|s| s.time_base());
            tb.and_then(|t| Rational::new(t.numerator(), t.denominator())).filter(|t| t.num > 0)
        };
        let video_tb = tb_of(video).ok_or_else(|| Error::Bug("the muxer lost the video time base".into()))?;
        if let Some(a) = &mut audio {
            a.out_tb = tb_of(a.target).ok_or_else(|| Error::Bug("the muxer lost the audio time base".into()))?;
        }
        let sound = match sound {
            Some(i) => Some((i, tb_of(i).ok_or_else(|| Error::Bug("the muxer lost the audio time base".into()))?)),
            None => None,
        };
        Ok(Mux { ctx: self.ctx, latch: self.latch, path: self.path, video_tb, audio, sound })
    }

    fn add_audio(&mut self, copy: &AudioCopy) -> Result<AudioFeed> {
        let input = Demuxer::open(&copy.path, &copy.limits, &CancelToken::new())?;
        input.check_duration(&copy.limits)?;
        let source = input.track(StreamKind::Audio, copy.track)?;
        // What cannot be read again is not copied either.
        decoder_for(&input, &source)?;
        if out::muxer_takes(&self.ctx, &input, &source)? == Some(false) {
            return Err(Error::InputUnsupported {
                path: copy.path.clone(),
                what: format!("copying {} audio into a {} file", source.codec, self.container.muxer()),
                hint: Some("write an .mkv file instead".into()),
            });
        }
        let target = out::add_copy_of(&mut self.ctx, &input, &source)?;
        Ok(AudioFeed {
            target,
            out_tb: source.time_base,
            feed: Feed::new(input, source, copy.limits.packet_bytes, false),
            next: None,
            last_dts: None,
            ended: false,
            until: copy.until.unwrap_or(f64::INFINITY),
            packets: 0,
            adjusted: 0,
            damage: Damage::default(),
        })
    }
}

impl Mux {
    /// Writes one video packet whose times are in `time_base`, after all audio that belongs before it.
    pub(crate) fn write_video(&mut self, mut packet: ff::Packet, time_base: Rational) -> Result<()> {
        packet.rescale_ts(ratio(time_base), ratio(self.video_tb));
        packet.set_stream(0);
        packet.set_position(-1);
        let until = packet.dts().or(packet.pts()).map(|t| (t, self.video_tb));
        self.write_audio_until(until)?;
        self.write(&packet)
    }

    /// Writes one packet of encoded sound whose times are in `time_base`.
    pub(crate) fn write_sound(&mut self, mut packet: ff::Packet, time_base: Rational) -> Result<()> {
        let (stream, tb) = self.sound.ok_or_else(|| Error::Bug("a packet of sound for a file without".into()))?;
        packet.rescale_ts(ratio(time_base), ratio(tb));
        packet.set_stream(stream);
        packet.set_position(-1);
        self.write(&packet)
    }

    fn write(&mut self, packet: &ff::Packet) -> Result<()> {
        let written = packet.write_interleaved(&mut self.ctx);
        // The muxer may swallow an error of the sink: the latch does not.
        self.latch.check(&self.path)?;
        written.map_err(|e| Error::Bug(format!("the muxer refused a packet: {e}")))
    }

    /// Copies audio packets up to and including a time; all that are left without one.
    fn write_audio_until(&mut self, until: Option<(i64, Rational)>) -> Result<()> {
        loop {
            let Some(audio) = &mut self.audio else { return Ok(()) };
            audio.fetch()?;
            let due = match (&audio.next, until) {
                (None, _) => return Ok(()),
                (Some(_), None) => true,
                (Some(p), Some((t, tb))) => p.dts().is_none_or(|d| !audio.out_tb.later(d, t, tb)),
            };
            if !due {
                return Ok(());
            }
            if let Some(packet) = audio.next.take() {
                audio.packets += 1;
                self.write(&packet)?;
            }
        }
    }

    /// Writes what is left and the trailer, then lets go of the sink.
    pub(crate) fn finish(mut self) -> Result<Option<AudioCopied>> {
        self.write_audio_until(None)?;
        let trailer = self.ctx.write_trailer();
        self.latch.check(&self.path)?;
        trailer.map_err(|e| Error::Bug(format!("the muxer could not end the file: {e}")))?;
        let copied = self.audio.take().map(|a| AudioCopied {
            packets: a.packets,
            adjusted: a.adjusted,
            damaged: a.damage.texts,
        });
        let Self { ctx, latch, path, .. } = self;
        drop(ctx);
        latch.check(&path)?;
        Ok(copied)
    }
}

impl AudioFeed {
    /// Makes sure that `next` is filled unless the source has ended.
    fn fetch(&mut self) -> Result<()> {
        // The time since the last packet was ours, not the file's.
        self.feed.demuxer.watch.progress();
        while self.next.is_none() && !self.ended {
            match self.feed.next()? {
                Next::End => self.ended = true,
                Next::Damaged(text) => self.damage.note(text),
                Next::Packet(facts) if facts.size == 0 => {}
                Next::Packet(_) => {
                    let packet = std::mem::replace(&mut self.feed.packet, ff::Packet::empty());
                    let time = packet.dts().or(packet.pts()).map(|t| self.feed.stream.time_base.seconds(t));
                    if time.is_some_and(|t| t >= self.until) {
                        self.ended = true;
                    } else {
                        self.next = Some(self.prepare(packet));
                    }
                }
            }
        }
        Ok(())
    }

    fn prepare(&mut self, mut packet: ff::Packet) -> ff::Packet {
        packet.rescale_ts(ratio(self.feed.stream.time_base), ratio(self.out_tb));
        packet.set_stream(self.target);
        packet.set_position(-1);
        let mut dts = packet.dts().or(packet.pts());
        // Muxers need growing times. Where a source has none, or goes back, the packet follows its predecessor.
        if let Some(last) = self.last_dts
            && dts.is_none_or(|d| d <= last)
        {
            dts = Some(last.saturating_add(1));
            self.adjusted += 1;
        }
        let dts = dts.unwrap_or(0);
        packet.set_dts(Some(dts));
        packet.set_pts(Some(packet.pts().map_or(dts, |p| p.max(dts))));
        self.last_dts = Some(dts);
        packet
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn containers_are_chosen_by_extension() {
        assert_eq!(Container::of(Path::new("a/b.MP4")).unwrap(), Container::Mp4);
        assert_eq!(Container::of(Path::new("b.mkv")).unwrap(), Container::Matroska);
        for bad in ["b.avi", "mp4", "b", ".mkv"] {
            assert!(matches!(Container::of(Path::new(bad)), Err(Error::Usage { .. })), "{bad}");
        }
    }

    #[test]
    fn only_one_container_stores_a_rotation() {
        let (mp4, matroska) = (Container::Mp4, Container::Matroska);
        assert!(mp4.check_rotation(-90).is_ok() && mp4.check_rotation(0).is_ok() && matroska.check_rotation(0).is_ok());
        let e = matroska.check_rotation(-90).unwrap_err();
        assert!(e.exit_code() == 2 && e.to_string().contains("a rotation of -90 degrees"), "{e}");
    }
}
