//! The decoder proper: packets in, frames out, with every answer of FFmpeg told apart.
#![allow(unsafe_code, reason = "FFI: AVCodecContext")]

use std::ffi::c_int;
use std::ptr;
use std::sync::Arc;

use ffmpeg_next::packet::Ref as _;
use ffmpeg_next::{Frame, Packet, ffi};

use super::allow;
use super::demux::Demuxer;
use super::ffmpeg::{EAGAIN, LogSink, error_text, no_memory, string};
use super::hardware::{self, Device, HardwareDecode};
use super::packet::Options;
use super::streams::StreamInfo;
use crate::core::Limits;
use crate::error::{Error, Result};

/// Answer to a packet.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Sent {
    Taken,
    /// Frames must be received first; the packet was not taken.
    Full,
    /// The packet is damaged; decoding goes on.
    Bad(c_int),
}

/// Answer to a request for a frame.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Received {
    Frame,
    NeedsPacket,
    End,
    /// Something was damaged; decoding goes on.
    Bad(c_int),
}

/// The decoder of a stream and its name; `InputUnsupported` where FFmpeg has none or it is not on the list.
pub(crate) fn decoder_for(demuxer: &Demuxer, stream: &StreamInfo) -> Result<(*const ffi::AVCodec, String)> {
    let unsupported = |name: &str| Error::InputUnsupported {
        path: demuxer.path(),
        what: format!("the codec `{name}`"),
        hint: Some(format!("{}; decoders that are used: {}", allow::CONVERT, allow::CODECS.join(", "))),
    };
    let parameters = demuxer.parameters(stream.index)?;
    // SAFETY: the parameters live as long as the demuxer, which is borrowed.
    let codec = unsafe { ffi::avcodec_find_decoder((*parameters).codec_id) };
    if codec.is_null() {
        return Err(unsupported(&stream.codec));
    }
    // SAFETY: codec descriptions are static data.
    let name = unsafe { string((*codec).name) }.unwrap_or_default();
    if allow::CODECS.contains(&name.as_str()) { Ok((codec, name)) } else { Err(unsupported(&name)) }
}

/// An open decoder.
pub(crate) struct Codec {
    context: *mut ffi::AVCodecContext,
    pub(crate) log: Arc<LogSink>,
    pub(crate) device: Option<Device>,
    pub(crate) notes: Vec<String>,
    pub(crate) name: String,
}

// SAFETY: FFmpeg's contexts have no thread affinity; access is exclusive.
unsafe impl Send for Codec {}

impl std::fmt::Debug for Codec {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Codec").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Codec {
    /// Opens a decoder for `stream` of `demuxer` with `threads` threads.
    pub(crate) fn open(
        demuxer: &Demuxer,
        stream: &StreamInfo,
        threads: u32,
        limits: &Limits,
        wanted: &HardwareDecode,
    ) -> Result<Self> {
        let path = || demuxer.path();
        let (codec, name) = decoder_for(demuxer, stream)?;
        let parameters = demuxer.parameters(stream.index)?;
        let (device, note) = hardware::open(wanted, codec)?;
        let mut options = Options::default();
        options.set("codec_whitelist", &allow::comma_list(allow::CODECS))?;
        // SAFETY: allocation; checked for null.
        let context = unsafe { ffi::avcodec_alloc_context3(codec) };
        if context.is_null() {
            return Err(no_memory(size_of::<ffi::AVCodecContext>()));
        }
        let this = Self { context, log: LogSink::new(), device, notes: note.into_iter().collect(), name };
        // SAFETY: the context is valid and not open yet, the parameters are valid.
        let code = unsafe {
            let c = ffi::avcodec_parameters_to_context(context, parameters);
            if c < 0 {
                return Err(Error::InputCorrupt { path: path(), reason: error_text(c) });
            }
            (*context).pkt_timebase = ffi::AVRational { num: stream.time_base.num, den: stream.time_base.den };
            (*context).thread_count = c_int::try_from(threads.clamp(1, 64)).unwrap_or(1);
            (*context).thread_type = ffi::FF_THREAD_FRAME | ffi::FF_THREAD_SLICE;
            (*context).max_pixels = i64::try_from(limits.pixels).unwrap_or(i64::MAX);
            let sides = [(*context).width, (*context).height].map(|v| u64::try_from(v).unwrap_or(0));
            this.log.expect_pictures((sides[0] * sides[1] * 3 / 2).max(1 << 20));
            (*context).opaque = ptr::without_provenance_mut(this.log.address());
            if let Some(d) = &this.device {
                d.attach(context)?;
            }
            ffi::avcodec_open2(context, codec, options.as_mut_ptr())
        };
        if code < 0 {
            let detail = this.log.detail();
            let reason = format!("the decoder `{}` cannot be opened: {}{detail}", this.name, error_text(code));
            return Err(Error::InputCorrupt { path: path(), reason });
        }
        options.must_be_empty()?;
        Ok(this)
    }

    /// Hands over a packet, or `None` for the end of the stream.
    pub(crate) fn send(&mut self, packet: Option<&Packet>) -> Result<Sent> {
        // SAFETY: context and packet are valid; null means end of stream.
        let code = unsafe { ffi::avcodec_send_packet(self.context, packet.map_or(ptr::null(), |p| p.as_ptr())) };
        match code {
            c if c >= 0 => Ok(Sent::Taken),
            c if c == -EAGAIN => Ok(Sent::Full),
            // The end was announced before: nothing to do.
            ffi::AVERROR_EOF => Ok(Sent::Taken),
            c => self.fatal(c).map_or(Ok(Sent::Bad(c)), Err),
        }
    }

    /// Asks for the next frame.
    pub(crate) fn receive(&mut self, frame: &mut Frame) -> Result<Received> {
        // SAFETY: reads the pointer only, which is null where allocating the frame failed.
        let to = unsafe { frame.as_mut_ptr() };
        if to.is_null() {
            return Err(no_memory(size_of::<ffi::AVFrame>()));
        }
        // SAFETY: context and frame are valid; the frame is released by FFmpeg before it is filled.
        let code = unsafe { ffi::avcodec_receive_frame(self.context, to) };
        match code {
            c if c >= 0 => Ok(Received::Frame),
            c if c == -EAGAIN => Ok(Received::NeedsPacket),
            ffi::AVERROR_EOF => Ok(Received::End),
            c => self.fatal(c).map_or(Ok(Received::Bad(c)), Err),
        }
    }

    /// Errors after which the decoder cannot be used. Too little memory is none: damaged headers ask for absurd sizes, and the
    /// packets after them may be sound.
    fn fatal(&self, code: c_int) -> Option<Error> {
        match code {
            ffi::AVERROR_BUG | ffi::AVERROR_BUG2 => Some(Error::Bug(format!("FFmpeg's decoder `{}`", self.name))),
            ffi::AVERROR_EXIT => Some(Error::Cancelled),
            _ => None,
        }
    }
}

impl Drop for Codec {
    fn drop(&mut self) {
        // SAFETY: freed once; joins the decoder's own threads.
        unsafe { ffi::avcodec_free_context(&raw mut self.context) };
    }
}
