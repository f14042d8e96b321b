//! Video files: pictures in, H.264 or MPEG-4 in MP4 or Matroska out, timestamps as given, audio of a source copied.
//!
//! A file appears under its name only when it is whole: everything goes to an [`crate::core::OutputFile`], which
//! [`VideoWriter::finish`] commits. A writer that is dropped, or that failed, leaves nothing behind.

use std::path::{Path, PathBuf};

use super::encoder::{BITEXACT_THREADS, Encoder};
use super::files::SharedOutput;
use super::mux::{Container, Mux, MuxSetup, Picture, Streams};
pub use super::planes::Plane;
use super::planes::{self, I420};
use super::sound::{SoundEncoder, SoundOptions};
use super::streams::usable_aspect;
use crate::core::{ColorSpec, Limits, OutputSink, PixelFormat, Rational, Size, Written};
use crate::error::{Error, Result};

/// Codec of a video file.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Codec {
    /// H.264 where the linked FFmpeg can encode it, else MPEG-4 part 2. [`WriteSummary::codec`] says which it was.
    #[default]
    Auto,
    /// H.264 or an error.
    H264,
    /// MPEG-4 part 2.
    Mpeg4,
}

/// How many bytes to spend.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum RateControl {
    /// Constant quality on the scale of x264: 0 (best) to 51, 23 is usual. For MPEG-4 it becomes the quantiser with the
    /// same step size, `0.3125 * 2^(crf / 6)`, kept in 1..=31.
    Crf(f32),
    /// Average bits per second, at least 1000.
    BitRate(u64),
}

/// What to do with an odd width or height. 4:2:0 video stores one chroma sample for two columns and two rows, and
/// H.264 cannot crop to an odd size either.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OddSize {
    /// Refuse it.
    #[default]
    Error,
    /// Repeat the last column or row. [`WriteSummary::picture`] keeps the size that was given, and the file carries the
    /// comment `picture WxH in the top left of WxH`.
    PadReplicate,
}

/// How a video file is written. Start from [`WriterOptions::new`].
#[derive(Debug, Clone, PartialEq)]
pub struct WriterOptions {
    /// Size of the pictures handed in, in pixels, at least 16x16 and at most 16384 on a side.
    pub size: Size,
    /// Layout of the pictures handed in. The file has 8-bit 4:2:0: [`PixelFormat::Rgba8`] is converted by `color`, its alpha not used;
    /// finer chroma is averaged where `color` puts the samples, 10 bits are rounded to 8, grey gets neutral chroma.
    pub format: PixelFormat,
    /// Unit of the timestamps handed in. MP4 keeps them exactly; Matroska rounds to milliseconds.
    pub time_base: Rational,
    /// Usual pictures per second: guides the rate control and gives the last picture its duration (an MP4 with B-frames
    /// may state the end of a track of uneven frame times up to a picture early). `None`: 25.
    pub frame_rate: Option<Rational>,
    /// Colour of the pictures, written as tags. Primaries and transfer follow the matrix (BT.709, SMPTE 170M; for BT.2020
    /// the transfer stays unspecified, because it may be SDR or HDR).
    pub color: ColorSpec,
    /// Rotation for display in degrees counter-clockwise, a multiple of 90, as `ffprobe` prints it. MP4 only.
    pub rotation: i32,
    /// Shape of the pixels as they are coded, width to height, 1/32 to 32: 64/45 for a PAL disc that is shown at 16:9. `None`: square, or not
    /// known.
    pub pixel_aspect: Option<Rational>,
    /// Codec.
    pub codec: Codec,
    /// Quality or bit rate.
    pub rate: RateControl,
    /// Encoder threads, 0 for one per core, at most 64. Both encoders give other bytes for other thread counts,
    /// so `bitexact` replaces this by a fixed layout; [`WriteSummary::threads`] says what was used.
    pub threads: u32,
    /// Most pictures from one key frame to the next, at least 1; groups are closed.
    pub gop: u32,
    /// The same pictures give the same bytes, whatever `threads` and the number of cores are: software encoders only, a
    /// fixed thread layout, no macroblock-tree in x264 (about a tenth more bytes), no random ids, dates or versions.
    pub bitexact: bool,
    /// What to do with odd sizes.
    pub odd: OddSize,
}

impl WriterOptions {
    /// Options with the usual defaults: [`Codec::Auto`], CRF 23, key frames at most 250 pictures apart, bit exact, odd sizes
    /// refused, colour as assumed for the height.
    pub fn new(size: Size, format: PixelFormat, time_base: Rational) -> Self {
        Self {
            size,
            format,
            time_base,
            frame_rate: None,
            color: ColorSpec::assumed_for_height(size.height),
            rotation: 0,
            pixel_aspect: None,
            codec: Codec::Auto,
            rate: RateControl::Crf(23.0),
            threads: 0,
            gop: 250,
            bitexact: true,
            odd: OddSize::Error,
        }
    }

    /// Bytes that the software encoder holds, about: pictures that it looks ahead at, references, and some a thread. By the peaks of runs with
    /// and without it (x264, four threads, 720p to 2160p) 49 to 54 pictures in 4:2:0, where this says 56 and a little more.
    pub fn encoder_bytes(&self) -> u64 {
        let threads = match (self.bitexact, self.threads) {
            (true, _) => BITEXACT_THREADS,
            (false, 0) => std::thread::available_parallelism().map_or(1, usize::from) as u32,
            (false, n) => n,
        };
        let even = Size::new(self.size.width.next_multiple_of(16), self.size.height.next_multiple_of(16));
        even.area() * 3 / 2 * (40 + 4 * u64::from(threads)) + (8 << 20)
    }

    /// Size of the coded picture: `size`, padded to even if the policy allows it.
    fn coded_size(&self) -> Result<Size> {
        let Size { width, height } = self.size;
        let even = Size::new(width.next_multiple_of(2), height.next_multiple_of(2));
        if even != self.size && self.odd == OddSize::Error {
            return Err(wrong("size", "even, as 4:2:0 video needs it (or OddSize::PadReplicate)", self.size));
        }
        Ok(even)
    }

    fn check(&self) -> Result<()> {
        let Size { width, height } = self.size;
        if width.min(height) < 16 || width.max(height) > 16_384 {
            return Err(wrong("size", "16 to 16384 pixels on each side", self.size));
        }
        let positive = |r: Rational| r.num > 0 && r.den > 0;
        if !positive(self.time_base) {
            return Err(wrong("time_base", "greater than 0", self.time_base));
        }
        if let Some(r) = self.frame_rate.filter(|r| !positive(*r) || r.as_f64() > 1000.0) {
            return Err(wrong("frame_rate", "greater than 0 and at most 1000 per second", r));
        }
        if let Some(r) = self.pixel_aspect.filter(|r| !usable_aspect(*r)) {
            return Err(wrong("pixel_aspect", "width to height of a pixel, 1/32 to 32", r));
        }
        if self.rotation % 90 != 0 {
            return Err(wrong("rotation", "a multiple of 90 degrees", self.rotation));
        }
        match self.rate {
            RateControl::Crf(c) if !(0.0..=51.0).contains(&c) => return Err(wrong("rate", "a CRF of 0 to 51", c)),
            RateControl::BitRate(b) if !(1000..=1_000_000_000).contains(&b) => {
                return Err(wrong("rate", "1000 to 1000000000 bits per second", b));
            }
            _ => {}
        }
        if self.threads > 64 {
            return Err(wrong("threads", "0 to 64", self.threads));
        }
        if self.gop == 0 || self.gop > 100_000 {
            return Err(wrong("gop", "1 to 100000", self.gop));
        }
        Ok(())
    }
}

fn wrong(name: &'static str, wanted: &str, given: impl ToString) -> Error {
    Error::Parameter { op: "media/encode", name, wanted: wanted.into(), given: given.to_string() }
}

/// An audio track to copy next to the video, packet by packet, without re-encoding. Its timestamps stay as they are, so
/// video timestamps that come from the same file keep it in step. Matroska has no times before 0: where the audio begins
/// earlier (AAC priming, a few hundredths of a second), all streams of an `.mkv` move by the same amount.
#[derive(Debug, Clone, PartialEq)]
pub struct AudioCopy {
    /// File with the track.
    pub path: PathBuf,
    /// Track, counted from 0 among the audio tracks.
    pub track: usize,
    /// Limits for reading the file.
    pub limits: Limits,
    /// Where copying ends, in seconds of the file's own time; `None`: with the track. The last packet may reach a little further.
    pub until: Option<f64>,
}

impl AudioCopy {
    /// Track `track` of `path`, all of it, with the default limits.
    pub fn new(path: impl Into<PathBuf>, track: usize) -> Self {
        Self { path: path.into(), track, limits: Limits::default(), until: None }
    }
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WriteSummary {
    /// Pictures in the file: all that were handed in.
    pub frames: u64,
    /// Length of the file in bytes.
    pub bytes: u64,
    /// BLAKE3 of the file.
    pub blake3: [u8; 32],
    /// Codec, "h264" or "mpeg4".
    pub codec: &'static str,
    /// FFmpeg's name of the encoder, such as "libx264".
    pub encoder: &'static str,
    /// Encoder threads used.
    pub threads: u32,
    /// Size of the pictures handed in.
    pub picture: Size,
    /// Size of the coded pictures; larger than `picture` only with [`OddSize::PadReplicate`].
    pub coded: Size,
    /// Samples per channel that were encoded with [`VideoWriter::write_sound`].
    pub sound_samples: u64,
    /// Audio packets copied.
    pub audio_packets: u64,
    /// Audio packets whose missing or decreasing time had to be moved.
    pub audio_adjusted: u64,
    /// Damage met while the audio was read.
    pub audio_damage: Vec<String>,
}

/// Writes one video file; see the module documentation.
#[derive(Debug)]
pub struct VideoWriter {
    mux: Mux,
    encoder: Encoder,
    sound: Option<SoundEncoder>,
    file: SharedOutput,
    path: PathBuf,
    picture: I420,
    options: WriterOptions,
    frames: u64,
    last_pts: Option<i64>,
    failed: bool,
}

impl VideoWriter {
    /// Starts a file of `outputs`. `path` ends in `.mp4` or `.mkv`. All that can be wrong with the options, the encoder, the
    /// audio track or the folder is an error here.
    pub fn create_in(
        outputs: &(impl OutputSink + ?Sized),
        path: impl AsRef<Path>,
        options: &WriterOptions,
        audio: Option<&AudioCopy>,
    ) -> Result<Self> {
        Self::begin(outputs, path.as_ref(), options, audio, None)
    }

    /// Starts a file whose sound is handed in as samples ([`Self::write_sound`]) and encoded as AAC, so that it can begin and end anywhere.
    ///
    /// # Errors
    /// As [`Self::create_in`]; `Parameter` for a rate that AAC does not have, see [`SoundOptions::rate_for`].
    pub fn create_with_sound_in(
        outputs: &(impl OutputSink + ?Sized),
        path: impl AsRef<Path>,
        options: &WriterOptions,
        sound: &SoundOptions,
    ) -> Result<Self> {
        Self::begin(outputs, path.as_ref(), options, None, Some(sound))
    }

    fn begin(
        outputs: &(impl OutputSink + ?Sized),
        path: &Path,
        options: &WriterOptions,
        audio: Option<&AudioCopy>,
        sound: Option<&SoundOptions>,
    ) -> Result<Self> {
        options.check()?;
        let coded = options.coded_size()?;
        Container::of(path)?;
        let file = SharedOutput::new(outputs.create_output(path)?);
        let setup = MuxSetup::new(file.clone(), path, options.bitexact)?;
        let encoder = Encoder::open(options, coded, setup.wants_global_header())?;
        let comment = (coded != options.size).then(|| format!("picture {} in the top left of {coded}", options.size));
        let global = setup.wants_global_header();
        let sound = sound.map(|s| SoundEncoder::open(s, options.bitexact, global)).transpose()?;
        let streams = Streams {
            video: Picture::Encoded(encoder.context()),
            time_base: options.time_base,
            rotation: options.rotation,
            comment: comment.as_deref(),
            copy: audio,
            sound: sound.as_ref(),
        };
        let mux = setup.start(&streams)?;
        let (options, path, picture) = (options.clone(), path.to_path_buf(), I420::new(coded));
        Ok(Self { mux, encoder, sound, file, path, picture, options, frames: 0, last_pts: None, failed: false })
    }

    /// Writes one picture. `planes` are laid out as [`WriterOptions::format`] and `size` say; `pts` is in units of
    /// [`WriterOptions::time_base`], greater than the one before, and stored as it is.
    ///
    /// After an error the writer accepts nothing more.
    pub fn write_frame(&mut self, planes: &[Plane<'_>], pts: i64) -> Result<()> {
        if self.failed {
            return Err(Error::usage("this video writer has failed before; its file is discarded"));
        }
        // What the caller did wrong does not harm the file: it is checked before anything is written.
        planes::check(self.options.format, self.options.size, planes)?;
        if let Some(last) = self.last_pts.filter(|l| pts <= *l) {
            return Err(wrong("pts", &format!("greater than the one before, {last}"), pts));
        }
        if pts.unsigned_abs() > 1 << 60 {
            return Err(wrong("pts", "within 2^60", pts));
        }
        self.failed = true;
        self.picture.fill(self.options.format, self.options.size, planes, &self.options.color)?;
        self.encoder.send(&self.picture, pts)?;
        self.drain()?;
        self.last_pts = Some(pts);
        self.frames += 1;
        self.failed = false;
        Ok(())
    }

    /// Appends interleaved samples in -1..=1 to the sound of a file begun with [`Self::create_with_sound_in`]. Pictures and samples should
    /// come roughly in the order of their times: what is ahead waits in memory.
    ///
    /// # Errors
    /// `Usage` for a file without such sound; `Storage`. After an error the writer accepts nothing more.
    pub fn write_sound(&mut self, samples: &[f32]) -> Result<()> {
        let Some(sound) = self.sound.as_mut().filter(|_| !self.failed) else {
            return Err(Error::usage(
                "this video writer takes no samples: it failed before, or was begun without sound",
            ));
        };
        self.failed = true;
        sound.push(samples)?;
        self.drain_sound()?;
        self.failed = false;
        Ok(())
    }

    fn drain_sound(&mut self) -> Result<()> {
        let Some(sound) = &mut self.sound else { return Ok(()) };
        while let Some(packet) = sound.receive()? {
            self.mux.write_sound(packet, sound.time_base())?;
        }
        Ok(())
    }

    /// Moves finished packets to the muxer.
    fn drain(&mut self) -> Result<()> {
        while let Some(packet) = self.encoder.receive()? {
            self.mux.write_video(packet, self.options.time_base)?;
        }
        Ok(())
    }

    /// Ends the file: encoder and audio are drained, the file is flushed to disk and gets its name.
    pub fn finish(mut self) -> Result<WriteSummary> {
        if self.failed {
            return Err(Error::usage("this video writer has failed before; its file is discarded"));
        }
        if self.frames == 0 {
            return Err(Error::usage(format!("no picture was written to `{}`", self.path.display())));
        }
        self.encoder.end()?;
        self.drain()?;
        if let Some(sound) = &mut self.sound {
            sound.end();
        }
        self.drain_sound()?;
        let Self { mux, encoder, sound, file, options, frames, picture, .. } = self;
        if encoder.packets() != frames {
            return Err(Error::Bug(format!("{} packets came out of {frames} pictures", encoder.packets())));
        }
        let audio = mux.finish()?.unwrap_or_default();
        let Written { bytes, blake3 } = file.commit()?;
        Ok(WriteSummary {
            frames,
            bytes,
            blake3,
            codec: encoder.codec(),
            encoder: encoder.name(),
            threads: encoder.threads(),
            picture: options.size,
            coded: picture.size,
            sound_samples: sound.map_or(0, |s| s.samples()),
            audio_packets: audio.packets,
            audio_adjusted: audio.adjusted,
            audio_damage: audio.damaged,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::io::{self, Cursor, Seek, SeekFrom, Write};

    use super::*;

    /// A disk with room for a number of bytes.
    struct SmallDisk {
        room: u64,
        data: Cursor<Vec<u8>>,
    }

    impl Write for SmallDisk {
        fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
            if self.data.position() + buf.len() as u64 > self.room {
                return Err(io::Error::from(io::ErrorKind::StorageFull));
            }
            self.data.write(buf)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Seek for SmallDisk {
        fn seek(&mut self, pos: SeekFrom) -> io::Result<u64> {
            self.data.seek(pos)
        }
    }

    /// Encodes 60 noisy pictures onto a disk with `room` bytes.
    fn encode_onto(room: u64, name: &str) -> Result<()> {
        let size = Size::new(64, 64);
        let mut options = WriterOptions::new(size, PixelFormat::I420, Rational { num: 1, den: 25 });
        options.codec = Codec::Mpeg4;
        let setup = MuxSetup::new(SmallDisk { room, data: Cursor::default() }, Path::new(name), true)?;
        let mut encoder = Encoder::open(&options, size, setup.wants_global_header())?;
        let time_base = options.time_base;
        let streams = Streams {
            video: Picture::Encoded(encoder.context()),
            time_base,
            rotation: 0,
            comment: None,
            copy: None,
            sound: None,
        };
        let mut mux = setup.start(&streams)?;
        let mut picture = I420::new(size);
        let mut seed = 1u32;
        for pts in 0..60 {
            let noise: Vec<u8> = (0..64 * 64 * 3 / 2)
                .map(|_| {
                    seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    (seed >> 24) as u8
                })
                .collect();
            let (y, c) = noise.split_at(64 * 64);
            let (u, v) = c.split_at(32 * 32);
            let planes = [Plane { data: y, stride: 64 }, Plane { data: u, stride: 32 }, Plane { data: v, stride: 32 }];
            picture.fill(PixelFormat::I420, size, &planes, &options.color)?;
            encoder.send(&picture, pts)?;
            while let Some(packet) = encoder.receive()? {
                mux.write_video(packet, options.time_base)?;
            }
        }
        mux.finish().map(drop)
    }

    #[test]
    fn a_full_disk_is_an_error_wherever_it_hits() {
        for name in ["x.mp4", "x.mkv"] {
            encode_onto(u64::MAX, name).expect("the control must succeed");
            for room in [0, 1, 40, 4096, 40_000, 100_000, 150_000] {
                let e = encode_onto(room, name).expect_err("the disk is too small");
                assert_eq!((e.code(), e.exit_code()), ("storage-no-space", 7), "{name} with {room} bytes: {e}");
            }
        }
    }
}
