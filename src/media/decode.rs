//! Decoding one video track, frame by frame, and the verdict at its end: within this process, or in one of its own.

use std::path::Path;

use super::avio::InputFile;
use super::hardware::HardwareDecode;
#[cfg(target_os = "linux")]
use super::isolate::IsolatedDecoder;
use super::isolate::Isolation;
use super::local::LocalDecoder;
use super::picture::DecodedFrame;
use super::probe::{MediaInfo, VideoStream};
use super::share::{SharedReader, Sharing};
use super::streams::usable_aspect;
use super::turn::Turn;
use super::verdict::Verdict;
use crate::core::{CancelToken, FrameDesc, FrameLayout, Limits, Rational, Size};
use crate::error::{Error, Result};

/// How to decode.
#[derive(Debug, Clone)]
pub struct DecodeOptions {
    /// Position among the video tracks of the file, from 0.
    pub track: usize,
    /// Decoder threads, 1 to 64; by default as many as there are cores, at most 8: more do not make one decoder faster. Changes
    /// speed, never results.
    pub threads: u32,
    /// Limits for the input.
    pub limits: Limits,
    /// Decode on a device.
    pub hardware: HardwareDecode,
    /// Stops the decoder from another thread.
    pub cancel: CancelToken,
    /// Number the caller gives this source; comes back in [`crate::core::FrameInfo::stream`].
    pub stream: u32,
    /// Decode in a process of its own, so that an input that crashes or hangs the decoder costs that process and no more. `None`, the
    /// default, decodes in this process. Never changes results.
    pub isolation: Option<Isolation>,
    /// Turn pictures as the container says that they are shown, in quarter turns: the default, as players and the `ffmpeg` command do. Without
    /// it frames come as they are coded, see [`VideoDecoder::rotation`].
    pub upright: bool,
    /// Decode once for several readers. `None`, the default, decodes for this one alone. Never changes results.
    pub sharing: Option<Sharing>,
}

/// Threads of a decoder that has the machine for itself.
fn usual_threads() -> u32 {
    std::thread::available_parallelism().map_or(1, |n| u32::try_from(n.get()).unwrap_or(8)).min(8)
}

impl Default for DecodeOptions {
    fn default() -> Self {
        Self {
            track: 0,
            threads: usual_threads(),
            limits: Limits::default(),
            hardware: HardwareDecode::Off,
            cancel: CancelToken::new(),
            stream: 0,
            isolation: None,
            upright: true,
            sharing: None,
        }
    }
}

impl DecodeOptions {
    const fn turn_of(&self, rotation: i32) -> Turn {
        if self.upright { Turn::by(rotation) } else { Turn::None }
    }

    /// Width and height in pixels of the frames of `stream`, as it declares them.
    pub const fn size_of(&self, stream: &VideoStream) -> Size {
        self.turn_of(stream.rotation).size(Size::new(stream.width, stream.height))
    }

    /// Shape of the pixels of the frames of `stream`, width to height, as it declares it: what [`super::WriterOptions::pixel_aspect`] takes. `None`
    /// for square pixels, where nothing is declared, and for what no picture has (beyond 32 to 1).
    pub fn pixel_aspect_of(&self, stream: &VideoStream) -> Option<Rational> {
        let (num, den) = stream.aspect_ratio.as_deref()?.split_once(':')?;
        let aspect = Rational::new(num.parse().ok()?, den.parse().ok()?)?;
        let usable = usable_aspect(aspect) && aspect.num != aspect.den;
        usable.then(|| self.turn_of(stream.rotation).aspect(aspect))
    }

    /// The layout that frames of `stream` will have in memory, as far as its declaration tells: for plans, never to be trusted. `None` without a
    /// size.
    pub fn layout_of(&self, stream: &VideoStream) -> Option<FrameLayout> {
        FrameLayout::of(self.turn_of(stream.rotation).format(stream.format()), self.size_of(stream))
    }
}

/// Decodes one video track of a file. Several decoders may read different tracks of one file at the same time.
///
/// Frames come in presentation order, in the format of the stream (see [`crate::core::PixelFormat`]), as they are shown: see
/// [`DecodeOptions::upright`]. Damaged frames are delivered and marked; what is missing shows in [`Self::verdict`].
/// Results depend on the file alone: not on threads, not on chance, not on isolation.
///
/// A decoder that hangs inside a codec cannot be interrupted from within the process; reading can. With
/// [`DecodeOptions::isolation`] it can be.
#[derive(Debug)]
pub struct VideoDecoder {
    inner: Inner,
    turn: Turn,
}

#[derive(Debug)]
enum Inner {
    Here(Box<LocalDecoder>),
    #[cfg(target_os = "linux")]
    Apart(Box<IsolatedDecoder>),
    Shared(Box<SharedReader>),
}

/// Calls a method of whichever decoder it is.
macro_rules! either {
    ($self:expr, $decoder:ident => $call:expr) => {
        match $self {
            Inner::Here($decoder) => $call,
            #[cfg(target_os = "linux")]
            Inner::Apart($decoder) => $call,
            Inner::Shared($decoder) => $call,
        }
    };
}

impl VideoDecoder {
    /// Opens `path` and a decoder for one of its video tracks.
    ///
    /// # Errors
    /// Those of [`super::probe()`]; `TrackInvalid`; `InputUnsupported` (codec); `LimitExceeded` (picture); `Config` for zero or
    /// more than 64 threads; `Gpu` if a named device is missing; with isolation `DecodeWorker`, and `Usage` where there is none (other
    /// systems than Linux).
    pub fn open(path: impl AsRef<Path>, options: &DecodeOptions) -> Result<Self> {
        if !(1..=64).contains(&options.threads) {
            let message = format!("must be 1 to 64, got {}", options.threads);
            return Err(Error::Config { field: "decode.threads".into(), message });
        }
        // Frames travel as they are coded, between readers and between processes; each reader turns its own.
        let coded = DecodeOptions { upright: false, ..options.clone() };
        let inner = Self::as_coded(path.as_ref(), coded)?;
        let turn = options.turn_of(either!(&inner, d => d.rotation()));
        Ok(Self { inner, turn })
    }

    fn as_coded(path: &Path, options: DecodeOptions) -> Result<Inner> {
        if let Some(sharing) = &options.sharing {
            return Ok(Inner::Shared(Box::new(sharing.open(path, &options)?)));
        }
        let input = InputFile::open(path)?;
        match options.isolation.clone() {
            None => Ok(Inner::Here(Box::new(LocalDecoder::start(input, options, None)?))),
            #[cfg(target_os = "linux")]
            Some(isolation) => Ok(Inner::Apart(Box::new(IsolatedDecoder::open(input, options, isolation)?))),
            #[cfg(not(target_os = "linux"))]
            Some(_) => Err(Error::Usage {
                message: "decoding in a process of its own is built for Linux only".into(),
                hint: Some("leave `isolation` out".into()),
            }),
        }
    }

    /// What the file declares.
    pub fn media_info(&self) -> MediaInfo {
        either!(&self.inner, d => d.media_info())
    }

    /// Format, size and colour of the newest frame; `None` before the first.
    pub const fn desc(&self) -> Option<FrameDesc> {
        match either!(&self.inner, d => d.desc()) {
            Some(desc) => Some(self.turn.desc(desc)),
            None => None,
        }
    }

    /// Degrees by which pictures must still be turned clockwise for display: zero for those that come [upright](DecodeOptions::upright), unless
    /// the container asks for a part of a quarter turn. What the container asks for is [`VideoStream::rotation`](super::VideoStream).
    pub const fn rotation(&self) -> i32 {
        match self.turn {
            Turn::None => either!(&self.inner, d => d.rotation()),
            _ => 0,
        }
    }

    /// Bytes read from the file so far.
    pub fn bytes_read(&self) -> u64 {
        either!(&self.inner, d => d.bytes_read())
    }

    /// Assumptions and substitutions so far: colour that was not stated, alpha left out, formats converted, a decoder process that was
    /// started again.
    pub fn notes(&self) -> &[String] {
        either!(&self.inner, d => d.notes())
    }

    /// The verdict, once [`Self::next_frame`] has returned `None` or an error that ends the stream. A decoder process that died leaves none:
    /// the error says why, and how many frames there were.
    pub fn verdict(&self) -> Option<&Verdict> {
        either!(&self.inner, d => d.verdict())
    }

    /// The process that decodes, when it is another one and alive.
    pub fn worker(&self) -> Option<u32> {
        match &self.inner {
            Inner::Here(_) => None,
            #[cfg(target_os = "linux")]
            Inner::Apart(d) => d.worker(),
            Inner::Shared(d) => d.worker(),
        }
    }

    /// The next frame in presentation order, or `None` after the last.
    ///
    /// # Errors
    /// `InputCorrupt` if not a single frame could be decoded, `InputUnsupported` for pixel formats that cannot be taken over,
    /// `LimitExceeded`, `Storage` if reading the file failed (after all frames before the failure), `Cancelled`,
    /// `Deadline`, `DecodeWorker`. Damaged packets are no errors: they show in the verdict.
    pub fn next_frame(&mut self) -> Result<Option<DecodedFrame<'_>>> {
        let frame = either!(&mut self.inner, d => d.next_frame())?;
        Ok(frame.map(|frame| DecodedFrame { turn: self.turn, ..frame }))
    }
}

const fn assert_send<T: Send>() {}
const _: () = assert_send::<VideoDecoder>();

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shape_of_pixels_turns_with_the_picture() {
        let shape = |aspect: Option<&str>, rotation: i32, upright: bool| {
            let stream: VideoStream = serde_json::from_value(serde_json::json!({
                "track_index": 0, "stream_index": 0, "codec": "h264", "width": 720, "height": 576, "rotation": rotation,
                "time_base": "1/25", "color": {}, "aspect_ratio": aspect,
            }))
            .unwrap();
            let options = DecodeOptions { upright, ..DecodeOptions::default() };
            options.pixel_aspect_of(&stream).map(|r| (r.num, r.den))
        };
        assert_eq!(shape(Some("64:45"), 0, true), Some((64, 45)));
        assert_eq!(shape(Some("64:45"), 180, true), Some((64, 45)));
        assert_eq!(shape(Some("64:45"), 90, true), Some((45, 64)));
        assert_eq!(shape(Some("64:45"), -90, false), Some((64, 45)));
        for none in [None, Some("1:1"), Some("8:8"), Some("0:1"), Some("1:0"), Some("-4:3"), Some("4"), Some("1:100")] {
            assert_eq!(shape(none, 0, true), None, "{none:?}");
        }
    }
}
