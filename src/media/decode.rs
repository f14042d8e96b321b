//! Decoding one video track, frame by frame, and the verdict at its end: within this process, or in one of its own.

use std::path::Path;

use super::avio::InputFile;
use super::hardware::HardwareDecode;
#[cfg(target_os = "linux")]
use super::isolate::IsolatedDecoder;
use super::isolate::Isolation;
use super::local::LocalDecoder;
use super::picture::DecodedFrame;
use super::probe::MediaInfo;
use super::share::{SharedReader, Sharing};
use super::verdict::Verdict;
use crate::core::{CancelToken, FrameDesc, Limits};
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
            sharing: None,
        }
    }
}

/// Decodes one video track of a file. Several decoders may read different tracks of one file at the same time.
///
/// Frames come in presentation order, in the format of the stream (see [`crate::core::PixelFormat`]); rotation is reported by
/// [`Self::rotation`], not applied. Damaged frames are delivered and marked; what is missing shows in [`Self::verdict`].
/// Results depend on the file alone: not on threads, not on chance, not on isolation.
///
/// A decoder that hangs inside a codec cannot be interrupted from within the process; reading can. With
/// [`DecodeOptions::isolation`] it can be.
#[derive(Debug)]
pub struct VideoDecoder(Inner);

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
        if let Some(sharing) = &options.sharing {
            return Ok(Self(Inner::Shared(Box::new(sharing.open(path.as_ref(), options)?))));
        }
        let input = InputFile::open(path.as_ref())?;
        match &options.isolation {
            None => Ok(Self(Inner::Here(Box::new(LocalDecoder::start(input, options.clone(), None)?)))),
            #[cfg(target_os = "linux")]
            Some(isolation) => {
                Ok(Self(Inner::Apart(Box::new(IsolatedDecoder::open(input, options.clone(), isolation.clone())?))))
            }
            #[cfg(not(target_os = "linux"))]
            Some(_) => Err(Error::Usage {
                message: "decoding in a process of its own is built for Linux only".into(),
                hint: Some("leave `isolation` out".into()),
            }),
        }
    }

    /// What the file declares.
    pub fn media_info(&self) -> MediaInfo {
        either!(&self.0, d => d.media_info())
    }

    /// Format, size and colour of the newest frame; `None` before the first.
    pub const fn desc(&self) -> Option<FrameDesc> {
        either!(&self.0, d => d.desc())
    }

    /// Degrees by which pictures must be turned clockwise for display.
    pub const fn rotation(&self) -> i32 {
        either!(&self.0, d => d.rotation())
    }

    /// Bytes read from the file so far.
    pub fn bytes_read(&self) -> u64 {
        either!(&self.0, d => d.bytes_read())
    }

    /// Assumptions and substitutions so far: colour that was not stated, alpha left out, formats converted, a decoder process that was
    /// started again.
    pub fn notes(&self) -> &[String] {
        either!(&self.0, d => d.notes())
    }

    /// The verdict, once [`Self::next_frame`] has returned `None` or an error that ends the stream. A decoder process that died leaves none:
    /// the error says why, and how many frames there were.
    pub fn verdict(&self) -> Option<&Verdict> {
        either!(&self.0, d => d.verdict())
    }

    /// The process that decodes, when it is another one and alive.
    pub fn worker(&self) -> Option<u32> {
        match &self.0 {
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
        either!(&mut self.0, d => d.next_frame())
    }
}

const fn assert_send<T: Send>() {}
const _: () = assert_send::<VideoDecoder>();
